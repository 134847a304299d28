"""What somebody wants done with a card, and who stands at the window for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from cardkit.registry.operators.roles import Operator

NOTHING: Mapping[str, str] = MappingProxyType({})
NONE_EACH: Mapping[int, Mapping[str, str]] = MappingProxyType({})
NONE_SINCE: Mapping[int, str] = MappingProxyType({})


class Appears(StrEnum):
    """Who appears for an act (domain.md [D8])."""

    HOLDER = "holder"  # 本人
    AGENT = "agent"  # 代办人, with both IDs
    EMPLOYER = "employer"  # 参保单位, with its stamped list
    NOBODY = "nobody"  # the agency acts by itself


@dataclass(frozen=True, slots=True)
class Agent:
    """The person acting for a holder; nothing of it is shown by ``repr``.

    Parameters
    ----------
    relation : str
        To the holder, in a word (``parent``, ``spouse`` ...).
    """

    name: str = field(repr=False)
    citizen_number: str = field(repr=False)
    phone: str = field(default="", repr=False)
    relation: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Appearance:
    """Who stands there, with which papers.

    Parameters
    ----------
    papers : frozenset of str
        Codes of the rule set: ``id``, ``agent-id``, ``card``, ``stamped-list`` ...
    agent : Agent, optional
        Wanted exactly when an agent appears.
    """

    who: Appears = Appears.NOBODY
    papers: frozenset[str] = frozenset()
    agent: Agent | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One act that somebody asks for.

    Parameters
    ----------
    action : str
        A name of the rule set (``hand-out``, ``report-loss`` ...).
    subject : int
        Number of the card record; of the application or the temporary card, where the action is
        one of theirs.
    approval : int, optional
        Number of the approval that a second person granted.
    channel : str
        ``window``, ``phone``, ``kiosk``, ``file``, ``bank``, ``hospital`` ...
    reason : str
        A code without personal data; it goes into the history.
    second : Operator, optional
        The second person where both are here: approves in the transaction of the act, so that
        nothing of it stays when the act is refused. Not asked where the rule wants one person.
    details : mapping
        What the action needs (new data, an account number); never goes into the history.
    each : mapping
        The same by card record, for acts on many cards at once; before `details`.
    since : mapping
        By card record, the earlier instant (UTC text) at which somebody else did what is taken over
        now: what lapses by itself counts from then.
    lot : int
        Number of the hand-out lot whose outcome is taken over now, or 0.
    """

    action: str
    subject: int
    operator: Operator
    appearance: Appearance = Appearance()
    approval: int | None = None
    channel: str = "window"
    reason: str = ""
    details: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)
    each: Mapping[int, Mapping[str, str]] = field(default_factory=lambda: NONE_EACH, repr=False)
    second: Operator | None = None
    since: Mapping[int, str] = field(default_factory=lambda: NONE_SINCE)
    lot: int = 0

    def details_for(self, subject: int) -> Mapping[str, str]:
        """What is told of one of the subjects.

        Examples
        --------
        >>> clerk = Operator(1, "li", "", frozenset())
        >>> one = Request("bank-open", 0, clerk, details={"bank": "B"}, each={7: {"account": "1"}})
        >>> one.details_for(7), one.details_for(8)
        ({'bank': 'B', 'account': '1'}, {'bank': 'B'})
        """
        own = self.each.get(subject)
        return {**self.details, **own} if own else self.details


@dataclass(frozen=True, slots=True)
class Act:
    """What was done: a row of the table ``acts``, as far as people need it at once.

    Parameters
    ----------
    from_state, to_state : str
        Of the subject; the bank side has its own pair in `bank_from` and `bank_to`.
    fee, deposit : int
        Fen to be paid now; a negative deposit is given back.
    due : str
        Day by which something has to follow (``2012-06-13``), or ``''``.
    lapses_at : str
        Instant at which it lapses by itself, or ``''``.
    receipt, form : str
        Which document belongs to it (codes of the rule set).
    chip : str
        What has to happen to the chip: ``''``, ``write``, ``wipe``, ``block``, ``retire`` ...
    new_card : int, optional
        The card record planned in place of this one.
    """

    act_id: int
    instant: str
    action: str
    subject_kind: str
    subject: int
    card_id: int | None
    person_id: int | None
    from_state: str
    to_state: str
    bank_from: str = ""
    bank_to: str = ""
    form: str = ""
    receipt: str = ""
    receipt_number: str = ""
    fee: int = 0
    deposit: int = 0
    due: str = ""
    lapses_at: str = ""
    chip: str = ""
    new_card: int | None = None
    follow_up: str = ""

    def as_json(self) -> dict[str, Any]:
        """The act for programs; nothing of it is personal."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What an act on many cards did.

    Parameters
    ----------
    done : int
        How many.
    refused : list of (int, str)
        Card record and reason, for each that stayed as it was.
    """

    done: int
    refused: list[tuple[int, str]]
