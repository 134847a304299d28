"""What should happen, read from the TOML files alone: no code of the engine is used here."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

Content = dict[str, Any]


def shipped(name: str) -> Content:
    text = (files("cardkit.registry.lifecycle") / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def above(below: Content, own: Content) -> Content:
    """The values of a place above others; papers are replaced whole."""
    merged = dict(below)
    for name, value in own.items():
        deeper = isinstance(value, dict) and name in merged and name != "papers"
        merged[name] = above(merged[name], value) if deeper else value
    return merged


CONTENT = shipped("default")
ELSEWHERE: Content = {
    "settings": {"temporary_loss_days": 4, "found_until": "formal-loss", "replacement_days": 15},
    "rule": {
        "hand-out": {"second": False, "appears": ["holder"], "papers": {"holder": ["id"]}},
        "open": {"appears": ["holder", "agent"], "channels": ["window", "phone"]},
        "suspend": {"from": ["handed_out", "active"], "roles": ["county", "window"]},
        "report-loss-after-temporary": {
            "roles": ["county"], "second": True, "approvers": ["county"], "papers": {},
        },
        "replace": {"bank_to": "", "second": True, "approvers": ["window"]},
        "transfer": {"bank_in": []},
        "cancel": {"to": "cancelled", "hold": False, "second": True, "approvers": ["county"]},
        "cancel-bank": {"when": {"found_until": "never"}},
        "cancel-finish": {"when": {"found_until": "never"}},
        "cancel-withdraw": {"when": {"found_until": "never"}},
        "change-data": {"second": False},
        "bank-activate": {"card_in": ["active"]},
        "bank-find": {"from": ["temporarily_lost"]},
        "bank-find-after-formal-loss": {
            "action": "bank-find", "subject": "bank", "from": ["lost"], "to": "previous",
            "roles": ["county"], "second": True, "approvers": ["county"], "appears": ["holder"],
            "papers": {"holder": ["id", "card"]}, "channels": ["window"],
        },
        "confirm": {"not_by": ["check"], "roles": ["county", "window"]},
        "temporary-back": {"deposit": "keep"},
        "temporary-lost": {"second": True, "approvers": ["county"]},
    },
}  # fmt: skip
"""A place where nearly everything that may differ does."""
PLACES: dict[str, Content] = {
    "default": {},
    "strict": {"base": "strict"},
    "elsewhere": ELSEWHERE,
}


def content_of(own: Content) -> Content:
    base = own.get("base", "default")
    content = CONTENT if base == "default" else above(CONTENT, shipped(base))
    return above(content, {name: value for name, value in own.items() if name != "base"})


DEAD = {"spoilt", "replaced", "cancelled", "transferred", "ended"}


@dataclass
class Side:
    """One side of a card: where it stands, and where it goes back to."""

    state: str
    back_to: list[str] = field(default_factory=list)  # the last is the next
    until: datetime | None = None

    def lapse(self, now: datetime) -> bool:
        if self.state == "temporarily_lost" and self.until is not None and self.until <= now:
            self.state, self.until = self.back_to.pop(), None
            return True
        return False

    def go(self, rule: Content, now: datetime, settings: Content) -> None:
        target = rule["to"]
        if target == "same":
            return
        if target == "previous":
            self.state = self.back_to.pop()
        else:
            if rule.get("hold") is True:
                self.back_to.append(self.state)
            elif rule.get("hold") != "keep":
                self.back_to = []
            self.state = target
        if days := settings.get(rule.get("lapse_days", ""), 0):
            self.until = now + timedelta(days=days)
        elif "temporarily_lost" not in (self.state, *self.back_to):
            self.until = None


@dataclass
class ModelCard:
    """A card on both sides."""

    person: int
    social: Side
    bank: Side = field(default_factory=lambda: Side("none"))
    content: Content = field(default_factory=lambda: CONTENT)

    def copy(self) -> ModelCard:
        return ModelCard(
            self.person,
            replace(self.social, back_to=list(self.social.back_to)),
            replace(self.bank, back_to=list(self.bank.back_to)),
            self.content,
        )

    def lapse(self, now: datetime) -> list[str]:
        """States on the social-security side that a lapse led to."""
        found = [self.social.state] if self.social.lapse(now) else []
        return found + ([self.social.state] if self.bank.lapse(now) and not found else [])

    def rule(self, action: str) -> Content | None:
        """The rule that applies now, if one does."""
        for rule in rules_of(self.content, action):
            bank = rule.get("subject") == "bank"
            side = self.bank if bank else self.social
            if side.state not in rule["from"]:
                continue
            if bank and self.social.state in DEAD:
                continue
            if rule.get("bank_in") and self.bank.state not in rule["bank_in"]:
                continue
            if rule.get("card_in") and self.social.state not in rule["card_in"]:
                continue
            return dict(rule)
        return None

    def go(self, rule: Content, now: datetime) -> None:
        side = self.bank if rule.get("subject") == "bank" else self.social
        side.go(rule, now, self.content["settings"])
        if rule.get("bank_to") and self.bank.state not in ("none", "closed"):
            self.bank = Side(rule["bank_to"])


def rules_of(content: Content, action: str) -> list[Content]:
    """The rules of an action that the settings leave on."""
    return [
        rule
        for name, rule in content["rule"].items()
        if rule.get("action", name) == action
        and all(content["settings"][key] == value for key, value in rule.get("when", {}).items())
    ]


def permitted(
    rule: dict[str, Any],
    roles: set[str],
    second: str,
    who: str,
    papers: set[str],
    channel: str,
) -> bool:
    """Whether these people with these papers may do it."""
    wanted = rule.get("papers", {})
    needed = set(wanted.get(f"{who}@{channel}", wanted.get(who, [])))
    return (
        not roles.isdisjoint(rule["roles"])
        and who in rule["appears"]
        and all(not papers.isdisjoint(paper.split("|")) for paper in needed)
        and channel in rule["channels"]
        and (not rule.get("second", False) or second == "granted")
    )
