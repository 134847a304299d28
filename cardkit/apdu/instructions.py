"""What the instructions of these chips are called, what of them may be seen, what they do.

One table serves the masking of traces, the words in them, and the question whether a recorded
command may be sent to a real card again. What is not in it is hidden and counts as dangerous.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Shown(Enum):
    """How much of a command's data or of an answer a masked trace shows."""

    NOTHING = "nothing"
    TAG = "tag"  # tag and length of a record addressed by its tag: P1 and Lc tell both anyway
    ALL = "all"


class Effect(Enum):
    """What a command does to a card that is asked again."""

    READS = "reads"
    TRIES = "spends tries"
    WRITES = "writes"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of the table.

    Parameters
    ----------
    name : str
        As the standards call it.
    ins : int
        Instruction byte.
    classes : tuple of int
        Class bytes without secure messaging in which the chips know it.
    p1 : int or None
        Only with this P1; None for any.
    data, answer : Shown
        Visible in a masked trace, as long as no secure messaging is used.
    effect : Effect
        The worst it can do.
    fresh : bool
        The answer is another one each time.
    """

    name: str
    ins: int
    classes: tuple[int, ...] = (0x00,)
    p1: int | None = None
    data: Shown = Shown.NOTHING
    answer: Shown = Shown.NOTHING
    effect: Effect = Effect.WRITES
    fresh: bool = False


_ALL, _TAG = Shown.ALL, Shown.TAG
_READS, _TRIES = Effect.READS, Effect.TRIES

TABLE: tuple[Instruction, ...] = (
    # ISO 7816-4, as the social-security card uses them (card.md 3, 6)
    Instruction("SELECT", 0xA4, data=_ALL, answer=_ALL, effect=_READS),
    Instruction("GET RESPONSE", 0xC0, effect=_READS),  # shown as the command it belongs to
    Instruction("GET CHALLENGE", 0x84, answer=_ALL, effect=_READS, fresh=True),
    Instruction("INTERNAL AUTHENTICATE", 0x88, data=_ALL, effect=_READS),
    Instruction("EXTERNAL AUTHENTICATE", 0x82, effect=_TRIES),
    Instruction("VERIFY", 0x20, effect=_TRIES),
    Instruction("READ BINARY", 0xB0, effect=_READS),
    Instruction("READ RECORD", 0xB2, answer=_TAG, effect=_READS),
    Instruction("GET DATA", 0xCA, (0x00, 0x80), effect=_READS),
    Instruction("WRITE RECORD", 0xD2),
    Instruction("UPDATE BINARY", 0xD6),
    Instruction("UPDATE RECORD", 0xDC, data=_TAG),
    Instruction("APPEND RECORD", 0xE2),
    # PBOC, with MACs and therefore with class 84 on the wire
    Instruction("CARD BLOCK", 0x16, (0x80,)),
    Instruction("APPLICATION UNBLOCK", 0x18, (0x80,)),
    Instruction("APPLICATION BLOCK", 0x1E, (0x80,)),
    Instruction("PIN RELOAD OR UNBLOCK", 0x24, (0x80,)),
    Instruction("UNBLOCK", 0x2C, (0x80,)),
    Instruction("CHANGE PIN", 0x5E, (0x80,), p1=0x01),
    Instruction("PIN RELOAD", 0x5E, (0x80,)),
    # purse: medical account, electronic deposit
    Instruction("INITIALIZE FOR TRANSACTION", 0x50, (0x80,)),
    Instruction("CREDIT FOR LOAD", 0x52, (0x80,)),
    Instruction("DEBIT FOR PURCHASE", 0x54, (0x80,)),
    Instruction("UPDATE OVERDRAW LIMIT", 0x58, (0x80,)),
    Instruction("GET TRANSACTION PROVE", 0x5A, (0x80,), effect=_READS),
    Instruction("GET BALANCE", 0x5C, (0x80,), effect=_READS),
    # making a card (cos.md 7.1, 7.2); P1 tells the T514 commands of INS E0 apart
    Instruction("SET ATR", 0x14, data=_ALL),
    Instruction("WRITE KEY", 0xD4, (0x00, 0x80)),
    Instruction("CREATE FILE", 0xE0, (0x80,), p1=0x01, data=_ALL),
    Instruction("END OF PRE-ISSUE", 0xE0, (0x80,), p1=0x02),
    Instruction("VERIFY TRANSPORT KEY", 0xE0, (0x80,), p1=0x03, effect=_TRIES),
    Instruction("SET SERIAL", 0xE0, (0x80,), p1=0x05, data=_ALL),
    Instruction("CREATE FILE", 0xE0, (0x80,)),  # another maker's: its MF data hold a key
    Instruction("DELETE FILE", 0xE1, (0x80,), data=_ALL),
    Instruction("ERASE DF", 0x0E, (0x80,)),
    # security access module in another slot
    Instruction("INIT FOR DESCRYPT", 0xDE, (0xBF,)),
    Instruction("DES CRYPT", 0xFA, (0x80,)),
)

UNKNOWN = Instruction("unknown instruction", -1, ())
"""Everything else: nothing shown, anything possible."""

GET_RESPONSE = 0xC0
_SECURE_MESSAGING = 0x0C

_BY_INS: dict[int, list[Instruction]] = {}
for _row in TABLE:
    _BY_INS.setdefault(_row.ins, []).append(_row)


def find(command: bytes) -> Instruction:
    """The line of the table for a command APDU; `UNKNOWN` when there is none.

    Examples
    --------
    >>> find(bytes.fromhex("00B2072C0B")).name
    'READ RECORD'
    >>> find(bytes.fromhex("84D4000024")).name
    'WRITE KEY'
    >>> find(bytes.fromhex("10B20704")).name
    'unknown instruction'
    """
    if len(command) < 4:
        return UNKNOWN
    plain_class = command[0] & ~_SECURE_MESSAGING if protected(command) else command[0]
    for row in _BY_INS.get(command[1], ()):
        if plain_class in row.classes and row.p1 in (None, command[2]):
            return row
    return UNKNOWN


def protected(command: bytes) -> bool:
    """Whether the class byte announces secure messaging.

    Examples
    --------
    >>> protected(bytes.fromhex("84240001")), protected(bytes.fromhex("00840000"))
    (True, False)
    """
    return bool(command) and command[0] & 0x70 == 0 and bool(command[0] & _SECURE_MESSAGING)


def effect(command: bytes) -> Effect:
    """The worst a command can do; a wrong MAC spends a try of the key it is made with."""
    row = find(command)
    if row.effect is Effect.READS and protected(command):
        return Effect.TRIES
    return row.effect
