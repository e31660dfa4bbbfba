#!/bin/sh
# Builds a real kube-apiserver (1.20, Debian 12's source package, which has everything it needs) for tests/live/test_apiserver.py:
# as root, with Debian's `apt-get install --no-install-recommends golang-go etcd-server
# golang-github-modern-go-reflect2-dev`, in about ten minutes on two cores.
# No registry has it ready-made. It lands in .cache/live, and nothing else stays.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .cache/live
target=$PWD/.cache/live/kube-apiserver
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
mkdir -p lists/partial cache/archives/partial gopath/src/k8s.io/kubernetes
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main" >sources.list
cat >apt.conf <<CONF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
CONF
export APT_CONFIG="$work/apt.conf"
apt-get update -qq
apt-get source -qq --download-only kubernetes
cd gopath/src/k8s.io/kubernetes
tar xzf "$work"/kubernetes_*.orig.tar.gz --strip-components=1
export GO111MODULE=off GOPATH="$work/gopath" GOCACHE="$work/gocache" CGO_ENABLED=0
# the reflect2 that came with it iterates maps as Go 1.17 laid them out, and crashes under a newer Go
vendored=vendor/github.com/modern-go/reflect2
rm -f $vendored/*.go $vendored/*.s
cp /usr/share/gocode/src/github.com/modern-go/reflect2/*.go /usr/share/gocode/src/github.com/modern-go/reflect2/*.s $vendored/
# the models of OpenAPI are the one thing that upstream's tree generates before it builds
models=$(grep -rl '+k8s:openapi-gen=' --include='*.go' pkg staging/src vendor/k8s.io | grep -v 'sample-\|code-generator\|/test' |
	xargs -n1 dirname | sed 's#^staging/src/#vendor/#; s#^#k8s.io/kubernetes/#' | sort -u | paste -sd,)
go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
: >"$work/header.txt"
"$work/openapi-gen" --logtostderr -i "$models" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
	-h "$work/header.txt" -r "$work/violations" -o "$work/gopath/src"
go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v1.20.2" -o "$target" ./cmd/kube-apiserver
