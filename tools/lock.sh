#!/bin/sh
# Writes requirements.lock: what the project and its development group resolve to today.
set -eu
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --upgrade pip
"$place/venv/bin/pip" install --quiet --group dev -e ".[within,terminal,web,iotp]"
{
    echo "# What development is pinned to; written by make lock. Users get the ranges of pyproject.toml."
    "$place/venv/bin/pip" freeze --exclude-editable
} >requirements.lock
