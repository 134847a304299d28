"""A roster as text in columns, before anything is known about what the columns mean."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADING_ROWS = 10
"""The heading is looked for in so many rows: clerks put titles above it."""


@dataclass(frozen=True, slots=True)
class SourceFormat:
    r"""How a roster is written, so that rejects and return list can be written the same way.

    Parameters
    ----------
    encoding : str
        ``utf-8``, ``utf-8-sig`` (with byte order mark), ``gb18030`` or ``utf-16``; empty for a
        workbook.
    delimiter : str
        Comma, tab, ``|`` or ``;``; empty for a workbook.
    line_end : str
        ``\r\n`` or ``\n``.
    sheet : str
        Name of the sheet of a workbook.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    line_end: str = "\n"
    sheet: str = ""

    @property
    def workbook(self) -> bool:
        """Whether it is an XLSX file."""
        return not self.delimiter

    @property
    def suffix(self) -> str:
        """File name ending that opens in the program the roster came from."""
        if self.workbook:
            return ".xlsx"
        return ".csv" if self.delimiter in ",;" else ".txt"


@dataclass(slots=True)
class Table:
    """The cells of a roster, as they are in the file.

    Parameters
    ----------
    format : SourceFormat
        How the file is written.
    headings : list of str
        The heading row, without empty headings at its end.
    heading_row : int
        Where it stands, counted from 1.
    columns : list of list of str
        One list a heading.
    rows : list of int
        Row of each record as a spreadsheet program counts it; blank rows are left out.
    ragged : dict
        Index of a record with too few or too many cells → its cells; in ``columns`` it is empty.
    numeric : dict
        Row → texts of cells that a spreadsheet holds as a number with more digits than it can.
    other_sheets : int
        Sheets of the workbook that were not read.
    """

    format: SourceFormat
    headings: list[str] = field(repr=False)
    heading_row: int = 1
    columns: list[list[str]] = field(default_factory=list, repr=False)
    rows: list[int] = field(default_factory=list, repr=False)
    ragged: dict[int, list[str]] = field(default_factory=dict, repr=False)
    numeric: dict[int, set[str]] = field(default_factory=dict, repr=False)
    other_sheets: int = 0

    def record(self, index: int) -> list[str]:
        """All cells of one record, as many as there are."""
        return self.ragged.get(index) or [column[index] for column in self.columns]

    def record_to_write(self, index: int) -> list[str]:
        """One record with as many cells as there are headings.

        A record with too few or too many cells is put whole into the first: so nothing is lost,
        and nothing stands under a heading it may not belong to.
        """
        cells = self.record(index)
        if index not in self.ragged:
            return cells
        return [self.format.delimiter.join(cells), *[""] * (len(self.headings) - 1)]
