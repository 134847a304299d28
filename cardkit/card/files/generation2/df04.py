"""DF04, social insurance 2: medical insurance and its account (card.md 2.5, keys 5.2)."""

from cardkit.card.files.generation2.shorthand import (
    MASTER_KEY,
    an,
    b,
    cn,
    dec,
    external,
    hexa,
    of_one_source,
    stk,
)
from cardkit.card.files.model import (
    NEVER,
    PIN,
    CyclicFile,
    DirectoryFile,
    InternalFile,
    RecordFile,
    Vector,
    key,
    pin_and,
    pin_or,
)

_RK1 = 0x84
_UK1 = 0x85
_UK2 = 0x86
_LK = 0x83

EF05 = RecordFile(
    0xEF05,
    "medical",
    "医疗保险",
    pin_or(_RK1),
    key(_UK1),
    "card.md 2.5",
    items=(
        an(0x81, 0x08),
        cn(0x84, 0x03),
        an(0x87, 0x11),
        cn(0x8C, 0x01),
        cn(0x80, 0x04),
        an(0x8B, 0x1D),
        an(0x8A, 0x0F),
        *(an(tag, 0x09) for tag in (0x83, 0x86, 0x89, 0x7D, 0x7E, 0x7F, 0x8D, 0x8E)),
        an(0x8F, 0x01),
    ),
    vectors=(
        Vector(1, "63990001", bytes.fromhex("81083633393930303031")),
        Vector(15, "X00000019", bytes.fromhex("8E09583030303030303139")),
    ),
)

EF06 = RecordFile(
    0xEF06,
    "offline_settlement",
    "脱网结算",
    pin_and(_RK1),
    key(_UK2),
    "card.md 2.5",
    items=(an(0x90, 0x01), dec(0x92, 0x04), an(0x93, 0x02)),
    vectors=(Vector(2, 100, bytes.fromhex("920400000100")),),
)

EF08 = CyclicFile(
    0xEF08,
    "transactions",
    "交易明细",
    PIN,
    NEVER,
    "card.md 2.5, written by the chip only",
    fields=(b(1, 2), an(2, 1), cn(3, 6), cn(4, 7), hexa(5, 4), hexa(6, 4), hexa(7, 4)),
    count=30,
    vectors=(
        Vector(
            1,
            {
                "tag_01": b"\x00\x07",
                "tag_02": "1",
                "tag_03": "100000000001",
                "tag_04": "20120101123000",
                "tag_05": 12345,
                "tag_06": 1,
                "tag_07": 0,
            },
            bytes.fromhex("000731100000000001201201011230000000303900000001") + b"\0\0\0\0",
        ),
    ),
)

EF15 = CyclicFile(
    0xEF15,
    "ef15",
    "",
    pin_or(_RK1),
    key(_UK2),
    "card.md 2.5",
    fields=(cn(1, 2), an(2, 1)),
    count=8,
    vectors=(Vector(1, {"tag_01": "2012", "tag_02": "1"}, bytes.fromhex("201231")),),
)

TF = InternalFile(
    0xEF81,
    "medical_account",
    "医疗账户",
    NEVER,
    NEVER,
    "card.md 2.5, purse of the chip",
    size=22,
)

DF04 = DirectoryFile(
    fid=0xDF04,
    label="DF04",
    aid=bytes.fromhex("D15600000503"),
    chinese="社会保险应用二（医疗）",
    clause="card.md 2.1",
    parent="SSSE",
    lock_level=_LK,
    files=(TF, EF05, EF06, EF08, EF15),
    keys=of_one_source(
        MASTER_KEY,
        stk(0x82),
        external("LK", _LK, "应用锁定密钥"),
        external("RK1", _RK1),
        external("UK1", _UK1),
        external("UK2", _UK2),
    ),
)
