"""What the master keys that cards ask for are called."""

from __future__ import annotations

from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import KeyType
from cardkit.keys.card_keys import UNDERIVED


def names_on_cards() -> frozenset[str]:
    """Names of the master keys that some card asks for: those of its files, and its maker's.

    Examples
    --------
    >>> "SSSE.IRK" in names_on_cards(), "SSSE.IKR" in names_on_cards()
    (True, False)
    """
    found = {
        directory.key_name(slot)
        for directory in GENERATION_2.directories
        for slot in directory.keys
        if slot.type is not KeyType.PIN
    }
    return UNDERIVED | found
