#!/bin/sh
# Makes sure that the tests of the terminal's page have a Chromium: the one of Debian and Ubuntu,
# which Playwright drives as it is. Nothing is downloaded from anywhere else.
set -eu
cd "$(dirname "$0")/.."

found=""
for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1; then
        found=$candidate
        break
    fi
done
if [ -z "$found" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1 || ! {
        echo "installing chromium for the tests of the terminal's page"
        apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium
    }; then
        echo "No Chromium here: the tests of the terminal's page are left out." >&2
        echo "Install chromium (Debian, Ubuntu), or set CHROMIUM to where one is." >&2
        exit 0
    fi
fi
touch .venv/browser
