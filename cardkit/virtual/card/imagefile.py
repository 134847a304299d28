"""The file of any virtual chip: a first line that tells what it is, then one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from cardkit import wholefile
from cardkit.errors import UsageError

T = TypeVar("T")


def encode(header: str, content: dict[str, Any]) -> str:
    """The text of an image."""
    return f"{header}\n{json.dumps(content, indent=1)}\n"


def decode(text: str, header: str, build: Callable[[dict[str, Any]], T]) -> T:
    """What ``build`` makes of the object in an image.

    Raises
    ------
    ValueError
        The text is no image of this kind.
    """
    first, _, body = text.partition("\n")
    if first.rstrip("\r") != header:
        raise ValueError("the first line is not that of an image")
    try:
        return build(json.loads(body))
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as problem:
        # The message of the inner error may hold content; only its kind is told.
        raise ValueError(f"the structure is damaged ({type(problem).__name__})") from None


def read(path: Path, largest: int) -> str:
    """Content of an image file, ASCII.

    Raises
    ------
    UsageError
        It cannot be read.
    ValueError
        More than ``largest`` bytes, or no ASCII.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(largest + 1)
    except OSError as problem:
        raise UsageError(
            f"card image {path} cannot be read: {problem.strerror}", hint="check the path"
        ) from None
    if len(raw) > largest:
        raise ValueError("too large for an image")
    return raw.decode("ascii")


def write(text: str, path: Path) -> None:
    """Save an image, mode 0600, whole or not at all.

    Raises
    ------
    UsageError
        The directory or file cannot be written.
    """
    wholefile.write(
        path,
        text.encode("ascii"),
        name=f"card image {path}",
        hint="check the directory, its permissions and the space left",
    )
