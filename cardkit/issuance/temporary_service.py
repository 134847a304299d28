"""A temporary card at the reader: written for whoever borrows it, wiped when it came back.

Lending: nobody's data may be on the chip; the act is on record, its chip side pending; borrower and
number of the loan are written and read back; that is noted. Coming back: the chip is wiped and its
PIN reset *before* the act puts the card into the pool, so that nothing in the pool has anybody's
data. What breaks off is taken up by the same command: a wipe is repeated, a half-written loan is
finished. Which card lies in the reader is told by the number of its last loan, which stays on it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from cardkit.card.procedures.identify import Identity, WrongCardError
from cardkit.card.procedures.personalize import id_code_mac, open_for_update, personalize
from cardkit.card.procedures.pin import open_pin, reset_pin
from cardkit.card.procedures.wipe import wipe
from cardkit.issuance.plan import messaging_of, plan
from cardkit.registry.lifecycle.pool import Loan

if TYPE_CHECKING:
    from cardkit.issuance.card_in_reader import CardInReader
    from cardkit.registry.lifecycle import Act, Lifecycle, Request
    from cardkit.registry.lifecycle.chips import ChipWork
    from cardkit.registry.operators import Operator
    from cardkit.registry.records import CardRecord
    from cardkit.registry.registry import Registry

_VALID_UNTIL, _CITIZEN = "SSSE.EF05.06", "SSSE.EF06.08"


@dataclass(frozen=True, slots=True)
class TemporaryService:
    """One temporary card in a reader."""

    registry: Registry
    life: Lifecycle
    reader: CardInReader

    # -- lending --------------------------------------------------------------------------------

    def begun(self, number: int) -> ChipWork | None:
        """The loan that is on record while its chip was not written, if there is one."""
        return self.life.chips.latest(number, "write", subject="temporary")

    def lend(self, request: Request, borrower: CardRecord) -> Act:
        """The act, then the chip.

        Parameters
        ----------
        borrower : CardRecord
            A card record of the person whom the request names.

        Raises
        ------
        NotAllowedError, OutOfOrderError
            The rules do not allow it: no key was used.
        WrongCardError
            No temporary card, or one that was not wiped.
        """
        self.life.check(request)
        identity = self._open({None, *self._numbers(request.subject)[:1]})
        card = self.reader.card
        if self.reader.run(card.read(card.tree.find(_CITIZEN))) is not None:
            raise _not_wiped()
        act = self.life.perform(request)
        self._write(self.life.loans(request.subject)[0], borrower, identity)
        self.life.chips.done(act.act_id, operator=request.operator, at_reader=True)
        return act

    def finish(self, work: ChipWork, borrower: CardRecord, operator: Operator) -> None:
        """The chip side of a loan that is on record; raises as `lend`."""
        self.life.chips.check_role(work, operator=operator)
        loan = self.life.loans(work.number)[0]
        if loan.back_at or loan.person != borrower.person_id:
            raise WrongCardError(
                "this temporary card is not out to that person any more",
                hint="cardkit lifecycle temporary list",
                zh="此临时卡现在不由此人借用：cardkit lifecycle temporary list 可查看",
            )
        self._write(loan, borrower, self._open({None, *self._numbers(work.number)}))
        self.life.chips.done(work.act_id, operator=operator, at_reader=True)

    def _write(self, loan: Loan, borrower: CardRecord, identity: Identity) -> None:
        as_lent = replace(borrower, card_number=loan.number, writing_at=loan.out_at, items={})
        reader, profile = self.reader, self.reader.profile
        values = dict(plan(profile, as_lent).values)
        if loan.due:
            values[_VALID_UNTIL] = date.fromisoformat(loan.due)
        reader.run(personalize(reader.card, identity, values, profile.pin.initial))

    # -- coming back ----------------------------------------------------------------------------

    def wipe(self, request: Request) -> Act:
        """Wipe the chip, then put the card into the pool.

        Raises
        ------
        NotAllowedError, OutOfOrderError
            The rules do not allow it: no key was used.
        WrongCardError
            Another card is in the reader.
        NotWipedError
            The card has records that nobody can erase: it stays out of the pool.
        """
        self.life.check(request)
        self._open(set(self._numbers(request.subject)[:1]))
        reader, initial = self.reader, self.reader.profile.pin.initial
        reader.run(open_pin(reader.card))
        reader.run(reset_pin(reader.card, initial, messaging_of(reader.profile)))
        reader.run(wipe(reader.card, initial))
        act = self.life.perform(request)
        self.life.chips.done(act.act_id, operator=request.operator, at_reader=True)
        return act

    # -- the card in the reader -----------------------------------------------------------------

    def _numbers(self, number: int) -> list[str]:
        """What this card may carry as its card number: its loans, newest first."""
        return [loan.number for loan in self.life.loans(number)]

    def _open(self, numbers: Collection[str | None]) -> Identity:
        """A genuine card of nobody, with one of these numbers on it; its keys presented."""
        found = self.reader.identity()
        if found is None or self.registry.chip(found.id_code[:12]) is not None:
            raise WrongCardError(
                "the card in the reader is no temporary card",
                hint="put in the temporary card with that number on it",
                zh="读卡器中不是临时卡：请放入此编号的临时卡",
            )
        if found.card_number not in numbers:
            raise _not_wiped()
        if not found.has_mac:
            self.reader.run(id_code_mac(found.id_code))
        self.reader.run(open_for_update(self.reader.card))
        return found


def _not_wiped() -> WrongCardError:
    return WrongCardError(
        "the temporary card in the reader is another one, or was not wiped",
        hint="compare the printed serial; a returned card: cardkit lifecycle temporary wipe",
        zh="读卡器中是另一张临时卡，或尚未清除：请核对卡面编号，归还的卡请先清除",
    )
