"""Lots that leave: with two people of the agency, or with the clerk of an employer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from cardkit.codec.numbers import NumberError, parse_citizen_number
from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.lots.book import refuse_same
from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.machines import at_home
from cardkit.registry.lots.packing import ROLES, Packer
from cardkit.registry.lots.records import Kind, Lot, State
from cardkit.registry.operators import (
    Approvals,
    NotAllowedError,
    Operator,
    Operators,
    check_apart,
)
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.lots import lot_cards
from cardkit.registry.states import State as CardState

_NAMED = 3  # cards; `lot show` has the others

PAPERS = frozenset({"id", "stamped-list"})
"""What the clerk of an employer has to show: an identity card, and the list with its stamp."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who collects the cards of an employer's people."""

    name: str = field(repr=False)
    citizen_number: str = field(repr=False)
    papers: Collection[str] = PAPERS


class Leaving(Packer):
    """The ways in which a lot leaves the office."""

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._operators = Operators(books)
        self._approvals = Approvals(books)

    def out(
        self,
        lot_id: int,
        *,
        operator: Operator,
        card_carrier: str,
        machine_carrier: str,
        machine: str = "",
        machine_kind: str = "pos",
    ) -> Lot:
        """Two people leave: one with the cards, the other with the machine (卡机分离).

        Parameters
        ----------
        operator : Operator
            Who gives the cards away; not the one who carries them.
        card_carrier, machine_carrier : str
            Logins.
        machine : str
            Number in stock of the POS or PSAM that goes along, or ``''``.

        Raises
        ------
        NotAllowedError
            One person for both, or the giver carries the cards.
        LotError
            Not packed, a card of it is not to be handed out any more, or the machine is not in
            stock, or is out with another lot.
        """
        with attempted(self._books, operator, "lot-out"):
            need_role(operator, "lot-out", *ROLES)
            with self._books.store.writing() as connection:
                lot = self._book.in_state(connection, lot_id, State.PACKED)
                if lot.kind == Kind.EMPLOYER:
                    raise LotError(
                        "kind",
                        f"{lot.name} is collected by its employer",
                        hint="cardkit lot pick-up",
                        zh=f"批次{lot.name}由单位领取：请用 cardkit lot pick-up",
                    )
                carriers = [
                    self._operators.current(connection, login)
                    for login in (card_carrier, machine_carrier)
                ]
                check_apart(*carriers)
                for carrier in carriers:
                    need_role(carrier, "lot-out", *ROLES)
                refuse_same(operator.login, card_carrier)
                _refuse_stale(connection, lot)
                machine = at_home(connection, machine, machine_kind)
                now = self._books.store.now()
                self._book.set(
                    connection, lot_id, state=State.OUT.value, out_at=now,
                    card_carrier=card_carrier, machine_carrier=machine_carrier,
                    machine=machine, machine_kind=machine_kind if machine else "",
                )  # fmt: skip
                holder = self._book.holder(connection, lot_id)
                self._book.hand(connection, lot_id, "cards", holder, card_carrier, lot.count)
                if machine:
                    giver = operator.login
                    self._book.hand(connection, lot_id, "machine", giver, machine_carrier, 1)
                detail = {"cards": card_carrier, "machine": machine_carrier, "count": lot.count}
                self._book.note(connection, operator, "lot-out", lot_id, detail)
                return self._book.untouched(connection, lot_id)

    def hand_over(self, lot_id: int, to: str, *, operator: Operator) -> Lot:
        """Whoever carries the cards gives them to somebody else on the way.

        Raises
        ------
        NotAllowedError
            The operator does not have the cards, or the other one carries the machine.
        """
        with attempted(self._books, operator, "lot-hand-over"):
            need_role(operator, "lot-hand-over", *ROLES)
            return self._hand_over(lot_id, to, operator)

    def _hand_over(self, lot_id: int, to: str, operator: Operator) -> Lot:
        with self._books.store.writing() as connection:
            lot = self._book.in_state(connection, lot_id, State.OUT)
            if lot.card_carrier != operator.login:
                raise NotAllowedError(
                    "custody",
                    f"{lot.name} is not with {operator.login}",
                    hint="whoever has the cards hands them over",
                    zh="卡片不在您手中：须由携卡人交接",
                )
            taker = self._operators.current(connection, to)
            need_role(taker, "lot-hand-over", *ROLES)
            check_apart(taker, self._operators.current(connection, lot.machine_carrier))
            refuse_same(operator.login, to)
            self._book.hand(connection, lot_id, "cards", operator.login, to, lot.count)
            self._book.set(connection, lot_id, card_carrier=to)
            self._book.note(connection, operator, "lot-hand-over", lot_id, {"to": to})
            return self._book.lot(connection, lot_id, counted=True)

    def pick_up(
        self, lot_id: int, clerk: Clerk, *, operator: Operator, approval: int | None
    ) -> Lot:
        """The clerk of an employer collects the cards of its people 单位领取.

        Raises
        ------
        LotError
            Not a packed lot of an employer, a card of it is not to be handed out any more, or the
            clerk is not named or lacks papers.
        NotAllowedError
            No second person.
        """
        with attempted(self._books, operator, "lot-pick-up"):
            need_role(operator, "lot-pick-up", *ROLES)
            with self._books.store.writing() as connection:
                lot = self._book.in_state(connection, lot_id, State.PACKED)
                _check_clerk(lot, clerk)
                _refuse_stale(connection, lot)
                if approval is None:
                    raise NotAllowedError(
                        "second-person",
                        "cards are never given to an employer by one person",
                        hint="--second LOGIN, or --approval N",
                        zh="单位领取须双人办理：请用 --second 或 --approval",
                    )
                self._approvals.use(
                    connection, approval, action="lot-pick-up", subject=lot_id, operator=operator
                )
                now, taker = self._books.store.now(), f"employer {lot.place}"
                self._book.set(
                    connection, lot_id, state=State.OUT.value, out_at=now, card_carrier=taker,
                    clerk=clerk.name, clerk_number=clerk.citizen_number,
                    clerk_papers=" ".join(sorted(clerk.papers)),
                )  # fmt: skip
                holder = self._book.holder(connection, lot_id)
                self._book.hand(connection, lot_id, "cards", holder, taker, lot.count)
                detail = {"count": lot.count, "papers": sorted(clerk.papers), "approval": approval}
                self._book.note(connection, operator, "lot-pick-up", lot_id, detail)
                return self._book.untouched(connection, lot_id)


