"""The layouts that can be used: those that come with cardkit, and those of a place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from cardkit.registry.exchange.errors import LayoutError
from cardkit.registry.exchange.layout import Layout, parse

_REPAIR = "docs/exchange.md says what stands in a layout; repair the file"


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Layout]:
    """Layouts that come with cardkit, by name."""
    folder = resources.files("cardkit.registry.exchange") / "layouts"
    texts = {item.name: item.read_text("utf-8") for item in folder.iterdir() if _is_toml(item.name)}
    return _parse(texts, {})


def load(directories: Iterable[Path] = ()) -> Mapping[str, Layout]:
    """The shipped layouts and those of further directories; the latter win over the former.

    Raises
    ------
    LayoutError
        A file is no TOML or no layout, or cannot be read.
    """
    found = dict(shipped())
    for directory in directories:
        if not directory.is_dir():
            raise LayoutError(
                f"there is no directory {directory} with layouts", hint="name another directory"
            )
        try:
            texts = {p.name: p.read_text("utf-8") for p in sorted(directory.glob("*.toml"))}
        except (OSError, UnicodeDecodeError):
            raise LayoutError(
                f"the layouts in {directory} cannot be read", hint="name another directory"
            ) from None
        found |= _parse(texts, found)
    _check_answers(found)
    return found


def get(layouts: Mapping[str, Layout], name: str) -> Layout:
    """The layout of that name.

    Raises
    ------
    LayoutError
        There is none.
    """
    try:
        return layouts[name]
    except KeyError:
        raise LayoutError(
            f"there is no layout {name!r}",
            hint="`cardkit registry exchange layouts` lists them",
            zh=f"没有名为 {name} 的文件格式：用 cardkit registry exchange layouts 查看",
        ) from None


def _is_toml(name: str) -> bool:
    return name.endswith(".toml")


def _parse(texts: Mapping[str, str], others: Mapping[str, Layout]) -> dict[str, Layout]:
    raw: list[tuple[str, dict[str, Any]]] = []
    for name, text in sorted(texts.items()):
        try:
            raw.append((name, tomllib.loads(text)))
        except tomllib.TOMLDecodeError as error:
            raise LayoutError(f"{name} is no TOML: {error}", hint=_REPAIR) from None
    found: dict[str, Layout] = {}
    for name, one in sorted(raw, key=lambda item: "based_on" in item[1]):
        try:
            layout = parse(one, {**others, **found})
        except LayoutError as error:
            raise LayoutError(f"{name}: {error.message}", hint=_REPAIR) from None
        found[layout.name] = layout
    return found


def _check_answers(layouts: Mapping[str, Layout]) -> None:
    """Whether every question and every answer that a layout names is there."""
    for one in layouts.values():
        for name in filter(None, (one.answered_by, one.answers)):
            if name not in layouts:
                raise LayoutError(
                    f"layout {one.name} names {name}, which there is not", hint=_REPAIR
                )
