"""Answer to reset, as far as this card needs it (ISO 7816-3 8.2, 8.3)."""

from __future__ import annotations

CLOCK = 3_571_200  # Hz, the usual clock of a reader: 372 periods an etu give 9,600 bit/s
DEFAULT_FI_DI = 0x11

_CLOCK_RATE = {0: 372, 1: 372, 2: 558, 3: 744, 4: 1116, 5: 1488, 6: 1860,
               9: 512, 10: 768, 11: 1024, 12: 1536, 13: 2048}  # fmt: skip
_BAUD_RATE = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 12, 9: 20}


def offered_fi_di(atr: bytes) -> int:
    """TA1 of an ATR, 11 when there is none.

    Raises
    ------
    ValueError
        The bytes are no ATR: TS, T0 and length do not agree.

    Examples
    --------
    >>> hex(offered_fi_di(bytes.fromhex("3B6D00000087BF1002864937160000ABCD")))
    '0x11'
    >>> hex(offered_fi_di(bytes.fromhex("3B7D18000087BF100286493716") + bytes(5)))
    '0x18'
    """
    if len(atr) < 2 or atr[0] not in (0x3B, 0x3F):
        raise ValueError("an answer to reset begins with 3B or 3F")
    fi_di = DEFAULT_FI_DI
    interface, historical = atr[1] >> 4, atr[1] & 0xF
    at, protocol, first = 2, 0, True
    while interface:
        if first and interface & 1:
            fi_di = atr[at] if at < len(atr) else 0
        at += (interface & 1) + (interface >> 1 & 1) + (interface >> 2 & 1)
        if not interface & 8:
            break
        if at >= len(atr):
            raise ValueError("the answer to reset is cut off")
        protocol |= atr[at] & 0xF
        interface, at, first = atr[at] >> 4, at + 1, False
    if len(atr) != at + historical + (protocol != 0):
        raise ValueError("the length of the answer to reset does not agree with its T0")
    bits_per_second(fi_di)
    return fi_di


def bits_per_second(fi_di: int) -> int:
    """Speed that a TA1 stands for, at the usual clock.

    Raises
    ------
    ValueError
        Reserved value.

    Examples
    --------
    >>> [bits_per_second(ta1) for ta1 in (0x11, 0x13, 0x18)]
    [9600, 38400, 115200]
    """
    try:
        return CLOCK * _BAUD_RATE[fi_di & 0xF] // _CLOCK_RATE[fi_di >> 4]
    except KeyError:
        raise ValueError(f"TA1 {fi_di:02X} is reserved") from None


def is_atr(atr: bytes) -> bool:
    """Whether bytes can be an answer to reset of this card.

    Examples
    --------
    >>> is_atr(bytes.fromhex("3B6D00")), is_atr(b"")
    (False, False)
    """
    try:
        offered_fi_di(atr)
    except ValueError:
        return False
    return True
