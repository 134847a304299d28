"""Identify a card before anything is written: the right type, ours, and whose."""

from __future__ import annotations

from dataclasses import dataclass, field

from cardkit.apdu import Command, StatusError
from cardkit.card.authentication import algorithm_named
from cardkit.card.card import Card
from cardkit.card.procedure import Procedure, transmit
from cardkit.errors import RefusedError

ALGORITHM_3DES = 0x01
APPLICATION_PROVIDER = bytes.fromhex("D156000005")
NO_MAC = b"\xff" * 4
_NOT_FOUND = 0x6A82
_LOCKED = 0x6A81
_BLOCKED = (0x6283, 0x9303)


class WrongCardError(RefusedError):
    """Not a card that this profile may write: another type, another city, locked."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a card must show to be written under a profile.

    Parameters
    ----------
    version : str
        Specification version in EF05 tag 03.
    district : bytes
        Issuing city, first 3 bytes of the card id code, BCD.
    algorithm : int
        01 3DES, 02 SSF33, 03 SM4.
    """

    version: str
    district: bytes
    algorithm: int = ALGORITHM_3DES


@dataclass(frozen=True, slots=True)
class Identity:
    """What a card with a social-security environment says of itself.

    ``id_code`` has 16 bytes, the last four FF while its MAC is missing; ``card_number`` is None
    until the card is personalized.
    """

    id_code: bytes
    version: str
    card_number: str | None = field(repr=False)

    @property
    def has_mac(self) -> bool:
        """Whether the id code is complete."""
        return self.id_code[12:] != NO_MAC


def identify(card: Card, expected: Expected, factor: bytes) -> Procedure[Identity | None]:
    """SELECT SSSE, read id code, version and card number, have the card prove its IRK.

    Five commands. ``factor`` are 8 bytes of our choice for INTERNAL AUTHENTICATE.

    Returns
    -------
    Identity or None
        None for a chip without a social-security environment: blank, or another card.

    Raises
    ------
    WrongCardError
        Locked, another algorithm, version or city.
    AuthenticationFailedError
        The card does not hold the keys of this profile.
    """
    ssse = card.tree.directory("SSSE")
    fci = yield from _select_environment(card)
    if fci is None:
        return None
    _check_algorithm(fci, expected.algorithm)
    id_code = yield from card.read(card.tree.find("SSSE.EF05.01"))
    version = yield from card.read(card.tree.find("SSSE.EF05.03"))
    if not isinstance(id_code, bytes) or not isinstance(version, str):
        raise WrongCardError(
            "the card has no id code or no version yet",
            hint="it is half made: finish it where it was begun, or put it aside as spoilt",
            zh="卡尚未初始化完整：请在原登记库继续，或按废卡处理",
        )
    _check_origin(id_code, version, expected)
    number = yield from card.read(card.tree.find("SSSE.EF05.07"))
    yield from card.internal_authenticate(ssse, ssse.key("IRK"), factor, factor)
    return Identity(id_code, version, number if isinstance(number, str) else None)


def require_blank(card: Card, atr_head: bytes) -> Procedure[None]:
    """Make sure that a chip without a social-security environment is a blank one of our kind.

    Parameters
    ----------
    atr_head : bytes
        What the ATR of blank chips begins with.

    Raises
    ------
    WrongCardError
        Another chip, or one that carries files already.
    """
    if not card.atr.startswith(atr_head):
        raise WrongCardError(
            "this is neither a social-security card nor a blank chip of the profile",
            hint="take it out; check what kind of cards were delivered",
            zh="这不是社会保障卡，也不是本配置的空白卡：请取出，核对卡片种类",
        )
    mf = card.tree.directories[0]
    answer = yield from transmit(Command(0x00, 0xA4, 0x00, 0x00, mf.fid.to_bytes(2, "big"), le=256))
    if answer.sw not in (_NOT_FOUND, _LOCKED):
        raise WrongCardError(
            "the chip carries files of another maker, or of a card begun in another registry",
            hint="take it out; only blank or pre-made cards can be issued",
            zh="芯片上已有其他文件：请取出，只能使用空白卡或预制卡",
        )


def _select_environment(card: Card) -> Procedure[bytes | None]:
    ssse = card.tree.directory("SSSE")
    select = Command(0x00, 0xA4, 0x04, 0x00, ssse.aid, le=256)
    answer = yield from transmit(select)
    if answer.sw == _LOCKED and (yield from _is_locked()):
        raise WrongCardError(
            "the card is locked",
            hint="a locked card cannot be written; replace it",
            zh="卡片已锁定，不能写入：请更换卡片",
        )
    if answer.sw in (_NOT_FOUND, _LOCKED):
        return None
    if answer.sw in _BLOCKED:
        raise WrongCardError(
            "the social-security application of the card is locked",
            hint="unlock the application first, or replace the card",
            zh="卡片的社保应用已锁定：请先解锁或更换卡片",
        )
    if not answer.sw.ok:
        raise StatusError(answer.sw, select, what="SELECT SSSE")
    card.entered(ssse, answer.data)
    return answer.data


def _is_locked() -> Procedure[bool]:
    # 6A81 means "no MF" on an empty chip and "card locked" on a finished one; only an empty chip
    # still hands out challenges.
    answer = yield from transmit(Command(0x00, 0x84, 0x00, 0x00, le=8))
    return not answer.sw.ok


def _check_algorithm(fci: bytes, expected: int) -> None:
    algorithm = algorithm_named(fci)
    if algorithm != expected:
        raise WrongCardError(
            f"the card works with algorithm {algorithm:02X}, the profile with {expected:02X}",
            hint="use the profile of this card generation",
            zh=f"卡片算法为{algorithm:02X}，与配置不符：请使用相应的配置",
        )


def _check_origin(id_code: bytes, version: str, expected: Expected) -> None:
    if id_code[3:8] != APPLICATION_PROVIDER:
        raise WrongCardError(
            "the id code of the card is not one of a social-security card",
            hint="take the card out",
            zh="卡识别码不是社会保障卡的识别码：请取出",
        )
    if version != expected.version:
        raise WrongCardError(
            f"the card is of version {version}, the profile of {expected.version}",
            hint="use the profile of this card generation",
            zh=f"卡片版本为{version}，与配置不符：请使用相应的配置",
        )
    if id_code[:3] != expected.district:
        raise WrongCardError(
            f"the card belongs to district {id_code[:3].hex()}, "
            f"the profile to {expected.district.hex()}",
            hint="use the profile of the issuing city",
            zh=f"卡片属于{id_code[:3].hex()}，与配置的发卡地区不符：请使用发卡地区的配置",
        )
