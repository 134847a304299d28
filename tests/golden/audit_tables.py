"""What a generation 2.0 card on a T514 chip must look like, written down for the audit.

Typed from the tables of card.md 2.4-2.6 and 5.2 and from cos.md 7.2, in their notation: what
stands here twice is meant to stand twice. Whoever typed it knew the toolkit's tables, and where
the sources are silent (order of keys and files, RK2 in DF03, size of the purse) it follows the
toolkit, so there it proves nothing. All lengths are hexadecimal; ``n *`` before a template says
how often it occurs.
"""

from __future__ import annotations

from typing import NamedTuple


class File(NamedTuple):
    """An elementary file: its records or its size, who may read it, whose key updates it."""

    fid: int
    kind: str  # variable, cyclic, transparent or purse
    content: str  # records; "count * records" for cyclic; bytes for the others
    read: str  # free, PIN, never, a KID, or PIN|KID, PIN&KID
    update: str


class Directory(NamedTuple):
    """MF, DDF or ADF. A key is ``name type KID``; keys are loaded in this order."""

    label: str
    fid: int
    name: bytes
    lock: int  # level of the lock commands: BK 05, LK 83, EF none
    keys: tuple[str, ...]
    files: tuple[File, ...] = ()
    children: tuple[str, ...] = ()


# card.md 2.4 (columns v2 of EF06), 2.6
_SSSE_FILES = (
    File(0xEF05, "variable",
         "01 b 10 · 02 an 01 · 03 an 04 · 04 cn 0C · 05 cn 04 · 06 cn 04 · 07 an 09",
         "free", "04"),
    File(0xEF06, "variable",
         "08 an 12 · 09 an 1E · 4E an 14 · 0A an 01 · 0B cn 01 · 0C cn 03 · 0D cn 04",
         "free", "04"),
    File(0xEF07, "transparent", "400", "0A", "04"),
    File(0xEF08, "transparent", "1000", "0A", "04"),
)  # fmt: skip

# card.md 2.5, v2; read keys: cos.md 7.2 (4); update keys: card.md 5.2, v2 table
_DF01_FILES = (
    File(0xEF05, "variable", "20 an 02 · 21 an 50 · 0E cn 03", "PIN|88", "83"),
    File(0xEF06, "variable", "23 an 50 · 24 cn 03 · 28 an 0F · 2C an 32 · 2D an 0F",
         "PIN|88", "86"),
    File(0xEF07, "variable", "29 an 01", "PIN|88", "84"),
    File(0xEF08, "variable", "2B an 01", "PIN|88", "85"),
    File(0xEF09, "variable", "2E an 46 · 30 an 09 · 32 an 02", "PIN|88", "84"),
    File(0xEF0A, "variable", "37 an 03 · 38 an 02 · 39 cn 04", "PIN|88", "87"),
    File(0xEF15, "variable", "2A cn 01 · 3 * 40(57 an 03, 58 cn 03, 59 an 28) 34",
         "PIN|88", "89"),
    File(0xEF16, "transparent", "128", "free", "8A"),
    File(0xEF17, "transparent", "128", "free", "8B"),
    File(0xEF18, "transparent", "128", "free", "8C"),
    File(0xEF19, "transparent", "128", "free", "8D"),
    File(0xEF1A, "transparent", "128", "free", "8E"),
)  # fmt: skip

_DF02_FILES = (
    File(0xEF05, "variable",
         "42 an 03 · 41 an 03 · 2 * 43(5A an 07, 5B an 01, 5C an 46, 5D cn 04, 5E an 10) 6C · "
         "2 * 44(33 an 03, 34 an 46, 35 cn 04, 36 an 10) 65", "PIN|88", "83"),
    File(0xEF06, "variable",
         "4C cn 04 · 4B an 05 · 4D cn 03 · 60 cn 04 · 4F an 06 · 50 cn 03 · 3A an 07",
         "PIN|88", "84"),
    File(0xEF07, "cyclic", "4 * an 07, cn 04, cn 04, an 46", "PIN|88", "85"),
    File(0xEF09, "variable", "55 an 10 · 56 an 46 · 96 cn 04 · 97 cn 03", "PIN|88", "86"),
    File(0xEF15, "variable",
         "4 * 99(10 an 03, 11 cn 04, 12 cn 03) 10 · 0F cn 04 · 1F cn 03", "PIN|88", "87"),
    File(0xEF16, "cyclic", "4 * an 03, cn 04, cn 04, cn 04, cn 03", "PIN|88", "89"),
)  # fmt: skip

# PIN and RK1 for EF05 and EF07, otherwise PIN or a read key: cos.md 7.2 (5)
_DF03_FILES = (
    File(0xEF05, "variable",
         "61 cn 03 · 98 cn 04 · 62 cn 04 · 63 an 03 · 64 an 03 · 65 an 03 · 66 an 03",
         "PIN&84", "86"),
    File(0xEF06, "variable",
         "45 an 14 · 46 an 02 · 47 an 02 · 48 an 01 · 49 an 01 · 67 cn 04 · 6B an 3C · "
         "3 * 4A(13 an 02, 14 an 01, 15 an 14, 16 cn 04, 17 an 3C) 61", "PIN|85", "87"),
    File(0xEF07, "variable",
         "70 an 03 · 71 cn 03 · 6E cn 04 · 6C cn 04 · 6F cn 04 · 73 cn 04", "PIN&84", "88"),
    File(0xEF15, "variable", "7A cn 03 · 7B cn 04 · 7C cn 04", "PIN|85", "89"),
    File(0xEF16, "variable", "51 cn 03 · 5F an 01", "PIN|85", "8A"),
    File(0xEF17, "variable", "3B an 14 · 3C an 46 · 3D an 01 · 3E cn 04 · 3F an 3C",
         "PIN|85", "8B"),
    File(0xEF18, "variable", "74 an 03 · 75 cn 03 · 76 cn 01 · 77 cn 04 · 78 cn 04",
         "PIN|85", "8C"),
    File(0xEF19, "variable",
         "4 * 79(18 an 03, 19 cn 03, 1A cn 04, 1B cn 04, 1C dec 04, 1D an 03, 1E cn 04) 27",
         "PIN|85", "8D"),
)  # fmt: skip

