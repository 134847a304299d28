"""Packing a lot: which cards, and the list that goes along."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from cardkit.errors import UsageError
from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.lots import selection
from cardkit.registry.lots.book import LotBook
from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.files import Pack, PackedCard, list_digest
from cardkit.registry.lots.records import Kind, Lot, State, Taken
from cardkit.registry.operators import Operator, Role
from cardkit.registry.operators.reasons import reason_code
from cardkit.registry.places.fund import Place, place_of, within
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.lots import lot_cards, lots
from cardkit.registry.schema.places import memberships, places, residence
from cardkit.registry.statements import Statement

ROLES = (Role.WINDOW, Role.TOWNSHIP, Role.COUNTY)
_CARD_COLUMNS = ("lot", "position", "card", "open")
_KEY = 32  # bytes


class Packer:
    """Packs lots; `cardkit.registry.lots.room.Lots` is one."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._book = LotBook(books)
        self._add_cards = Statement(insert(lot_cards).inline(), _CARD_COLUMNS)

    def pack(
        self,
        place: str,
        kind: str = Kind.VILLAGE_DAY,
        *,
        operator: Operator,
        card_ids: Sequence[int] | None = None,
    ) -> Lot:
        """Pack the finished cards of a place and everything below it, or those that are named.

        A lot of an employer has the cards of the people on its list.

        Raises
        ------
        LotError
            There is no card to pack, or one of those named is not free.
        """
        with attempted(self._books, operator, "lot-pack"):
            need_role(operator, "lot-pack", *ROLES)
            with self._books.store.writing() as connection:
                here = place_of(connection, place)
                if card_ids is None:
                    below = within(connection, here.place_id)
                    table = memberships if kind == Kind.EMPLOYER else residence
                    found = selection.of_places(connection, below, table)
                    chosen = sorted(card for some in found.values() for card in some)
                else:
                    chosen = selection.of_cards(connection, card_ids)
                    _refuse_unfree(card_ids, chosen)
                return self._pack(connection, here, Kind(kind), chosen, operator)

    def pack_villages(self, above: str, *, operator: Operator) -> list[Lot]:
        """A lot for each village below a place that has cards to be handed out, in one commit."""
        with attempted(self._books, operator, "lot-pack"):
            need_role(operator, "lot-pack", *ROLES)
            with self._books.store.writing() as connection:
                below = within(connection, place_of(connection, above).place_id)
                chosen = selection.of_places(connection, below, residence)
                villages = connection.execute(
                    select(places.c.code, places.c.id)
                    .where(places.c.kind == "village")  # others come by a township lot
                    .order_by(places.c.code)
                ).all()
                return [
                    self._pack(
                        connection,
                        place_of(connection, code),
                        Kind.VILLAGE_DAY,
                        chosen[place_id],
                        operator,
                    )
                    for code, place_id in villages
                    if place_id in chosen
                ]

    def _pack(
        self,
        connection: Connection,
        here: Place,
        kind: Kind,
        chosen: Sequence[tuple[int, str]],
        operator: Operator,
    ) -> Lot:
        if not chosen:
            raise LotError(
                "empty",
                f"there is no card to be handed out at {here.code}",
                hint="cards are packed once they are issued, and are in one lot at a time",
                zh=f"{here.code} 没有待发放的卡",
            )
        lot_id, now = self._books.counters.draw(connection, lots.name), self._books.store.now()
        listed = [(at, card_id, number) for at, (card_id, number) in enumerate(chosen, 1)]
        digest = list_digest(lot_id, listed)
        connection.execute(
            insert(lots).values(
                id=lot_id,
                kind=kind.value,
                place=here.place_id,
                state=State.PACKED.value,
                count=len(listed),
                digest=digest,
                seal_key=os.urandom(_KEY),
                packed_at=now,
            )
        )
        self._add_cards.run_many(connection, [(lot_id, at, card, 1) for at, card, _ in listed])
        self._book.hand(connection, lot_id, "cards", "", operator.login, len(listed))
        detail = {"place": here.code, "cards": len(listed), "digest": digest}
        self._book.note(connection, operator, "lot-pack", lot_id, detail)
        return self._book.untouched(connection, lot_id)

    def unpack(self, lot_id: int, reason: str, *, operator: Operator) -> Lot:
        """Take a lot apart that was packed by mistake and has not left: its cards are free again.

        Its number is not used again, its list stays to be looked at.

        Parameters
        ----------
        reason : str
            A code word, see `cardkit.registry.operators.reasons`.

        Raises
        ------
        LotError
            The lot is out, was out, or is unpacked already.
        UsageError
            The reason is free text, or there is none.
        """
        code = reason_code(reason)
        if not code:
            raise UsageError(
                "unpacking takes a reason",
                hint="--reason wrong-data, or another code word",
                zh="拆袋须写明原因：请用 --reason",
            )
        with attempted(self._books, operator, "lot-unpack"):
            need_role(operator, "lot-unpack", *ROLES)
            with self._books.store.writing() as connection:
                lot = self._book.in_state(connection, lot_id, State.PACKED)
                now = self._books.store.now()
                self._book.set(connection, lot_id, state=State.UNPACKED.value, closed_at=now)
                connection.execute(
                    update(lot_cards)
                    .where(lot_cards.c.lot == lot_id)
                    .values(open=0, outcome=Taken.UNPACKED.value, outcome_at=now)
                )
                detail = {"cards": lot.count, "reason": code}
                self._book.note(connection, operator, "lot-unpack", lot_id, detail)
                return self._book.lot(connection, lot_id)

    def take(self, lot_id: int, *, operator: Operator, recipient: str = "") -> Pack:
        """The list that goes along, for a file; the history says who took it, for whom.

        Parameters
        ----------
        recipient : str
            Public key it will be encrypted to; ``''`` for a file in clear, which is masked.
        """
        with attempted(self._books, operator, "lot-take"):
            need_role(operator, "lot-take", *ROLES)
            with self._books.store.writing() as connection:
                lot = self._book.lot(connection, lot_id)
                detail = {
                    "digest": lot.digest,
                    "cards": lot.count,
                    "form": "encrypted" if recipient else "masked",
                }
                if recipient:
                    detail["to"] = recipient
                self._book.note(connection, operator, "lot-take", lot_id, detail)
        return self.pack_file(lot_id)

    def pack_file(self, lot_id: int) -> Pack:
        """What is taken along: the list with names, its digest, the key of the lot."""
        with self._books.store.reading(snapshot=True) as connection:
            lot = self._book.lot(connection, lot_id)
            key = connection.execute(select(lots.c.seal_key).where(lots.c.id == lot_id)).scalar()
            name = connection.execute(
                select(places.c.name).where(places.c.code == lot.place)
            ).scalar()
            rows = connection.execute(
                select(
                    lot_cards.c.position,
                    cards.c.id,
                    cards.c.card_number,
                    people.c.name,
                    people.c.citizen_number,
                )
                .select_from(
                    lot_cards.join(cards, cards.c.id == lot_cards.c.card).join(
                        people, people.c.id == cards.c.person
                    )
                )
                .where(lot_cards.c.lot == lot_id)
                .order_by(lot_cards.c.position)
            )
            listed = [PackedCard(*row) for row in rows]
        return Pack(
            lot_id, lot.kind, lot.place, name or "", lot.packed_at, lot.digest,
            bytes(key or b""), listed,
        )  # fmt: skip


def _refuse_unfree(wanted: Sequence[int], chosen: Sequence[tuple[int, str]]) -> None:
    free = {card_id for card_id, _ in chosen}
    others = [card_id for card_id in wanted if card_id not in free]
    if others:
        raise LotError(
            "not-free",
            f"card record {others[0]} cannot be packed: not issued, handed out, or in another lot",
            hint="cardkit registry show tells where it stands",
            zh=f"记录{others[0]}不能装袋：未制成、已发放或已在其他批次中",
        )
