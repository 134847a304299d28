"""What the registry hands out: card records, chips, entries of the history.

They hold personal data; ``repr`` shows the number of the record and its state only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cardkit.registry.numbering import SERIAL_LENGTH
from cardkit.registry.people import Applicant


@dataclass(slots=True)
class CardRecord:
    """A card that was promised to a person.

    Every text is ``''`` when there is nothing. Instants are UTC text.

    Parameters
    ----------
    card_id : int
        Number of the record within its registry.
    id_code : bytes
        12 bytes: district(3) || D156000005 || serial(4).
    id_code_mac : bytes
        The last 4 bytes of the card id code, ``b''`` until the card is issued.
    kind : str
        Card kind of the roster.
    chip_kind : str
        What the chip was like when it came in (``blank``, ``premade``).
    attempts : int
        How often writing a chip was begun.
    batch, row : int
        Roster and row in it that first named the person.
    """

    card_id: int
    person_id: int = field(repr=False)
    card_number: str = field(repr=False)
    id_code: bytes = field(repr=False)
    id_code_mac: bytes = field(repr=False)
    district: str = field(repr=False)
    kind: str = field(repr=False)
    state: str
    reason: str = field(repr=False)
    bank_card_number: str = field(repr=False)
    reader: str = field(repr=False)
    chip_kind: str = field(repr=False)
    attempts: int = field(repr=False)
    planned_at: str = field(repr=False)
    writing_at: str = field(repr=False)
    issued_at: str = field(repr=False)
    changed_at: str = field(repr=False)
    batch: int = field(repr=False)
    row: int = field(repr=False)
    citizen_number: str = field(repr=False)
    name: str = field(repr=False)
    insurance_number: str = field(repr=False)
    sex: str = field(repr=False)
    birth_date: str = field(repr=False)
    birthplace: str = field(repr=False)
    nation: str = field(repr=False)
    address: str = field(repr=False)
    phone: str = field(repr=False)
    status: str = field(repr=False)
    items: dict[str, str] = field(repr=False)

    @property
    def card_id_code(self) -> bytes:
        """Card id code: 16 bytes once issued, 12 before."""
        return self.id_code + self.id_code_mac

    @property
    def serial(self) -> bytes:
        """Serial of the chip (4 bytes), as its ATR ends."""
        return self.id_code[-SERIAL_LENGTH:]

    def as_json(self) -> dict[str, object]:
        """The record for programs; bytes as capital hex."""
        return {
            "card_id": self.card_id,
            "citizen_number": self.citizen_number,
            "name": self.name,
            "insurance_number": self.insurance_number,
            "card_number": self.card_number,
            "card_id_code": self.card_id_code.hex().upper(),
            "state": self.state,
            "reason": self.reason,
            "kind": self.kind,
            "bank_card_number": self.bank_card_number,
            "reader": self.reader,
            "chip_kind": self.chip_kind,
            "attempts": self.attempts,
            "planned_at": self.planned_at,
            "writing_at": self.writing_at,
            "issued_at": self.issued_at,
            "changed_at": self.changed_at,
            "batch": self.batch,
            "row": self.row,
            "sex": self.sex,
            "birth_date": self.birth_date,
            "birthplace": self.birthplace,
            "nation": self.nation,
            "address": self.address,
            "phone": self.phone,
            "status": self.status,
            "items": self.items,
        }


@dataclass(frozen=True, slots=True)
class Chip:
    """A chip that the registry has met.

    Parameters
    ----------
    id_code : bytes
        12 bytes.
    factory_atr, atr : bytes
        Answer to reset as it came, and with the serial it was given; ``b''`` when unknown.
    state : str
        A value of `cardkit.registry.states.ChipState`.
    card_id : int or None
        The record it carries, is bound to, or was bound to when it was spoilt.
    """

    id_code: bytes
    factory_atr: bytes
    atr: bytes
    kind: str
    state: str
    card_id: int | None
    seen_at: str


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history.

    Parameters
    ----------
    detail : str
        JSON object; never holds keys or personal data.
    digest : bytes
        32 bytes, see `cardkit.history`.
    """

    sequence: int
    instant: str
    actor: str
    action: str
    card_id: int | None
    person_id: int | None
    from_state: str | None
    to_state: str | None
    detail: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardStory:
    """A record with everything that happened to it."""

    record: CardRecord
    chips: tuple[Chip, ...]
    history: tuple[HistoryEntry, ...]


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """Which roster an enrolment comes from.

    Parameters
    ----------
    name : str
        File name without its directory.
    digest : str
        SHA-256 of the file, hex: the same file again is the same batch.
    rows : int
        Rows of the file, rejected ones included.
    """

    name: str
    digest: str
    rows: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row that contradicts the registry; it goes to the reject file.

    Parameters
    ----------
    field : str
        Name of the field of `Applicant`.
    reason, reason_en : str
        For the clerk, in Chinese and in English; without personal data.
    """

    applicant: Applicant
    field: str
    reason: str
    reason_en: str
    code: str = "registry"


@dataclass(slots=True)
class Enrolment:
    """What an enrolment did.

    Parameters
    ----------
    batch : int
        Number of the batch.
    card_ids : list of int or None
        The card record of each applicant, in the order given; None for a conflict.
    new : list of int
        Records made now.
    existing : list of int
        Records that were there.
    updated : list of int
        Those of `existing` that were not begun and took over newer data (address, nation ...).
    kept : list of int
        Those of `existing` that are begun or issued, so that newer data were *not* taken over.
    conflicts : list of Conflict
    """

    batch: int = 0
    card_ids: list[int | None] = field(default_factory=list, repr=False)
    new: list[int] = field(default_factory=list, repr=False)
    existing: list[int] = field(default_factory=list, repr=False)
    updated: list[int] = field(default_factory=list, repr=False)
    kept: list[int] = field(default_factory=list, repr=False)
    conflicts: list[Conflict] = field(default_factory=list, repr=False)

    def counts(self) -> Mapping[str, int]:
        """How many of each.

        Examples
        --------
        >>> Enrolment(new=[1, 2]).counts()["new"]
        2
        """
        return {
            "new": len(self.new),
            "existing": len(self.existing),
            "updated": len(self.updated),
            "kept": len(self.kept),
            "conflicts": len(self.conflicts),
        }
