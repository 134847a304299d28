"""Run the measurements named on the command line, or all."""

from __future__ import annotations

import importlib
import sys

ALL = (
    "startup",
    "wire",
    "window",
    "readers",
    "county",
    "windows",
    "lots",
    "keys",
    "tokens",
    "inquiry",
    "exchange",
    "forms",
)

if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - set(ALL)
    if unknown:
        sys.exit(f"no measurement {sorted(unknown)}; there are {', '.join(ALL)}")
    for name in sys.argv[1:] or ALL:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