def _refuse_stale(connection: Connection, lot: Lot) -> None:
    """A list leaves only as long as every card of it is there and may be handed out.

    Between packing and leaving a card may have been given to its holder at a window, or lost,
    frozen, replaced: it would be counted as carried, and then as missing.
    """
    of_lot = select(cards.c.card_number).join_from(lot_cards, cards, cards.c.id == lot_cards.c.card)
    query = of_lot.where(lot_cards.c.lot == lot.lot_id, cards.c.state != CardState.ISSUED.value)
    gone = list(connection.execute(query.order_by(lot_cards.c.position)).scalars())
    if not gone:
        return
    named = ", ".join(gone[:_NAMED]) + (" ..." if len(gone) > _NAMED else "")
    raise LotError(
        "stale",
        f"{lot.name}: {len(gone)} of {lot.count} cards are not to be handed out any more: {named}",
        hint=f"`cardkit lot unpack {lot.name} --reason outdated`, then pack what is left",
        zh=f"批次{lot.name}装袋后有{len(gone)}张卡已在窗口发放，或已冻结、补换等（{named}）："
        f"请用 cardkit lot unpack {lot.name} --reason outdated 拆袋，取出后重新装袋",
    )


def _check_clerk(lot: Lot, clerk: Clerk) -> None:
    if lot.kind != Kind.EMPLOYER:
        raise LotError(
            "kind",
            f"{lot.name} is a {lot.kind} lot, which leaves with two people",
            hint="cardkit lot out",
            zh=f"批次{lot.name}不是单位领取批次：请用 cardkit lot out",
        )
    if not clerk.name or not clerk.citizen_number or not frozenset(clerk.papers) >= PAPERS:
        raise LotError(
            "papers",
            "the employer's clerk shows an identity card and the stamped list, and is named",
            hint="papers id and stamped-list",
            zh="单位经办人须出示身份证件和盖章名单，并登记姓名和证件号码",
        )
    try:
        parse_citizen_number(clerk.citizen_number)
    except NumberError:
        raise LotError(
            "papers",
            "the citizen number of the employer's clerk cannot be right",
            hint="18 characters as the clerk's identity card says them",
            zh="单位经办人公民身份号码有误：请核对身份证",
        ) from None
