"""The holder's PIN unlocked or reset at the window: the rules, the act, the chip, the result.

The act is on record before the chip is touched, with its chip side pending; when the chip has
answered, that is noted. A crash between the two leaves the act pending: `PinService.begun` finds
it and `finish` does the rest, without a second act. Both may be repeated on the chip.

Whether the keys lie in a key store, an HSM or a PSAM makes no difference: no key is used before
the rules allow the act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardkit.card.procedures.identify import WrongCardError
from cardkit.card.procedures.pin import open_pin, reset_pin, unlock_pin
from cardkit.errors import UsageError
from cardkit.issuance.plan import messaging_of
from cardkit.registry.lifecycle.chips import ChipWork

if TYPE_CHECKING:
    from cardkit.issuance.card_in_reader import CardInReader
    from cardkit.registry.lifecycle import Lifecycle, Request
    from cardkit.registry.operators import Operator
    from cardkit.registry.records import CardRecord

UNLOCK, RESET = "unlock-pin", "reset-pin"
ACTIONS = (UNLOCK, RESET)


@dataclass(frozen=True, slots=True)
class Served:
    """What was done.

    Parameters
    ----------
    act_id : int
    action : str
    taken_up : bool
        The act was on record before; only its chip side was left.
    """

    act_id: int
    action: str
    taken_up: bool = False


@dataclass(frozen=True, slots=True)
class PinService:
    """One card in a reader, whose holder stands at the window."""

    life: Lifecycle
    reader: CardInReader

    def id_code(self) -> bytes:
        """The 12 bytes by which the registry knows the card; it has proven to be genuine.

        Raises
        ------
        WrongCardError
            Not a finished card of this profile.
        """
        found = self.reader.identity()
        if found is None or found.card_number is None:
            raise WrongCardError(
                "this is not a finished social-security card",
                hint="put in the holder's card",
                zh="读卡器中不是已制成的社会保障卡：请放入持卡人的卡",
            )
        return found.id_code[:12]

    def begun(self, card_id: int, action: str) -> ChipWork | None:
        """The act of that kind on a card whose chip was not reached yet, if one is not too old."""
        return self.life.chips.latest(card_id, action)

    def serve(self, request: Request, record: CardRecord) -> Served:
        """The act, then the chip.

        Parameters
        ----------
        record : CardRecord
            Of the card that the request is about.

        Raises
        ------
        NotAllowedError, OutOfOrderError
            The rules do not allow it: no key was used.
        WrongCardError
            Another card is in the reader.
        AuthenticationFailedError, PinServiceError
            The chip refuses; once the act is on record it stays pending.
        """
        if request.action not in ACTIONS:
            raise UsageError(f"{request.action} is not about the PIN of a chip")
        self.life.check(request)
        self._open(record)
        act = self.life.perform(request)
        return self._on_chip(act.act_id, act.action, request.operator, taken_up=False)

    def finish(self, work: ChipWork, record: CardRecord, operator: Operator) -> Served:
        """The chip side of an act that is on record; raises as `serve`."""
        self.life.chips.check(work, operator=operator)
        self._open(record)
        return self._on_chip(work.act_id, work.action, operator, taken_up=True)

    def _open(self, record: CardRecord) -> None:
        """The right card, and its PUK presented: nothing is written by that."""
        if self.id_code() != record.id_code[:12]:
            raise WrongCardError(
                f"the card in the reader is not that of record {record.card_id}",
                hint="put in the holder's card",
                zh=f"读卡器中的卡不是记录{record.card_id}的卡：请放入持卡人的卡",
            )
        self.reader.run(open_pin(self.reader.card))

    def _on_chip(self, act_id: int, action: str, operator: Operator, *, taken_up: bool) -> Served:
        reader, messaging = self.reader, messaging_of(self.reader.profile)
        if action == RESET:
            new = str(self.life.rules.settings["initial_pin"])
            reader.run(reset_pin(reader.card, new, messaging))
        else:
            reader.run(unlock_pin(reader.card, messaging))
        self.life.chips.done(act_id, operator=operator, at_reader=True)
        return Served(act_id, action, taken_up)
