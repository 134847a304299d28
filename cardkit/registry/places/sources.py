"""Files that places and residences come from: TOML, or CSV in UTF-8 or GB18030."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cardkit.errors import UsageError

_HEADINGS = {
    "编码": "code",
    "类型": "kind",
    "名称": "name",
    "上级": "parent",
    "地址开头": "address_prefix",
    "卡号": "card_number",
    "身份证号码": "citizen_number",
    "社会保障号码": "citizen_number",
    "记录": "card_id",
    "村": "place",
    "村编码": "place",
}


class PlaceRow(NamedTuple):
    """A place as a file gives it; `parent` is the code of another one, or ``''``."""

    code: str
    kind: str
    name: str
    parent: str = ""
    address_prefix: str = ""


def read_places(path: Path) -> list[PlaceRow]:
    """Places of a TOML file (``[[place]]`` tables) or a CSV file with a heading line.

    Raises
    ------
    UsageError
        The file cannot be read, a column is missing, or a row has no code; the row is named.
    """
    found = []
    is_toml = path.suffix.lower() == ".toml"
    for at, row in _toml(path) if is_toml else _csv(path, ("code", "kind", "name")):
        place = PlaceRow(*(str(row.get(name, "")).strip() for name in PlaceRow._fields))
        if not place.code or not place.name:
            raise _bad(path, f"row {at} has no code or no name")
        found.append(place)
    return found


def read_assignments(path: Path) -> list[tuple[str, str, str]]:
    """Who belongs where: (column, number, code of the place) of every row of a CSV file.

    One column says who: ``citizen_number``, ``card_number`` or ``card_id``; another is ``place``.

    Raises
    ------
    UsageError
        The file cannot be read or a column is missing.
    """
    found = []
    for at, row in _csv(path, ("place",)):
        who = next(
            (name for name in ("card_id", "card_number", "citizen_number") if name in row), ""
        )
        if not who:
            raise _bad(path, "no column says who: citizen_number, card_number or card_id")
        number, place = row[who].strip().upper(), row["place"].strip()
        if not number or not place:
            raise _bad(path, f"row {at} is not complete")
        found.append((who, number, place))
    return found


def _toml(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        content = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise _bad(path, f"no TOML: {error}") from None
    rows = content.get("place")
    if not isinstance(rows, list):
        raise _bad(path, "there is no [[place]] in it")
    yield from enumerate(rows, 1)


def _csv(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.reader(io.StringIO(_text(path)), strict=True)
    try:
        headings = [_HEADINGS.get(cell.strip(), cell.strip()) for cell in next(reader, [])]
        missing = [name for name in needed if name not in headings]
        if missing:
            raise _bad(path, f"no column {', '.join(missing)}")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(headings):
                raise _bad(path, f"line {reader.line_num} has {len(cells)} columns")
            yield reader.line_num, dict(zip(headings, cells, strict=True))
    except csv.Error:
        raise _bad(path, f"line {reader.line_num} is no CSV") from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _bad(path, error.strerror or "it cannot be read") from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _bad(path, "it is neither UTF-8 nor GB18030")


def _bad(path: Path, what: str) -> UsageError:
    return UsageError(
        f"{path.name}: {what}", hint="docs/statistics.md shows what these files look like"
    )
