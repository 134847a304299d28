"""What is asked of a PSAM: select an environment, derive a process key, compute with it.

Procedures like those of cards, but they need no keys: the PSAM has them. `perform` runs one.

The process key stays in the PSAM until the next derivation, SELECT or reset. Factors go from the
card upwards: card ‖ city ‖ province ‖ process factor (card.md 5.3, 5.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cardkit.apdu import Command, Link, Response
from cardkit.card.key_request import KeyUse, Sealing, WriteKey
from cardkit.card.procedure import Answer, Procedure, ask, command
from cardkit.card.psam.environment import FACTOR_LENGTH, Environment
from cardkit.card.psam.keymap import PsamKey
from cardkit.codec import bcd
from cardkit.crypto.bits import fold, xor

T = TypeVar("T")

TERMINAL_LENGTH = 6
MAC_LENGTH = 4

_MF = bytes.fromhex("3F00")
_TERMINAL_SFI = 0x16
_MOST_DATA = 0xF0  # a multiple of both blocks that fits into one command
# P1 of 80FA: bit 1 MAC instead of encryption, bit 2 more follows, bit 3 begins with the vector.
_ENCRYPT, _MAC, _MORE, _FIRST = 0x00, 0x01, 0x02, 0x04
_KEY_LENGTH = 16
_SEALED_LENGTH = 0x1C  # length, header of 3, key, padding to 24; MAC of 4
_LOADING = Sealing(encrypt=True, key_use=KeyUse.DIRECT, mac_length=MAC_LENGTH)


def select(environment: Environment) -> Procedure[None]:
    """Enter the application of an environment."""
    for select_command in environment.selection:
        yield from command(select_command, what=f"SELECT {environment} environment", file="PSAM")


def derive(
    environment: Environment, key: PsamKey, factors: Sequence[bytes], process_factor: bytes
) -> Procedure[None]:
    """``BF DE usage id``: diversify a key down to the card and make a process key from it.

    Parameters
    ----------
    factors : sequence of bytes
        As many as the key has levels, 8 bytes each, the card's first.
    process_factor : bytes
        8 bytes: the card's challenge (external) or ours (internal authentication).
    """
    if len(factors) != key.levels or any(len(f) != FACTOR_LENGTH for f in factors):
        raise ValueError(f"key {key} takes {key.levels} factors of {FACTOR_LENGTH} bytes")
    data = b"".join(factors) + environment.filled(process_factor)
    yield from command(
        Command(0xBF, 0xDE, key.usage, key.id, data), what=f"BFDE {key}", file="PSAM"
    )


def compute(environment: Environment, data: bytes) -> Procedure[bytes]:
    """``80 FA 00 00``: encrypt whole blocks under the process key; as many bytes as ``data``."""
    if not data or len(data) % environment.block or len(data) > _MOST_DATA:
        raise ValueError(f"a PSAM computes with blocks of {environment.block} bytes, up to 240")
    return (
        yield from command(
            Command(0x80, 0xFA, _ENCRYPT, 0x00, data, le=len(data)), what="80FA", file="PSAM"
        )
    )


def mac(environment: Environment, iv: bytes, padded: bytes) -> Procedure[bytes]:
    """``80 FA`` for a MAC under the process key: 4 bytes over whole, padded blocks.

    The vector goes before the data (P1 05); what does not fit into one command goes in several (07
    first, 03 next, 01 last).
    """
    text = environment.filled(iv) + padded
    if not padded or len(text) % environment.block:
        raise ValueError(f"a MAC goes over padded blocks of {environment.block} bytes")
    pieces = [text[at : at + _MOST_DATA] for at in range(0, len(text), _MOST_DATA)]
    mode = _MAC | _FIRST
    for piece in pieces[:-1]:
        yield from command(
            Command(0x80, 0xFA, mode | _MORE, 0x00, piece), what="80FA MAC", file="PSAM"
        )
        mode = _MAC
    return (
        yield from command(
            Command(0x80, 0xFA, mode, 0x00, pieces[-1], le=MAC_LENGTH), what="80FA MAC", file="PSAM"
        )
    )


def last_block(environment: Environment, iv: bytes, padded: bytes) -> Procedure[bytes]:
    """The whole last block of a MAC, of which ``80 FA`` for a MAC gives 4 bytes only.

    Each link of the CBC chain is one encryption (``80 FA 00 00``), so it takes a key that encrypts.
    """
    if not padded or len(padded) % environment.block:
        raise ValueError(f"a MAC goes over padded blocks of {environment.block} bytes")
    last = environment.filled(iv)
    for at in range(0, len(padded), environment.block):
        last = yield from compute(environment, xor(last, padded[at : at + environment.block]))
    return last


def authentication_data(
    environment: Environment, key: PsamKey, factors: Sequence[bytes], factor: bytes, data: bytes
) -> Procedure[bytes]:
    """Proof of EXTERNAL or expected answer of INTERNAL AUTHENTICATE, 8 bytes.

    With a cipher of 16-byte blocks the source is filled with 00 and the halves of the result are
    XORed (card.md 5.5).

    Parameters
    ----------
    factor : bytes
        8 bytes, the process factor.
    data : bytes
        8 bytes, the source.
    """
    yield from derive(environment, key, factors, factor)
    result = yield from compute(environment, environment.filled(data))
    return fold(result, FACTOR_LENGTH)


def terminal_number() -> Procedure[str]:
    """Terminal number 终端机编号 in EF16 of the MF, 12 digits; leaves any environment.

    PBOC PSAMs have it there, and readers of medical-insurance counters take it from there.
    """
    yield from command(Command(0x00, 0xA4, 0x00, 0x00, _MF, le=256), what="SELECT MF", file="PSAM")
    number = yield from command(
        Command(0x00, 0xB0, 0x80 | _TERMINAL_SFI, 0x00, le=TERMINAL_LENGTH),
        what="READ BINARY EF16",
        file="PSAM",
    )
    return bcd.decode(number)


def load_key(place: PsamKey, algorithm_id: int, *, key: str, under: str) -> Procedure[None]:
    """WRITE KEY into a PSAM that is being made: usage, id, algorithm and key, sealed (FMCOS form).

    Parameters
    ----------
    algorithm_id : int
        00 3DES (card.md 5.3); 03 for SM4 is ours.
    key, under : str
        Names for the key store: the key itself, and the PSAM's own master key that seals it.
    """
    challenge = yield from command(
        Command(0x00, 0x84, 0x00, 0x00, le=4), what="GET CHALLENGE", file="PSAM"
    )
    header = bytes((0x84, 0xD4, 0x00, 0x00, _SEALED_LENGTH))
    key_header = bytes((3 + _KEY_LENGTH, place.usage, place.id, algorithm_id))
    sealed = yield from ask(
        WriteKey(under, header, key, key_header, challenge.ljust(8, b"\0"), _LOADING)
    )
    write = Command(0x84, 0xD4, 0x00, 0x00, sealed)
    yield from command(write, what=f"WRITE KEY {place}", file="PSAM")


def perform(procedure: Procedure[T], link: Link) -> T:
    """Run a procedure that asks for no keys and keeps no journal, such as those above.

    Raises
    ------
    StatusError
        The PSAM refused.
    LinkLostError
        It cannot be reached.
    """
    answer: Answer = None
    try:
        while True:
            request = procedure.send(answer)
            if not isinstance(request, Command):
                raise TypeError("a PSAM has the keys itself")
            answer = Response.parse(link.transmit(request.to_bytes()))
    except StopIteration as stop:
        result: T = stop.value
        return result
