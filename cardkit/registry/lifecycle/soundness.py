"""What no place may change: rules that are well written and would still break the books.

Amounts, days, papers and roles differ by place. That a dead card stays dead, that a card which goes
back has somewhere to go back to, and that a PIN is the holder's own do not: a profile that says
otherwise is refused before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from cardkit.errors import UsageError
from cardkit.registry.effective import LAPSING
from cardkit.registry.lifecycle.requests import Appears
from cardkit.registry.lifecycle.transition import PREVIOUS, SAME, SUBJECTS, Transition
from cardkit.registry.lifecycle.values import WORDS
from cardkit.registry.operators.roles import Role
from cardkit.registry.states import DEAD, State

_DEAD = frozenset(state.value for state in DEAD)
_AT_A_READER = frozenset({State.WRITING.value, State.WRITTEN.value, State.VERIFIED.value})
_BEFORE_ISSUE = _AT_A_READER | {State.PLANNED, State.ORDERED, State.FAILED, State.SPOILT}
_CARRIED_OUT = frozenset({"confirmed"})  # of an application: its card record is planned
_ON_CARDS = ("card", "bank")
_HOLDERS_OWN = frozenset(
    {"unlock-pin", "reset-pin", "bank-pin-unlock", "bank-pin-loss", "bank-pin-reset"}
)
_PIN_DIGITS = range(4, 17)


def check_rules(rules: Sequence[Transition]) -> None:
    """Refuse rules that together would lead a card where nothing may lead it.

    Raises
    ------
    UsageError
        Names the rule, and what is wrong with it.
    """
    for rule, problem in _problems(rules):
        raise UsageError(f"rule {rule.name}: {problem}", hint="docs/lifecycle.md: What stays fixed")


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings of the wrong kind, before a window finds out in the middle of its work.

    Raises
    ------
    UsageError
        Names the setting, and what it has to be.
    """
    for name, (fits, wanted) in _SETTINGS.items():
        if not fits(settings[name]):
            raise UsageError(f"setting {name}: it is {wanted}")


# --- rules ---------------------------------------------------------------------------------------


def _problems(rules: Sequence[Transition]) -> Iterator[tuple[Transition, str]]:
    for rule in rules:
        for problem in (*_alone(rule), *_BY_SUBJECT[rule.subject](rule)):
            yield rule, problem
    for subject in SUBJECTS:
        yield from _going_back([rule for rule in rules if rule.subject == subject])
    for one, other in combinations(rules, 2):
        if one.action == other.action and (problem := _beside(one, other)):
            yield other, problem


def _alone(rule: Transition) -> Iterator[str]:
    if not rule.appears or not rule.channels:
        yield "'appears' and 'channels' name at least one"
    if Role.INSPECTOR in rule.roles:
        yield "an inspector looks and changes nothing"
    if rule.action in _HOLDERS_OWN and rule.appears != {Appears.HOLDER}:
        yield "a PIN is helped for the holder in person, nobody else"
    if rule.lapse_days and (rule.target != LAPSING or not rule.hold):
        yield f"only {LAPSING}, with 'hold', lapses by itself"


def _of_card(rule: Transition) -> Iterator[str]:
    if dead := rule.sources & _DEAD:
        yield f"{min(dead)} is for ever: no rule begins there"
    if making := rule.sources & _AT_A_READER:
        yield f"a card that is {min(making)} lies in a reader: no rule begins there"
    if rule.target in _BEFORE_ISSUE:
        yield f"only the making of cards leads to {rule.target}"
    if rule.new_card and rule.target not in _DEAD:
        yield "nobody has two cards: with 'new_card' the old one ends"


def _of_application(rule: Transition) -> Iterator[str]:
    if done := rule.sources & _CARRIED_OUT:
        yield f"{min(done)} is the end: the card record is planned"


def _of_temporary(rule: Transition) -> Iterator[str]:
    if rule.target == "pool" and rule.chip != "wipe":
        yield 'a card goes back to the pool wiped: chip = "wipe"'
    if rule.target == "out" and rule.sources != {"pool"}:
        yield "only what is in the pool is lent"


