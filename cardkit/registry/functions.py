"""Functions of SQL that each database calls by another name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class from_hex(GenericFunction[bytes]):  # noqa: N801 - as SQL calls it
    """Hexadecimal digits → bytes. SQLite gets it from `cardkit.registry.sqlite`."""

    type = LargeBinary()
    inherit_cache = True


@compiles(from_hex, "postgresql")
def _decode(element: from_hex, compiler: SQLCompiler, **more: Any) -> str:  # noqa: ANN401
    return f"decode({compiler.process(element.clauses, **more)}, 'hex')"
