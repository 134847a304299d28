"""Stock that goes with other acts: cards that are made or spoilt, or lent, or come from a factory.

Each is booked in the transaction of the act itself. What is used up although the books have none of
it is booked all the same, from outside: the card is there. `cardkit stock show --verify` names it
until the delivery is booked and the move corrected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cardkit.registry.books import Books
from cardkit.registry.places import Place
from cardkit.registry.places.fund import place_of
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import stock_numbers, stock_quantities
from cardkit.registry.stock.booking import Booking, Line
from cardkit.registry.stock.errors import StockError
from cardkit.registry.stock.kinds import KINDS, Kind
from cardkit.registry.stock.numbers import Range, parse_range, ranges
from cardkit.registry.stock.rules import Action, State

BLANK, PREPRINTED = KINDS["blank-card"], KINDS["preprinted-card"]
_ONE = Range("", 1, 1, 0)


class WindowStock:
    """The cards of one place, used up by making cards there.

    A record whose number is on a pre-printed card held there uses that one, every other record one
    of the blank cards that are counted there.

    Parameters
    ----------
    place : str
        Code of the window or store.
    """

    def __init__(self, books: Books, place: str) -> None:
        self._books = books
        self._place = place
        self._booking = Booking(books)

    def held(self) -> int:
        """How many blank cards the books have here.

        Raises
        ------
        PlacesError
            There is no such place.
        """
        with self._books.store.reading() as connection:
            return _blank(connection, place_of(connection, self._place))

    def check(self, connection: Connection, card_id: int) -> None:
        """See `cardkit.registry.making.UsesStock`."""
        here = place_of(connection, self._place)
        if _preprinted(connection, here, card_id) is None and not _blank(connection, here):
            raise StockError(
                "empty",
                f"no blank card is left at {here.code}, by the books",
                hint="book the delivery (cardkit stock receive, move), or count the shelf",
                zh=f"{here.code} 账上已无空白卡：请先登记入库或调拨，或盘点",
            )

    def used(self, connection: Connection, card_id: int) -> None:
        """See `cardkit.registry.making.UsesStock`."""
        self._book(connection, card_id, Action.USE, State.USED, "")

    def spoilt(self, connection: Connection, card_id: int, *, begun: bool) -> None:
        """See `cardkit.registry.making.UsesStock`."""
        here = place_of(connection, self._place)
        if begun or _preprinted(connection, here, card_id) is not None:
            reason = "dead-chip" if begun else "misprinted"
            self._book(connection, card_id, Action.SPOIL, State.SPOILT, reason)

    def _book(
        self, connection: Connection, card_id: int, action: Action, after: State, reason: str
    ) -> None:
        here = place_of(connection, self._place)
        number = _preprinted(connection, here, card_id)
        before = State.HELD if number is not None or _blank(connection, here) else None
        kind, pieces = (BLANK, _ONE) if number is None else (PREPRINTED, number)
        who = self._books.journal.actor
        self._booking.write(
            connection,
            Line(action, kind, pieces, here, here, before, after, who, card=card_id, reason=reason),
        )


def _blank(connection: Connection, here: Place) -> int:
    table = stock_quantities.c
    held = connection.execute(
        select(table.count).where(
            table.kind == BLANK.name,
            table.place == here.place_id,
            table.state == State.HELD.value,
        )
    ).scalar()
    return int(held or 0)


def _preprinted(connection: Connection, here: Place, card_id: int) -> Range | None:
    """The number of a record, if a card with it is held here."""
    number = connection.execute(select(cards.c.card_number).where(cards.c.id == card_id)).scalar()
    if number is None:
        return None
    piece = parse_range(PREPRINTED, number)
    at = _standing(connection, PREPRINTED, piece)
    return piece if at is not None and (at.place, at.state) == (here, State.HELD) else None


@dataclass(frozen=True, slots=True)
class _At:
    place: Place
    state: str


def _standing(connection: Connection, kind: Kind, piece: Range) -> _At | None:
    """Where one number is."""
    table = stock_numbers.c
    row = connection.execute(
        select(places.c.code, table.state)
        .join_from(stock_numbers, places, places.c.id == table.place)
        .where(table.kind == kind.name, table.series == piece.series, table.number == piece.first)
    ).first()
    return None if row is None else _At(place_of(connection, row[0]), row[1])


# --- temporary cards -----------------------------------------------------------------------------

_TEMPORARY = KINDS["temporary-card"]
_STEPS = {  # the state a temporary card goes to → what that is in stock
    "out": (Action.LEND, State.HELD, State.LENT, ""),
    "returned": (Action.TAKE_BACK, State.LENT, State.HELD, ""),
    "lost": (Action.LOSE, State.LENT, State.MISSING, ""),
    "retired": (Action.SPOIL, State.HELD, State.SPOILT, "expired"),
}


class TemporaryStock:
    """Temporary cards that are kept in stock go out and come back there as well."""

    def __init__(self, books: Books) -> None:
        self._booking = Booking(books)

    def follow(
        self, connection: Connection, serial: str, state: str, *, act: int, operator: str
    ) -> None:
        """Book what an act did; nothing where the stock does not know the serial.

        Raises
        ------
        StockError
            The stock has the card, but not where the act needs it: spoilt, or lent before.
        """
        step = _STEPS.get(state)
        try:
            piece = parse_range(_TEMPORARY, serial)
        except StockError:
            return  # a serial that stock cannot count was never received
        at = _standing(connection, _TEMPORARY, piece)
        if step is None or at is None:
            return
        action, before, after, reason = step
        self._booking.write(
            connection,
            Line(
                action, _TEMPORARY, piece, at.place, at.place, before, after, operator,
                act=act, reason=reason,
            ),
        )  # fmt: skip


# --- cards from a factory ------------------------------------------------------------------------


class FactoryStock:
    """Cards that a factory made: those it had from our stock are used, the others come in first."""

    def __init__(self, books: Books, place: str) -> None:
        self._place = place
        self._booking = Booking(books)

    def came(self, connection: Connection, numbers: Iterable[str], *, operator: str) -> list[str]:
        """Book cards that came, by card number, and use them up: each is somebody's card now.

        Returns
        -------
        list of str
            Numbers that the books have as used, spoilt ... already: the difference, by name.
        """
        here = place_of(connection, self._place)
        wanted = sorted(
            (piece.series, piece.width, piece.first)
            for piece in (parse_range(PREPRINTED, number) for number in numbers)
        )
        strange: list[str] = []
        for piece in ranges(wanted):
            for part, at in _parts(connection, piece):
                if at is not None and at.state != State.HELD:
                    strange.append(f"{part.shown(PREPRINTED)} {at.state} at {at.place.code}")
                    continue
                there = here if at is None else at.place
                if at is None:
                    self._booking.write(
                        connection,
                        Line(
                            Action.RECEIVE, PREPRINTED, part, there, there, None, State.HELD,
                            operator,
                        ),
                    )  # fmt: skip
                self._booking.write(
                    connection,
                    Line(
                        Action.USE, PREPRINTED, part, there, there, State.HELD, State.USED,
                        operator,
                    ),
                )  # fmt: skip
        return strange


def _parts(connection: Connection, piece: Range) -> list[tuple[Range, _At | None]]:
    """A range cut where its numbers stand differently in the books."""
    table = stock_numbers.c
    known = {
        row[0]: (row[1], row[2])
        for row in connection.execute(
            select(table.number, places.c.code, table.state)
            .join_from(stock_numbers, places, places.c.id == table.place)
            .where(
                table.kind == PREPRINTED.name,
                table.series == piece.series,
                table.number.between(piece.first, piece.last),
            )
        )
    }
    groups: dict[tuple[str, str] | None, list[tuple[str, int, int]]] = {}
    for number in range(piece.first, piece.last + 1):
        where = known.get(number)
        groups.setdefault(where, []).append((piece.series, piece.width, number))
    return [
        (part, None if where is None else _At(place_of(connection, where[0]), where[1]))
        for where, some in groups.items()
        for part in ranges(some)
    ]