_BY_SUBJECT: Mapping[str, Callable[[Transition], Iterator[str]]] = {
    "card": _of_card,
    "bank": lambda rule: iter(()),  # noqa: ARG005 - the bank's side is the bank's own
    "application": _of_application,
    "temporary": _of_temporary,
}


def _going_back(rules: Sequence[Transition]) -> Iterator[tuple[Transition, str]]:
    """What goes back needs to know where to, on every road that leads there."""
    if not rules:
        return
    subject = rules[0].subject
    held = {rule.target for rule in rules if rule.hold}
    back: set[str] = {LAPSING} if any(rule.lapse_days for rule in rules) else set()
    back = back.union(*(rule.sources for rule in rules if rule.target == PREVIOUS))
    for rule in rules:
        if rule.target == PREVIOUS and (blind := rule.sources - held):
            yield rule, f"{min(blind)} has nothing to go back to: nothing leads there with 'hold'"
    for rule in rules:
        special = rule.hold or rule.target in (PREVIOUS, SAME)
        if special and subject not in _ON_CARDS:
            yield rule, "'hold', 'previous' and 'same' are for cards"
        if rule.target in back and not rule.hold:
            yield rule, f"{rule.target} has to go back later: it wants 'hold'"
        if rule.hold and rule.target in (PREVIOUS, SAME):
            yield rule, "'hold' goes with a state"
        if rule.hold == "keep" and (free := rule.sources - held):
            yield rule, f"{min(free)} has nothing to keep: hold = true"
        if subject == "bank" and rule.hold == "yes" and (twice := rule.sources & held):
            yield rule, f'the bank\'s side remembers one state: from {min(twice)}, hold = "keep"'


def _beside(one: Transition, other: Transition) -> str:
    """What is wrong with two rules of one action."""
    if one.subject != other.subject:
        return f"{one.name} is the same action on something else"
    both = one.sources & other.sources
    if both and _meet(one.bank_in, other.bank_in) and _meet(one.card_in, other.card_in):
        return f"{one.name} is the same action at {min(both)}"
    return ""


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    return not one or not other or not one.isdisjoint(other)


# --- settings ------------------------------------------------------------------------------------


def _number(least: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and value >= least


def _words_of(known: Iterable[str]) -> Callable[[object], bool]:
    among = frozenset(known)
    return lambda value: isinstance(value, list) and among.issuperset(map(str, value))


def _pin(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal() and (
        len(value) in _PIN_DIGITS
    )  # fmt: skip


_Check = tuple[Callable[[object], bool], str]
_MONEY: _Check = (_number(0), "an amount in fen, 0 or more")
_DAYS: _Check = (_number(1), "a number of days, 1 or more")
_YES_NO: _Check = (lambda value: isinstance(value, bool), "true or false")
_FIELDS: _Check = (_words_of(WORDS), f"a list of {', '.join(WORDS)}")
_SETTINGS: Mapping[str, _Check] = {
    "temporary_loss_days": _DAYS,
    "found_until": (
        lambda value: value in ("replacement", "formal-loss"), '"replacement" or "formal-loss"',
    ),
    "replacement_fee": _MONEY,
    "first_replacement_free": _YES_NO,
    "deposit": _MONEY,
    "formal_card_days": _DAYS,
    "replacement_days": _DAYS,
    "temporary_card_days": _DAYS,
    "initial_pin": (_pin, "4 to 16 digits in quotes"),
    "chip_hours": (_number(1), "a number of hours, 1 or more"),
    "bound_to_place": (_words_of(Role), f"a list of roles: {', '.join(Role)}"),
    "place_needed": _YES_NO,
    "changeable": _FIELDS,
    "on_the_chip": _FIELDS,
    "on_the_face": _FIELDS,
}  # fmt: skip
"""Every setting, whether a value fits, and what it has to be."""
