"""Rule sets: the table of transitions and what belongs to it, from TOML and the profile.

The shipped sets are beside this file. A profile names one (``base``) and overrides single values:
``[lifecycle.rule.hand-out] appears = ["holder"]``.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from cardkit.errors import UsageError
from cardkit.registry.lifecycle.days import Calendar
from cardkit.registry.lifecycle.errors import UnknownActionError
from cardkit.registry.lifecycle.kinds import CardKind
from cardkit.registry.lifecycle.reading import read_rule
from cardkit.registry.lifecycle.soundness import check_rules, check_settings
from cardkit.registry.lifecycle.transition import Transition
from cardkit.registry.numbering import Numbering
from cardkit.registry.operators.roles import Role
from cardkit.registry.operators.rules import OperatorRules

if TYPE_CHECKING:
    from cardkit.profile import Profile

DEFAULT = "default"
_SECTIONS = frozenset(
    {"base", "settings", "calendar", "operators", "words", "kind", "action", "rule"}
)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything that differs by place about the life of a card.

    Parameters
    ----------
    transitions : tuple of Transition
        The table, in the order of the file.
    settings : mapping
        Amounts, days and choices.
    words : mapping
        Chinese names by sort of word (``state``, ``paper`` ...) and code.
    numbering : Numbering, optional
        How new card records are numbered; from the profile.
    """

    transitions: tuple[Transition, ...]
    settings: Mapping[str, Any]
    kinds: Mapping[str, CardKind]
    words: Mapping[str, Mapping[str, str]]
    calendar: Calendar
    operators: OperatorRules
    numbering: Numbering | None = None

    def of_action(self, action: str) -> list[Transition]:
        """The rules of an action.

        Raises
        ------
        UnknownActionError
            There is none.
        """
        found = [rule for rule in self.transitions if rule.action == action]
        if not found:
            raise UnknownActionError(action, {rule.action for rule in self.transitions})
        return found

    def legal(self, subject: str, state: str) -> list[Transition]:
        """Rules that lead on from a state of a subject, whatever else they ask for."""
        return [r for r in self.transitions if r.subject == subject and state in r.sources]

    def approvers(self) -> dict[str, frozenset[Role]]:
        """Who approves, by action: whom its rules name, or who may do it, and the county."""
        found: dict[str, frozenset[Role]] = {}
        for rule in self.transitions:
            if rule.second:
                wanted = rule.approvers or rule.roles | {Role.COUNTY}
                found[rule.action] = found.get(rule.action, wanted) & wanted
        return found

    def zh(self, sort: str, code: str) -> str:
        """The Chinese word, or the code where there is none.

        Examples
        --------
        >>> load().zh("state", "lost")
        '已挂失'
        """
        return self.words.get(sort, {}).get(code, code)


def shipped() -> list[str]:
    """Names of the rule sets that come with cardkit.

    Examples
    --------
    >>> shipped()
    ['default', 'strict']
    """
    folder = importlib.resources.files("cardkit.registry.lifecycle")
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


def load(profile: Profile | None = None, *, base: str = DEFAULT) -> RuleSet:
    """The rules of a profile, or a shipped set.

    Parameters
    ----------
    profile : Profile, optional
        Its ``[lifecycle]`` overrides the set that it names with ``base``.
    base : str
        Shipped set, where there is no profile or it names none.

    Raises
    ------
    UsageError
        Names the value that cannot be.
    """
    own: dict[str, Any] = dict(profile.lifecycle) if profile is not None else {}
    content = _shipped(str(own.pop("base", base)))
    try:
        rules = _rule_set(_merged(content, own))
    except UsageError as error:
        where = f"profile {profile.name}: " if profile is not None and own else ""
        raise UsageError(f"{where}[lifecycle]: {error.message}", hint=error.hint) from None
    if profile is None:
        return rules
    numbers, region = profile.numbers, profile.region
    return dataclasses.replace(
        rules,
        calendar=dataclasses.replace(rules.calendar, utc_offset_hours=region.utc_offset_hours),
        numbering=Numbering(
            numbers.card_prefix, numbers.card_first, numbers.serial_first, region.city
        ),
    )


def _shipped(name: str) -> dict[str, Any]:
    if name not in shipped():
        raise UsageError(
            f"[lifecycle]: there is no rule set {name!r}",
            hint=f"shipped are {', '.join(shipped())}",
        )
    content = _text(DEFAULT)
    return content if name == DEFAULT else _merged(content, _text(name))


def _text(name: str) -> dict[str, Any]:
    folder = importlib.resources.files("cardkit.registry.lifecycle")
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for name, value in above.items():
        known = result.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            # papers are replaced whole: a paper left out is not wanted
            result[name] = value if name == "papers" else _merged(known, value)
        else:
            result[name] = value
    return result


def _rule_set(content: Mapping[str, Any]) -> RuleSet:
    unknown = sorted(set(content) - _SECTIONS)
    if unknown:
        raise UsageError(f"unknown section {unknown[0]}", hint=f"known: {', '.join(_SECTIONS)}")
    settings = content["settings"]
    known_settings = set(_text(DEFAULT)["settings"])
    if set(settings) - known_settings:
        name = min(set(settings) - known_settings)
        raise UsageError(
            f"unknown setting {name}", hint=f"known are {', '.join(sorted(known_settings))}"
        )
    check_settings(settings)
    read = (
        read_rule(name, rule, settings, content["action"], content["words"])
        for name, rule in content["rule"].items()
    )
    transitions = tuple(rule for rule in read if rule is not None)
    check_rules(transitions)
    return RuleSet(
        transitions=transitions,
        settings=settings,
        kinds={code: _kind(code, kind) for code, kind in content["kind"].items()},
        words=content["words"],
        calendar=_calendar(content["calendar"]),
        operators=_operators(content["operators"]),
    )


def _kind(code: str, content: Mapping[str, Any]) -> CardKind:
    try:
        return CardKind(code, **dict(content) | {"needs": tuple(content.get("needs", ()))})
    except TypeError:
        raise UsageError(f"card kind {code}: a value is missing or unknown") from None


def _calendar(content: Mapping[str, Any]) -> Calendar:
    try:
        return Calendar(
            frozenset(map(date.fromisoformat, content["holidays"])),
            frozenset(map(date.fromisoformat, content["working_weekends"])),
        )
    except (TypeError, ValueError):
        raise UsageError("calendar: days are written '2012-10-01'") from None


def _operators(content: Mapping[str, Any]) -> OperatorRules:
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in content.items()
    }
    known = {field.name for field in dataclasses.fields(OperatorRules)}
    if set(values) - known:
        raise UsageError(f"operators: unknown value {min(set(values) - known)}")
    return OperatorRules(**values)
