"""Run the measurements named on the command line, or all; options go to the one that is named."""

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
    "lifecycle",
    "keys",
    "tokens",
    "inquiry",
    "exchange",
    "forms",
    "photos",
    "year",
)

if __name__ == "__main__":
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    first = sys.argv.index(options[0]) if options else len(sys.argv)
    names, options = sys.argv[1:first], sys.argv[first:]
    unknown = set(names) - set(ALL)
    if unknown:
        sys.exit(f"no measurement {sorted(unknown)}; there are {', '.join(ALL)}")
    sys.argv[1:] = options
    for name in names or ALL:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
