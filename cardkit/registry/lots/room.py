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
from cardkit.registry.lots.leaving import Leaving
from cardkit.registry.lots.merge_statements import MergeStatements
from cardkit.registry.lots.merging import HandsOut, Merger
from cardkit.registry.lots.packing import ROLES
from cardkit.registry.lots.records import CAME_BACK, Lot, LotStory, MergeResult, State, Taken
from cardkit.registry.operators import NotAllowedError, Operator, Role
from cardkit.registry.schema.cards import cards
from cardkit.registry.schema.lots import lot_cards, lots


class Lots(Leaving):
    """The lots of a registry.

    Parameters
    ----------
    books : Books
    lifecycle : Lifecycle
        Hands the cards out by its rules (``perform_many_in``).
    """

    def __init__(self, books: Books, lifecycle: HandsOut) -> None:
        super().__init__(books)
        self._sql = MergeStatements()
        self._merger = Merger(books, lifecycle, self._approvals)

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
        again = [(CAME_BACK, lot.lot_id, at) for at in returned if known[at] == handed]
        back = [(at, now, "") for at in returned if known[at] != handed]
        self._sql.here.run_many(connection, again)
        self._sql.take(connection, lot.lot_id, Taken.RETURNED.value, back)

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
                lot = self._book.in_state(connection, lot_id, State.BACK, counted=True)
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

    def merge(
        self, outcome: Outcome, *, operator: Operator, approval: int | None = None
    ) -> MergeResult:
        """Take over what happened in the village; the same file twice changes nothing.

        Parameters
        ----------
        approval : int, optional
            Of a second person who vouches for the file (``Outcome.subject``), where it is not
            sealed or an employer handed the cards out.

        Raises
        ------
        LotError
            Unknown lot, another list, a changed file, or the lot never left.
        """
        with attempted(self._books, operator, "lot-merge"):
            need_role(operator, "lot-merge", Role.WINDOW, Role.TOWNSHIP)
            with self._books.store.writing() as connection:
                lot = self._book.lot(connection, outcome.lot_id)
                return self._merger.merge(connection, lot, outcome, operator, approval)

    # -- questions ------------------------------------------------------------------------------

    def show(self, lot_id: int) -> LotStory:
        """A lot with its chain of custody and its difference.

        Raises
        ------
        LotError
            There is none.
        """
        with self._books.store.reading(snapshot=True) as connection:
            lot = self._book.lot(connection, lot_id, counted=True)
            open_cards = connection.execute(
                select(lot_cards.c.position, lot_cards.c.card)
                .where(
                    lot_cards.c.lot == lot_id,
                    lot_cards.c.outcome.in_([Taken.UNKNOWN.value, Taken.MISSING.value]),
                )
                .order_by(lot_cards.c.position)
            )
            clerk = connection.execute(select(lots.c.clerk).where(lots.c.id == lot_id)).scalar()
            return LotStory(
                lot,
                tuple(selection.custody_rows(connection, lot_id)),
                tuple((row[0], row[1]) for row in open_cards),
                selection.conflict_rows(connection, lot_id),
                clerk or "",
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
