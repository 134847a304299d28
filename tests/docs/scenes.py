"""What an operator is told when a card is refused, spoilt or lost: every line, made for real."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import update

from cardkit.apdu import Link, pcsc
from cardkit.apdu.link import LinkLostError, chain
from cardkit.apdu.pcsc import calls
from cardkit.errors import CardkitError
from cardkit.issuance.feed import NextCardError, UnfinishedCardError
from cardkit.issuance.writer import Failed, Issued, Spoilt
from cardkit.keys.soft import SoftKeyStore
from cardkit.profile import Profile
from cardkit.registry.schema import chips
from cardkit.registry.states import ChipState
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.link import VirtualLink
from tests.workshop import Workshop, applicant, master_keys

SERIAL = bytes.fromhex("40000001")
READER = "ACS ACR39U 00 00"
SELECT_SSSE, READ_ID_CODE, CHALLENGE = b"\x00\xa4\x04", b"\x00\xb2\x01", b"\x00\x84\x00"
Lines = dict[str, str]


class Answering:
    """A link to a chip that answers some commands as it is told."""

    def __init__(self, link: Link, answers: dict[bytes, str]) -> None:
        self._link = link
        self._answers = answers

    @property
    def atr(self) -> bytes:
        return self._link.atr

    def transmit(self, apdu: bytes) -> bytes:
        told = self._answers.get(apdu[:3])
        return self._link.transmit(apdu) if told is None else bytes.fromhex(told)

    def reset(self) -> bytes:
        return self._link.reset()


def refusals(folder: Path) -> Lines:
    """Cards that are not written, and keys that are refused."""
    shop = _shop(folder / "shop", 2, 3)
    done = shop.factory.premade(SERIAL)
    assert isinstance(shop.process(done), Issued)
    other = _shop(folder / "other", 9)
    return {
        "issued already": _line(shop, done),
        "retired": _retired(folder),
        "issued elsewhere": _line(other, done),
        "half made": _line(shop, answers={READ_ID_CODE: "0110" + "00" * 16 + "9000"}),
        "other chip": _line(shop, _other_chip()),
        "other files": _line(shop, _chip_with_files()),
        "locked": _line(shop, answers={SELECT_SSSE: "6A81", CHALLENGE: "6A81"}),
        "application locked": _line(shop, answers={SELECT_SSSE: "6283"}),
        "no id code": _line(shop, answers={READ_ID_CODE: "0110" + "11" * 16 + "9000"}),
        "algorithm": _line(shop, profile=_changed(shop.profile, algorithm=3)),
        "version": _line(shop, profile=_changed(shop.profile, version="3.00")),
        "city": _line(shop, profile=_in_city(shop.profile, "639901")),
        "wrong master key": _line(shop, keys={"SSSE.IRK"}),
        "key refused": _line(shop, keys={"SSSE.UKSSSE"}),
        "transport key": _line(shop, VirtualCard.blank(transport_key=bytes(8))),
    }


def outcomes(folder: Path) -> Lines:
    """Chips that fail while they are written, and a run without work."""
    shop = _shop(folder / "worn", 2)
    worn = shop.factory.premade(SERIAL)
    worn.arm(Fault(FaultKind.WORN, directory=0xDDF1, file=0xEF05))
    spoilt = shop.process(worn)
    assert isinstance(spoilt, Spoilt)
    worn.disarm()
    lines = {"worn": spoilt.error.line("zh"), "spoilt": _line(shop, worn)}
    last = shop.factory.premade(bytes.fromhex("40000002"))
    assert isinstance(shop.process(last), Issued)
    third = shop.factory.premade(bytes.fromhex("40000003"))
    return lines | {"nothing to do": _line(shop, third), "different": _different(folder)}


def obstacles() -> Lines:
    """What stands between program and chip."""
    codes = {
        "no card": calls.E_NO_SMARTCARD,
        "taken out": calls.W_REMOVED_CARD,
        "mute": calls.W_UNRESPONSIVE_CARD,
        "unplugged": calls.E_READER_UNAVAILABLE,
        "no reader": calls.E_NO_READERS_AVAILABLE,
        "not supported": calls.W_UNSUPPORTED_CARD,
        "reset": calls.W_RESET_CARD,
        "stopped": calls.E_NOT_TRANSACTED,
        "permission": calls.W_SECURITY_VIOLATION,
    }
    lines = {name: calls.explain(code, READER).line("zh") for name, code in codes.items()}
    busy = pcsc.CardBusyError(READER, [pcsc.Holder(4711, "opensc-tool")])
    service = pcsc.NoServiceError("the PC/SC service does not run")
    lines |= {"next": NextCardError(READER).line("zh")}
    lines |= {"unfinished": UnfinishedCardError(READER).line("zh")}
    return lines | {"busy": busy.line("zh"), "no service": service.line("zh")}


def _retired(folder: Path) -> str:
    """The card of a record that was replaced."""
    shop = _shop(folder / "retired", 2, 3)
    card = shop.factory.premade(SERIAL)
    assert isinstance(shop.process(card), Issued)
    with shop.registry() as registry, registry.books.store.writing() as connection:
        connection.execute(update(chips).values(state=ChipState.RETIRED.value))
    return _line(shop, card)


def _shop(folder: Path, *rows: int) -> Workshop:
    folder.mkdir()
    return Workshop(folder, [applicant(row) for row in rows])


def _line(
    shop: Workshop,
    card: VirtualCard | None = None,
    *,
    answers: dict[bytes, str] | None = None,
    profile: Profile | None = None,
    keys: set[str] | None = None,
) -> str:
    """The Chinese line of the refusal of a card: a fresh pre-made one, if none is given."""
    chip = card or shop.factory.premade(bytes.fromhex("4000AAAA"))
    before = shop.profile
    shop.profile = profile or before
    try:
        with shop.registry() as registry:
            writer = shop.writer(registry, _store(keys or set()))
            link = chain(Answering(VirtualLink(chip), answers or {}))
            outcome = writer.process(link, READER)
    except LinkLostError:
        raise
    except CardkitError as error:
        return error.line("zh")
    finally:
        shop.profile = before
        chip.power_off()
    raise AssertionError(outcome)


def _store(wrong: set[str]) -> SoftKeyStore:
    keys = {
        place: bytes(range(16)) if place[0] in wrong else key
        for place, key in master_keys().items()
    }
    return SoftKeyStore(keys, test=True)


def _changed(profile: Profile, **card: object) -> Profile:
    changed: Callable[..., Profile] = dataclasses.replace
    return changed(profile, card=dataclasses.replace(profile.card, **card))  # type: ignore[arg-type]


def _in_city(profile: Profile, city: str) -> Profile:
    return dataclasses.replace(profile, region=dataclasses.replace(profile.region, city=city))


def _other_chip() -> VirtualCard:
    atr = bytes.fromhex("3B7D94000087BF1002864996399000000009")
    return VirtualCard.blank(transport_key=bytes(8), atr=atr)


def _chip_with_files() -> VirtualCard:
    card = VirtualCard.blank(transport_key=bytes(8))
    card.power_on()
    master_file = "00EF00FF013F00010001230000800081" + b"1PAY.SYS.DDF01".hex()
    for command in ("80E0030008" + bytes(8).hex(), "80E001001E" + master_file):
        assert card.transmit(bytes.fromhex(command)) == b"\x90\x00"
    card.power_off()
    return card


def _different(folder: Path) -> str:
    """A card that forgets the birth date it was given."""
    shop = _shop(folder / "forgetful", 2)
    link = chain(
        Answering(VirtualLink(shop.factory.premade(SERIAL)), {b"\x00\xb2\x0d": "0D04FFFFFFFF9000"})
    )
    with shop.registry() as registry:
        outcome = shop.writer(registry).process(link, READER)
    assert isinstance(outcome, Spoilt | Failed)
    return outcome.error.line("zh")
