"""From a blank T514 chip to a card with structure, keys and data.

One road, in the order of the production tool: transport key, serial and ATR, MF, SSSE, DF01-DF04,
then the end of pre-issue everywhere. The intent is on record before the serial is set and a
milestone after every directory file, so that a chip that lost its power can be taken up again: a
directory file that was not finished is deleted and made anew, what was finished is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cardkit.apdu import Command, StatusError
from cardkit.card.card import AuthenticationFailedError, Card, pin_bytes
from cardkit.card.dialects.t514 import commands as t514
from cardkit.card.files.codings import Value
from cardkit.card.files.model import (
    BinaryFile,
    DirectoryFile,
    InternalFile,
    KeySlot,
    KeyType,
    RecordFile,
)
from cardkit.card.key_request import External, KeyUse, Seal, WriteKey
from cardkit.card.messaging import USUAL, Messaging
from cardkit.card.procedure import Procedure, ask, command, milestone, transmit

TRANSPORT_KEY = "T514.TRANSPORT"
_ABSENT = frozenset({0x6A82, 0x6A81, 0x6A88})
_ENDED = frozenset({0x6985, 0x6901})


@dataclass(frozen=True, slots=True)
class ChipPlan:
    """What a blank chip becomes.

    Parameters
    ----------
    serial : bytes
        Last 6 ATR bytes it gets: city (2, BCD) and serial (4).
    atr_head : bytes
        First 11 ATR bytes it gets.
    values : mapping
        Address → value; everything else is created unfilled.
    pin : str
        Initial PIN.
    puk_level : int
        Level that opens the reset of the PIN.
    done : frozenset of str
        Directory files on record as finished.
    begun : bool
        Whether this chip was worked on before and may hold an unfinished directory file.
    messaging : Messaging
        How the chip wants WRITE KEY protected: its vector and the form of its MAC.
    """

    serial: bytes
    atr_head: bytes
    values: Mapping[str, Value] = field(repr=False)
    pin: str = field(repr=False)
    puk_level: int = 0x06
    done: frozenset[str] = frozenset()
    begun: bool = False
    messaging: Messaging = USUAL

    @property
    def atr(self) -> bytes:
        """The ATR after the next reset."""
        return self.atr_head + self.serial


def open_chip(factory_serial: bytes) -> Procedure[bool]:
    """Present the transport key; writes nothing.

    Parameters
    ----------
    factory_serial : bytes
        Last 6 ATR bytes the chip came with; its transport key belongs to them for ever.

    Returns
    -------
    bool
        False when the chip is past its pre-issue phase already.

    Raises
    ------
    AuthenticationFailedError
        The chip refuses the key; it is not tried again, three tries kill the chip.
    """
    proof = yield from ask(External(TRANSPORT_KEY, b"", bytes(2) + factory_serial, KeyUse.DIRECT))
    answer = yield from transmit(t514.verify_transport_key(proof))
    if not answer.sw.ok and answer.sw not in _ENDED:
        raise AuthenticationFailedError(
            f"the chip refuses the transport key, {answer.sw}",
            hint="nothing was written; ask the supplier of these chips for their transport key",
            zh="芯片拒绝传输密钥，未写入任何数据：请向供货商核对传输密钥",
        )
    return answer.sw.ok


def initialise(card: Card, plan: ChipPlan) -> Procedure[None]:
    """Make the chip that `open_chip` opened; its new ATR shows after the next reset.

    Raises
    ------
    StatusError
        The chip refused a step.
    """
    undone = [d for d in card.tree.directories if d.label not in plan.done]
    if not plan.done:
        yield from _number(plan)
    if undone and plan.begun:
        yield from _clear(card, undone[0])
    for directory in undone:
        yield from _make(card, directory, plan)
        yield from milestone(directory.label)
    yield from _end(card)


def _number(plan: ChipPlan) -> Procedure[None]:
    yield from command(t514.set_serial(plan.serial), what="set serial")
    yield from command(t514.set_atr_head(plan.atr_head), what="set ATR")


def _make(card: Card, directory: DirectoryFile, plan: ChipPlan) -> Procedure[None]:
    """One directory file with everything in it, and the empty directory files below it."""
    children = card.tree.children(directory)
    if directory.parent is None:
        yield from _create(card, directory)
        card.entered(directory)  # the MF is current once it exists
    yield from card.select(directory)
    yield from _load_keys(card, directory, plan)
    fci = t514.fci_record(directory, ddf=bool(children))
    entries = [t514.dir_record(child) for child in children]
    yield from command(t514.create_fci_file(fci), what="CREATE FCI", file=directory.label)
    if entries:
        yield from command(t514.create_dir_file(entries), what="CREATE DIR", file=directory.label)
    yield from card.external_authenticate(directory, directory.key("MK"))
    yield from command(t514.write_fci(fci), what="write FCI", file=directory.label)
    for number, entry in enumerate(entries, start=1):
        yield from command(t514.write_dir(number, entry), what="write DIR", file=directory.label)
    yield from _make_files(card, directory, plan)
    for child in children:
        yield from _create(card, child)


def _create(card: Card, directory: DirectoryFile) -> Procedure[None]:
    create = t514.create_directory(directory, ddf=bool(card.tree.children(directory)))
    yield from command(create, what=f"CREATE {directory.label}")


def _clear(card: Card, directory: DirectoryFile) -> Procedure[None]:
    """Delete what there is of a directory file; one below another is there again, empty."""
    above = card.tree.parent(directory)
    if above is not None:
        yield from card.select(above)
        yield from card.external_authenticate(above, above.key("MK"))
    delete = t514.delete_directory(directory)
    answer = yield from transmit(delete)
    if not answer.sw.ok and answer.sw not in _ABSENT:
        raise StatusError(answer.sw, delete, what=f"DELETE {directory.label}")
    if above is not None:
        yield from _create(card, directory)


def _load_keys(card: Card, directory: DirectoryFile, plan: ChipPlan) -> Procedure[None]:
    """Key file and keys: the master key first and plain, the PIN last."""
    yield from command(t514.create_key_file(directory), what="CREATE SF", file=directory.label)
    for slot in sorted(directory.keys, key=_loading_order):
        data = yield from _key_data(card, directory, slot, plan)
        header = _write_key_header(slot)
        yield from command(
            Command(header[0], header[1], header[2], header[3], data),
            what=f"WRITE KEY {slot.name}",
            file=directory.label,
        )


def _loading_order(slot: KeySlot) -> int:
    return {KeyType.MASTER: 0, KeyType.PIN: 2}.get(slot.type, 1)


def _write_key_header(slot: KeySlot) -> bytes:
    master = slot.type is KeyType.MASTER
    return t514.write_key_header(master=master, sealed=not master)


def _key_data(
    card: Card, directory: DirectoryFile, slot: KeySlot, plan: ChipPlan
) -> Procedure[bytes]:
    header = _write_key_header(slot)
    digits = pin_bytes(plan.pin)
    length = len(digits) if slot.type is KeyType.PIN else t514.KEY_LENGTH
    key_header = t514.key_header(
        slot, card.algorithm, puk_level=plan.puk_level, length=length, version=card.key_version
    )
    name, under = directory.key_name(slot), f"{directory.label}.MK"
    if slot.type is KeyType.MASTER:
        return (yield from ask(WriteKey(None, header, name, key_header)))
    rules = plan.messaging
    get = Command(0x00, 0x84, 0x00, 0x00, le=rules.challenge)
    vector = rules.vector((yield from command(get, what="GET CHALLENGE")))
    sealed_header = bytes((t514.KEY_RECORD,)) + key_header
    sealing = rules.sealing(card.algorithm, encrypt=True, key_use=KeyUse.DIRECT)
    if slot.type is KeyType.PIN:
        pin = digits.ljust(t514.KEY_LENGTH, b"\xff")
        return (yield from ask(Seal(under, header, sealed_header + pin, vector, sealing)))
    return (yield from ask(WriteKey(under, header, name, sealed_header, vector, sealing)))


def _make_files(card: Card, directory: DirectoryFile, plan: ChipPlan) -> Procedure[None]:
    """Create every file and every record in it, with its final value where that is known."""
    for file in sorted(directory.files, key=lambda f: not isinstance(f, InternalFile)):
        label = f"{directory.label} {file.label}"
        yield from command(t514.create_file(file), what="CREATE", file=label)
        if isinstance(file, BinaryFile):
            content = plan.values.get(f"{directory.label}.{file.label}")
            if isinstance(content, bytes):
                yield from card.update_binary(directory, file, content)
    for record in card.tree.fields:
        if record.directory is directory and isinstance(record.file, RecordFile):
            yield from card.update(record, plan.values.get(record.address), by_number=True)


def _end(card: Card) -> Procedure[None]:
    """End of pre-issue everywhere, from the applications up to the MF."""
    for directory in reversed(card.tree.directories):
        yield from card.select(directory)
        answer = yield from transmit(t514.end_of_pre_issue())
        if not answer.sw.ok and answer.sw not in _ENDED:
            raise StatusError(
                answer.sw, t514.end_of_pre_issue(), what="end of pre-issue", file=directory.label
            )
