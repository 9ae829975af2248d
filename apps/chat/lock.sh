#!/bin/sh
# Rewrite the locks after a change of the dependencies in pyproject.toml: uv.lock for development and tests,
# requirements*.lock (the same pins, for pip) for the images.
set -eu
cd "$(dirname "$0")"
uv lock "$@"
export UV_CUSTOM_COMPILE_COMMAND=./lock.sh
common="--frozen --quiet --no-emit-project --no-header --format requirements.txt"
# shellcheck disable=SC2086 # a list of options
uv export $common --no-default-groups --output-file requirements.lock
# shellcheck disable=SC2086
uv export $common --only-group build --output-file requirements-build.lock
