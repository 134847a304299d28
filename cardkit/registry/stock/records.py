"""Orders and lines of the book."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import stock_moves
from cardkit.registry.stock.kinds import KINDS, Kind
from cardkit.registry.stock.numbers import Range

REASONS: Mapping[str, str] = {
    "damaged": "损坏",
    "misprinted": "印错",
    "wrong-data": "数据有误",
    "dead-chip": "芯片失效",
    "expired": "过期停用",
    "other": "其他",
}
"""Why something is spoilt: a closed list, as the history has no room for names."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done with things in stock.

    Parameters
    ----------
    at : str
        Code of the place where they are, or come in.
    first, last : str
        Numbers as printed; one piece without `last`.
    count : int
        Pieces without numbers.
    to : str
        Code of the place they go to, for a move.
    spoilt : bool
        Take those that were set aside as spoilt, where both are possible.
    minutes : str
        Number of the minutes that two people signed.
    act, card : int, optional
        What a piece was used for.
    corrects : int, optional
        The move that was wrong.
    """

    action: str
    kind: str
    at: str
    first: str = ""
    last: str = ""
    count: int = 0
    to: str = ""
    spoilt: bool = False
    minutes: str = ""
    reason: str = ""
    act: int | None = None
    card: int | None = None
    corrects: int | None = None

    @property
    def approved_as(self) -> str:
        """The action an approval has to name."""
        return f"stock-{self.action}"

    def subject(self) -> int:
        """What an approval of exactly this order is bound to.

        Examples
        --------
        >>> orders = [Order("destroy", "psam", "W1", number) for number in ("7", "8", "7")]
        >>> len({order.subject() for order in orders})
        2
        """
        text = json.dumps(asdict(self), sort_keys=True)
        return int.from_bytes(sha256(text.encode()).digest()[:6])


@dataclass(frozen=True, slots=True)
class Move:
    """A line of the book.

    Parameters
    ----------
    numbers : str
        ``SJ000001-SJ000100``, or ``''`` where pieces were only counted.
    from_place, to_place : str
        Codes, ``''`` for outside.
    """

    move_id: int
    instant: str
    action: str
    kind: str
    numbers: str
    count: int
    from_place: str
    from_state: str
    to_place: str
    to_state: str
    operator: str
    second: str
    minutes: str
    reason: str
    act: int | None
    card: int | None
    corrects: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The line for programs."""
        return asdict(self)


_from, _to = places.alias("from_place"), places.alias("to_place")
MOVES = select(
    stock_moves, _from.c.code.label("from_code"), _to.c.code.label("to_code")
).select_from(
    stock_moves.outerjoin(_from, _from.c.id == stock_moves.c.from_place).outerjoin(
        _to, _to.c.id == stock_moves.c.to_place
    )
)


def read(connection: Connection, query: Any) -> Iterator[Move]:  # noqa: ANN401 - a select of any shape
    """The lines a question of `MOVES` finds."""
    for row in connection.execute(query).mappings():
        yield move_of(KINDS[row["kind"]], row, row["from_code"] or "", row["to_code"] or "")


def move_of(kind: Kind, row: Mapping[Any, Any], from_place: str, to_place: str) -> Move:
    """A line out of its row."""
    pieces = Range(row["series"], row["first"], row["last"], row["width"])
    return Move(
        row["id"],
        row["instant"],
        row["action"],
        row["kind"],
        pieces.shown(kind) if pieces.width else "",
        row["count"],
        from_place,
        row["from_state"],
        to_place,
        row["to_state"],
        row["operator"],
        row["second"],
        row["minutes"],
        row["reason"],
        row["act"],
        row["card"],
        row["corrects"],
    )
