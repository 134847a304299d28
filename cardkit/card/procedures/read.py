"""Read a whole card, as far as it opens: free data always, protected data with keys or the PIN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cardkit.apdu import Command, StatusError
from cardkit.card.card import Card
from cardkit.card.files.codings import Value
from cardkit.card.files.model import (
    Access,
    BinaryFile,
    CyclicFile,
    DirectoryFile,
    File,
    InternalFile,
    Level,
    RecordFile,
    Tree,
)
from cardkit.card.procedure import Procedure, transmit
from cardkit.card.procedures.identify import WrongCardError
from cardkit.errors import RefusedError

Content = Mapping[str, Value] | list[dict[str, Value]] | bytes

NOT_THERE = frozenset({0x6A81, 0x6A82, 0x6A83, 0x6A88})
"""Answers about a file or record that is not on the card."""

_MOST_RECORDS = 254
_BINARY_CHUNK = 0x80


@dataclass(frozen=True, slots=True)
class Means:
    """What a reader of a card has in hand.

    Parameters
    ----------
    keys : bool
        Whether the read keys of the card can be used.
    pin : str or None
        The holder's PIN.
    """

    keys: bool = False
    pin: str | None = field(default=None, repr=False)

    def reach(self, access: Access) -> bool:
        """Whether they can open a file.

        Examples
        --------
        >>> Means(keys=True).reach(Access(Level.PIN, 0x88, both=True))
        False
        """
        if access.free:
            return True
        by_pin = self.pin is not None and access.parent == Level.PIN
        by_key = self.keys and access.own not in (Level.FREE, Level.NEVER)
        return (by_pin and by_key) if access.both else (by_pin or by_key)


@dataclass(frozen=True, slots=True)
class FileContent:
    """What was found in one file.

    Parameters
    ----------
    content : mapping, list, bytes or None
        Item names and values of a record file; records of a cyclic file, newest first; bytes of a
        transparent file. None when it was not read.
    problem : str
        Why it was not read: ``closed``, ``absent``, or what the card answered.
    """

    directory: DirectoryFile
    file: File
    content: Content | None = field(default=None, repr=False)
    problem: str = ""


def read_card(
    card: Card, means: Means, *, transparent: bool = False
) -> Procedure[list[FileContent]]:
    """Read every file that ``means`` open, in the order of the tree.

    Directories of which nothing can be read are not selected. A PIN or key is presented once a
    directory, and the first refusal ends everything.

    Parameters
    ----------
    transparent : bool
        Whether transparent files (fingerprint, photo, reserve) are read too.

    Raises
    ------
    WrongCardError
        There is no social-security environment on the chip.
    WrongPinError, AuthenticationFailedError
        The PIN or a key was refused.
    """
    found: list[FileContent] = []
    for directory, file in files_of(card.tree):
        if isinstance(file, BinaryFile) and not transparent:
            continue
        found.append((yield from _read_file(card, directory, file, means)))
    return found


def files_of(tree: Tree) -> list[tuple[DirectoryFile, File]]:
    """Every file that can be read at all."""
    return [
        (directory, file)
        for directory in tree.directories
        for file in directory.files
        if not isinstance(file, InternalFile)
    ]


def _read_file(
    card: Card, directory: DirectoryFile, file: File, means: Means
) -> Procedure[FileContent]:
    if not means.reach(file.read):
        return FileContent(directory, file, problem="closed")
    if not (yield from enter(card, directory)):
        return FileContent(directory, file, problem="absent")
    yield from open_file(card, directory, file, means)
    try:
        content = yield from read_content(card, directory, file)
    except StatusError as error:
        problem = "absent" if error.sw in NOT_THERE else str(error.sw)
        return FileContent(directory, file, problem=problem)
    return FileContent(directory, file, content)


def enter(card: Card, directory: DirectoryFile) -> Procedure[bool]:
    """Select a directory; False when the card has no such.

    Raises
    ------
    WrongCardError
        It is the social-security environment that is missing.
    """
    try:
        yield from card.select(directory)
    except StatusError as error:
        if directory.label == "SSSE":
            raise no_environment(error) from None
        return False
    return True


def no_environment(error: StatusError) -> WrongCardError:
    """The error for a chip without a social-security environment."""
    return WrongCardError(
        f"no social-security environment on this chip: it answers {error.sw}",
        hint="it is blank, locked, or another kind of card",
    )


def open_file(card: Card, directory: DirectoryFile, file: File, means: Means) -> Procedure[None]:
    """Present what a file wants, unless it is open already."""
    if card.may(file.read, directory):
        return
    if means.keys:
        yield from card.open_for(file.read, directory, means.pin)
    elif means.pin is not None:
        yield from card.verify_pin(directory, means.pin)


def read_content(card: Card, directory: DirectoryFile, file: File) -> Procedure[Content]:
    """Read one file that is open already.

    Raises
    ------
    StatusError
        The card refuses: condition not met, file missing.
    """
    if isinstance(file, RecordFile):
        return (yield from _records(card, directory, file))
    if isinstance(file, CyclicFile):
        return (yield from card.read_cyclic(directory, file))
    if isinstance(file, BinaryFile):
        return (yield from card.read_binary(directory, file))
    raise TypeError(f"{file.label} cannot be read")


def _records(card: Card, directory: DirectoryFile, file: RecordFile) -> Procedure[dict[str, Value]]:
    values: dict[str, Value] = {}
    for one in card.tree.fields:
        if one.directory is not directory or one.file is not file:
            continue
        try:
            values[one.item.name] = yield from card.read(one)
        except StatusError as error:
            if error.sw not in NOT_THERE or not values:
                raise
            values[one.item.name] = None  # older cards lack some items
        except RefusedError:
            values[one.item.name] = None  # a record of another shape than the tree's
    return values


@dataclass(frozen=True, slots=True)
class RawFile:
    """The bytes of one file.

    Parameters
    ----------
    records : list of bytes
        Records in the order of their numbers; one element for a transparent file.
    problem : str
        As in `FileContent`.
    """

    directory: DirectoryFile
    file: File
    records: list[bytes] = field(default_factory=list, repr=False)
    problem: str = ""


def dump_card(card: Card, means: Means) -> Procedure[list[RawFile]]:
    """Read the bytes of every file that ``means`` open; errors as `read_card`.

    Records are read by number until there are no more, whatever the tree says about their lengths.
    """
    found = []
    for directory, file in files_of(card.tree):
        found.append((yield from _dump_file(card, directory, file, means)))
    return found


def _dump_file(
    card: Card, directory: DirectoryFile, file: File, means: Means
) -> Procedure[RawFile]:
    if not means.reach(file.read):
        return RawFile(directory, file, problem="closed")
    if not (yield from enter(card, directory)):
        return RawFile(directory, file, problem="absent")
    yield from open_file(card, directory, file, means)
    if isinstance(file, BinaryFile):
        return (yield from _dump_binary(card, directory, file))
    records: list[bytes] = []
    for number in range(1, _MOST_RECORDS + 1):
        answer = yield from transmit(Command(0x00, 0xB2, number, file.sfi << 3 | 4, le=256))
        if not answer.sw.ok:
            # The end of a file that has records is no problem; a file without any is empty.
            problem = "" if records or answer.sw == 0x6A83 else str(answer.sw)
            problem = "absent" if answer.sw == 0x6A82 and not records else problem
            return RawFile(directory, file, records, problem)
        records.append(answer.data)
    return RawFile(directory, file, records)


def _dump_binary(card: Card, directory: DirectoryFile, file: BinaryFile) -> Procedure[RawFile]:
    try:
        content = yield from card.read_binary(directory, file)
    except StatusError as error:
        problem = "absent" if error.sw in NOT_THERE else str(error.sw)
        return RawFile(directory, file, problem=problem)
    return RawFile(directory, file, [content])
