"""The two files of a lot: the pack that goes to the village, the outcome that comes back.

The pack has the list, its digest and a key made for this lot only. The outcome names the digest
and is sealed with the key (HMAC-SHA256), so a changed file, or one of another lot, is noticed. A
pack that is not encrypted to somebody shows masked names and numbers, and has no key: whoever saw
it could seal anything. Two people then vouch for its outcome, by its digest, when it is merged.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any, NamedTuple

from cardkit.registry.lifecycle.requests import Agent, Appears
from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.records import Taken
from cardkit.registry.numbering import lot_name

PACK = "cardkit lot pack 1"
OUTCOME = "cardkit lot outcome 1"
_CHINA = timezone(timedelta(hours=8))


class PackedCard(NamedTuple):
    """A card of a pack, in the order of the list."""

    position: int
    card_id: int
    card_number: str
    name: str
    citizen_number: str

    def __repr__(self) -> str:
        """The position only: lists of people stay out of logs."""
        return f"PackedCard({self.position})"


@dataclass(frozen=True, slots=True)
class Pack:
    """What is taken along."""

    lot_id: int
    kind: str
    place: str
    place_name: str
    packed_at: str
    digest: str
    seal_key: bytes = field(repr=False)
    cards: Sequence[PackedCard] = field(repr=False)

    def to_json(self, *, full: bool) -> str:
        """The pack as a file; without `full`, names and numbers are masked."""
        rows = []
        for card in self.cards:
            name, number = card.name, card.citizen_number
            if not full:
                name, number = (
                    name[:1] + "*" * (len(name) - 1),
                    f"{number[:6]}********{number[14:]}",
                )
            rows.append(
                {
                    "position": card.position,
                    "card_id": card.card_id,
                    "card_number": card.card_number,
                    "name": name,
                    "citizen_number": number,
                }
            )
        content: dict[str, Any] = {
            "format": PACK,
            "lot": lot_name(self.lot_id),
            "lot_id": self.lot_id,
            "kind": self.kind,
            "place": self.place,
            "place_name": self.place_name,
            "packed_at": self.packed_at,
            "count": len(rows),
            "digest": self.digest,
            "cards": rows,
        }
        if full:  # only a file that leaves encrypted has it
            content["seal_key"] = self.seal_key.hex()
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of one card."""

    position: int
    card_id: int
    outcome: str
    appeared: str = Appears.HOLDER.value
    papers: tuple[str, ...] = ("id",)
    agent: Agent | None = field(default=None, repr=False)
    at: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes back from a village."""

    lot_id: int
    digest: str
    rows: Sequence[OutcomeRow] = field(repr=False)
    seal: str = ""

    def sealed(self, key: bytes) -> Outcome:
        """The same, sealed."""
        return Outcome(self.lot_id, self.digest, self.rows, self.proof(key))

    def subject(self) -> int:
        """What people who vouch for exactly this file approve."""
        return int(self.file_digest()[:12], 16)

    def proof(self, key: bytes) -> str:
        """HMAC-SHA256 over everything it says, hex."""
        return hmac.new(key, _canonical(self._content()), sha256).hexdigest()

    def file_digest(self) -> str:
        """What two merges of one file have in common."""
        return sha256(_canonical(self._content())).hexdigest()

    def _content(self) -> dict[str, Any]:
        return {
            "format": OUTCOME,
            "lot_id": self.lot_id,
            "digest": self.digest,
            "rows": [_row_content(row) for row in self.rows],
        }

    def to_json(self) -> str:
        """The outcome as a file."""
        content = self._content() | {"seal": self.seal}
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def list_digest(lot_id: int, cards: Iterable[tuple[int, int, str]]) -> str:
    """SHA-256 of a list of (position, card record, card number), hex."""
    digest = sha256(f"{lot_name(lot_id)}\n".encode())
    for position, card_id, number in cards:
        digest.update(f"{position} {card_id} {number}\n".encode())
    return digest.hexdigest()


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _row_content(row: OutcomeRow) -> dict[str, Any]:
    content: dict[str, Any] = {
        "position": row.position,
        "card_id": row.card_id,
        "outcome": row.outcome,
    }
    if row.outcome == Taken.HANDED:
        content |= {"appeared": row.appeared, "papers": sorted(row.papers)}
        if row.agent is not None:
            content["agent"] = {
                "name": row.agent.name,
                "citizen_number": row.agent.citizen_number,
                "phone": row.agent.phone,
                "relation": row.agent.relation,
            }
    if row.at:
        content["at"] = row.at
    return content


def read_pack(text: str) -> Pack:
    """The pack in a file.

    Raises
    ------
    LotError
        It is none, or its list is not the one of its digest.
    """
    content = _document(text, PACK)
    try:
        cards = [
            PackedCard(
                int(row["position"]),
                int(row["card_id"]),
                str(row["card_number"]),
                str(row["name"]),
                str(row["citizen_number"]),
            )
            for row in content["cards"]
        ]
        pack = Pack(
            int(content["lot_id"]),
            str(content["kind"]),
            str(content["place"]),
            str(content["place_name"]),
            str(content["packed_at"]),
            str(content["digest"]),
            bytes.fromhex(content.get("seal_key", "")),
            cards,
        )
    except (KeyError, TypeError, ValueError):
        raise _damaged("pack") from None
    if list_digest(pack.lot_id, (card[:3] for card in cards)) != pack.digest:
        raise _damaged("pack")
    return pack


def read_outcome(text: str) -> Outcome:
    """The outcome in a file; whether its seal is right is seen when it is merged.

    Raises
    ------
    LotError
        It is none.
    """
    content = _document(text, OUTCOME)
    try:
        rows = [_outcome_row(row) for row in content["rows"]]
        return Outcome(int(content["lot_id"]), str(content["digest"]), rows, str(content["seal"]))
    except (KeyError, TypeError, ValueError):
        raise _damaged("outcome") from None


def _outcome_row(row: Mapping[str, Any]) -> OutcomeRow:
    agent = row.get("agent")
    return OutcomeRow(
        int(row["position"]),
        int(row["card_id"]),
        Taken(row["outcome"]).value,
        Appears(row.get("appeared", Appears.HOLDER)).value,
        tuple(str(paper) for paper in row.get("papers", ("id",))),
        None if agent is None else Agent(**{name: str(text) for name, text in agent.items()}),
        instant_of(str(row.get("at", ""))),
    )


def instant_of(told: str) -> str:
    """The instant (UTC) of what a watch showed; a village's time where no offset is said.

    Raises
    ------
    ValueError
        Not a day and a time.

    Examples
    --------
    >>> instant_of("2012-05-01 10:30"), instant_of("2012-05-01T02:30:00Z"), instant_of("")
    ('2012-05-01T02:30:00.000Z', '2012-05-01T02:30:00.000Z', '')
    """
    if not told:
        return ""
    if len(told) < len("2012-05-01 10:30"):  # a day alone is no instant
        raise ValueError("no instant")
    moment = datetime.fromisoformat(told)
    there = moment if moment.tzinfo else moment.replace(tzinfo=_CHINA)
    utc = there.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def _document(text: str, form: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        raise _damaged("file") from None
    if not isinstance(content, dict) or content.get("format") != form:
        raise LotError("file", f"this is no file of the kind {form!r}")
    return content


def _damaged(what: str) -> LotError:
    return LotError(
        "changed",
        f"the {what} is damaged or was changed",
        hint="take another copy of it",
        zh="文件损坏或被改动：请换一份原始文件",
    )
