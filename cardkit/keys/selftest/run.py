"""Compute what a vector says and compare."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cardkit.crypto.des import same_key
from cardkit.errors import CardkitError, RefusedError
from cardkit.keys.selftest import builtin
from cardkit.keys.selftest.rule import Answer, Choices, ContradictionError, Kind, Rule, Value
from cardkit.keys.selftest.rules import RULES
from cardkit.keys.selftest.vector import Vector

_SHOWN = 3


class SelfTestFailedError(RefusedError):
    """Known answers came out wrong: no store may work in this process."""

    def __init__(self, names: list[str]) -> None:
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        super().__init__(
            f"the self-test of the algorithms failed: {len(names)} known answers ({shown})",
            hint="no key is used; run `cardkit key selftest` and install cardkit anew",
            zh=f"算法自检失败（{len(names)} 项），密钥已锁定；请重新安装 cardkit",
        )
        self.names = names


@dataclass(slots=True)
class Report:
    """What came out of a run, each vector in one of the first three.

    Parameters
    ----------
    passed : list of str
        Names of vectors that gave their answer.
    failed : dict of str
        Names of those that did not → why, without any value.
    unknown : dict of str
        Names of those whose algorithm or inputs have no rule → the algorithm.
    completed : list of str
        Names of those among them whose file leaves inputs out, which the built-in vector of that
        name supplied.
    """

    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    completed: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all passed."""
        return not self.failed and not self.unknown

    def require(self) -> None:
        """Raise unless all passed.

        Raises
        ------
        SelfTestFailedError
        """
        if not self.ok:
            raise SelfTestFailedError([*self.failed, *self.unknown])


def run(vectors: Iterable[Vector]) -> Report:
    """Run vectors, in order.

    Examples
    --------
    >>> from cardkit.keys.selftest.vector import Vector
    >>> run([Vector("a", "SM3", {"data": ""}, "00"), Vector("b", "SM9", {}, "")])
    Report(passed=[], failed={'a': 'another answer'}, unknown={'b': 'SM9'}, completed=[])
    """
    report = Report()
    for vector in vectors:
        _run_one(vector, report)
    return report


def run_builtin(*, quick: bool = False) -> Report:
    """Run the vectors of the program.

    Parameters
    ----------
    quick : bool
        Leave out what takes long: for the start of a program that will use a key or two.
    """
    vectors = builtin.every_vector()
    return run(v for v in vectors if not (quick and _is_slow(v)))


def require_builtin(*, quick: bool = False) -> None:
    """Run the vectors of the program, as every key service does when it starts.

    Raises
    ------
    SelfTestFailedError
        One came out wrong. Whoever holds keys catches it, locks itself and raises it again.
    """
    run_builtin(quick=quick).require()


def _run_one(vector: Vector, report: Report) -> None:
    rule = rule_for(vector)
    if rule is None or _has_placeholder(vector):
        completed = builtin.complete(vector)
        rule = None if completed is None else rule_for(completed)
        if completed is None or rule is None:
            _give_up(vector, report)
            return
        report.completed.append(vector.name)
        vector = completed
    reason = compare(rule, vector) or _strays(rule, vector)
    if reason:
        report.failed[vector.name] = reason
    else:
        report.passed.append(vector.name)


def _give_up(vector: Vector, report: Report) -> None:
    known = builtin.namesake(vector)
    short = known.shorthand if known is not None and known.shorthand else {}
    strays = [name for name in short if vector.inputs.get(name, short[name]) != short[name]]
    if strays and _plain(vector.alg) in _by_algorithm():
        report.failed[vector.name] = f"{strays[0]} is not that of the known vector of this name"
    elif rule_for(vector) is None:
        report.unknown[vector.name] = vector.alg
    else:
        report.failed[vector.name] = "inputs that cannot be used"


def _has_placeholder(vector: Vector) -> bool:
    """Whether a rule would take the vector, but an input only stands for what is not printed."""
    rule = rule_for(vector)
    kinds = {} if rule is None else {one.name: one.kind for one in rule.inputs}
    return any(
        isinstance(value, str)
        and kinds.get(name) in (Kind.BYTES, Kind.DES_KEY)
        and not re.fullmatch(r"[0-9A-Fa-f\s]*", value)
        for name, value in vector.inputs.items()
    )


