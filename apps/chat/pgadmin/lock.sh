#!/bin/sh
# Rewrite requirements.lock after a change of requirements.in; with --upgrade to the newest that it allows.
set -eu
cd "$(dirname "$0")"
export UV_CUSTOM_COMPILE_COMMAND=pgadmin/lock.sh
uv pip compile --quiet --generate-hashes --no-annotate --python-version 3.13 --python-platform linux "$@" \
    --output-file requirements.lock requirements.in
