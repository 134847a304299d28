"""One card from promise to result: every method here is one durable commit.

The order on the road is *intent* (durable) → commands → read back → *result* (durable), with a
*milestone* between where a blank chip gets its structure. Whatever happens in between, the next
program finds in the registry which chip was promised to which record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from cardkit.registry.claims import Claims
from cardkit.registry.counters import CHIP, Counters
from cardkit.registry.errors import (
    ChipTakenError,
    IllegalMoveError,
    RegistryError,
    UnknownCardError,
    WrongChipError,
)
from cardkit.registry.journal import Detail, Event, Journal
from cardkit.registry.making_statements import MakingStatements
from cardkit.registry.numbering import ID_CODE_LENGTH
from cardkit.registry.statements import AnyRow, Value
from cardkit.registry.states import (
    LIVE_CHIP,
    Action,
    ChipState,
    State,
    after,
    legal,
)
from cardkit.registry.store import Store

_MAC_LENGTH = 4


class _Card(NamedTuple):
    card_id: int
    person_id: int
    state: State
    id_code: bytes
    district: str


class UsesStock(Protocol):
    """Where the cards come from that are made here; `cardkit.registry.stock.WindowStock`."""

    def check(self, connection: Connection, card_id: int) -> None:
        """Refuse to begin a card when there is none left."""

    def used(self, connection: Connection, card_id: int) -> None:
        """A card was made."""

    def spoilt(self, connection: Connection, card_id: int, *, begun: bool) -> None:
        """A card was spoilt; or not `begun`, the pre-printed card of a record that is given up."""


class Making:
    """The moves of card records while cards are being made."""

    stock: UsesStock | None = None
    _sql = MakingStatements()

    def __init__(self, store: Store, journal: Journal, counters: Counters) -> None:
        self._store = store
        self._journal = journal
        self._counters = counters

    # -- the road -------------------------------------------------------------------------------

    def intent(
        self,
        card_id: int,
        *,
        id_code: bytes,
        atr: bytes,
        factory_atr: bytes | None,
        reader: str,
        chip_kind: str,
    ) -> None:
        """See `cardkit.registry.registry.Registry.intent`."""
        if len(id_code) != ID_CODE_LENGTH:
            raise ValueError(f"a chip is bound by {ID_CODE_LENGTH} bytes, not {len(id_code)}")
        with self._store.writing() as connection:
            now = self._store.now()
            card = self._card(connection, card_id)
            state = after(card_id, card.state, Action.INTENT)
            chip_id = self._free_chip(connection, card, id_code, factory_atr)
            if self.stock is not None:
                self.stock.check(connection, card_id)
            if card.id_code != id_code:
                self._make_room(connection, now, card, id_code)
            self._sql.begin.run(
                connection,
                card_id=card_id,
                new_state=state.value,
                code=id_code,
                with_reader=reader,
                with_kind=chip_kind,
                instant=now,
            )
            self._bind(
                connection,
                chip_id,
                card_id=card_id,
                code=id_code,
                with_factory_atr=factory_atr,
                with_atr=atr,
                with_kind=chip_kind,
                instant=now,
            )
            detail: Detail = {
                "card_id_code": id_code.hex().upper(),
                "chip_kind": chip_kind,
                "reader": reader,
            }
            self._log(connection, now, card, Action.INTENT, state, detail)

    def _free_chip(
        self, connection: Connection, card: _Card, id_code: bytes, factory_atr: bytes | None
    ) -> int | None:
        """Row of the chip, None for a chip never met; refuse a chip that is not this record's."""
        found: int | None = None
        for row in self._sql.chips.all(
            connection, code=id_code, card_id=card.card_id, factory_atr=factory_atr
        ):
            chip_id, code, known_factory_atr, state, owner = row
            if code == id_code:
                if state != ChipState.RESERVED and not (
                    state == ChipState.BOUND and owner == card.card_id
                ):
                    raise _taken(state, owner)
                found = chip_id
            elif owner == card.card_id and state in LIVE_CHIP:
                raise WrongChipError(
                    f"card record {card.card_id} is bound to another chip",
                    hint="put in the chip that was begun; if it is broken, mark it as spoilt",
                )
            elif found is None and state == ChipState.RESERVED and known_factory_atr == factory_atr:
                found = chip_id  # a blank chip that was released, coming back for another record
        return found

    def _make_room(self, connection: Connection, now: str, card: _Card, id_code: bytes) -> None:
        """Another record may have reserved the code that this chip brought from its factory."""
        row = self._sql.cards_of_code.first(connection, code=id_code)
        if row is None:
            return
        other = _card_of(row)
        if Action.RENUMBER not in legal(other.state):
            raise ChipTakenError(
                f"the id code of this chip belongs to card record {other.card_id}",
                hint="put the chip aside; it must not be used for another person",
            )
        state = after(other.card_id, other.state, Action.RENUMBER)
        self._recode(connection, other)
        self._log(connection, now, other, Action.RENUMBER, state, {"for_card": card.card_id})

    def _bind(self, connection: Connection, chip_id: int | None, **values: Value) -> None:
        if chip_id is not None:
            self._sql.rebind.run(
                connection, chip_id=chip_id, new_state=ChipState.BOUND.value, **values
            )
            return
        number = self._counters.draw(connection, CHIP)
        self._sql.new_chip.run(
            connection,
            id=number,
            card_id_code=values["code"],
            factory_atr=values["with_factory_atr"],
            atr=values["with_atr"],
            kind=values["with_kind"],
            state=ChipState.BOUND.value,
            card=values["card_id"],
            seen_at=values["instant"],
        )

    def milestone(self, card_id: int, step: str) -> None:
        """See `cardkit.registry.registry.Registry.milestone`."""
        with self._store.writing() as connection:
            card = self._card(connection, card_id)
            state = after(card_id, card.state, Action.MILESTONE)
            self._log(connection, self._store.now(), card, Action.MILESTONE, state, {"step": step})

    def result(self, card_id: int, *, id_code: bytes, detail: Detail) -> None:
        """See `cardkit.registry.registry.Registry.result`."""
        if len(id_code) != ID_CODE_LENGTH + _MAC_LENGTH:
            raise ValueError("an issued card has a card id code of 16 bytes")
        with self._store.writing() as connection:
            now = self._store.now()
            card = self._card(connection, card_id)
            written = after(card_id, card.state, Action.WRITE)
            if id_code[:ID_CODE_LENGTH] != card.id_code:
                raise WrongChipError(
                    f"card record {card_id} was bound to a chip with another id code",
                    hint="put the chip aside and look at `cardkit registry show`",
                )
            verified = after(card_id, written, Action.VERIFY)
            issued = after(card_id, verified, Action.ISSUE)
            self._sql.issue.run(
                connection,
                card_id=card_id,
                new_state=issued.value,
                mac=id_code[ID_CODE_LENGTH:],
                instant=now,
            )
            self._sql.settle_chip.run(
                connection,
                chip_id=self._live_chip(connection, card_id),
                new_state=ChipState.ISSUED.value,
                card_id=card_id,
            )
            self._journal.append(
                connection,
                now,
                _event(card, Action.WRITE, written, {}),
                _event(card._replace(state=written), Action.VERIFY, verified, {}),
                _event(
                    card._replace(state=verified),
                    Action.ISSUE,
                    issued,
                    {"card_id_code": id_code.hex().upper(), **detail},
                ),
            )
            if self.stock is not None:
                self.stock.used(connection, card_id)

    # -- when something goes wrong --------------------------------------------------------------

    def fail(self, card_id: int, reason: str) -> None:
        """See `cardkit.registry.registry.Registry.fail`."""
        self._move(card_id, Action.FAIL, reason)

    def retry(self, card_id: int) -> None:
        """See `cardkit.registry.registry.Registry.retry`."""
        self._move(card_id, Action.RETRY, "")

    def spoil(self, card_id: int, reason: str, claims: Claims | None = None) -> None:
        """See `cardkit.registry.registry.Registry.spoil`."""
        self._move(card_id, Action.SPOIL, reason, chip=ChipState.SPOILT, claims=claims)

    def release(self, card_id: int, reason: str) -> None:
        """See `cardkit.registry.registry.Registry.release`."""
        self._move(card_id, Action.RELEASE, reason, chip=ChipState.RESERVED)

    def discard(self, card_id: int, reason: str) -> None:
        """See `cardkit.registry.registry.Registry.discard`."""
        self._move(card_id, Action.DISCARD, reason, chip=ChipState.RETIRED)

    def _move(
        self,
        card_id: int,
        action: Action,
        reason: str,
        chip: ChipState | None = None,
        claims: Claims | None = None,
    ) -> None:
        """Change the state, part from the chip if `chip` says what becomes of it."""
        with self._store.writing() as connection:
            now = self._store.now()
            card = self._card(connection, card_id)
            state = after(card_id, card.state, action)
            if claims is not None:
                claims.refuse_elsewhere(connection, card_id)
            shown = reason if state in (State.FAILED, State.SPOILT) else ""
            detail: dict[str, str | int | list[str]] = {"reason": reason} if reason else {}
            self._sql.move.run(
                connection, card_id=card_id, new_state=state.value, why=shown, instant=now
            )
            begun = chip is not None and self._part(connection, card, action, chip, detail)
            self._log(connection, now, card, action, state, detail)
            if self.stock is not None and chip in (ChipState.SPOILT, ChipState.RETIRED):
                self.stock.spoilt(connection, card_id, begun=begun)

    def _part(
        self,
        connection: Connection,
        card: _Card,
        action: Action,
        chip: ChipState,
        detail: dict[str, str | int | list[str]],
    ) -> bool:
        """Whether there was a chip."""
        chip_id = self._live_chip(connection, card.card_id)
        if chip_id is not None:
            owner = None if chip is ChipState.RESERVED else card.card_id
            self._sql.settle_chip.run(
                connection, chip_id=chip_id, new_state=chip.value, card_id=owner
            )
            detail["chip"] = card.id_code.hex().upper()
        if action is Action.DISCARD:
            return chip_id is not None
        if chip_id is None:
            moves = (move.value for move in legal(card.state) if move is not action)
            raise IllegalMoveError(
                card.card_id, f"{card.state} and has no chip", action.value, moves
            )
        detail["card_id_code"] = self._recode(connection, card).hex().upper()
        return True

    # -- small things ---------------------------------------------------------------------------

    def _card(self, connection: Connection, card_id: int) -> _Card:
        row = self._sql.card.first(connection, card_id=card_id)
        if row is None:
            raise UnknownCardError(card_id)
        return _card_of(row)

    def _live_chip(self, connection: Connection, card_id: int) -> int | None:
        row = self._sql.live_chip.first(connection, card_id=card_id)
        return int(row[0]) if row else None

    def _recode(self, connection: Connection, card: _Card) -> bytes:
        """Give a record a fresh card id code; the former one is never given out again."""
        (code,) = self._counters.id_codes(connection, card.district, 1)
        self._sql.recode.run(connection, card_id=card.card_id, code=code)
        return code

    def _log(
        self,
        connection: Connection,
        now: str,
        card: _Card,
        action: Action,
        state: State,
        detail: Detail,
    ) -> None:
        self._journal.append(connection, now, _event(card, action, state, detail))


def _card_of(row: AnyRow) -> _Card:
    return _Card(int(row[0]), int(row[1]), State(row[2]), bytes(row[3]), row[4])


def _event(card: _Card, action: Action, state: State, detail: Mapping[str, Any]) -> Event:
    return Event(action.value, card.card_id, card.person_id, card.state.value, state.value, detail)


def _taken(state: str, owner: int | None) -> RegistryError:
    if state in (ChipState.SPOILT, ChipState.RETIRED):
        return ChipTakenError(
            f"this chip was marked as {state} and must not be used again",
            hint="put it with the spoilt chips and take another one",
        )
    return ChipTakenError(
        f"this chip belongs to card record {owner}",
        hint="take another chip; `cardkit registry show` tells whose it is",
    )
