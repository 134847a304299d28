"""Vectors and the files they come in.

A file is a JSON object with a list ``vectors``; each has ``name``, ``alg``, ``inputs`` (names →
hexadecimal string, text, number, or list of hexadecimal strings) and ``output`` (a string, or an
object of strings). Other members, such as ``kind`` and ``source``, explain. Values may be keys:
nothing here repeats one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

from cardkit.errors import UsageError
from cardkit.keys.selftest.rule import Value

LARGEST_FILE = 16 << 20
"""Bytes; the vectors of this project take 100 kB."""


class VectorFileError(UsageError):
    """Not a file of known answers."""

    zh = "不是测试向量文件"


@dataclass(frozen=True, slots=True)
class Vector:
    """A known answer.

    Parameters
    ----------
    name : str
        Unique in its file.
    alg : str
        The algorithm, by any of its names.
    inputs : mapping
        As they stand in the file.
    output : str or mapping
        As it stands in the file.
    source : str
        Where it is printed, or how it was worked out.
    shorthand : mapping or None
        For vectors of which collections print a part only: how some inputs are put there. A vector
        of the same name that leaves inputs out, or puts them so, is completed from this one.
    """

    name: str
    alg: str
    inputs: Mapping[str, Value] = field(repr=False)
    output: str | Mapping[str, str] = field(repr=False)
    source: str = ""
    shorthand: Mapping[str, Value] | None = field(default=None, repr=False)


def load(path: Path) -> list[Vector]:
    """Vectors of a file.

    Raises
    ------
    VectorFileError
        It cannot be read, or is not a file of vectors.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise VectorFileError(f"{path}: {error.strerror}", hint="name a file of vectors") from None
    try:
        return parse(content)
    except VectorFileError as error:
        raise VectorFileError(f"{path}: {error.message}", hint=error.hint) from None


def parse(content: bytes) -> list[Vector]:
    """Vectors of the bytes of a file.

    Raises
    ------
    VectorFileError
        Not what the module describes.

    Examples
    --------
    >>> parse(b'{"vectors": [{"name": "a", "alg": "SM3", "inputs": {"data": ""}, "output": "00"}]}')
    [Vector(name='a', alg='SM3', source='')]
    """
    document = _json(content)
    entries = document.get("vectors") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise _wrong('there is no list "vectors"')
    if not entries:  # nothing was shown: that is not "all passed"
        raise _wrong('the list "vectors" is empty')
    vectors = [_vector(number, entry) for number, entry in enumerate(entries, start=1)]
    names = [vector.name for vector in vectors]
    if len(set(names)) != len(names):
        raise _wrong("two vectors have the same name")
    return vectors


def _json(content: bytes) -> Any:  # noqa: ANN401
    if len(content) > LARGEST_FILE:
        raise _wrong(f"it is larger than {LARGEST_FILE >> 20} MiB")
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except VectorFileError:
        raise
    except (ValueError, RecursionError):  # JSON, UTF-8, or a number of thousands of digits
        raise _wrong("it is not JSON in UTF-8") from None


def _refuse_constant(_name: str) -> NoReturn:
    raise _wrong("NaN and Infinity are not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _wrong("an object names a member twice")
    return members


def _vector(number: int, entry: object) -> Vector:
    if not isinstance(entry, dict):
        raise _wrong(f"vector {number} is not an object")
    name, alg = entry.get("name"), entry.get("alg")
    if not isinstance(name, str) or not isinstance(alg, str) or not name:
        raise _wrong(f"vector {number} needs a name and an alg")
    given, output = entry.get("inputs"), entry.get("output")
    if not _are_inputs(given):
        raise _wrong(f"vector {number} needs inputs: strings, numbers, lists of strings")
    if not _is_output(output):
        raise _wrong(f"vector {number} needs an output: a string, or an object of strings")
    source, shorthand = entry.get("source", ""), entry.get("shorthand")
    if not _are_inputs(shorthand) and shorthand is not None:
        raise _wrong(f"vector {number} has a shorthand that is none")
    text = source if isinstance(source, str) else ""
    return Vector(name, alg, given, output, text, shorthand)


def _are_inputs(members: object) -> TypeGuard[dict[str, Value]]:
    return isinstance(members, dict) and all(_is_value(value) for value in members.values())


def _is_value(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str) for one in value)
    return isinstance(value, str | int) and not isinstance(value, bool)


def _is_output(output: object) -> TypeGuard[str | dict[str, str]]:
    if isinstance(output, dict):
        return bool(output) and all(isinstance(part, str) for part in output.values())
    return isinstance(output, str)


def _wrong(what: str) -> VectorFileError:
    hint = 'vectors are JSON: {"vectors": [{"name", "alg", "inputs", "output"}, ...]}'
    return VectorFileError(f"not a file of known answers: {what}", hint=hint)
