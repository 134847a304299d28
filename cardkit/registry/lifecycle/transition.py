"""One line of the table of transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cardkit.registry.lifecycle.requests import Appears
from cardkit.registry.operators.roles import Role

PREVIOUS = "previous"
SAME = "same"
OR = "|"
"""Between papers of which one is enough."""
SUBJECTS = ("card", "bank", "application", "temporary")


@dataclass(frozen=True, slots=True)
class Transition:
    """What an action does in some states, and what it asks for.

    Parameters
    ----------
    name : str
        Of the rule; an action may have several.
    subject : str
        Whose states `sources` and `target` are: ``card``, ``bank`` (the bank's side of a card),
        ``application`` or ``temporary``.
    target : str
        A state, ``previous`` (where the card was before it was held) or ``same``.
    hold : str
        ``yes``: the state before is remembered. ``keep``: what was remembered stays.
    second : bool
        Whether a second person has to approve.
    papers : mapping
        By who appears (``agent``), or that and the channel (``holder@phone``). Of
        ``card|receipt`` one is enough.
    not_by : frozenset of str
        Actions whose operator must be somebody else.
    fee : int
        Fen; `first_free` waives it the first time.
    deposit : int
        Fen taken; `deposit_end` is ``give-back`` or ``keep`` where it ends.
    days, working_days : int
        Until something has to follow.
    lapse_days : int
        Until it lapses by itself.
    chip : str
        What has to happen to the chip.
    bank_in, card_in : frozenset of str
        States the other side has to be in; empty: any.
    bank_to : str
        State of the bank's side afterwards.
    bank_note : str
        What the bank is told, where its side does not change by itself.
    insurance : str
        State of the insurance relation afterwards.
    """

    name: str
    action: str
    subject: str
    sources: frozenset[str]
    target: str
    zh: str
    en: str
    hold: str = ""
    roles: frozenset[Role] = frozenset()
    second: bool = False
    approvers: frozenset[Role] = frozenset()
    appears: frozenset[Appears] = frozenset()
    papers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    channels: frozenset[str] = frozenset({"window"})
    not_by: frozenset[str] = frozenset()
    form: str = ""
    receipt: str = ""
    fee: int = 0
    first_free: bool = False
    deposit: int = 0
    deposit_end: str = ""
    days: int = 0
    working_days: int = 0
    lapse_days: int = 0
    chip: str = ""
    bank_in: frozenset[str] = frozenset()
    card_in: frozenset[str] = frozenset()
    bank_to: str = ""
    bank_note: str = ""
    insurance: str = ""
    new_card: bool = False
    changes_data: bool = False
    opens_account: bool = False

    def papers_for(self, who: Appears, channel: str) -> frozenset[str]:
        """Papers that have to be there."""
        special = self.papers.get(f"{who}@{channel}")
        return special if special is not None else self.papers.get(who, frozenset())

    def missing(self, who: Appears, channel: str, shown: frozenset[str]) -> list[str]:
        """Papers that have to be there and are not.

        Examples
        --------
        >>> from cardkit.registry.lifecycle.requests import Appears
        >>> papers = {"holder": frozenset({"id", "card|receipt"})}
        >>> rule = Transition("a", "a", "card", frozenset(), "same", "", "", papers=papers)
        >>> rule.missing(Appears.HOLDER, "window", frozenset({"receipt"}))
        ['id']
        """
        wanted = self.papers_for(who, channel)
        return sorted(paper for paper in wanted if shown.isdisjoint(paper.split(OR)))

    def as_json(self) -> dict[str, Any]:
        """The rule for programs."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in values.items()
        } | {"papers": {who: sorted(papers) for who, papers in self.papers.items()}}
