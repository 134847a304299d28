"""Contents of lists: lots, counts of stock, volumes of the archive."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, and_, select

from cardkit.registry.forms.errors import NoSuchPaperError
from cardkit.registry.forms.lists import (
    ArchiveContent,
    CountContent,
    CountRow,
    HandOutContent,
    PersonRow,
)
from cardkit.registry.forms.printing import local
from cardkit.registry.forms.sources import Desk, name_of
from cardkit.registry.numbering import lot_name
from cardkit.registry.schema import cards, people
from cardkit.registry.schema.inspection import volume_people, volumes
from cardkit.registry.schema.lots import lot_cards, lots
from cardkit.registry.schema.places import places
from cardkit.registry.schema.stock import stock_counts
from cardkit.registry.states import DEAD, State
from cardkit.registry.stock.kinds import KINDS

_READY = (State.ISSUED,)
_DIFFERENCE = {"missing": "缺", "surplus": "多"}


def of_lot(connection: Connection, desk: Desk, lot_id: int) -> HandOutContent:
    """发放清单 of a lot; who cannot get a card as things stand has it beside the name.

    Raises
    ------
    NoSuchPaperError
        There is no such lot.
    """
    lot = connection.execute(
        select(lots, places.c.name).join(places).where(lots.c.id == lot_id)
    ).mappings().first()  # fmt: skip
    if lot is None:
        raise NoSuchPaperError(f"there is no lot {lot_id}", f"没有发放批次 {lot_id}")
    rows = connection.execute(
        select(people.c.name, people.c.citizen_number, cards.c.card_number, cards.c.state)
        .select_from(lot_cards)
        .join(cards, lot_cards.c.card == cards.c.id)
        .join(people, cards.c.person == people.c.id)
        .where(lot_cards.c.lot == lot_id)
        .order_by(lot_cards.c.position)
    )
    return HandOutContent(
        place=lot["name"],
        lot=lot_name(lot_id),
        at=local(lot["packed_at"], desk.hours)[:10],
        rows=tuple(
            PersonRow(name, citizen, card, "" if state in _READY else desk.rules.zh("state", state))
            for name, citizen, card, state in rows
        ),
        card_carrier=name_of(connection, lot["card_carrier"]),
        machine_carrier=name_of(connection, lot["machine_carrier"]),
        machine=lot["machine"],
        office=desk.office,
    )


def of_volume(connection: Connection, desk: Desk, volume_id: int) -> ArchiveContent:
    """卷内目录 of a volume, with the card that counts of each person.

    Raises
    ------
    NoSuchPaperError
        There is no such volume.
    """
    volume = connection.execute(
        select(volumes, places.c.name).join(places).where(volumes.c.id == volume_id)
    ).mappings().first()  # fmt: skip
    if volume is None:
        raise NoSuchPaperError(f"there is no volume {volume_id}", f"没有案卷 {volume_id}")
    living = and_(cards.c.person == people.c.id, cards.c.state.not_in(DEAD))
    rows = connection.execute(
        select(people.c.name, people.c.citizen_number, cards.c.card_number)
        .select_from(volume_people)
        .join(people, volume_people.c.person == people.c.id)
        .outerjoin(cards, living)
        .where(volume_people.c.volume == volume_id)
        .order_by(volume_people.c.position)
    )
    return ArchiveContent(
        place=volume["name"],
        volume=volume["number"],
        at=local(volume["bound_at"], desk.hours)[:10],
        rows=tuple(PersonRow(name, citizen, card or "") for name, citizen, card in rows),
        office=desk.office,
    )


def of_counts(connection: Connection, desk: Desk, count_ids: Sequence[int]) -> CountContent:
    """库存盘点表 of counts that were made at one place.

    Raises
    ------
    NoSuchPaperError
        There is none of them, or they are of several places.
    """
    rows = (
        connection.execute(
            select(stock_counts, places.c.name)
            .join(places)
            .where(stock_counts.c.id.in_(count_ids))
            .order_by(stock_counts.c.id)
        )
        .mappings()
        .all()
    )
    if len(rows) != len(set(count_ids)) or not rows:
        raise NoSuchPaperError("there is no such count of stock", "没有该盘点记录")
    if len({row["place"] for row in rows}) > 1:
        raise NoSuchPaperError("one sheet is about one place", "盘点记录不在同一地点")
    return CountContent(
        place=rows[0]["name"],
        at=local(rows[-1]["instant"], desk.hours),
        rows=tuple(_count_row(row) for row in rows),
        office=desk.office,
        operator=name_of(connection, rows[-1]["operator"]),
        second=name_of(connection, rows[-1]["second"]),
    )


def _count_row(row: RowMapping) -> CountRow:
    kind = KINDS.get(row["kind"])
    differences = [
        f"{_DIFFERENCE[one['what']]} {one['numbers']}（{one['count']}）"
        for one in json.loads(row["differences"] or "[]")
    ]
    note = "；".join(differences)
    return CountRow(kind.zh if kind else row["kind"], row["booked"], row["counted"], note)
