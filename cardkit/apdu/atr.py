"""Answer to reset: which protocols and what speed a chip offers (ISO 7816-3 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# ISO 7816-3 table 7 and 8: TA1 is an index to clock rate conversion and to baud rate adjustment.
_CONVERSION: Final = {
    0: 372, 1: 372, 2: 558, 3: 744, 4: 1116, 5: 1488, 6: 1860, 9: 512, 10: 768, 11: 1024,
    12: 1536, 13: 2048,
}  # fmt: skip
_ADJUSTMENT: Final = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 12, 9: 20}
_DEFAULT_RATE: Final = 0x11  # 372 clocks a bit

READER_CLOCK: Final = 3_571_200
"""Hz: the clock at which 372 clocks a bit are 9,600 bit/s."""


@dataclass(frozen=True, slots=True)
class AnswerToReset:
    """What a chip says when it gets power.

    Parameters
    ----------
    protocols : tuple of int
        Offered, in order: 0 for T=0, 1 for T=1.
    conversion, adjustment : int
        Fastest rate offered: ``conversion`` clocks carry ``adjustment`` bits.
    fixed : bool
        The rate is not negotiable (TA2 present).
    historical : bytes
        Historical bytes, on these cards chip maker, city and serial number.
    """

    protocols: tuple[int, ...]
    conversion: int
    adjustment: int
    fixed: bool
    historical: bytes

    def bits_per_second(self, clock: int = READER_CLOCK) -> int:
        """Fastest rate offered, with a reader of this clock.

        Parameters
        ----------
        clock : int
            Hz.
        """
        return clock * self.adjustment // self.conversion


def decode(atr: bytes) -> AnswerToReset:
    """Read an answer to reset.

    Raises
    ------
    ValueError
        Not an answer to reset: wrong first byte, cut off, a rate that is not defined.

    Examples
    --------
    >>> decode(bytes.fromhex("3B6D00008031806640090601") + bytes(5)).bits_per_second()
    9600
    >>> fast = decode(bytes.fromhex("3B7D18000080318066400906010000000000"))
    >>> fast.bits_per_second(), fast.protocols
    (115200, (0,))
    """
    if atr[:1] not in {b"\x3b", b"\x3f"} or len(atr) < 2:
        raise ValueError("no answer to reset")
    interface, at, protocols = _interface_bytes(atr)
    historical = atr[at : at + (atr[1] & 0xF)]
    if len(historical) < atr[1] & 0xF:
        raise ValueError("the answer to reset is cut off")
    rate = interface.get("A1", _DEFAULT_RATE)
    if rate >> 4 not in _CONVERSION or rate & 0xF not in _ADJUSTMENT:
        raise ValueError(f"TA1 of {rate:02X} is not defined")
    return AnswerToReset(
        protocols, _CONVERSION[rate >> 4], _ADJUSTMENT[rate & 0xF], "A2" in interface, historical
    )


def _interface_bytes(atr: bytes) -> tuple[dict[str, int], int, tuple[int, ...]]:
    """Bytes TA1, TB1 ... by name, where the historical bytes begin, protocols offered."""
    found: dict[str, int] = {}
    protocols: list[int] = []
    announced, at, group = atr[1] >> 4, 2, 1
    while announced:
        for bit, name in enumerate("ABCD"):
            if announced >> bit & 1:
                if at >= len(atr):
                    raise ValueError("the answer to reset is cut off")
                found[f"{name}{group}"] = atr[at]
                at += 1
        following = found.get(f"D{group}", 0)
        if f"D{group}" in found and following & 0xF < 0xF:  # T=15 announces no protocol
            protocols.append(following & 0xF)
        announced, group = following >> 4, group + 1
    return found, at, tuple(dict.fromkeys(protocols)) or (0,)
