"""docs/algorithms.md, made from the registry."""

from __future__ import annotations

from cardkit.keys.selftest import builtin
from cardkit.keys.selftest.rule import Kind, Rule
from cardkit.keys.selftest.rules import TOPICS
from cardkit.keys.selftest.run import rule_for

_HEAD = """\
# Algorithms 算法

Made from the registry of the self-test (`cardkit/keys/selftest/rules`), whose rules call the
functions of `cardkit/crypto`. `tests/keys/test_algorithms_page.py` says how to write it anew.

`cardkit key selftest` computes the vectors that are part of the program; with a file, those of the
file: a JSON object with a list `vectors`, each with `name`, `alg`, `inputs` and `output`. `alg` is
a name of the tables below, or another by which a public collection calls it (`also` in the
registry). Values are hexadecimal; *text* is taken as it is, *number* is a JSON number, *commands* a
list of hexadecimal strings. Of a *DES key* the parity bits do not count. An input in brackets may
be left out. Below a table stand the parts of inputs that a rule does not look at: no answer
tells of a changed bit there. In a vector that has the name of a built-in one they are compared.

*P* counts vectors that others have published, *C* those worked out by this project from the rule,
which show that it agrees with itself. A rule without a published vector is confirmed by nobody.

SSF33 is a secret cipher: no software can compute it. Whoever asks for it gets
`SecretAlgorithmError`; a PSAM or an HSM that holds the key has to do it.
"""

_KINDS = {
    Kind.BYTES: "",
    Kind.DES_KEY: "DES key",
    Kind.TEXT: "text",
    Kind.NUMBER: "number",
    Kind.COMMANDS: "commands",
}


def page() -> str:
    """The page, Markdown."""
    parts = [_HEAD]
    for title, rules in TOPICS.items():
        parts.append(f"## {title}\n")
        parts.append("| algorithm | inputs | rests on | P | C |\n|---|---|---|---|---|")
        parts.extend(_row(rule) for rule in rules)
        notes = _notes(rules)
        parts.extend(["", "Not looked at:", "", *notes] if notes else [])
        parts.append("")
    return "\n".join(parts).rstrip("\n") + "\n"


def _row(rule: Rule) -> str:
    published = _count(rule, builtin.PUBLISHED)
    computed = _count(rule, builtin.COMPUTED)
    names = ", ".join(_input(one.name, one.kind, optional=one.optional) for one in rule.inputs)
    return f"| {rule.algorithm} | {names} | {rule.source} | {published} | {computed} |"


def _input(name: str, kind: Kind, *, optional: bool) -> str:
    shown = f"`{name}`" + (f" *{_KINDS[kind]}*" if _KINDS[kind] else "")
    return f"[{shown}]" if optional else shown


def _count(rule: Rule, file: str) -> int:
    return sum(rule_for(vector) is rule for vector in builtin.vectors(file))


def _notes(rules: tuple[Rule, ...]) -> list[str]:
    """One line for each part that is not looked at, with the rules it concerns."""
    found: dict[str, list[str]] = {}
    for rule in rules:
        for one in rule.unread:
            what = f"{_bits(one.bits)}{_places(one.places)} of `{one.name}` ({one.reason})"
            found.setdefault(what, []).append(rule.algorithm)
    return [f"* {what}: {', '.join(names)}." for what, names in found.items()]


def _bits(bits: int) -> str:
    return "" if bits == 0xFF else f"bits {bits:02X} of each byte, "


def _places(places: slice | None) -> str:
    if places is None:
        return "Le"
    start, stop = places.start, places.stop
    if start is None and stop is None:
        return "the whole"
    if start is None:
        return f"all but the last {-stop} characters"
    if stop is None:
        return "the last character" if start == -1 else f"bytes from {start} on"
    return f"byte {start}" if stop == start + 1 else f"bytes {start} to {stop - 1}"
