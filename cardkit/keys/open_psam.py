"""The PSAM that a profile describes, as a key store."""

from __future__ import annotations

from cardkit.card.psam import KeyMap, PsamLevel, environment_for
from cardkit.crypto.algorithm import Algorithm
from cardkit.errors import UsageError
from cardkit.keys.psam import Connect, PsamStore, Wait
from cardkit.profile import Profile

WINDOW_KEYS = ("SSSE.IRK", "SSSE.UKSSSE")
"""What a window needs of a PSAM: the card proves itself, the environment is written."""


def key_map(profile: Profile, level: str = "") -> KeyMap:
    """The key map of section ``[psam]``.

    Parameters
    ----------
    level : str
        ``province`` or ``city`` instead of the profile's.

    Raises
    ------
    UsageError
        A line of ``psam.keys`` says no place of a key.
    """
    section = profile.psam
    return KeyMap(level=PsamLevel(level or section.level), corrections=section.keys)


def open_psam(profile: Profile, connect: Connect, *, wait: Wait | None = None) -> PsamStore:
    """A store on the PSAM behind ``connect``, in the environment of the profile's cards.

    Raises
    ------
    UsageError
        The profile names an algorithm, or a place of a key, that does not exist.
    """
    try:
        algorithm = Algorithm.of_card(profile.card.algorithm)
    except ValueError as error:
        raise UsageError(f"profile {profile.name}: {error}", hint="see card.algorithm") from None
    environment = environment_for(algorithm)
    return PsamStore(connect, key_map(profile), environment, test=profile.test, wait=wait)
