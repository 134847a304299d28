"""One rule of a rule set, from TOML: every word in it has to be known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cardkit.errors import UsageError
from cardkit.registry.lifecycle.requests import Appears
from cardkit.registry.lifecycle.transition import OR, PREVIOUS, SAME, SUBJECTS, Transition
from cardkit.registry.operators.roles import Role
from cardkit.registry.states import BankState, State

APPLICATION_STATES = ("draft", "applied", "checked", "confirmed", "refused", "withdrawn")
TEMPORARY_STATES = ("pool", "out", "returned", "lost", "retired")
STATES: Mapping[str, frozenset[str]] = {
    "card": frozenset(State),
    "bank": frozenset(BankState),
    "application": frozenset(APPLICATION_STATES),
    "temporary": frozenset(TEMPORARY_STATES),
}
"""States by subject."""

_HOLD: Mapping[object, str] = {True: "yes", False: "", "keep": "keep"}
_SETTABLE = ("fee", "first_free", "days", "working_days", "lapse_days")
_TEXTS = ("form", "receipt", "chip", "bank_note", "insurance")
_FLAGS = ("second", "new_card", "changes_data", "opens_account")
_KEYS = frozenset(
    {"action", "subject", "from", "to", "hold", "when", "roles", "approvers", "appears", "papers",
     "channels", "not_by", "deposit", "bank_in", "bank_to", "card_in", *_SETTABLE, *_TEXTS, *_FLAGS}
)  # fmt: skip


def read_rule(
    name: str,
    content: Mapping[str, Any],
    settings: Mapping[str, Any],
    actions: Mapping[str, Mapping[str, str]],
    words: Mapping[str, Mapping[str, str]],
) -> Transition | None:
    """The rule, or None where the settings switch it off (``when``).

    Raises
    ------
    UsageError
        Something in it is missing or unknown; names rule and value.
    """
    try:
        return _read(name, content, settings, actions, words)
    except KeyError as error:
        raise UsageError(f"rule {name}: {error.args[0]!r} is missing or unknown") from None
    except (TypeError, ValueError) as error:
        raise UsageError(f"rule {name}: {error}") from None


def _read(
    name: str,
    content: Mapping[str, Any],
    settings: Mapping[str, Any],
    actions: Mapping[str, Mapping[str, str]],
    words: Mapping[str, Mapping[str, str]],
) -> Transition | None:
    _among("value", content, _KEYS)
    if any(settings[key] != value for key, value in content.get("when", {}).items()):
        return None
    subject = content.get("subject", "card")
    _among("subject", [subject], SUBJECTS)
    action = content.get("action", name)
    return Transition(
        name=name,
        action=action,
        subject=subject,
        sources=_among("state", content["from"], STATES[subject]),
        target=_target(content, subject),
        zh=actions[action]["zh"],
        en=actions[action]["en"],
        hold=_HOLD[content.get("hold", False)],
        roles=frozenset(map(Role, content["roles"])),
        approvers=frozenset(map(Role, content.get("approvers", ()))),
        appears=frozenset(map(Appears, content["appears"])),
        papers=_papers(content.get("papers", {}), words),
        channels=_among("channel", content["channels"], words["channel"]),
        not_by=_among("action", content.get("not_by", ()), actions),
        bank_in=_among("bank state", content.get("bank_in", ()), STATES["bank"]),
        card_in=_among("state", content.get("card_in", ()), STATES["card"]),
        bank_to=content.get("bank_to", ""),
        **_plain(content, settings),
    )


def _plain(content: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are taken as they are, or from the settings."""
    values: dict[str, Any] = _deposit(content.get("deposit", 0), settings)
    values |= {key: _setting(content[key], settings) for key in _SETTABLE if key in content}
    values |= {key: str(content[key]) for key in _TEXTS if key in content}
    values |= {key: bool(content[key]) for key in _FLAGS if key in content}
    return values


def _target(content: Mapping[str, Any], subject: str) -> str:
    _among("state", [content["to"]], STATES[subject] | {PREVIOUS, SAME})
    if content.get("bank_to"):
        _among("bank state", [content["bank_to"]], STATES["bank"])
    return str(content["to"])


def _setting(value: Any, settings: Mapping[str, Any]) -> Any:  # noqa: ANN401
    found = settings[value] if isinstance(value, str) else value
    if not isinstance(found, int) or found < 0:
        raise ValueError(f"{value!r} is not a number")
    return found


def _deposit(value: Any, settings: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    if value in ("give-back", "keep"):
        return {"deposit_end": value}
    return {"deposit": _setting(value, settings)}


def _papers(
    content: Mapping[str, Iterable[str]], words: Mapping[str, Mapping[str, str]]
) -> dict[str, frozenset[str]]:
    for who in content:
        person, _, channel = who.partition("@")
        Appears(person)
        if channel:
            _among("channel", [channel], words["channel"])
    return {who: _papers_of(papers, words["paper"]) for who, papers in content.items()}


def _papers_of(papers: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """Papers that are wanted; ``card|loss-certificate`` is one or the other."""
    found = frozenset(papers)
    _among("paper", (one for paper in found for one in paper.split(OR)), known)
    return found


def _among(what: str, values: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    found = frozenset(values)
    unknown = sorted(found - set(known))
    if unknown:
        raise ValueError(f"unknown {what} {unknown[0]!r}")
    return found
