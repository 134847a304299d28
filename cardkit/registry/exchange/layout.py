"""Layouts of exchange files: what a TOML file declares, checked and typed.

Header, rows and trailer have one encoding and one line end. A line is fields, between separators or
in columns counted in bytes of the encoding; or they are elements of XML (`xml_shape`).
docs/exchange.md explains every word of the TOML.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from cardkit.registry.exchange import xml_shape
from cardkit.registry.exchange.errors import LayoutError
from cardkit.registry.exchange.xml_shape import Xml

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

SERVICES: Mapping[str, tuple[str, ...]] = {
    "opening": ("bank_card_number",),
    "factory": ("card_number", "card_id_code", "atr"),
    "inquiry": ("citizen_number", "name"),
    "loss": ("citizen_number", "bank_card_number", "kind", "reported_at"),
    "comparison": ("citizen_number",),
    "difference": (),
    "numbers": (),
    "blacklist": (),
}
"""What is done with a file, and the fields that one which comes in must have for it."""

WINS = ("check", "theirs")
PLACEHOLDERS = ("batch", "partner", "date", "source")
"""What may stand in braces in the name of a file."""

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
        Bytes in the file's encoding: of a fixed column exactly, otherwise at most.
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
    tag : str
        Its element in XML; in header and trailer also a path. Default: its name in capitals.
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
    tag: str = ""

    @property
    def element(self) -> str:
        """Its element in XML."""
        return self.tag or self.name.upper()


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
        ``''`` for fixed columns, and in XML.
    xml : Xml, optional
        Its elements, of a layout that is XML.
    results : mapping
        Code → `Result`.
    wins : str
        Of a comparison: ``theirs`` when the other side's data count, else ``check``.
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
    wins: Literal["check", "theirs"] = "check"
    xml: Xml | None = None

    @property
    def fixed(self) -> bool:
        """Whether columns are fixed."""
        return not self.separator and self.xml is None

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

_TEXTS = """
name title direction service answers answered_by file_name encoding line_end separator wins
based_on result_before
"""
_SEQUENCE = (list, tuple)
_LAYOUT_WORDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(_TEXTS.split(), (str,)),
    **dict.fromkeys(("header", "trailer", "fields"), _SEQUENCE),
    "version": (int,),
    "results": (dict,),
    "xml": (dict,),
}
_FIELD_WORDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(Field.__dataclass_fields__, (str,)),
    **dict.fromkeys(("required", "key", "right"), (bool,)),
    "width": (int,),
    "values": _SEQUENCE,
}
_XML_WORDS: Mapping[str, tuple[type, ...]] = dict.fromkeys(("header", "rows", "trailer"), (str,))
_RESULT_WORDS: Mapping[str, tuple[type, ...]] = {"means": (str,), "text": (str,)}
_KINDS_OF_VALUES = {str: "text", int: "a whole number", bool: "true or false", dict: "a table"}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")  # it stands in file names and in lists of names


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
    _check_words(f"layout {name}", raw, _LAYOUT_WORDS)
    try:
        if "based_on" in raw:
            return _checked(_derived(name, raw, others or {}))
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
            results=_results(name, raw.get("results", {})),
            wins=raw.get("wins", "check"),
            xml=_xml(name, raw["xml"]) if "xml" in raw else None,
        )
    except KeyError as error:
        raise LayoutError(f"layout {name}: {error.args[0]!r} is missing or unknown") from None
    return _checked(layout)


def _derived(name: str, raw: Mapping[str, Any], others: Mapping[str, Layout]) -> Layout:
    """The answer in the shape of its question: a result put in front of one of its fields."""
    base = others.get(raw["based_on"])
    if base is None:
        raise LayoutError(f"layout {name} is based on {raw['based_on']!r}, which there is not")
    names, results = [f.name for f in base.fields], _fields(name, raw["fields"])
    if raw["result_before"] not in names or len(results) != 1:
        raise LayoutError(
            f"layout {name}: one field goes before another one of {base.name}: result_before"
        )
    at, result = names.index(raw["result_before"]), results[0]
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
        results=_results(name, raw["results"]),
    )


def _check_words(where: str, raw: Any, known: Mapping[str, tuple[type, ...]]) -> None:  # noqa: ANN401 - as TOML says
    """Whether every word is known and says what it should."""
    if not isinstance(raw, Mapping):
        raise LayoutError(f"{where}: {raw!r} is no table of words")
    for word, value in raw.items():
        if word not in known:
            raise LayoutError(f"{where}: unknown word {word!r}")
        if type(value) not in known[word]:
            wanted = _KINDS_OF_VALUES.get(known[word][0], "a list")
            raise LayoutError(f"{where}: {word} is not {wanted}")


def _fields(layout: str, raw: Iterable[Mapping[str, Any]]) -> tuple[Field, ...]:
    found = []
    for one in raw:
        _check_words(f"layout {layout}", one, _FIELD_WORDS)
        if "name" not in one:
            raise LayoutError(f"layout {layout}: a field has no name")
        found.append(Field(**{**one, "values": tuple(one.get("values", ()))}))
    return tuple(found)


def _results(layout: str, raw: Mapping[str, Mapping[str, str]]) -> dict[str, Result]:
    for code, said in raw.items():
        _check_words(f"layout {layout}: result {code}", said, _RESULT_WORDS)
    return {code: Result(code, said["means"], said["text"]) for code, said in raw.items()}


def _xml(layout: str, raw: Mapping[str, str]) -> Xml:
    _check_words(f"layout {layout}: [xml]", raw, _XML_WORDS)
    return Xml.from_toml(raw)


def _checked(layout: Layout) -> Layout:
    problem = next(_problems(layout), "")
    if problem:
        raise LayoutError(f"layout {layout.name}: {problem}")
    return layout


def _misplaced(layout: Layout) -> Iterator[str]:
    if any(one.must_be for one in layout.fields):
        yield "must_be is for header and trailer only"
    if not _NAME.fullmatch(layout.name):
        yield "a name is 1-40 letters, digits, - and _"
    yield from _file_name_problems(layout.file_name)
    if layout.service and layout.service not in SERVICES:
        yield f"service {layout.service!r} is not one of {', '.join(SERVICES)}"
    if layout.wins not in WINS:
        yield f"wins {layout.wins!r} is not one of {', '.join(WINS)}"


def _file_name_problems(name: str) -> Iterator[str]:
    try:
        words = [word for _, word, _, _ in string.Formatter().parse(name) if word is not None]
    except ValueError:
        yield "file_name has a brace without its other one"
        return
    strange = next((word for word in words if word not in PLACEHOLDERS), None)
    if strange is not None:
        yield f"file_name has {{{strange}}}, which is not one of {', '.join(PLACEHOLDERS)}"
    if not name or re.search(r'[\\/<>:"|?*\x00-\x1f]', name):
        yield "file_name has a sign that cannot stand in the name of a file"


def _service_problems(layout: Layout) -> Iterator[str]:
    """What its service needs to find in a file that comes in."""
    if layout.service and layout.direction != "out":
        names = {one.name for one in layout.fields}
        missing = [name for name in SERVICES.get(layout.service, ()) if name not in names]
        if missing:
            yield f"service {layout.service} needs a field {missing[0]}"
        if layout.answers and not layout.holding("result"):
            yield "an answer needs a field that holds the result"
    if layout.service == "blacklist" and "list_version" not in {f.name for f in layout.header}:
        yield "service blacklist needs a header field list_version"


def _xml_problems(layout: Layout) -> Iterator[str]:
    parts = (layout.header, layout.fields, layout.trailer)
    if layout.xml is None:
        if any(one.tag for part in parts for one in part):
            yield "tags are for layouts with [xml]"
        return
    if layout.separator:
        yield "a file has a separator or is XML, not both"
    if layout.direction != "out" and REASON.upper() in {one.element for one in layout.fields}:
        yield f"the tag {REASON.upper()} is that of the reason in a failure file"
    yield from xml_shape.problems(layout.xml, *([f.element for f in part] for part in parts))


def _problems(layout: Layout) -> Iterator[str]:
    if layout.encoding not in ENCODINGS:
        yield f"encoding {layout.encoding!r} is not one of {', '.join(ENCODINGS)}"
    if layout.direction not in ("in", "out", "both"):
        yield f"direction {layout.direction!r}"
    sign = layout.separator
    if len(sign) > 1 or not (sign.isascii() and sign.isprintable()) or sign.isalnum():
        yield f"separator {sign!r} is not one ASCII sign"
    if layout.holding("result") and not layout.results:
        yield "it has a result but no [results]"
    for result in layout.results.values():
        if result.means not in MEANINGS:
            yield f"result {result.code} means {result.means!r}, which the registry does not know"
    yield from _misplaced(layout)
    yield from _xml_problems(layout)
    yield from _service_problems(layout)
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
