"""Write the photo of the holder into its transparent file, and read it back (card.md 2.4, EF08)."""

from __future__ import annotations

from cardkit.apdu import StatusError
from cardkit.card.card import Card
from cardkit.card.files.model import BinaryFile
from cardkit.card.procedure import Procedure
from cardkit.card.procedures.check import DifferentDataError

PHOTO = ("SSSE", "EF08")
_NO_FILE = frozenset({0x6A82, 0x6A83})


def write_photo(card: Card, photo: bytes) -> Procedure[bool]:
    """Write a JPEG, fill the file with 00, and compare what is read back.

    Parameters
    ----------
    photo : bytes
        At most the size of the file, 4,096 bytes.

    Returns
    -------
    bool
        False when the card has no such file: older cards carry no photo.

    Raises
    ------
    ValueError
        The photo is longer than the file, or the tree of this generation has none.
    DifferentDataError
        Something else was read back.
    """
    directory = card.tree.directory(PHOTO[0])
    file = next((f for f in directory.files if f.label == PHOTO[1]), None)
    if not isinstance(file, BinaryFile) or len(photo) > file.size:
        raise ValueError("the photo does not fit the card's photo file")
    content = photo.ljust(file.size, b"\0")
    yield from card.open_for(file.update, directory)
    try:
        yield from card.update_binary(directory, file, content)
    except StatusError as error:
        if error.sw in _NO_FILE:
            return False
        raise
    yield from card.open_for(file.read, directory)
    if (yield from card.read_binary(directory, file)) != content:
        raise DifferentDataError([".".join(PHOTO)])
    return True
