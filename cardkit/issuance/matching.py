"""Which record belongs to the chip in the reader: decided from card and registry together."""

from __future__ import annotations

from cardkit.card.card import Card
from cardkit.card.procedure import Procedure
from cardkit.card.procedures.identify import Identity, WrongCardError
from cardkit.registry.records import CardRecord, Chip
from cardkit.registry.registry import Registry
from cardkit.registry.states import NOT_MADE, ChipState
from cardkit.registry.worklist import Worklist

_MOST_CODES = 3


class CardAlreadyIssuedError(WrongCardError):
    """The card carries somebody's data already."""


class NothingToDoError(WrongCardError):
    """No record waits for a card."""


def record_for_card(
    registry: Registry, worklist: Worklist, card: Card, identity: Identity
) -> Procedure[CardRecord]:
    """Record for a card that has structure and keys.

    A chip the registry promised to a record goes on with that record; a card with a number on it,
    but no other holder, belongs to the record of that number (a pre-printed card); any other takes
    the next planned record.

    Raises
    ------
    CardAlreadyIssuedError
        The card is issued, here or elsewhere.
    WrongCardError
        The chip was given up as spoilt.
    NothingToDoError
    """
    chip = known_chip(registry, identity.id_code)
    if chip is not None and chip.card_id is not None:
        return _unless_issued(registry.get(chip.card_id))
    if identity.card_number is not None:
        record = _record_of_number(registry, identity.card_number)
        yield from _refuse_other_holder(card, record)
        return record
    return next_record(registry, worklist)


def known_chip(registry: Registry, id_code: bytes) -> Chip | None:
    """What the registry knows of a chip.

    Raises
    ------
    WrongCardError
        It was given up as spoilt, or its record has come to an end.
    """
    chip = registry.chip(id_code)
    if chip is None:
        return None
    if chip.state == ChipState.SPOILT:
        raise WrongCardError(
            "this chip was marked as spoilt",
            hint="put it with the spoilt cards",
            zh="此卡已登记为废卡：请放入废卡箱",
        )
    if chip.state == ChipState.RETIRED:
        raise WrongCardError(
            "this card was replaced, cancelled or given up",
            hint="take it back, to be destroyed with the spoilt cards",
            zh="此卡已补换、注销或作废：请收回，与废卡一同销毁",
        )
    return chip


def next_record(registry: Registry, worklist: Worklist) -> CardRecord:
    """The next planned record, claimed.

    Raises
    ------
    NothingToDoError
    """
    record = worklist.claim()
    if record is None:
        raise _nothing_to_do(registry, worklist)
    return record


def _nothing_to_do(registry: Registry, worklist: Worklist) -> NothingToDoError:
    unfinished = registry.unfinished()
    elsewhere = worklist.elsewhere({record.card_id for record in unfinished})
    left = [r for r in unfinished if r.card_id not in elsewhere]
    if left:  # a window that was just finishing its card has no claim on it any more
        open_ = {record.card_id for record in registry.unfinished()}
        left = [record for record in left if record.card_id in open_]
    begun = [record.id_code.hex().upper() for record in left]
    if not begun and elsewhere:
        return _made_elsewhere(sorted(set(elsewhere.values())))
    if not begun:
        return NothingToDoError(
            "no record waits for a card",
            hint="take the card out; the batch is complete",
            zh="没有待制的卡：请取出卡片",
        )
    codes = ", ".join(begun[:_MOST_CODES]) + (" ..." if len(begun) > _MOST_CODES else "")
    return NothingToDoError(
        f"only begun cards are missing, with the id codes {codes}",
        hint="put those in; a lost or broken one is given up with `cardkit registry spoil`",
        zh=f"只差已开始、未完成的卡，卡识别码 {codes}：请放入这些卡；"
        "丢失或损坏的用 cardkit registry spoil 作废",
    )


def _made_elsewhere(windows: list[str]) -> NothingToDoError:
    names = ", ".join(windows[:_MOST_CODES]) + (" ..." if len(windows) > _MOST_CODES else "")
    return NothingToDoError(
        f"the cards that are left are being made at window {names}",
        hint="take the card out; nothing is missing",
        zh=f"其余的卡正在窗口 {names} 制作，没有缺卡：请取出卡片",
    )


def _unless_issued(record: CardRecord) -> CardRecord:
    if record.state not in NOT_MADE:
        raise CardAlreadyIssuedError(
            f"this card is issued already, as record {record.card_id}",
            hint="take the card out and put in a new one",
            zh=f"此卡已制（记录{record.card_id}）：请取出换新卡",
        )
    return record


def _record_of_number(registry: Registry, card_number: str) -> CardRecord:
    record = registry.find_by_card_number(card_number)
    if record is None:
        raise _issued_elsewhere()
    return _unless_issued(record)


def _refuse_other_holder(card: Card, record: CardRecord) -> Procedure[None]:
    """Two registries may have given out one number; the holder on the card decides."""
    holder = yield from card.read(card.tree.find("SSSE.EF06.08"))
    if holder not in (None, record.citizen_number):
        raise _issued_elsewhere()


def _issued_elsewhere() -> CardAlreadyIssuedError:
    return CardAlreadyIssuedError(
        "this card carries a number or a holder that is not in this registry",
        hint="it was issued elsewhere; take it out and put in a new one",
        zh="此卡已在别处制发，不在本登记库：请取出换新卡",
    )
