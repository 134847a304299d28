"""People and cards for the numbers in a file, in bulk."""

from __future__ import annotations

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, select, text

from cardkit.registry.effective import effective_bank_state, effective_state
from cardkit.registry.exchange.keeping import Schema, frame_of, frames_of
from cardkit.registry.schema import cards, columns, people
from cardkit.registry.schema.base import one_of
from cardkit.registry.states import DEAD

_MOST_IN = 5_000  # values of one IN
_MANY = 20_000  # keys from which on every card is looked at
_KEY = "_wanted"

LIVING: ColumnElement[bool] = text("NOT " + one_of("cards.state", DEAD))  # type: ignore[assignment]
"""Cards that count as having one."""

_HOLDER: Schema = {
    "_key": pl.String,
    "_card": pl.Int64,
    "_person": pl.Int64,
    "known_name": pl.String,
    "card_number": pl.String,
    "known_bank_card": pl.String,
    "state": pl.String,
    "bank_state": pl.String,
}


def holders(connection: Connection, citizen_numbers: pl.Series, now: str) -> pl.DataFrame:
    """The living card of each citizen number that has one, by ``_key``.

    Parameters
    ----------
    now : str
        A temporary loss that lapsed by then is over, whether or not anybody noted it.
    """
    query = select(
        people.c.citizen_number,
        cards.c.id,
        people.c.id,
        people.c.name,
        *columns(cards, "card_number", "bank_card_number"),
        effective_state(now),
        effective_bank_state(now),
    ).join_from(people, cards, (cards.c.person == people.c.id) & LIVING)
    return _by_key(connection, query, people.c.citizen_number, citizen_numbers, _HOLDER)


def taken_bank_cards(connection: Connection, numbers: pl.Series) -> pl.Series:
    """Which of these numbers some card has already."""
    column = cards.c.bank_card_number
    query = select(column).where(column != "")
    schema: Schema = {"number": pl.String}
    found = _by_key(connection, query, column, numbers, schema)["number"]
    return numbers.is_in(found.to_list())


def _by_key(
    connection: Connection,
    query: Select[*tuple[object, ...]],
    column: ColumnElement[str],
    keys: pl.Series,
    schema: Schema,
) -> pl.DataFrame:
    wanted = keys.unique().sort()
    if len(wanted) > _MANY:  # one look at every card is quicker than many questions
        known, key = wanted.to_frame(_KEY), next(iter(schema))
        parts = (part.join(known, left_on=key, right_on=_KEY, how="semi")
                 for part in frames_of(connection, query, schema))  # fmt: skip
        frames = list(parts)
    else:
        frames = [
            frame_of(connection, query.where(column.in_(some.to_list())), schema)
            for at in range(0, len(wanted), _MOST_IN)
            if len(some := wanted.slice(at, _MOST_IN))
        ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


_DATA: Schema = {
    "_card": pl.Int64,
    "_person": pl.Int64,
    "_state": pl.String,
    "card_number": pl.String,
    "card_id_code": pl.Binary,
    "kind": pl.String,
    "bank_card_number": pl.String,
    **dict.fromkeys(
        (
            "citizen_number",
            "name",
            "insurance_number",
            "sex",
            "birth_date",
            "birthplace",
            "nation",
            "address",
            "phone",
        ),
        pl.String,
    ),
}


def card_data(
    connection: Connection,
    condition: ColumnElement[bool],
    *,
    limit: int | None,
    only: list[int] | None,
) -> pl.DataFrame:
    """What a card and its face say, for the cards that a condition chooses, in their order.

    Parameters
    ----------
    only : list of int, optional
        Card records to choose among: a reissue.
    """
    query = (
        select(
            *columns(cards, "id", "person", "state", "card_number", "card_id_code", "kind"),
            cards.c.bank_card_number,
            *columns(people, *list(_DATA)[7:]),
        )
        .join_from(cards, people, cards.c.person == people.c.id)
        .where(condition)
        .order_by(cards.c.id)
    )
    if only is None:
        return frame_of(connection, query if limit is None else query.limit(limit), _DATA)
    chosen = pl.Series(sorted(set(only)))
    frames = [
        frame_of(
            connection, query.where(cards.c.id.in_(chosen.slice(at, _MOST_IN).to_list())), _DATA
        )
        for at in range(0, len(chosen), _MOST_IN)
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=_DATA)
