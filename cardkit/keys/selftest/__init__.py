"""Known answers of every algorithm: run them at the start of a key service, and on request.

`run` computes the vectors of a list, `load` reads them from a file, `run_builtin` takes those of
the program. `require_builtin` raises `SelfTestFailedError`, by which a key store locks itself.
"""

from cardkit.keys.selftest.run import (
    Report,
    SelfTestFailedError,
    require_builtin,
    run,
    run_builtin,
)
from cardkit.keys.selftest.vector import Vector, VectorFileError, load, parse

__all__ = [
    "Report",
    "SelfTestFailedError",
    "Vector",
    "VectorFileError",
    "load",
    "parse",
    "require_builtin",
    "run",
    "run_builtin",
]
