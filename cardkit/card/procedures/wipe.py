"""Wipe a temporary card, so that it can be lent again: nothing of a holder stays on it.

Every item that a key opens is read and, where it says something, emptied and read again; files of
bytes are filled with 00. What the factory wrote stays, and the number of the loan: it is nobody's
name, says which card this is, and gives way to that of the next loan. The PIN has to be known, as
some files open only with it. What only the chip itself writes nobody can erase: a card with such
records is refused and has to be taken out of use.
"""

from __future__ import annotations

from collections.abc import Iterator

from cardkit.apdu import StatusError
from cardkit.card.card import Card
from cardkit.card.files.model import BinaryFile, CyclicFile, DirectoryFile, Field, File
from cardkit.card.procedure import Procedure
from cardkit.card.procedures.check import DifferentDataError
from cardkit.errors import RefusedError

_STAYS = frozenset(f"SSSE.EF05.{tag:02X}" for tag in (1, 2, 3, 4, 7))
_ABSENT = frozenset({0x6A82, 0x6A83, 0x6A81})  # a chip has not every file of the specification


class NotWipedError(RefusedError):
    """The card keeps records that nobody can erase."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place} has records that only the chip writes; nobody can erase them",
            hint="take the card out of use: cardkit lifecycle temporary retire",
            zh=f"{place} 中有无法清除的记录：此卡不能再次借出，请办理临时卡停用",
        )


def wipe(card: Card, pin: str) -> Procedure[int]:
    """Empty what a holder left on the card.

    Parameters
    ----------
    pin : str
        The PIN as it is now.

    Returns
    -------
    int
        How many items and files were emptied.

    Raises
    ------
    NotWipedError
        There are records that cannot be erased; nothing was changed.
    DifferentDataError
        Something was there still after it was emptied.
    """
    for directory, file in _files(card, CyclicFile):
        if (yield from _cyclic_filled(card, directory, file, pin)):
            raise NotWipedError(f"{directory.label} {file.label}")
    emptied, left = 0, []
    for field in card.tree.fields:
        if field.inner is None and field.address not in _STAYS:
            was, stays = yield from _empty_item(card, field, pin)
            emptied += was
            left += [field.address] * stays
    for directory, file in _files(card, BinaryFile):
        was, stays = yield from _empty_file(card, directory, file)
        emptied += was
        left += [f"{directory.label}.{file.label}"] * stays
    if left:
        raise DifferentDataError(left)
    return emptied


def _files(card: Card, sort: type[File]) -> Iterator[tuple[DirectoryFile, File]]:
    for directory in card.tree.directories:
        for file in directory.files:
            if isinstance(file, sort):
                yield directory, file


def _empty_item(card: Card, field: Field, pin: str) -> Procedure[tuple[bool, bool]]:
    """Whether an item said something, and whether it still does."""
    empty = field.item.record(None)
    try:
        yield from card.open_for(field.file.read, field.directory, pin)
        if (yield from card.read_record(field)) == empty:
            return False, False
        yield from card.open_for(field.file.update, field.directory)
        yield from card.update_record(field, empty)
    except StatusError as error:
        if error.sw in _ABSENT:
            return False, False
        raise
    return True, (yield from card.read_record(field)) != empty


def _empty_file(card: Card, directory: DirectoryFile, file: File) -> Procedure[tuple[bool, bool]]:
    """The same for a file of bytes."""
    if not isinstance(file, BinaryFile):
        return False, False
    try:
        yield from card.open_for(file.read, directory)
        if not any((yield from card.read_binary(directory, file))):
            return False, False
        yield from card.open_for(file.update, directory)
        yield from card.update_binary(directory, file, bytes(file.size))
    except StatusError as error:
        if error.sw in _ABSENT:
            return False, False
        raise
    return True, any((yield from card.read_binary(directory, file)))


def _cyclic_filled(card: Card, directory: DirectoryFile, file: File, pin: str) -> Procedure[bool]:
    if not isinstance(file, CyclicFile):
        return False
    try:
        yield from card.open_for(file.read, directory, pin)
        return bool((yield from card.read_cyclic(directory, file)))
    except StatusError as error:
        if error.sw in _ABSENT:
            return False
        raise
