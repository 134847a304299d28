"""Values of a card for people and for programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cardkit.card.files.codings import Value
from cardkit.codec.nations import NATIONS

if TYPE_CHECKING:
    from cardkit.card.files.model import File, Item
    from cardkit.card.procedures.read import FileContent

UNFILLED = "–"
_SEXES = {"1": "男 male", "2": "女 female"}
_SHOWN_BYTES = 32


def for_json(value: object) -> object:
    r"""A value as JSON has it: bytes in capital hex, days as YYYYMMDD, amounts in fen.

    Days are written as rosters and the registry write them.

    Examples
    --------
    >>> for_json({"a": b"\x0a", "b": dt.date(2012, 5, 1), "c": None})
    {'a': '0A', 'b': '20120501', 'c': None}
    """
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, dt.date):
        return value.isoformat().replace("-", "")
    if isinstance(value, Mapping):
        return {key: for_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [for_json(inner) for inner in value]
    return value


def for_people(item: Item | None, value: Value) -> str:
    """A value in words.

    Examples
    --------
    >>> for_people(None, dt.date(2012, 5, 1)), for_people(None, None), for_people(None, 12345)
    ('2012-05-01', '–', '123.45 元')
    """
    if value is None:
        return UNFILLED
    if isinstance(value, bytes):
        shown = value[:_SHOWN_BYTES].hex().upper()
        return f"{shown}… ({len(value)} bytes)" if len(value) > _SHOWN_BYTES else shown
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, int):
        return f"{value // 100}.{value % 100:02} 元"
    if isinstance(value, Mapping):
        filled = {name: inner for name, inner in value.items() if inner is not None}
        return ", ".join(f"{name} {for_people(None, inner)}" for name, inner in filled.items())
    return _with_meaning(item.name if item else "", value)


def _with_meaning(name: str, text: str) -> str:
    meaning = {"sex": _SEXES, "nation": NATIONS}.get(name, {}).get(text, "")
    return f"{text} {meaning}".rstrip()


def rows_of(found: FileContent) -> Iterator[tuple[str, str, str, str]]:
    """Lines of a file: tag or record number, name, Chinese name, value."""
    content = found.content
    if isinstance(content, bytes):
        yield "", "content", "内容", for_people(None, content)
    elif isinstance(content, list):
        fields = {item.name: item for item in getattr(found.file, "fields", ())}
        for number, record in enumerate(content, start=1):
            text = ", ".join(
                f"{name} {for_people(fields.get(name), value)}" for name, value in record.items()
            )
            yield str(number), "record", "记录", text
    elif content is not None:
        items = {item.name: item for item in getattr(found.file, "items", ())}
        for name, value in content.items():
            item = items[name]
            yield f"{item.tag:02X}", name, item.chinese, for_people(item, value)


def is_filled(content: object) -> bool:
    """Whether there is anything in what was read of a file."""
    if isinstance(content, bytes):
        return bool(content.strip(b"\x00"))
    if isinstance(content, Mapping):
        return any(value is not None for value in content.values())
    return bool(content)


def file_title(file: File) -> str:
    """``EF06 holder 持卡人基本信息``."""
    own = file.label.lower()
    return " ".join(
        word for word in (file.label, file.name if file.name != own else "", file.chinese) if word
    )
