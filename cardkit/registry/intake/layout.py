"""Where what stands on a printed card: data, one TOML file a design."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from cardkit.errors import UsageError
from cardkit.registry.intake import barcode

FIELDS = (
    "title",
    "issuer",
    "name",
    "citizen_number",
    "card_number",
    "issue_date",
    "valid_until",
)
"""What a layout may place."""

_MOST = 6_000
"""Pixels of a side: an ID-1 card at more than 1,200 dpi."""

_COLOUR = re.compile("#[0-9a-fA-F]{6}")

WANTED = ("name", "citizen_number", "card_number")
"""What no card may lack."""


@dataclass(frozen=True, slots=True)
class Box:
    """A place in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Place of the bar code; `module` is the narrowest bar in pixels."""

    x: int
    y: int
    module: int
    height: int


@dataclass(frozen=True, slots=True)
class TextBox:
    """Place of a field.

    Parameters
    ----------
    x, y : int
        Upper left of the text, or its upper middle with ``align = "centre"``.
    size, least : int
        Pixels of the font, and how far it may shrink for a long text.
    lines : int
        Over how many lines a text may go that is still too long.
    width : int
        Room for the text.
    label : str
        Printed small above it.
    """

    field: str
    x: int
    y: int
    size: int
    width: int
    least: int = 20
    lines: int = 1
    weight: Literal["regular", "bold"] = "regular"
    align: Literal["left", "centre"] = "left"
    colour: str = "#000000"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A design of the printed side."""

    name: str
    width: int
    height: int
    dpi: int
    photo: Box
    barcode: Bars
    text: tuple[TextBox, ...]
    background: str = "#ffffff"


def load_layout(name: str, folder: Path = Path()) -> Layout:
    """A shipped layout by name, or a TOML file, taken from `folder`.

    Raises
    ------
    UsageError
        No such layout, or it says something that cannot be; names it.

    Examples
    --------
    >>> load_layout("standard").width
    1013
    """
    resource = importlib.resources.files("cardkit.registry.intake") / "layouts" / f"{name}.toml"
    try:
        text = (
            resource.read_text(encoding="utf-8")
            if resource.is_file()
            else (folder / name).read_text(encoding="utf-8")
        )
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise UsageError(
            f"no card-face layout {name}",
            hint="name 'standard' or a TOML file like it: [face] layout in the profile",
            zh=f"没有卡面版式 {name}：请在配置的 [face] layout 中指明",
        ) from None
    try:
        parts = {
            "name": Path(name).stem,
            "photo": _made(Box, content.pop("photo"), "photo."),
            "barcode": _made(Bars, content.pop("barcode"), "barcode."),
            "text": tuple(_made(TextBox, one, "text.") for one in content.pop("text")),
        }
        layout: Layout = _made(Layout, content | parts, "")
    except (KeyError, TypeError) as error:
        raise _wrong(name, f"missing or unknown {error.args[0]}") from None
    except ValueError as error:
        raise _wrong(name, f"{error} cannot be") from None
    _check(layout)
    return layout


def _made(kind: type[Any], content: dict[str, Any], where: str) -> Any:  # noqa: ANN401
    types = get_type_hints(kind)
    unknown = sorted(set(content) - set(types))
    if unknown:
        raise KeyError(f"{where}{unknown[0]}")
    for field, value in content.items():
        if not _fits(field, types[field], value):
            raise ValueError(f"{where}{field} = {value!r}")
    return kind(**content)


def _fits(field: str, wanted: Any, value: object) -> bool:  # noqa: ANN401
    if wanted is int:
        least = 0 if field in ("x", "y") else 1
        return isinstance(value, int) and least <= value <= _MOST and value is not True
    if field in ("colour", "background"):
        return isinstance(value, str) and bool(_COLOUR.fullmatch(value))
    if wanted is str:
        return isinstance(value, str)
    return value in get_args(wanted) or not isinstance(value, str)  # a choice, or a part made here


def _check(layout: Layout) -> None:
    placed = [box.field for box in layout.text]
    for field in placed:
        if field not in FIELDS:
            raise _wrong(layout.name, f"the unknown field {field!r}")
    for field in WANTED:
        if field not in placed:
            raise _wrong(layout.name, f"no place for {field}")
    photo = layout.photo
    if photo.x + photo.width > layout.width or photo.y + photo.height > layout.height:
        raise _wrong(layout.name, "a photo that leaves the card")
    bars = layout.barcode
    free, wide = barcode.QUIET * bars.module, len(barcode.modules("0" * 9)) * bars.module
    if bars.x < free or bars.x + wide + free > layout.width:
        raise _wrong(layout.name, "a bar code without white on both sides")
    for box in layout.text:
        left = box.x - box.width // 2 if box.align == "centre" else box.x
        if left < 0 or left + box.width > layout.width or box.y + box.size > layout.height:
            raise _wrong(layout.name, f"a text {box.field} that leaves the card")


def _wrong(name: str, what: str) -> UsageError:
    return UsageError(f"card-face layout {name}: {what}", hint="see docs/intake.md for its fields")
