#!/bin/sh
# Write the pinned and hashed requirements files from the *.in files. They name no host and no path.
set -eu
cd "$(dirname "$0")/.."

lock() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
        "$1" --output-file "${1%.in}.txt"
}

lock requirements.in
lock requirements-build.in
lock requirements-dev.in
