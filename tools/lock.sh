#!/usr/bin/env bash
# Makes the two lock files anew from pyproject.toml: versions with hashes, for every Python and system.
# Needs `uv` (pip install uv). Run it after a change of dependencies, then read the difference.
set -eu
cd "$(dirname "$0")/.."
lock() {
  uv pip compile pyproject.toml "$@" --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet
}
lock --group build --output-file requirements.lock
lock --group build --group dev --output-file requirements-dev.lock
