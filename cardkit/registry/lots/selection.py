"""Which cards a lot takes, and its rows in the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, func, or_, select

from cardkit.registry.lots.records import CAME_BACK, Conflict, Custody, Lot, Taken
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.lots import lot_cards, lot_conflicts, lot_custody, lot_merges, lots
from cardkit.registry.schema.places import places
from cardkit.registry.states import State as CardState

_MOST_IN = 5_000


def of_places(
    connection: Connection, place_ids: Sequence[int], table: Table
) -> dict[int, list[tuple[int, str]]]:
    """(card record, card number) of finished cards in the office, by place of their people.

    A card that an earlier lot did not bring back is not there: it is missing, or with its holder
    although the registry could not follow. Who belongs where says `table`: ``residence`` or
    ``memberships``. One question for all places: a question a place would look at every card of
    the county each time.
    """
    query = (
        _free()
        .add_columns(table.c.place)
        .join_from(cards, table, (table.c.person == cards.c.person) & (table.c.until == ""))
        .where(~_left())
        .order_by(cards.c.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for some in _chunks(place_ids):
        for card_id, number, place in connection.execute(query.where(table.c.place.in_(some))):
            found.setdefault(place, []).append((card_id, number))
    return found


def of_cards(connection: Connection, card_ids: Sequence[int]) -> list[tuple[int, str]]:
    """Those of some card records that are finished and in no lot; somebody has them in hand."""
    found: list[tuple[int, str]] = []
    for some in _chunks(card_ids):
        rows = connection.execute(_free().where(cards.c.id.in_(some)))
        found.extend((row[0], row[1]) for row in rows)
    return sorted(found)


def _packed() -> Any:  # noqa: ANN401 - an EXISTS
    return (
        select(lot_cards.c.card)
        .where(lot_cards.c.card == cards.c.id, lot_cards.c.open == 1)
        .exists()
    )


def _left() -> Any:  # noqa: ANN401 - an EXISTS
    """The last lot of a card went without it coming back."""
    last, later = lot_cards.alias(), lot_cards.alias()
    away = or_(
        last.c.outcome == Taken.MISSING.value,
        and_(last.c.outcome == Taken.HANDED.value, last.c.conflict != CAME_BACK),
    )
    since = select(later.c.card).where(later.c.card == last.c.card, later.c.lot > last.c.lot)
    return select(last.c.card).where(last.c.card == cards.c.id, away, ~since.exists()).exists()


def _free() -> Select[Any]:
    return select(cards.c.id, cards.c.card_number).where(
        cards.c.state == CardState.ISSUED.value, ~_packed()
    )


def _chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), _MOST_IN):
        yield values[start : start + _MOST_IN]


def lot_rows(connection: Connection, *conditions: Any) -> list[Lot]:  # noqa: ANN401
    """Lots with their counts, by number."""
    found = bare_rows(connection, *conditions)
    counted = _counted(connection, [lot.lot_id for lot in found])
    return [_with_counts(lot, counted[lot.lot_id]) for lot in found]


def _with_counts(lot: Lot, counts: Mapping[str, Any]) -> Lot:
    return replace(lot, **counts)


def bare_rows(connection: Connection, *conditions: Any) -> list[Lot]:  # noqa: ANN401
    """The same without looking at their cards: all counts of how they ended are 0."""
    table = lots.c
    rows = connection.execute(
        select(
            table.id,
            table.kind,
            places.c.code,
            table.state,
            table.count,
            table.digest,
            table.machine,
            table.card_carrier,
            table.machine_carrier,
            table.packed_at,
            table.out_at,
            table.back_at,
            table.closed_at,
            table.minutes,
        )
        .join_from(lots, places, places.c.id == table.place)
        .where(*conditions)
        .order_by(table.id)
    )
    return [Lot(*tuple(row)) for row in rows]


_COLUMN_OF = {
    Taken.HANDED: "handed",
    Taken.RETURNED: "returned",
    Taken.MISSING: "missing",
    Taken.UNKNOWN: "unknown",
}


def _counted(connection: Connection, lot_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How the cards of each lot ended."""
    found: dict[int, dict[str, int]] = {
        lot_id: dict.fromkeys((*_COLUMN_OF.values(), "conflicts"), 0) for lot_id in lot_ids
    }
    table = lot_cards.c
    query = select(table.lot, table.outcome, table.conflict != "", func.count())
    for some in _chunks(lot_ids):
        rows = connection.execute(
            query.where(table.lot.in_(some)).group_by(table.lot, table.outcome, table.conflict)
        )
        for lot_id, outcome, conflict, count in rows:
            if outcome != Taken.UNPACKED:
                found[lot_id][_COLUMN_OF[Taken(outcome)]] += count
            found[lot_id]["conflicts"] += count if conflict else 0
    return found


def custody_rows(connection: Connection, lot_id: int) -> Iterable[Custody]:
    """Who had a lot, oldest first."""
    table = lot_custody.c
    rows = connection.execute(
        select(table.instant, table.what, table.from_who, table.to_who, table.count)
        .where(table.lot == lot_id)
        .order_by(table.id)
    )
    return [Custody(*row) for row in rows]


def conflict_rows(
    connection: Connection, lot_id: int, merge: int | None = None
) -> tuple[Conflict, ...]:
    """Conflicts of a lot, with those of its count, or of one merge."""
    table = lot_conflicts.c
    query = (
        select(table.position, table.card, table.kind, table.detail)
        .join_from(lot_conflicts, lot_merges, lot_merges.c.id == table.merge)
        .where(lot_merges.c.lot == lot_id)
        .order_by(table.id)
    )
    if merge is not None:
        query = query.where(table.merge == merge)
    found = [Conflict(*row) for row in connection.execute(query)]
    return tuple(found if merge is not None else found + _counted_again(connection, lot_id))


def _counted_again(connection: Connection, lot_id: int) -> list[Conflict]:
    """Cards that a file says were handed out, and that were counted with what came back."""
    table = lot_cards.c
    rows = connection.execute(
        select(table.position, table.card)
        .where(table.lot == lot_id, table.conflict == CAME_BACK)
        .order_by(table.position)
    )
    return [Conflict(row[0], row[1], "came-back", CAME_BACK) for row in rows]
