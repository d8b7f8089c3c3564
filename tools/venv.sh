#!/bin/sh
# Makes .venv with everything development needs. Needs Python 3.11 or newer, and nothing else.
set -eu
cd "$(dirname "$0")/.."

found=""
for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        found=$candidate
        break
    fi
done
if [ -z "$found" ]; then
    echo "Tollbridge needs Python 3.11 or newer; set PYTHON to where it is." >&2
    exit 1
fi

make_venv() {
    rm -rf .venv && "$found" -m venv .venv
}
echo "setting up .venv with $("$found" --version)"
if ! make_venv >.venv.log 2>&1; then
    # Debian keeps the venv module's own pip in a package of its own.
    version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq "python$version-venv"
        make_venv
    else
        cat .venv.log >&2
        echo "Install python$version-venv (Debian, Ubuntu) and try again." >&2
        exit 1
    fi
fi
rm -f .venv.log
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
touch .venv/ready
