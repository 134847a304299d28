"""What the card can do: one declaration a command, found by its instruction byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cardkit.virtual.card.commands import (
    authenticate,
    binary,
    create,
    lock,
    pin,
    record,
    select,
    write_key,
)
from cardkit.virtual.card.context import Context

CLASSES = frozenset({0x00, 0x04, 0x80, 0x84})


@dataclass(frozen=True, slots=True)
class Declaration:
    """One command.

    Parameters
    ----------
    run : callable
        Does the work; returns the answer's data, or raises Refusal.
    classes : frozenset of int
        Class bytes it takes.
    sends : bool
        T=0 direction of the plain class: the card sends data (P3 is Le).
    without_mf : bool
        Works on a chip without MF.
    when_blocked : bool
        Works in an application blocked for now.
    """

    run: Callable[[Context], bytes]
    classes: frozenset[int]
    sends: bool = False
    without_mf: bool = False
    when_blocked: bool = False


def _plain(run: Callable[[Context], bytes], **flags: bool) -> Declaration:
    return Declaration(run, frozenset({0x00}), **flags)


def _own(run: Callable[[Context], bytes], **flags: bool) -> Declaration:
    return Declaration(run, frozenset({0x80}), **flags)


def _secured(run: Callable[[Context], bytes], **flags: bool) -> Declaration:
    return Declaration(run, frozenset({0x84}), **flags)


def _readable(run: Callable[[Context], bytes]) -> Declaration:
    return Declaration(run, frozenset({0x00, 0x04}), sends=True)


def _writable(run: Callable[[Context], bytes]) -> Declaration:
    return Declaration(run, frozenset({0x00, 0x04, 0x84}))


COMMANDS: dict[int, Declaration] = {
    0x14: _plain(create.set_atr_head, without_mf=True),
    0x16: _secured(lock.block_card, when_blocked=True),
    0x18: _secured(lock.unblock_application, when_blocked=True),
    0x1E: _secured(lock.block_application, when_blocked=True),
    0x20: _plain(pin.verify),
    0x24: _secured(pin.reload_or_unblock),
    0x5E: _own(pin.change),
    0x82: _plain(authenticate.external, when_blocked=True),
    0x84: _plain(authenticate.get_challenge, sends=True, without_mf=True, when_blocked=True),
    0x88: _plain(authenticate.internal),
    0xA4: _plain(select.select, when_blocked=True),
    0xB0: _readable(binary.read),
    0xB2: _readable(record.read),
    0xD2: _plain(record.write_fci),
    0xD4: Declaration(write_key.write_key, frozenset({0x00, 0x80, 0x84, 0x04})),
    0xD6: _writable(binary.update),
    0xDC: _writable(record.update),
    0xE1: _own(create.delete),
    0xE2: _writable(record.append),
}

# 80E0 is a family of its own: P1 tells what is meant.
MANUFACTURE: dict[int, Declaration] = {
    0x01: _own(create.create, without_mf=True),
    0x02: _own(create.end_pre_issue),
    0x03: _own(create.verify_transport_key, without_mf=True),
    0x05: _own(create.set_serial, without_mf=True),
}
MANUFACTURE_INS = 0xE0
