"""The commands of the PSAM: each takes chip, session and request and returns the answer's data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cardkit.crypto import des, sm4
from cardkit.crypto.diversify import diversify, diversify_sm4
from cardkit.crypto.mac import retail_mac
from cardkit.crypto.padding import method2, method2_if_needed
from cardkit.virtual.card import status
from cardkit.virtual.card.status import Refusal, require
from cardkit.virtual.card.tpdu import Request
from cardkit.virtual.psam.chip import (
    KEY_LENGTH,
    LOAD_TRIES,
    RECORD_SIZE,
    Chip,
    Place,
    StoredKey,
)
from cardkit.virtual.psam.session import ProcessKey, Session

MF_NAME = b"1PAY.SYS.DDF01"
APPLICATION = bytes.fromhex("D15600000590")
MF, DDF, ADF, SERIAL_EF, TERMINAL_EF = 0x3F00, 0xDDF1, 0xDF01, 0x0015, 0x0016

_FACTOR = 8
_MOST_LEVELS = 3
_WORKING = range(3, 9)  # types that may be diversified for a card
_MAC_ONLY, _ENCRYPT_ONLY = 6, 7
_MAC_LENGTH = 4
_IS_MAC, _MORE, _FIRST = 0x01, 0x02, 0x04
_MODES = (0x00, 0x01, 0x03, 0x05, 0x07)


@dataclass(slots=True)
class Context:
    """One command in progress."""

    chip: Chip
    session: Session
    request: Request
    random: Callable[[int], bytes]


# --- SELECT and READ BINARY ----------------------------------------------------------------------


def select(context: Context) -> bytes:
    """``00A4``: by name (P1 04) or by file identifier (P1 00 or 02)."""
    request, session = context.request, context.session
    require(request.p2 == 0 and request.p1 in (0x00, 0x02, 0x04), status.WRONG_P1P2)
    require(request.data, status.WRONG_LENGTH)
    if request.p1 == 0x04:
        return _select_name(session, request.data)
    require(len(request.data) == 2, status.WRONG_LENGTH)
    return _select_fid(session, int.from_bytes(request.data))


def _select_name(session: Session, name: bytes) -> bytes:
    for place in Place:
        if name == place.value or (name == MF_NAME and place is Place.DES):
            session.enter(place, application=False)
            return _fci(name)
    require(name == APPLICATION, status.FILE_NOT_FOUND)
    session.enter(session.place, application=True)
    return _fci(name)


def _select_fid(session: Session, fid: int) -> bytes:
    if fid == MF:
        session.enter(Place.DES, application=False)
        return _fci(MF_NAME)
    if fid == ADF:
        session.enter(session.place, application=True)
        return _fci(APPLICATION)
    in_mf = session.place is Place.DES and not session.in_application
    require(in_mf and fid in (SERIAL_EF, TERMINAL_EF), status.FILE_NOT_FOUND)
    session.file = fid
    session.process_key = None
    return b""


def _fci(name: bytes) -> bytes:
    inner = b"\x84" + bytes((len(name),)) + name
    return b"\x6f" + bytes((len(inner),)) + inner


def read_binary(context: Context) -> bytes:
    """``00B0``: EF15 (serial) and EF16 (terminal number), in the MF only."""
    request, session = context.request, context.session
    require(session.place is Place.DES and not session.in_application, status.FILE_NOT_FOUND)
    if request.p1 & 0x80:
        session.file, offset = request.p1 & 0x1F, request.p2
    else:
        offset = request.p1p2
    contents = {SERIAL_EF: context.chip.serial, TERMINAL_EF: context.chip.terminal}
    if session.file is None:
        raise Refusal(status.NO_CURRENT_FILE)
    require(session.file in contents, status.FILE_NOT_FOUND)
    content = contents[session.file]
    require(offset < len(content), status.WRONG_OFFSET)
    return content[offset : offset + request.expected]


def get_challenge(context: Context) -> bytes:
    """``0084 0000 04|08``: good for one WRITE KEY."""
    require(context.request.p1p2 == 0, status.WRONG_P1P2)
    require(context.request.p3 in (4, 8), status.WRONG_LE | 8)
    context.session.challenge = context.random(context.request.p3)
    return context.session.challenge


# --- BFDE and 80FA -------------------------------------------------------------------------------


def derive(context: Context) -> bytes:
    """``BFDE usage id``: card ‖ city ‖ province ‖ process factor → process key, kept inside."""
    chip, session, request = context.chip, context.session, context.request
    session.process_key = None
    require(session.in_application, status.CONDITIONS_NOT_SATISFIED)
    require(session.place is not Place.SSF33, status.NOT_SUPPORTED)
    key = _key(chip, session.place, request.p1, request.p2)
    split = _FACTOR * key.levels
    require(len(request.data) == split + session.place.block, status.WRONG_LENGTH)
    factors = [request.data[at : at + _FACTOR] for at in range(0, split, _FACTOR)]
    value = _process_key(session.place, key.value, factors[::-1], request.data[split:])
    session.process_key = ProcessKey(session.place, key.type, value)
    return b""


def _key(chip: Chip, place: Place, usage: int, number: int) -> StoredKey:
    candidates = chip.named(place, number)
    require(candidates, status.KEY_NOT_FOUND)
    found = next((key for key in candidates if key.usage == usage), None)
    if found is None or found.type not in _WORKING or not 1 <= found.levels <= _MOST_LEVELS:
        raise Refusal(status.CONDITIONS_NOT_SATISFIED)
    return found


def _process_key(place: Place, key: bytes, factors: list[bytes], factor: bytes) -> bytes:
    if place is Place.SM4:
        return sm4.encrypt_ecb(diversify_sm4(key, *factors), factor)
    return des.encrypt_ecb(diversify(key, *factors), factor)


def crypt(context: Context) -> bytes:
    """``80FA P1 00``: encrypt (00) or MAC (05, or 07 first, 03 next, 01 last) whole blocks."""
    session, request = context.session, context.request
    require(request.p1 in _MODES and request.p2 == 0, status.WRONG_P1P2)
    key = session.process_key
    if key is None:
        raise Refusal(status.CONDITIONS_NOT_SATISFIED)
    data = request.data
    require(data and len(data) % key.place.block == 0, status.WRONG_LENGTH)
    if request.p1 & _IS_MAC:
        require(key.kind != _ENCRYPT_ONLY, status.CONDITIONS_NOT_SATISFIED)
        return _mac(key, request.p1, data)
    require(key.kind != _MAC_ONLY and key.chain is None, status.CONDITIONS_NOT_SATISFIED)
    encrypt = sm4.encrypt_ecb if key.place is Place.SM4 else des.encrypt_ecb
    return encrypt(key.value, data)


def _mac(key: ProcessKey, mode: int, data: bytes) -> bytes:
    block = key.place.block
    if mode & _FIRST:
        require(len(data) > block, status.WRONG_LENGTH)
        key.chain, data = data[:block], data[block:]
    if key.chain is None:
        raise Refusal(status.CONDITIONS_NOT_SATISFIED)
    cipher = sm4.encrypt_cbc if key.place is Place.SM4 else des.encrypt_cbc
    last = cipher(key.value, key.chain, data)[-block:]
    key.chain = last if mode & _MORE else None
    return b"" if mode & _MORE else last[:_MAC_LENGTH]


# --- loading -------------------------------------------------------------------------------------


def write_key(context: Context) -> bytes:
    """``84D4 0000 1C``: usage, id, algorithm and key, under the PSAM's master key.

    6901 once the PSAM is finished. A wrong MAC spends a try (6988), after three of them nothing is
    taken any more (6983).
    """
    chip, session, request = context.chip, context.session, context.request
    require(not chip.finished, status.WRONG_LIFE_STATE)
    require(request.p1p2 == 0, status.WRONG_P1P2)
    require(len(request.data) > _MAC_LENGTH, status.WRONG_LENGTH)
    challenge, session.challenge = session.challenge, None
    if challenge is None:
        raise Refusal(status.CHALLENGE_UNUSABLE)
    require(chip.tries, status.BLOCKED)
    chip.memory.assign(chip, "tries", chip.tries - 1, 1)
    chip.memory.commit()  # spent for good, whatever happens next
    data, sent = request.data[:-_MAC_LENGTH], request.data[-_MAC_LENGTH:]
    mac = retail_mac(chip.master, method2(request.header + data), challenge.ljust(8, b"\0"))
    require(sent == mac[:_MAC_LENGTH], status.MAC_WRONG)
    chip.memory.assign(chip, "tries", LOAD_TRIES, 1)
    chip.memory.keep()
    _store(chip, session.place, _opened(chip.master, data))
    return b""


def _opened(master: bytes, data: bytes) -> bytes:
    require(len(data) % 8 == 0, status.WRONG_LENGTH)
    plain = des.decrypt_ecb(master, data)
    content = plain[1 : 1 + plain[0]]
    require(method2_if_needed(plain[:1] + content) == plain, status.WRONG_DATA)
    require(len(content) == 3 + KEY_LENGTH, status.WRONG_DATA)
    return content


def _store(chip: Chip, place: Place, content: bytes) -> None:
    usage, number, algorithm = content[:3]
    require(algorithm in place.algorithms, status.WRONG_DATA)
    key = StoredKey(place, usage, number, algorithm, content[3:])
    for at, old in enumerate(chip.keys):
        if (old.place, old.usage, old.id) == (place, usage, number):
            chip.memory.replace(chip.keys, at, key, RECORD_SIZE)
            return
    chip.memory.allocate(RECORD_SIZE)
    chip.memory.insert(chip.keys, len(chip.keys), key, RECORD_SIZE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A command: its class byte, its code, and whether the chip sends without GET RESPONSE."""

    cla: int
    run: Callable[[Context], bytes]
    sends: bool = False


COMMANDS: dict[int, Declaration] = {
    0xA4: Declaration(0x00, select),
    0xB0: Declaration(0x00, read_binary, sends=True),
    0x84: Declaration(0x00, get_challenge, sends=True),
    0xDE: Declaration(0xBF, derive),
    0xFA: Declaration(0x80, crypt),
    0xD4: Declaration(0x84, write_key),
}
CLASSES = frozenset({0x00, 0x80, 0x84, 0xBF})
