"""Layouts of exchange files: what a TOML file declares, checked and typed.

Header, rows and trailer have one encoding and one line end. A line is fields, between separators or
in columns counted in bytes of the encoding. docs/exchange.md explains every word of the TOML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cardkit.registry.exchange.errors import LayoutError

Kind = Literal["text", "digits", "number", "money", "date", "code"]
Holds = Literal["", "batch", "count", "amount", "serial", "result", "date"]

KINDS = ("text", "digits", "number", "money", "date", "code")
HOLDS = ("", "batch", "count", "amount", "serial", "result", "date")
ENCODINGS = ("gbk", "gb18030", "utf-8")
LINE_ENDS = {"LF": b"\n", "CRLF": b"\r\n"}
MEANINGS = (
    "ok",
    "format",
    "duplicate",
    "unknown",
    "mismatch",
    "state",
    "refused",
    "missing",
    "other",
)
"""What a result code may mean to the registry; several codes may mean the same."""

REASON = "reason"
"""Name of the field that a failure file has behind the others."""
_REASON_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a line.

    Parameters
    ----------
    name, title : str
        For programs and, in Chinese, for people.
    kind : str
        ``text``, ``digits`` (kept as they are), ``number``, ``money``, ``date`` (YYYYMMDD),
        ``code``.
    width : int
        Bytes in the file's encoding: of a fixed column exactly, between separators at most.
    required : bool
        May not be empty.
    key : bool
        Names the row; comes back unchanged in the answer.
    holds : str
        What the engine itself uses it for: ``batch``, ``count``, ``amount``, ``serial`` (1, 2, 3
        ...), ``result``, ``date``.
    unit : str
        Of money: ``fen`` (whole) or ``yuan`` (two decimals).
    right : bool
        Whether a fixed column is filled on its left.
    pad : str
        What it is filled with: a space or ``0``.
    pattern : str
        Regular expression for the whole value, where the kind says too little.
    values : tuple of str
        Allowed values of a ``code``; empty for any.
    constant : str
        Always this value.
    check : str
        Its check character: ``card-number`` (nine characters, card.md 8).
    must_be : str
        Of header and trailer: ``partner``, the name of whoever sent the file.
    """

    name: str
    title: str = ""
    kind: Kind = "text"
    width: int = 0
    required: bool = False
    key: bool = False
    holds: Holds = ""
    unit: Literal["fen", "yuan"] = "fen"
    right: bool = False
    pad: str = " "
    pattern: str = ""
    values: tuple[str, ...] = ()
    constant: str = ""
    check: Literal["", "card-number"] = ""
    must_be: Literal["", "partner"] = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a result code says."""

    code: str
    means: str
    text: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A declared layout.

    Parameters
    ----------
    direction : str
        ``out`` is written by the registry, ``in`` is read, ``both``.
    service : str
        What is done with the content; ``''`` for layouts that only the engine knows.
    answers, answered_by : str
        Layout of the file this one is the answer to, or of its answer.
    separator : str
        ``''`` for fixed columns.
    results : mapping
        Code → `Result`.
    """

    name: str
    title: str
    version: int
    direction: Literal["in", "out", "both"]
    file_name: str
    encoding: str
    line_end: bytes
    separator: str
    fields: tuple[Field, ...]
    header: tuple[Field, ...] = ()
    trailer: tuple[Field, ...] = ()
    service: str = ""
    answers: str = ""
    answered_by: str = ""
    results: Mapping[str, Result] = field(default_factory=dict)

    @property
    def fixed(self) -> bool:
        """Whether columns are fixed."""
        return not self.separator

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the fields that name a row."""
        return tuple(f.name for f in self.fields if f.key)

    def holding(self, what: Holds) -> Field | None:
        """The field of the body that holds something."""
        return next((f for f in self.fields if f.holds == what), None)

    def code_for(self, means: str) -> str:
        """The result code with which the answer says `means`.

        Raises
        ------
        LayoutError
            The layout has neither a code for it nor one for ``other``.
        """
        for wanted in (means, "other"):
            for result in self.results.values():
                if result.means == wanted:
                    return result.code
        raise LayoutError(f"layout {self.name} has no result code for '{means}'")

    def with_reason(self) -> Layout:
        """The same with a reason behind every row: the shape of a failure file."""
        reason = Field(REASON, "原因", width=_REASON_WIDTH)
        return replace(self, fields=(*self.fields, reason))


# -- from TOML ------------------------------------------------------------------------------------

_WORDS = """
name title version direction service answers answered_by file_name encoding line_end separator
header trailer fields results based_on result_before
"""
_LAYOUT_WORDS = frozenset(_WORDS.split())
_FIELD_WORDS = frozenset(Field.__dataclass_fields__)


def parse(raw: Mapping[str, Any], others: Mapping[str, Layout] | None = None) -> Layout:
    """A layout from what its TOML file says.

    Parameters
    ----------
    others : mapping, optional
        Layouts that this one may be ``based_on``.

    Raises
    ------
    LayoutError
        A word is unknown or missing, or two of them contradict each other.
    """
    name = str(raw.get("name", "?"))
    unknown = sorted(set(raw) - _LAYOUT_WORDS)
    if unknown:
        raise LayoutError(f"layout {name}: unknown word {unknown[0]!r}")
    if "based_on" in raw:
        return _checked(_derived(name, raw, others or {}))
    try:
        layout = Layout(
            name=name,
            title=raw["title"],
            version=raw["version"],
            direction=raw["direction"],
            file_name=raw["file_name"],
            encoding=raw["encoding"],
            line_end=LINE_ENDS[raw["line_end"]],
            separator=raw.get("separator", ""),
            fields=_fields(name, raw["fields"]),
            header=_fields(name, raw.get("header", ())),
            trailer=_fields(name, raw.get("trailer", ())),
            service=raw.get("service", ""),
            answers=raw.get("answers", ""),
            answered_by=raw.get("answered_by", ""),
            results=_results(raw.get("results", {})),
        )
    except KeyError as error:
        raise LayoutError(f"layout {name}: {error.args[0]!r} is missing or unknown") from None
    return _checked(layout)


def _derived(name: str, raw: Mapping[str, Any], others: Mapping[str, Layout]) -> Layout:
    """The answer in the shape of its question: a result put in front of one of its fields."""
    base = others.get(raw["based_on"])
    if base is None:
        raise LayoutError(f"layout {name} is based on {raw['based_on']!r}, which there is not")
    (result,) = _fields(name, raw["fields"])
    at = [f.name for f in base.fields].index(raw["result_before"])
    fields = (*base.fields[:at], replace(result, holds="result", kind="code"), *base.fields[at:])
    return replace(
        base,
        name=name,
        title=raw["title"],
        version=raw["version"],
        direction=raw["direction"],
        file_name=raw["file_name"],
        fields=fields,
        service=raw.get("service", base.service),
        answers=base.name,
        answered_by="",
        results=_results(raw["results"]),
    )


def _fields(layout: str, raw: Iterable[Mapping[str, Any]]) -> tuple[Field, ...]:
    found = []
    for one in raw:
        unknown = sorted(set(one) - _FIELD_WORDS)
        if unknown or "name" not in one:
            problem = f"unknown word {unknown[0]!r}" if unknown else "a field has no name"
            raise LayoutError(f"layout {layout}: {problem}")
        found.append(Field(**{**one, "values": tuple(one.get("values", ()))}))
    return tuple(found)


def _results(raw: Mapping[str, Mapping[str, str]]) -> dict[str, Result]:
    return {code: Result(code, said["means"], said["text"]) for code, said in raw.items()}


def _checked(layout: Layout) -> Layout:
    problem = next(_problems(layout), "")
    if problem:
        raise LayoutError(f"layout {layout.name}: {problem}")
    return layout


def _misplaced(layout: Layout) -> Iterator[str]:
    if any(one.must_be for one in layout.fields):
        yield "must_be is for header and trailer only"


def _problems(layout: Layout) -> Iterator[str]:
    if layout.encoding not in ENCODINGS:
        yield f"encoding {layout.encoding!r} is not one of {', '.join(ENCODINGS)}"
    if layout.direction not in ("in", "out", "both"):
        yield f"direction {layout.direction!r}"
    if len(layout.separator) > 1 or not layout.separator.isascii() or layout.separator.isalnum():
        yield f"separator {layout.separator!r} is not one ASCII sign"
    if layout.holding("result") and not layout.results:
        yield "it has a result but no [results]"
    for result in layout.results.values():
        if result.means not in MEANINGS:
            yield f"result {result.code} means {result.means!r}, which the registry does not know"
    yield from _misplaced(layout)
    for part in (layout.header, layout.fields, layout.trailer):
        names = [f.name for f in part]
        if len(set(names)) != len(names):
            yield "two fields of one line have the same name"
        for one in part:
            yield from _field_problems(layout, one)


def _field_problems(layout: Layout, one: Field) -> Iterator[str]:
    if one.kind not in KINDS or one.holds not in HOLDS:
        yield f"field {one.name}: kind {one.kind!r} or holds {one.holds!r} is unknown"
    if one.check not in ("", "card-number") or one.must_be not in ("", "partner"):
        yield f"field {one.name}: check {one.check!r} or must_be {one.must_be!r} is unknown"
    if one.width < 1:
        yield f"field {one.name} has no width"
    if one.pad not in (" ", "0") or (one.pad == "0" and not one.right):
        yield f"field {one.name}: only spaces, or zeros on the left, fill a column"
    if one.pad == "0" and one.kind not in ("number", "money"):
        yield f"field {one.name}: zeros fill numbers and money only"
    if one.kind == "money" and one.unit not in ("fen", "yuan"):
        yield f"field {one.name}: unit {one.unit!r}"
    if layout.separator and layout.separator in one.constant:
        yield f"field {one.name}: its constant has the separator in it"
    try:
        re.compile(one.pattern)
    except re.error:
        yield f"field {one.name}: its pattern is no regular expression"
