"""Key blocks of TR-31 (ANSI X9.143), versions A to D, through the package psec.

A, B and C protect with 3DES (A and C by variants of the key, B by derived keys), D with AES. TR-31
has no code for SM4, neither as the protecting nor as the protected algorithm.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from cryptography.utils import CryptographyDeprecationWarning


class KeyBlockError(ValueError):
    """Not a key block, of another protection key, or changed on the way."""

    def __init__(self) -> None:
        # What psec says may quote the block.
        super().__init__("the key block does not fit the protection key")


@dataclass(frozen=True, slots=True)
class Header:
    """What a key block says of its key, bound to it by the MAC.

    Parameters
    ----------
    version : str
        A, B, C or D.
    usage : str
        2 characters, e.g. ``E0`` EMV master key for cryptograms, ``K0`` key encryption, ``P0`` PIN.
    algorithm : str
        ``T`` 3DES, ``A`` AES, ``D`` DES.
    mode : str
        E.g. ``X`` derive, ``E`` encrypt, ``N`` no restriction.
    key_version : str
        2 characters, ``00`` when versions are not used.
    exportability : str
        ``E`` under trusted keys, ``N`` not, ``S`` sensitive.
    """

    version: str
    usage: str
    algorithm: str
    mode: str
    key_version: str
    exportability: str


def wrap(protection_key: bytes, header: Header, key: bytes) -> str:
    """Key block of a key; its length is hidden by random fill.

    Parameters
    ----------
    protection_key : bytes
        KBPK: 16 or 24 bytes for A to C, 16, 24 or 32 for D.

    Examples
    --------
    >>> header = Header("B", "E0", "T", "X", "01", "N")
    >>> block = wrap(bytes(range(16)), header, bytes(16))
    >>> block[:16], unwrap(bytes(range(16)), block) == (header, bytes(16))
    ('B0096E0TX01N0000', True)
    """
    with _psec() as tr31:
        made = tr31.Header(
            header.version, header.usage, header.algorithm, header.mode,
            header.key_version, header.exportability,
        )  # fmt: skip
        return str(tr31.KeyBlock(protection_key, made).wrap(key))


def unwrap(protection_key: bytes, block: str) -> tuple[Header, bytes]:
    """What a key block says of its key, and the key.

    Raises
    ------
    KeyBlockError
    """
    with _psec() as tr31:
        made = tr31.Header()
        length = made.load(block)
        if block[length:] != block[length:].upper():
            raise ValueError("hexadecimal digits of a key block are capitals")
        key = tr31.KeyBlock(protection_key).unwrap(block)
    header = Header(
        made.version_id, made.key_usage, made.algorithm, made.mode_of_use,
        made.version_num, made.exportability,
    )  # fmt: skip
    return header, key


@contextmanager
def _psec() -> Iterator[ModuleType]:
    # The only import of psec: late, and quiet, since it takes 3DES by a name that warns.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        from psec import tr31  # noqa: PLC0415

        try:
            yield tr31
        except (ValueError, IndexError):
            raise KeyBlockError from None
