#!/bin/sh
# The demonstration; to be replaced by the real one.
set -eu
echo "the demonstration is not written yet" >&2
exit 1
