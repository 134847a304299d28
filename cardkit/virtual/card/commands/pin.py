"""VERIFY, CHANGE PIN, RELOAD PIN and PIN UNBLOCK.

There is one PIN, in the directory file that holds it (SSSE). Presented in an ADF below, it counts
as a level of the parent for that ADF only, and is lost on leaving it.
"""

from __future__ import annotations

from cardkit.virtual.card import status
from cardkit.virtual.card.chip import key_with_parent
from cardkit.virtual.card.context import Context
from cardkit.virtual.card.keys import (
    KEY_LENGTH,
    Key,
    KeyType,
    is_pin,
    pin_digits,
    prove,
    restore_tries,
)
from cardkit.virtual.card.security import NEVER, Access
from cardkit.virtual.card.status import Refusal, require

_SEPARATOR = 0xFF
_SHORTEST, _LONGEST = 2, 8
_RELOAD, _UNBLOCK = 0x0001, 0x0000


def verify(context: Context) -> bytes:
    """``0020 0000 Lc PIN``: 63Cx when wrong, 6983 when blocked."""
    context.require_p1p2(0)
    require(_SHORTEST <= context.request.p3 <= _LONGEST, status.WRONG_LENGTH)
    key, levels = _pin(context)
    levels.discard(key.level)
    prove(context.memory, key, pin_digits(context.request.data), pin_digits(key.value))
    levels.add(key.level)
    return b""


def change(context: Context) -> bytes:
    """``805E 0100 Lc old ‖ FF ‖ new``: a wrong old PIN counts as in VERIFY."""
    context.require_p1p2(0x0100)
    require(2 * _SHORTEST + 1 <= context.request.p3 <= 2 * _LONGEST + 1, status.WRONG_LENGTH)
    old, separator, new = context.request.data.partition(bytes((_SEPARATOR,)))
    require(separator and len(old) >= _SHORTEST, status.WRONG_DATA)
    require(is_pin(pin_digits(new)), status.WRONG_DATA)
    key, levels = _pin(context)
    levels.discard(key.level)
    prove(context.memory, key, old, pin_digits(key.value))
    _store(context, key, new)
    return b""


def reload_or_unblock(context: Context) -> bytes:
    """``8424 0001`` encrypted new PIN ‖ MAC, or ``8424 0000 04`` MAC, after the PUK; under STK."""
    context.require_p1p2(_RELOAD, _UNBLOCK)
    reloading = context.request.p1p2 == _RELOAD
    context.require_length(*((0x0C, 0x14) if reloading else (0x04,)))
    key = context.directory.key(KeyType.PIN)
    if key is None:
        raise Refusal(status.KEY_NOT_FOUND)
    puk = Access(NEVER, key.algorithm, both=False)
    require(puk.satisfied(context.state), status.SECURITY_NOT_SATISFIED)
    channel = context.messaging_key()
    field = context.unprotect(channel)
    if reloading:
        new = channel.decrypt(field)
        require(is_pin(pin_digits(new)), status.WRONG_DATA)
        _store(context, key, new)
    restore_tries(context.memory, key)
    return b""


def _pin(context: Context) -> tuple[Key, set[int]]:
    """The PIN in reach, and the set its level goes to."""
    found = key_with_parent(context.directory, KeyType.PIN)
    if found is None:
        raise Refusal(status.KEY_NOT_FOUND)
    key, place = found
    state = context.state
    return key, state.pin if place is state.directory else state.pin_of_parent


def _store(context: Context, key: Key, new: bytes) -> None:
    value = pin_digits(new)
    padded = value.ljust(KEY_LENGTH, bytes((_SEPARATOR,)))
    context.memory.assign(key, "value", padded, KEY_LENGTH)
    context.memory.assign(key, "length", len(value), 1)
