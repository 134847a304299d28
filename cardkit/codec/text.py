"""Text of the card: GB18030 in an item of fixed length, filled on the right with 00.

Rules (card.md 2.3, reproduced in docs/roster.md): items of coding *an* hold text; the tables of
Python's ``gb18030`` codec decide which bytes a character has. Cards and readers in the field
expect at most two bytes a character, so a character of four bytes is refused unless the profile
allows it. 䶮 has two bytes (FE9F) and is carried, 㐂 has four. Characters that cannot be shown
(controls, formats, private use, surrogates) are never carried.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass

NAME_BYTES = 30
"""Bytes of the item *name* (SSSE EF06 tag 09)."""

NAME_EXTENSION_BYTES = 20
"""Bytes of the item *name extension* (SSSE EF06 tag 4E)."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class TextRules:
    """What a place lets its cards carry.

    Parameters
    ----------
    four_bytes : bool
        Whether characters with four bytes in GB18030 may be written.
    """

    four_bytes: bool = False


STRICT = TextRules()
"""One and two bytes only: the rule where a profile says nothing."""

FOUR_BYTES = TextRules(four_bytes=True)
"""Everything GB18030 can write and a person can read."""


class TextError(ValueError):
    """Text the card cannot carry.

    The message names code points and byte counts, never the text.

    Parameters
    ----------
    code : str
        ``character`` or ``too_long``.
    character : str
        The first character that cannot be carried, for ``character``.
    needed, available : int
        Bytes, for ``too_long``.
    """

    def __init__(
        self, code: str, message: str, *, character: str = "", needed: int = 0, available: int = 0
    ) -> None:
        super().__init__(message)
        self.code = code
        self.character = character
        self.needed = needed
        self.available = available


@functools.cache
def width(character: str) -> int:
    r"""Bytes one character takes in GB18030; 0 for one that no card carries.

    Examples
    --------
    >>> [width(c) for c in "A龙䶮㐂"], width("\n"), width("\ue000")
    ([1, 2, 2, 4], 0, 0)
    """
    if unicodedata.category(character) in _INVISIBLE or ord(character) & 0xFFFE == 0xFFFE:
        return 0
    if character == "\ufffd":  # stands for something that was lost
        return 0
    return len(character.encode("gb18030"))


def check_text(text: str, rules: TextRules = STRICT) -> int:
    """Bytes the text takes.

    Raises
    ------
    TextError
        A character cannot be carried.

    Examples
    --------
    >>> check_text("买买提·艾力")
    12
    >>> check_text("㐂")
    Traceback (most recent call last):
    ...
    cardkit.codec.text.TextError: character U+3402 cannot be carried
    """
    total = 0
    widest = 4 if rules.four_bytes else 2
    for character in text:
        size = width(character)
        if not 0 < size <= widest:
            message = f"character U+{ord(character):04X} cannot be carried"
            raise TextError("character", message, character=character)
        total += size
    return total


def encode_text(text: str, length: int, rules: TextRules = STRICT) -> bytes:
    """Value of an *an* item: GB18030, filled on the right with 00.

    Parameters
    ----------
    text : str
        What to write.
    length : int
        Bytes of the item.

    Raises
    ------
    TextError
        The text is too long, or has a character that cannot be carried.

    Examples
    --------
    >>> encode_text("张三", 6).hex()
    'd5c5c8fd0000'
    """
    needed = check_text(text, rules)
    if needed > length:
        raise _too_long(needed, length)
    return text.encode("gb18030").ljust(length, b"\x00")


def decode_text(data: bytes) -> str:
    """Text of an *an* item.

    Filling is dropped: 00, and FF, which one issuing tool writes into the name extension and which
    no GB18030 character contains at its end. Bytes that are no text (a name cut in the middle of a
    character by another tool) come back as U+FFFD, so that a card can always be shown.

    Examples
    --------
    >>> decode_text(bytes.fromhex("FE9FC8FD0000"))
    '䶮三'
    """
    return data.rstrip(b"\x00\xff").decode("gb18030", "replace")


def split_name(name: str, rules: TextRules = STRICT) -> tuple[str, str]:
    """Divide a name over the item *name* (30 bytes) and the *name extension* (20 bytes).

    The cut is between two characters, so the first part may have 29 bytes; then a name of 50 bytes
    does not fit although 30 + 20 = 50.

    Returns
    -------
    tuple of str
        What goes into each item; the second is empty for a name of up to 30 bytes.

    Raises
    ------
    TextError
        Too long, or a character that cannot be carried.

    Examples
    --------
    >>> split_name("阿卜杜热合曼江·阿卜杜克热木·吐尔逊")
    ('阿卜杜热合曼江·阿卜杜克热木·', '吐尔逊')
    """
    needed = check_text(name, rules)
    if needed <= NAME_BYTES:
        return name, ""
    first = _fitting(name, NAME_BYTES)
    rest = name[first:]
    if check_text(rest, rules) > NAME_EXTENSION_BYTES:
        raise _too_long(needed, NAME_BYTES + NAME_EXTENSION_BYTES)
    return name[:first], rest


def join_name(first: bytes, extension: bytes) -> str:
    """Name from the two items as a card holds them.

    The bytes are joined before they are decoded: other tools cut names in the middle of a
    character.

    Examples
    --------
    >>> join_name("买买提".encode("gb18030")[:5], "提".encode("gb18030")[1:] + bytes(18))
    '买买提'
    """
    return decode_text(first.rstrip(b"\x00") + extension)


def _fitting(text: str, length: int) -> int:
    # How many characters from the left fit into ``length`` bytes.
    for count, character in enumerate(text):
        length -= width(character)
        if length < 0:
            return count
    return len(text)


def _too_long(needed: int, available: int) -> TextError:
    message = f"text of {needed} bytes does not fit into {available}"
    return TextError("too_long", message, needed=needed, available=available)
