#!/bin/sh
# Every test. `--soak` adds the runs at full scale; anything else is handed to vitest.
set -eu
cd "$(dirname -- "$0")/.."
if [ "${1-}" = --soak ]; then
  shift
  export THAW_SOAK=1
fi
exec node node_modules/vitest/vitest.mjs run "$@"
