"""Environments of a PSAM 安全存取模块: one an algorithm, with names and lengths of its own."""

from __future__ import annotations

from dataclasses import dataclass

from cardkit.apdu import Command
from cardkit.crypto.algorithm import Algorithm

FACTOR_LENGTH = 8
_ADF = bytes.fromhex("D15600000590")
_SOCIAL_SECURITY = bytes.fromhex("C9E7BBE1B1A3D5CF")  # 社会保障 in GBK
_ADF_FID = bytes.fromhex("DF01")


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment.

    Parameters
    ----------
    name : str
        For people.
    algorithm : Algorithm
        What it computes with.
    selection : tuple of Command
        SELECT commands that lead into its application, in their order.
    block : int
        Block of its cipher, in bytes: length of the process factor and unit of all data.
    """

    name: str
    algorithm: Algorithm
    selection: tuple[Command, ...]
    block: int

    def __str__(self) -> str:
        return self.name

    def filled(self, value: bytes) -> bytes:
        """8 bytes as a block: 00 on the right where the cipher wants 16 (card.md 5.3).

        Examples
        --------
        >>> SM4.filled(b"12345678").hex()
        '31323334353637380000000000000000'
        """
        if len(value) != FACTOR_LENGTH:
            raise ValueError(f"a factor, challenge or source has {FACTOR_LENGTH} bytes")
        return value.ljust(self.block, b"\0")


def _by_name(name: bytes) -> Command:
    return Command(0x00, 0xA4, 0x04, 0x00, name, le=256)


def _environment(name: str, algorithm: Algorithm, digit: bytes) -> Environment:
    """An environment with a directory ``sxN.sh.社会保障`` and the application DF01 in it."""
    directory = b"sx" + digit + b".sh." + _SOCIAL_SECURITY
    application = Command(0x00, 0xA4, 0x00, 0x00, _ADF_FID, le=256)
    return Environment(name, algorithm, (_by_name(directory), application), 16)


DES = Environment("DES", Algorithm.TDES, (_by_name(_ADF),), 8)
SSF33 = _environment("SSF33", Algorithm.SSF33, b"2")
SM4 = _environment("SM4", Algorithm.SM4, b"3")

ENVIRONMENTS = (DES, SSF33, SM4)
"""Names and identifiers from working terminals (card.md 2.1); SSF33's lengths are inferred."""


def environment_for(algorithm: Algorithm) -> Environment:
    """The environment of an algorithm.

    Examples
    --------
    >>> str(environment_for(Algorithm.SM4))
    'SM4'
    """
    return next(e for e in ENVIRONMENTS if e.algorithm is algorithm)