# The purse comes first (cos.md 7.2 "order"); 22 bytes as in cos.md 7.1, PBOC's size
_DF04_FILES = (
    File(0xEF81, "purse", "16", "never", "never"),
    File(0xEF05, "variable",
         "81 an 08 · 84 cn 03 · 87 an 11 · 8C cn 01 · 80 cn 04 · 8B an 1D · 8A an 0F · 83 an 09 · "
         "86 an 09 · 89 an 09 · 7D an 09 · 7E an 09 · 7F an 09 · 8D an 09 · 8E an 09 · 8F an 01",
         "PIN|84", "85"),
    File(0xEF06, "variable", "90 an 01 · 92 dec 04 · 93 an 02", "PIN&84", "86"),
    File(0xEF08, "cyclic", "30 * b 02, an 01, cn 06, cn 07, hex 04, hex 04, hex 04",
         "PIN", "never"),
    File(0xEF15, "cyclic", "8 * cn 02, an 01", "PIN|84", "86"),
)  # fmt: skip

# Types of cos.md 7.2: 00 MK, 01 PIN, 07 STK, 0D external authentication, 0E IRK. MK first, PIN
# last. SSSE: card.md 5.2; STK of an application 82, LK 83 in DF03 and DF04: cos.md 7.2 (4).
_UK_DF01 = ("UK1 0D 83", "UK2 0D 84", "UK3 0D 85", "UK4 0D 86", "UK5 0D 87", "RK 0D 88",
            "UK6 0D 89", "UK7 0D 8A", "UK8 0D 8B", "UK9 0D 8C", "UKA 0D 8D",
            "UKB 0D 8E")  # fmt: skip

DIRECTORIES = (
    Directory("MF", 0x3F00, b"1PAY.SYS.DDF01", 0xEF, ("MK 00 00",), (), ("SSSE",)),
    Directory(
        "SSSE", 0xDDF1, bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF"), 0x05,
        ("MK 00 00", "IRK 0E 00", "STK 07 02", "UKSSSE 0D 04", "BK 0D 05", "PUK 0D 06",
         "RKSSSE 0D 0A", "PIN 01 00"),
        _SSSE_FILES, ("DF01", "DF02", "DF03", "DF04"),
    ),
    Directory("DF01", 0xDF01, bytes.fromhex("D15600000500"), 0xEF,
              ("MK 00 00", "STK 07 82", *_UK_DF01), _DF01_FILES),
    Directory("DF02", 0xDF02, bytes.fromhex("D15600000501"), 0xEF,
              ("MK 00 00", "STK 07 82", *_UK_DF01[:7]), _DF02_FILES),
    Directory(
        "DF03", 0xDF03, bytes.fromhex("D15600000502"), 0x83,
        ("MK 00 00", "STK 07 82", "LK 0D 83", "RK1 0D 84", "RK2 0D 85", "UK1 0D 86",
         "UK2 0D 87", "UK3 0D 88", "UK4 0D 89", "UK5 0D 8A", "UK6 0D 8B", "UK7 0D 8C",
         "UK8 0D 8D"),
        _DF03_FILES,
    ),
    Directory("DF04", 0xDF04, bytes.fromhex("D15600000503"), 0x83,
              ("MK 00 00", "STK 07 82", "LK 0D 83", "RK1 0D 84", "UK1 0D 85", "UK2 0D 86"),
              _DF04_FILES),
)  # fmt: skip

PIN = "123456"
INSTITUTION = "91560000026399006399006A"  # of the test profile; shape: card.md 8

# --- the roster row of the session, as values by address ------------------------------------------

NAME = "热依汗古丽·阿卜杜外力·艾合买提江"
CITIZEN_NUMBER = "639900199002280049"
CARD_NUMBER_BODY = "G0000007"  # prefix G, seventh number
ISSUED, VALID_UNTIL = "20261121", "20361121"

FACTORY_SERIAL = bytes.fromhex("000000004711")
SERIAL = bytes.fromhex("639900B1A57C")  # city, number of the chip
ATR_HEAD = bytes.fromhex("3B6D00000087BF10028649")

SUPPLIED = {
    "DF01.EF05.20": "10",
    "DF01.EF06.28": "13999999999",
    "DF01.EF15.40.2.57": "021",
    "DF01.EF15.40.2.58": "201207",
    "DF01.EF15.40.2.59": "测试大学",
    "DF02.EF06.4C": "20150701",
    "DF02.EF15.99.4.11": "20260101",
    "DF03.EF05.61": "201201",
    "DF03.EF19.79.4.1C": "123456",
    "DF04.EF05.8C": "5",
    "DF04.EF06.92": "10000000",
}
