"""The issuer unlocks or resets the holder's PIN (card.md 6): ``84 24`` after the PUK.

One PIN lies in SSSE. EXTERNAL AUTHENTICATE with PUK (KID 06) opens the command; its data field is
protected under STKSSSE as the rules of the chip say (`Messaging`). Known from two client programs;
no published vector has real keys, so the form of the MAC is inferred, and a profile may say another
(decision 13 of docs/decisions.md). Both may be repeated: the card is the same afterwards.
"""

from __future__ import annotations

from cardkit.apdu import Command, StatusError, StatusWord
from cardkit.card.card import Card, pin_bytes
from cardkit.card.files.model import DirectoryFile
from cardkit.card.key_request import Seal
from cardkit.card.messaging import Messaging
from cardkit.card.procedure import Procedure, ask, transmit
from cardkit.crypto.algorithm import Algorithm
from cardkit.errors import CardkitError, RefusedError

PLACE = "SSSE"
KEYS = (f"{PLACE}.PUK", f"{PLACE}.STK")
"""What has to be there: in a key store, an HSM or a PSAM."""

_CLA, _INS = 0x84, 0x24
_UNLOCK, _RESET = 0x00, 0x01
_MAC = 4
_PUBLISHED = (Algorithm.TDES, Algorithm.SM4)
_BLOCKED = 0x6983
_WRONG_MAC = 0x6988


class PinServiceError(RefusedError):
    """The chip does not let the issuer at its PIN."""


def open_pin(card: Card) -> Procedure[None]:
    """Select SSSE and present the PUK; writes nothing.

    Raises
    ------
    AuthenticationFailedError
        The chip refuses the PUK; never tried again by itself.
    PinServiceError
        A card whose form of these commands is not known.
    """
    directory = card.tree.directory(PLACE)
    yield from card.select(directory)
    if card.algorithm not in _PUBLISHED:
        raise PinServiceError(
            "how cards with SSF33 protect this command is not published",
            hint="unlock or reset the PIN with the card maker's terminal",
            zh="SSF33 卡的密码解锁和重置报文未公开：请使用厂商终端",
        )
    yield from card.external_authenticate(directory, directory.key("PUK"))


def unlock_pin(card: Card, messaging: Messaging) -> Procedure[None]:
    """PIN UNBLOCK ``84 24 00 00 04 MAC``: all tries are there again, the PIN stays what it was.

    Parameters
    ----------
    messaging : Messaging
        How the chip wants the command protected.

    Raises
    ------
    AuthenticationFailedError
        The chip refuses the PUK; never tried again by itself.
    PinServiceError
        It refuses the command.
    """
    yield from _protected(card, _UNLOCK, b"", messaging)


def reset_pin(card: Card, pin: str, messaging: Messaging) -> Procedure[None]:
    """PIN RELOAD ``84 24 00 01``: a new PIN with all its tries, which is then verified.

    Parameters
    ----------
    pin : str
        4 to 16 digits.
    messaging : Messaging
        See `unlock_pin`.

    Raises
    ------
    AuthenticationFailedError, PinServiceError
        See `unlock_pin`.
    WrongPinError
        The chip took the command and does not know the new PIN.
    """
    yield from _protected(card, _RESET, pin_bytes(pin), messaging)
    yield from card.verify_pin(card.tree.directory(PLACE), pin)


def _protected(card: Card, p2: int, new: bytes, messaging: Messaging) -> Procedure[None]:
    yield from open_pin(card)
    directory = card.tree.directory(PLACE)
    vector = messaging.vector((yield from card.challenge(messaging.challenge)))
    field = bytes((len(new),)) + new if new else b""
    length = messaging.sealed_length(card.algorithm, len(field)) if field else 0
    header = bytes((_CLA, _INS, 0x00, p2, length + _MAC))
    sealing = messaging.sealing(card.algorithm, encrypt=bool(new))
    sealed = yield from ask(Seal(_stk(directory), header, field, vector, sealing))
    command = Command(_CLA, _INS, 0x00, p2, sealed)
    answer = yield from transmit(command)
    if not answer.sw.ok:
        raise _refused(answer.sw, command)


def _stk(directory: DirectoryFile) -> str:
    return directory.key_name(directory.key("STK"))


def _refused(sw: StatusWord, command: Command) -> CardkitError:
    if sw == _WRONG_MAC:
        return PinServiceError(
            f"the chip refuses the MAC under STK, {sw}",
            hint="check profile and master keys before the next try; the chip counts",
            zh="卡片拒绝安全报文的 MAC：核对配置和主密钥之前不要再试",
        )
    if sw == _BLOCKED:
        return PinServiceError(
            f"the key STK of the chip is dead, {sw}",
            hint="its PIN cannot be helped any more; exchange the card",
            zh="卡片的安全报文密钥已锁死，无法再解锁或重置密码：请为持卡人换卡",
        )
    return StatusError(sw, command, what="PIN UNBLOCK OR RELOAD", file=PLACE)
