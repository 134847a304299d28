"""Passwords as Argon2id (RFC 9106) text; nothing here keeps or shows one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_SALT = 16  # bytes
_LENGTH = 32  # bytes


@dataclass(frozen=True, slots=True)
class Cost:
    """How dear a guess is; the default is the second recommendation of RFC 9106, section 4."""

    passes: int = 3
    lanes: int = 4
    kibibytes: int = 64 * 1024


def hashed(password: str, cost: Cost) -> str:
    """Argon2id of a password with a fresh salt, as PHC text."""
    return Argon2id(
        salt=os.urandom(_SALT),
        length=_LENGTH,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.kibibytes,
    ).derive_phc_encoded(password.encode())


def agrees(password: str, text: str) -> bool:
    """Whether that is the password.

    Examples
    --------
    >>> cheap = Cost(passes=1, lanes=1, kibibytes=64)
    >>> agrees("right", hashed("right", cheap)), agrees("wrong", hashed("right", cheap))
    (True, False)
    """
    try:
        Argon2id.verify_phc_encoded(password.encode(), text)
    except InvalidKey:
        return False
    return True


@cache
def nobodys(cost: Cost) -> str:
    """What an unknown login is compared with, so that it takes as long as a known one."""
    return hashed(os.urandom(_SALT).hex(), cost)
