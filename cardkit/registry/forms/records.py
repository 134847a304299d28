"""What the room of forms hands out: documents, and what checking a copy shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from cardkit.registry.forms.codes import grouped
from cardkit.registry.forms.kinds import PAPERS, Kind


class Content(Protocol):
    """What a paper says: of `cardkit.registry.forms.contents` or `cardkit.registry.forms.lists`."""

    def as_content(self, *, hidden: bool) -> dict[str, Any]:
        """What is printed."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a paper is about, and its number.

    Parameters
    ----------
    kind : str
        ``act``, ``lot``, ``count``, ``volume``, ``card`` or ``place``. Of the first four there is
        one paper of a kind; to print it again is a reprint.
    """

    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class NumberedForm:
    """A form with a printed number, and the code of the place whose stock has it [D9]."""

    number: str
    at: str

    @property
    def shown(self) -> str:
        """Its number as stock writes it."""
        return self.number.strip().upper()


@dataclass(frozen=True, slots=True)
class Document:
    """A paper that was made.

    Parameters
    ----------
    number : str
        On the paper, ``SL2012000001``.
    content : mapping
        What stands on it; not shown by ``repr``.
    code : str
        The check code, without hyphens.
    entry : int
        Its place in the history.
    made_by : str
        Login.
    printed_at : str
        When it was ready; ``''`` while it was only begun.
    voided_at, voided_by, void_reason : str
        When, by whom and why it was made void; ``''`` while it counts.
    reprints : int
        How often it was printed again.
    """

    document_id: int
    number: str
    kind: Kind
    subject: Subject
    card_id: int | None
    content: Mapping[str, Any] = field(repr=False)
    digest: str
    code: str
    entry: int
    stock_number: str
    copies: int
    made_at: str
    made_by: str
    printed_at: str = ""
    voided_at: str = ""
    voided_by: str = ""
    void_reason: str = ""
    reprints: int = 0

    @property
    def standing(self) -> str:
        """``printed``, ``begun`` (nothing came out: to be finished or made void) or ``void``."""
        if self.voided_at:
            return "void"
        return "printed" if self.printed_at else "begun"

    def as_json(self) -> dict[str, Any]:
        """The document for programs, without what stands on it."""
        return {
            "number": self.number,
            "kind": self.kind.value,
            "title": PAPERS[self.kind].title,
            "subject": self.subject.kind,
            "subject_id": self.subject.number,
            "card_id": self.card_id,
            "code": grouped(self.code),
            "stock_number": self.stock_number,
            "copies": self.copies,
            "made_at": self.made_at,
            "made_by": self.made_by,
            "standing": self.standing,
            "void_reason": self.void_reason,
            "voided_at": self.voided_at,
            "voided_by": self.voided_by,
            "reprints": self.reprints,
        }


class Finding(StrEnum):
    """What checking a code shows."""

    GENUINE = "genuine"  # 真实: made here, and the record is as it was
    VOID = "void"  # 已作废: made here, and counts no more
    UNKNOWN = "unknown"  # 查无此码: no paper of this registry has the code
    ALTERED = "altered"  # 记录被改动: somebody changed the record or its history


@dataclass(frozen=True, slots=True)
class Check:
    """The answer to a code.

    Parameters
    ----------
    shows : mapping
        What the paper in hand has to say, by Chinese label, names and numbers masked; empty unless
        genuine or void.
    """

    finding: Finding
    document: Document | None = None
    shows: Mapping[str, str] = field(default_factory=dict, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The answer for programs."""
        found = self.document.as_json() if self.document else {}
        return {"finding": self.finding.value, "document": found or None, "shows": dict(self.shows)}
