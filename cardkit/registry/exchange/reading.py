"""Bytes of an exchange file → its header, its rows and its trailer, checked.

What makes the file as a whole unusable is a fault, named by line. What is wrong with one row only
(a date that is none, an unknown code ...) is kept with the row, which fails and is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from cardkit.registry.exchange.checking import row_problems, total_faults, with_duplicates
from cardkit.registry.exchange.errors import Fault
from cardkit.registry.exchange.formats.common import BOMS, LINE, Faults, Reader, Record
from cardkit.registry.exchange.formats.line_reading import LineReader
from cardkit.registry.exchange.formats.xml_reading import XmlReader
from cardkit.registry.exchange.layout import Layout

__all__ = ["LINE", "PROBLEM", "Content", "read"]

PROBLEM = "_problem"
"""Column with what is wrong with a row, ``field:reason``."""


@dataclass(slots=True)
class Content:
    """What a file says.

    Parameters
    ----------
    header, trailer : Record
        Field → value, empty where the layout has none.
    rows : DataFrame
        A column of text for each field of the layout, and two more: ``_line`` (its line in the
        file) and ``_problem`` (``''``, or ``field:reason``).
    name : str
        Of the file, for messages.
    """

    header: Record = field(repr=False)
    trailer: Record = field(repr=False)
    rows: pl.DataFrame = field(repr=False)
    name: str = "the file"

    def held(self, layout: Layout, what: str) -> str:
        """Value of the header or trailer field that holds something, ``''`` without one."""
        for fields, values in ((layout.header, self.header), (layout.trailer, self.trailer)):
            for one in fields:
                if one.holds == what:
                    return values[one.name]
        return ""


def read(
    layout: Layout, data: bytes, *, name: str = "the file", only: Sequence[str] | None = None
) -> Content:
    """Read and check a file.

    Parameters
    ----------
    only : sequence of str, optional
        Fields whose columns are kept; all are checked. They hold keys, serial and amount.

    Raises
    ------
    FileFaultsError
        It is not what its layout says; every fault is named by its line.
    """
    faults = Faults()
    if not data:
        faults.add(Fault(0, "empty", "the file is empty", "文件是空的"))
    elif data.startswith(BOMS):
        faults.add(Fault(1, "bom", "begins with a byte order mark", "文件开头有 BOM 标记"))
    faults.raise_any(name)
    reader: Reader = XmlReader(layout, faults) if layout.xml else LineReader(layout, faults)
    frames = []
    for frame in reader.frames(data):
        checked = frame.with_columns(row_problems(layout, frame).alias(PROBLEM))
        frames.append(checked if only is None else checked.select(*only, LINE, PROBLEM))
    faults.raise_any(name)
    rows = pl.concat(frames) if frames else _no_rows(layout)
    content = Content(reader.header, reader.trailer, rows, name)
    faults.add(*total_faults(layout, content.header, content.trailer, rows))
    faults.raise_any(name)
    content.rows = with_duplicates(layout, rows)
    return content


def _no_rows(layout: Layout) -> pl.DataFrame:
    texts = dict.fromkeys((*(f.name for f in layout.fields), PROBLEM), pl.String)
    return pl.DataFrame(schema={**texts, LINE: pl.Int64})
