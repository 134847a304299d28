"""Looks through a workbook before the spreadsheet library loads it.

The library turns every cell into text and reserves memory for the whole rectangle of a sheet. So
two things have to be found out beforehand: whether that rectangle is sane (one stray cell far out
would end the process), and which cells are numbers of more digits than a spreadsheet can hold.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO
from xml.etree import ElementTree as ET

from cardkit.errors import UsageError

CELL_LIMIT = 16_000_000
"""Cells of a sheet's rectangle: a million rows of sixteen columns, or half a gigabyte."""

UNPACKED_LIMIT = 2 << 30
"""Bytes of a workbook's parts together, unpacked."""

_CHUNK = 1 << 20
_NEAR_COLUMNS, _NEAR_ROWS = 26, 99_999  # cells up to Z99999 are not looked at one by one
_OVERLAP = 512  # longer than the beginning of any cell
_REFERENCE = rb"""r\s*=\s*["']"""
_FAR = re.compile(
    _REFERENCE + rb"""(?:([A-Za-z]{2,3})(\d+)|[A-Za-z](\d{6,}))["'][^>]*(?<!/)>"""  # not empty
)
_WIDE_NUMBER = re.compile(rb"v>(\d{16,25}(?:\.0)?|\d(?:\.\d+)?[eE]\+?(?:1[5-9]|2[0-4]))</")
_ROW = re.compile(_REFERENCE + rb"[A-Za-z]{1,3}(\d+)")
_TEXT_CELL = re.compile(rb"\bt\s*=\s*[\"'](?:str|inlineStr|s|b|e)[\"']")
_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(slots=True)
class Sheet:
    """What is known of a sheet before it is loaded.

    ``numeric`` maps a row to the texts, as the library will give them, of its too wide numbers.
    """

    name: str
    part: str
    numeric: dict[int, set[str]] = field(default_factory=dict, repr=False)


class Guard:
    """The parts of a workbook.

    Parameters
    ----------
    name : str
        File name for messages.
    file : binary file
        The workbook.

    Raises
    ------
    UsageError
        No workbook, a damaged one, or one that unpacks into more than 2 GiB.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(file)
            if sum(part.file_size for part in self._zip.infolist()) > UNPACKED_LIMIT:
                raise UsageError(
                    f"{name}: unpacks into more than 2 GiB",
                    hint="copy the rows into a new workbook",
                    zh=f"{name}：解压后超过 2 GiB：请把数据复制到新的工作簿",
                )
            self.sheets = self._sheets()
        except (*_DAMAGE, ET.ParseError, KeyError, ValueError):
            raise damaged(name) from None

    def _sheets(self) -> list[Sheet]:
        relations = self._parse("xl/_rels/workbook.xml.rels")
        targets = {part.get("Id"): part.get("Target", "") for part in relations}
        found = []
        for element in self._parse("xl/workbook.xml").iter():
            target = targets.get(element.get(_RELATION))
            if element.tag.endswith("}sheet") and target:
                part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                found.append(Sheet(element.get("name", ""), part))
        return found

    def _parse(self, part: str) -> ET.Element:
        content = self._zip.read(part)
        if b"<!DOCTYPE" in content:  # never in a workbook, and the way to attack a parser
            raise damaged(self.name)
        return ET.fromstring(content)  # noqa: S314

    def inspect(self, sheet: Sheet) -> None:
        """Fill in ``numeric`` of a sheet.

        Raises
        ------
        UsageError
            Its cells lie too far apart, or the part is damaged.
        """
        last_column, last_row = _NEAR_COLUMNS, _NEAR_ROWS
        try:
            with self._zip.open(sheet.part) as part:
                tail = b""
                while chunk := part.read(_CHUNK):
                    text = tail + chunk
                    for letters, row, late_row in _FAR.findall(text):
                        last_column = max(last_column, _column_number(letters))
                        last_row = max(last_row, int(row or late_row))
                    self._note_wide_numbers(sheet, text)
                    tail = text[-_OVERLAP:]
        except (*_DAMAGE, KeyError):
            raise damaged(self.name) from None
        if last_row * last_column > CELL_LIMIT:
            raise UsageError(
                f"{self.name}, sheet {sheet.name}: cells lie as far out as row {last_row} and "
                f"column {last_column}",
                hint="copy the roster into a new workbook; something stands far outside it",
                zh=f"{self.name}，工作表 {sheet.name}：有单元格远在花名册之外："
                "请把花名册复制到新的工作簿",
            )

    @staticmethod
    def _note_wide_numbers(sheet: Sheet, text: bytes) -> None:
        for match in _WIDE_NUMBER.finditer(text):
            before = text[max(match.start() - _OVERLAP, 0) : match.start()]
            cell = before[before.rfind(b"c ") :] if b"c " in before else b""
            row = _ROW.search(cell)
            if row and not _TEXT_CELL.search(cell):
                sheet.numeric.setdefault(int(row[1]), set()).update(as_loaded(match[1].decode()))


def as_loaded(number: str) -> set[str]:
    """Texts the spreadsheet library may give for a number cell.

    The exact value of the floating-point number where that fits 64 bits, its shortest digits and
    zeros otherwise; versions of the library differ.

    Examples
    --------
    >>> sorted(as_loaded("6.3990019900101E+17"))
    ['639900199001010000', '639900199001010048']
    """
    value = float(number)
    return {str(int(value)), f"{Decimal(repr(value)):f}".removesuffix(".0")}


def damaged(name: str) -> UsageError:
    """Refusal of something that begins like a workbook."""
    return UsageError(
        f"{name}: not an Excel workbook (.xlsx), or damaged",
        hint="open it in a spreadsheet program and save it as .xlsx, or as CSV",
        zh=f"{name}：不是 .xlsx 工作簿或已损坏：请用电子表格软件打开，另存为 .xlsx 或 CSV",
    )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number