def _is_slow(vector: Vector) -> bool:
    rule = rule_for(vector)
    return rule is not None and rule.slow


# --- dispatch -------------------------------------------------------------------------------------


def rule_for(vector: Vector) -> Rule | None:
    """The rule for the algorithm and the names of the inputs of a vector, if there is one."""
    rules = _by_algorithm().get(_plain(vector.alg), ())
    return next((rule for rule in rules if rule.takes(vector.inputs)), None)


@functools.cache
def _by_algorithm() -> Mapping[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for rule in RULES:
        for name in rule.names:
            found[_plain(name)] = (*found.get(_plain(name), ()), rule)
    return found


def _plain(name: str) -> str:
    return " ".join(name.replace("‖", "||").casefold().split())


def _strays(rule: Rule, vector: Vector) -> str:
    """Why a vector that gives its answer is not the built-in one whose name it has.

    No answer tells of the parts of inputs that a rule does not look at. Where somebody's copy of a
    published vector is damaged there, only comparing shows it.
    """
    known = builtin.namesake(vector)
    if known is None or rule_for(known) is not rule:
        return ""
    kinds = {one.name: one.kind for one in rule.inputs}
    for name in sorted({one.name for one in rule.unread} & set(vector.inputs) & set(known.inputs)):
        if not _same_input(kinds[name], vector.inputs[name], known.inputs[name]):
            return f"{name} is not that of the known vector of this name"
    return ""


def _same_input(kind: Kind, one: Value, other: Value) -> bool:
    decode = _DECODERS[kind]
    if kind is Kind.DES_KEY:
        return same_key(_bytes(one), _bytes(other))
    return decode(one) == decode(other)


# --- one vector -----------------------------------------------------------------------------------


def compare(rule: Rule, vector: Vector) -> str:
    """Why a vector fails, in words without values; empty when it passes."""
    try:
        answer = rule.compute(*_arguments(rule, vector))
    except ContradictionError as error:
        return str(error)
    except (ValueError, OverflowError, CardkitError):
        return "inputs that cannot be used"
    return "" if _fits(rule, vector, answer) else "another answer"


def _arguments(rule: Rule, vector: Vector) -> list[object]:
    given = vector.inputs
    return [
        _DECODERS[one.kind](given[one.name]) if one.name in given else None for one in rule.inputs
    ]


def _bytes(value: Value) -> bytes:
    if not isinstance(value, str):
        raise ValueError("hexadecimal digits wanted")  # noqa: TRY004 - said of a file
    return bytes.fromhex(value)


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueError("text wanted")  # noqa: TRY004
    return value


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise ValueError("a number wanted")  # noqa: TRY004
    return value


def _commands(value: Value) -> list[bytes]:
    if not isinstance(value, list):
        raise ValueError("a list wanted")  # noqa: TRY004
    return [bytes.fromhex(one) for one in value]


_DECODERS: dict[Kind, Callable[[Value], object]] = {
    Kind.BYTES: _bytes,
    Kind.DES_KEY: _bytes,
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.COMMANDS: _commands,
}


def _fits(rule: Rule, vector: Vector, answer: Answer) -> bool:
    output = vector.output
    if isinstance(answer, Choices):
        words = set(re.split(r"[^0-9a-z]+", vector.name.casefold())) & set(answer)
        return any(_same(rule, output, answer[word]) for word in words or answer)
    if isinstance(answer, dict):
        return (
            isinstance(output, Mapping)
            and set(output) <= set(answer)
            and all(_same(rule, part, answer[name]) for name, part in output.items())
        )
    return _same(rule, output, answer)


def _same(rule: Rule, output: object, answer: bytes | str) -> bool:
    if not isinstance(output, str) or isinstance(answer, str):
        return output == answer
    try:
        expected = bytes.fromhex(output)
    except ValueError:
        return False
    if rule.des_result:
        return same_key(expected, answer)
    if rule.kept:
        return len(expected) in rule.kept and answer[: len(expected)] == expected
    return expected == answer
