#!/bin/sh
# Builds manifests/Dockerfile without a Docker daemon, for tests/live/test_image.py: run as root, with Debian's
# `apt-get install --no-install-recommends buildah podman runc debootstrap`. Where no registry of images can be reached, what
# stands for python:3.11-slim is Debian 12 itself, whose Python is 3.11 too. The host's certificates and index of packages are
# lent to the build, and are in no layer.
set -eu
cd "$(dirname "$0")/../.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! timeout 60 buildah pull -q docker.io/library/python:3.11-slim >/dev/null 2>&1 &&
	! buildah images -q docker.io/library/python:3.11-slim >/dev/null 2>&1; then
	debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$work/root" >"$work/log"
	ln -s python3 "$work/root/usr/bin/python"
	made=$(buildah from scratch)
	buildah add -q "$made" "$work/root" / >/dev/null
	buildah config --env PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$made"
	buildah commit -q --rm "$made" docker.io/library/python:3.11-slim >/dev/null
fi
certificates=/etc/ssl/certs/ca-certificates.crt
printf '[global]\ncert = %s\n%s\n' "$certificates" "${PIP_INDEX_URL:+index-url = $PIP_INDEX_URL}" >"$work/pip.conf"
buildah bud --pull-never -q -v "$certificates:$certificates:ro" -v "$work/pip.conf:/etc/pip.conf:ro" \
	--ignorefile manifests/Dockerfile.dockerignore -f manifests/Dockerfile -t rootcause .
