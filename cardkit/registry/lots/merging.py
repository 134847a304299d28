"""Merging what was taken down without a network: what the registry cannot follow is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hmac import compare_digest
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, insert, select

from cardkit.registry.books import Books
from cardkit.registry.journal import Detail, Event
from cardkit.registry.lifecycle.requests import Appearance, Appears, BulkResult
from cardkit.registry.lots import selection
from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.files import Outcome, OutcomeRow
from cardkit.registry.lots.merge_statements import MergeStatements
from cardkit.registry.lots.records import Conflict, Kind, Lot, MergeResult, State, Taken
from cardkit.registry.numbering import lot_name
from cardkit.registry.operators import Approvals, NotAllowedError, Operator, Operators
from cardkit.registry.schema.lots import lot_conflicts, lot_merges, lots
from cardkit.registry.states import State as CardState

HAND_OUT = "hand-out"
_NOT_FOLLOWED = ("state", "refused")  # the card is with its holder, the registry is not
_CHANNELS = {"village-day": "village", "township": "village", "employer": "employer"}


class HandsOut(Protocol):
    """What a lot needs of `cardkit.registry.lifecycle.Lifecycle`."""

    def perform_many_in(
        self,
        connection: Connection,
        action: str,
        card_ids: Sequence[int],
        *,
        operator: Operator,
        appearance: Appearance,
        approval: int | None = None,
        channel: str = "file",
        lot: int = 0,
    ) -> BulkResult:
        """Do one action to many cards inside a transaction."""


class _Listed(NamedTuple):
    """A card of the lot as the registry has it."""

    card_id: int
    outcome: str
    state: str


class _Run:
    """One file on its way into the registry."""

    def __init__(self, lot: Lot, listed: Mapping[int, _Listed]) -> None:
        self.lot = lot
        self.listed = listed
        self.already = 0
        self.conflicts: list[Conflict] = []
        self.returned: list[OutcomeRow] = []
        self.handed: list[OutcomeRow] = []
        self.to_hand_out: dict[Appearance, list[OutcomeRow]] = {}

    def conflict(self, row: OutcomeRow, kind: str, detail: str, card: int | None = None) -> None:
        self.conflicts.append(Conflict(row.position, card or row.card_id, kind, detail))

    def sort(self, rows: Iterable[OutcomeRow], elsewhere: Mapping[int, str]) -> None:
        """Decide on every row of the file."""
        seen: dict[int, str] = {}
        for row in rows:
            listed = self.listed.get(row.position)
            if listed is None or listed.card_id != row.card_id:
                self._strange(row, listed, elsewhere)
            elif row.position in seen:
                self.conflict(row, "twice", f"the file says it twice, first {seen[row.position]}")
            else:
                seen[row.position] = row.outcome
                self._take(row, listed)

    def _strange(
        self, row: OutcomeRow, listed: _Listed | None, elsewhere: Mapping[int, str]
    ) -> None:
        if listed is not None:
            self.conflict(row, "other-card", f"position {row.position} is another card")
        elif row.card_id in elsewhere:
            self.conflict(row, "other-lot", elsewhere[row.card_id])
        else:
            self.conflicts.append(
                Conflict(row.position, None, "unknown-card", "the registry has no such card")
            )

    def _take(self, row: OutcomeRow, listed: _Listed) -> None:
        if listed.outcome == row.outcome:
            self.already += 1
        elif listed.outcome:
            self.conflict(row, "contradicts", f"{listed.outcome} was known before")
        elif row.outcome == Taken.RETURNED:
            self.returned.append(row)
        else:
            self.handed.append(row)
            if listed.state == CardState.ISSUED:
                appearance = Appearance(Appears(row.appeared), frozenset(row.papers), row.agent)
                self.to_hand_out.setdefault(appearance, []).append(row)
            else:
                self.conflict(row, "state", f"the card is {listed.state} at the centre")


class Merger:
    """Merges outcome files into lots."""

    def __init__(self, books: Books, lifecycle: HandsOut, approvals: Approvals) -> None:
        self._books = books
        self._lifecycle = lifecycle
        self._approvals = approvals
        self._operators = Operators(books)
        self._sql = MergeStatements()

    def merge(
        self,
        connection: Connection,
        lot: Lot,
        outcome: Outcome,
        operator: Operator,
        approval: int | None,
    ) -> MergeResult:
        """See `cardkit.registry.lots.room.Lots.merge`."""
        self._check(connection, lot, outcome)
        before = self._before(connection, lot, outcome)
        if before is not None:
            return before
        witness = self._witness(connection, lot, outcome, operator, approval)
        run = _Run(lot, self._listed(connection, lot))
        run.sort(outcome.rows, self._elsewhere(connection, run, outcome))
        for appearance, rows in run.to_hand_out.items():
            self._hand_out(connection, run, appearance, rows, (operator, witness))
        return self._keep(connection, run, outcome, operator, approval)

    def _check(self, connection: Connection, lot: Lot, outcome: Outcome) -> None:
        key = connection.execute(select(lots.c.seal_key).where(lots.c.id == lot.lot_id)).scalar()
        if outcome.digest != lot.digest:
            raise LotError(
                "other-list",
                f"the file is of another list than {lot.name}",
                hint="take the pack file that was written for this lot",
                zh=f"文件与批次{lot.name}的名单不符：请使用本批次的数据包",
            )
        if outcome.seal and not compare_digest(outcome.proof(bytes(key or b"")), outcome.seal):
            raise LotError(
                "changed",
                f"the outcome file of {lot.name} was changed after it was sealed",
                hint="fetch it again from the machine",
                zh=f"批次{lot.name}的结果文件被改动：请从设备重新导出",
            )

    def _before(self, connection: Connection, lot: Lot, outcome: Outcome) -> MergeResult | None:
        """What this very file did when it was merged before."""
        table = lot_merges.c
        row = connection.execute(
            select(table.id, table.handed, table.returned, table.already).where(
                table.lot == lot.lot_id, table.digest == outcome.file_digest()
            )
        ).first()
        if row is not None:
            conflicts = selection.conflict_rows(connection, lot.lot_id, row[0])
            return MergeResult(lot.lot_id, row[1], row[2], row[3], conflicts, again=True)
        if lot.state not in (State.OUT, State.BACK):
            raise LotError(
                "order",
                f"{lot.name} is {lot.state}: nothing can have been handed out from it",
                hint="a lot goes packed → out → back → closed",
                zh=f"批次{lot.name}当前为 {lot.state}，不能合并发放结果",
            )
        return None

    def _listed(self, connection: Connection, lot: Lot) -> dict[int, _Listed]:
        rows = self._sql.listed.all(connection, lot_id=lot.lot_id)
        return {row[0]: _Listed(row[1], row[2], row[3]) for row in rows}

    def _elsewhere(self, connection: Connection, run: _Run, outcome: Outcome) -> dict[int, str]:
        """Where cards belong that are not on the list of this lot."""
        found = {}
        for row in outcome.rows:
            if row.position not in run.listed and row.card_id < 1 << 31:
                known = self._sql.elsewhere.first(connection, card_id=row.card_id)
                if known is not None:
                    other = f"it is of {lot_name(known[0])}" if known[0] else "it is of no lot"
                    found[row.card_id] = other
        return found

    def _hand_out(
        self,
        connection: Connection,
        run: _Run,
        appearance: Appearance,
        rows: Sequence[OutcomeRow],
        people: tuple[Operator, Operator],
    ) -> None:
        """By the rules of the life of a card; what they refuse is a conflict."""
        operator, witness = people
        ids = [row.card_id for row in rows]
        approval = self._approvals.on_the_spot_in(
            connection,
            HAND_OUT,
            ids,
            operator=operator,
            second=witness,
        )
        result = self._lifecycle.perform_many_in(
            connection,
            HAND_OUT,
            ids,
            operator=operator,
            appearance=appearance,
            approval=approval.number,
            channel=_CHANNELS[run.lot.kind],
            lot=run.lot.lot_id,
        )
        by_card = {row.card_id: row for row in rows}
        for card_id, reason in result.refused:
            run.conflict(by_card[card_id], "refused", reason)

    def _witness(
        self,
        connection: Connection,
        lot: Lot,
        outcome: Outcome,
        operator: Operator,
        approval: int | None,
    ) -> Operator:
        """The second person of every hand-out: one of the two who were there.

        Where the file is not sealed, or an employer handed out, whoever vouches for the file.
        """
        if not outcome.seal or lot.kind == Kind.EMPLOYER:
            if approval is None:
                raise NotAllowedError(
                    "second-person",
                    f"nothing but people can vouch for this file of {lot.name}",
                    hint="compare it with the paper list; a second person: --second, --approval",
                    zh="此结果文件未封存（或由单位发放）：须与纸质名单核对并由第二人复核",
                )
            vouched = self._approvals.use(
                connection,
                approval,
                action="lot-merge",
                subject=outcome.subject(),
                operator=operator,
            )
            return self._operators.current(connection, vouched.decided_by)
        carriers = (lot.card_carrier, lot.machine_carrier)
        login = next(login for login in carriers if login != operator.login)
        return self._operators.current(connection, login)

    def _keep(
        self,
        connection: Connection,
        run: _Run,
        outcome: Outcome,
        operator: Operator,
        approval: int | None,
    ) -> MergeResult:
        lot_id, now = run.lot.lot_id, self._books.store.now()
        stuck = [one for one in run.conflicts if one.kind in _NOT_FOLLOWED]
        why = {conflict.position: conflict.detail for conflict in stuck}
        for rows, taken in ((run.handed, Taken.HANDED), (run.returned, Taken.RETURNED)):
            told = [(row.position, row.at or now, why.get(row.position, "")) for row in rows]
            self._sql.take(connection, lot_id, taken.value, told)
        merge = self._books.counters.draw(connection, lot_merges.name)
        connection.execute(
            insert(lot_merges).values(
                id=merge,
                lot=lot_id,
                digest=outcome.file_digest(),
                instant=now,
                operator=operator.login,
                handed=len(run.handed),
                returned=len(run.returned),
                already=run.already,
                approval=approval,
            )
        )
        count = len(run.conflicts)
        first = self._books.counters.block(connection, lot_conflicts.name, count)
        self._sql.add_conflicts.run_many(
            connection,
            [
                (number, merge, one.position, one.card_id, one.kind, one.detail)
                for number, one in enumerate(run.conflicts, first)
            ],
        )
        detail: Detail = {
            "lot": lot_id,
            "file": outcome.file_digest(),
            "handed": len(run.handed),
            "returned": len(run.returned),
            "conflicts": len(run.conflicts),
        }
        event = Event("lot-merge", detail=detail)
        self._books.journal.by(operator.login).append(connection, now, event)
        return MergeResult(
            lot_id, len(run.handed), len(run.returned), run.already, tuple(run.conflicts)
        )
