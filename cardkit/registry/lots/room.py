"""Hand-out lots: packed → out → back → closed, with an unbroken chain of who had the cards."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from cardkit.registry.attempts import attempted, need_role
from cardkit.registry.books import Books
from cardkit.registry.lots import selection
from cardkit.registry.lots.book import refuse_same
from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.files import Outcome
from cardkit.registry.lots.machines import at_home
from cardkit.registry.lots.merging import HandsOut, Merger
from cardkit.registry.lots.packing import ROLES, Packer
from cardkit.registry.lots.records import Lot, LotStory, MergeResult, State, Taken
from cardkit.registry.operators import (
    Approvals,
    NotAllowedError,
    Operator,
    Operators,
    Role,
    check_apart,
)
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.lots import lot_cards, lots


class Lots(Packer):
    """The lots of a registry.

    Parameters
    ----------
    books : Books
    lifecycle : Lifecycle
        Hands the cards out by its rules (``perform_many_in``).
    """

    def __init__(self, books: Books, lifecycle: HandsOut) -> None:
        super().__init__(books)
        self._operators = Operators(books)
        self._approvals = Approvals(books)
        self._merger = Merger(books, lifecycle, self._approvals)

    # -- custody --------------------------------------------------------------------------------

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
            Not packed, or the machine is not in stock, or is out with another lot.
        """
        with attempted(self._books, operator, "lot-out"):
            need_role(operator, "lot-out", *ROLES)
            with self._books.store.writing() as connection:
                lot = self._book.in_state(connection, lot_id, State.PACKED)
                carriers = [
                    self._operators.current(connection, login)
                    for login in (card_carrier, machine_carrier)
                ]
                check_apart(*carriers)
                for carrier in carriers:
                    need_role(carrier, "lot-out", *ROLES)
                refuse_same(operator.login, card_carrier)
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
                return self._book.lot(connection, lot_id)

    def hand_over(self, lot_id: int, to: str, *, operator: Operator) -> Lot:
        """Whoever carries the cards gives them to somebody else on the way.

        Raises
        ------
        NotAllowedError
            The operator does not have the cards, or the other one carries the machine.
        """
        with (
            attempted(self._books, operator, "lot-hand-over"),
            self._books.store.writing() as connection,
        ):
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
            return self._book.lot(connection, lot_id)

    def back(self, lot_id: int, returned: Sequence[int], *, operator: Operator) -> LotStory:
        """Receive a lot: what was not handed out is counted, one by one.

        Parameters
        ----------
        returned : sequence of int
            Positions on the list of the cards that came back.
        operator : Operator
            Who counts and takes them; not the one who carried them.

        Raises
        ------
        LotError
            The lot is not out, or a card is not of it, or was counted twice.
        """
        with attempted(self._books, operator, "lot-back"):
            need_role(operator, "lot-back", *ROLES)
            with self._books.store.writing() as connection:
                lot = self._book.in_state(connection, lot_id, State.OUT)
                refuse_same(lot.card_carrier, operator.login)
                if len(set(returned)) != len(returned):
                    raise LotError("twice", "a card was counted twice", hint="count again")
                self._take_back(connection, lot, returned)
                now = self._books.store.now()
                self._book.set(connection, lot_id, state=State.BACK.value, back_at=now)
                self._book.hand(
                    connection, lot_id, "cards", lot.card_carrier, operator.login, len(returned)
                )
                if lot.machine:
                    giver = lot.machine_carrier
                    self._book.hand(connection, lot_id, "machine", giver, operator.login, 1)
                detail = {"count": len(returned), "from": lot.card_carrier}
                self._book.note(connection, operator, "lot-back", lot_id, detail)
        return self.show(lot_id)

    def _take_back(self, connection: Connection, lot: Lot, returned: Sequence[int]) -> None:
        known: dict[int, str] = dict(
            connection.execute(
                select(lot_cards.c.position, lot_cards.c.outcome).where(
                    lot_cards.c.lot == lot.lot_id
                )
            ).all()
        )
        strange = sorted(set(returned) - known.keys())
        if strange:
            raise LotError(
                "not-of-lot",
                f"position {strange[0]} is not of {lot.name}, which has {lot.count} cards",
                hint="see to which lot that card belongs: cardkit lot list",
                zh=f"序号{strange[0]}不在批次{lot.name}中：请核对卡片所属批次",
            )
        now, handed = self._books.store.now(), Taken.HANDED.value
        for position in returned:
            this = (lot_cards.c.lot == lot.lot_id, lot_cards.c.position == position)
            if known[position] == handed:  # written down as handed, and yet it is here
                values = {"conflict": "handed out by the file, and came back"}
            else:
                values = {"outcome": Taken.RETURNED.value, "outcome_at": now}
            connection.execute(update(lot_cards).where(*this).values(**values))

    def close(
        self,
        lot_id: int,
        *,
        operator: Operator,
        minutes: str = "",
        approval: int | None = None,
    ) -> LotStory:
        """End a lot: its cards may be packed again. A difference needs minutes and two people.

        Raises
        ------
        LotError
            Not back, or cards are missing and no minutes are named; the error says which.
        NotAllowedError
            A difference without a second person.
        """
        with attempted(self._books, operator, "lot-close"):
            need_role(operator, "lot-close", Role.COUNTY, Role.TOWNSHIP, Role.WINDOW)
            with self._books.store.writing() as connection:
                lot = self._book.in_state(connection, lot_id, State.BACK)
                if lot.unknown:
                    self._explain(connection, lot, minutes, approval, operator)
                now = self._books.store.now()
                self._book.set(
                    connection, lot_id, state=State.CLOSED.value, closed_at=now, minutes=minutes
                )
                of_lot = lot_cards.c.lot == lot_id
                unknown = (of_lot, lot_cards.c.outcome == Taken.UNKNOWN.value)
                missing = {"outcome": Taken.MISSING.value, "outcome_at": now}
                connection.execute(update(lot_cards).where(*unknown).values(**missing))
                connection.execute(update(lot_cards).where(of_lot).values(open=0))
                detail = {
                    "handed": lot.handed,
                    "returned": lot.returned,
                    "missing": lot.unknown,
                    "conflicts": lot.conflicts,
                }
                if minutes:
                    detail["minutes"] = minutes  # type: ignore[assignment] # as the journal takes it
                self._book.note(connection, operator, "lot-close", lot_id, detail)
        return self.show(lot_id)

    def _explain(
        self,
        connection: Connection,
        lot: Lot,
        minutes: str,
        approval: int | None,
        operator: Operator,
    ) -> None:
        if not minutes:
            numbers = _open_numbers(connection, lot.lot_id)
            named = ", ".join(numbers[:3]) + (" ..." if len(numbers) > 3 else "")
            raise LotError(
                "difference",
                f"{lot.name}: {lot.unknown} of {lot.count} cards neither handed out nor back: "
                f"{named}",
                hint="merge the outcome file, count again, or --minutes with a second person",
                zh=f"批次{lot.name}有{lot.unknown}张卡既未发放也未带回（{named}）："
                "请合并发放结果或重新清点；确认缺失须双人并填写记录编号",
            )
        if approval is None:
            raise NotAllowedError(
                "second-person",
                "a difference is never explained alone",
                hint="--second LOGIN, or --approval N",
                zh="有差异的批次须双人核销：请用 --second 或 --approval",
            )
        self._approvals.use(
            connection, approval, action="lot-close", subject=lot.lot_id, operator=operator
        )

    # -- what comes back ------------------------------------------------------------------------

    def merge(self, outcome: Outcome, *, operator: Operator) -> MergeResult:
        """Take over what happened in the village; the same file twice changes nothing.

        Raises
        ------
        LotError
            Unknown lot, another list, a changed file, or the lot never left.
        """
        with attempted(self._books, operator, "lot-merge"):
            need_role(operator, "lot-merge", Role.WINDOW, Role.TOWNSHIP)
            with self._books.store.writing() as connection:
                lot = self._book.lot(connection, outcome.lot_id)
                return self._merger.merge(connection, lot, outcome, operator)

    # -- questions ------------------------------------------------------------------------------

    def show(self, lot_id: int) -> LotStory:
        """A lot with its chain of custody and its difference.

        Raises
        ------
        LotError
            There is none.
        """
        with self._books.store.reading(snapshot=True) as connection:
            lot = self._book.lot(connection, lot_id)
            open_cards = connection.execute(
                select(lot_cards.c.position, lot_cards.c.card)
                .where(
                    lot_cards.c.lot == lot_id,
                    lot_cards.c.outcome.in_([Taken.UNKNOWN.value, Taken.MISSING.value]),
                )
                .order_by(lot_cards.c.position)
            )
            return LotStory(
                lot,
                tuple(selection.custody_rows(connection, lot_id)),
                tuple((row[0], row[1]) for row in open_cards),
                selection.conflict_rows(connection, lot_id),
            )

    def list(self, state: str = "") -> list[Lot]:
        """Lots, by number."""
        conditions = [lots.c.state == State(state).value] if state else []
        with self._books.store.reading(snapshot=True) as connection:
            return selection.lot_rows(connection, *conditions)


def _open_numbers(connection: Connection, lot_id: int) -> list[str]:
    rows = connection.execute(
        select(cards.c.card_number)
        .join_from(lot_cards, cards, cards.c.id == lot_cards.c.card)
        .where(lot_cards.c.lot == lot_id, lot_cards.c.outcome == Taken.UNKNOWN.value)
        .order_by(lot_cards.c.position)
    )
    return list(rows.scalars())
