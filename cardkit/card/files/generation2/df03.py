"""DF03, social insurance 1: pension, unemployment, injury, maternity (card.md 2.5, keys 5.2)."""

from cardkit.card.files.generation2.shorthand import (
    MASTER_KEY,
    an,
    cn,
    dec,
    external,
    of_one_source,
    stk,
)
from cardkit.card.files.model import (
    DirectoryFile,
    Item,
    RecordFile,
    Vector,
    key,
    pin_and,
    pin_or,
    template,
)

_RK1 = 0x84
_RK2 = 0x85
_UK = {1: 0x86, 2: 0x87, 3: 0x88, 4: 0x89, 5: 0x8A, 6: 0x8B, 7: 0x8C, 8: 0x8D}
_READ = pin_or(_RK2)
_READ_PROTECTED = pin_and(_RK1)
_LK = 0x83


def _template_4a(n: int) -> Item:
    return template(
        0x4A, f"tag_4a_{n}", "",
        an(0x13, 0x02), an(0x14, 0x01), an(0x15, 0x14), cn(0x16, 0x04), an(0x17, 0x3C),
    )  # fmt: skip


def _template_79(n: int) -> Item:
    return template(
        0x79, f"tag_79_{n}", "",
        an(0x18, 0x03), cn(0x19, 0x03), cn(0x1A, 0x04), cn(0x1B, 0x04), dec(0x1C, 0x04),
        an(0x1D, 0x03), cn(0x1E, 0x04),
    )  # fmt: skip


EF05 = RecordFile(
    0xEF05,
    "unemployment",
    "失业保险",
    _READ_PROTECTED,
    key(_UK[1]),
    "card.md 2.5",
    items=(
        cn(0x61, 0x03),
        cn(0x98, 0x04),
        cn(0x62, 0x04),
        an(0x63, 0x03),
        an(0x64, 0x03),
        an(0x65, 0x03),
        an(0x66, 0x03),
    ),
    vectors=(Vector(4, "012", bytes.fromhex("6303303132")),),
)

EF06 = RecordFile(
    0xEF06,
    "ef06",
    "",
    _READ,
    key(_UK[2]),
    "card.md 2.5",
    items=(
        an(0x45, 0x14),
        an(0x46, 0x02),
        an(0x47, 0x02),
        an(0x48, 0x01),
        an(0x49, 0x01),
        cn(0x67, 0x04),
        an(0x6B, 0x3C),
        _template_4a(1),
        _template_4a(2),
        _template_4a(3),
    ),
    vectors=(
        Vector(4, "7", bytes.fromhex("480137")),
        Vector(
            10,
            {"tag_13": "01", "tag_14": "2", "tag_16": "20120101"},
            bytes.fromhex("4A61130230311401321514")
            + bytes(0x14)
            + bytes.fromhex("160420120101173C")
            + bytes(0x3C),
        ),
    ),
)

EF07 = RecordFile(
    0xEF07,
    "pension",
    "养老保险",
    _READ_PROTECTED,
    key(_UK[3]),
    "card.md 2.5",
    items=(
        an(0x70, 0x03),
        cn(0x71, 0x03),
        cn(0x6E, 0x04),
        cn(0x6C, 0x04),
        cn(0x6F, 0x04),
        cn(0x73, 0x04),
    ),
    vectors=(Vector(2, "201201", bytes.fromhex("7103201201")),),
)

EF15 = RecordFile(
    0xEF15,
    "ef15",
    "",
    _READ,
    key(_UK[4]),
    "card.md 2.5",
    items=(cn(0x7A, 0x03), cn(0x7B, 0x04), cn(0x7C, 0x04)),
    vectors=(Vector(1, None, bytes.fromhex("7A03FFFFFF")),),
)

EF16 = RecordFile(
    0xEF16,
    "ef16",
    "",
    _READ,
    key(_UK[5]),
    "card.md 2.5",
    items=(cn(0x51, 0x03), an(0x5F, 0x01)),
    vectors=(Vector(2, "1", bytes.fromhex("5F0131")),),
)

EF17 = RecordFile(
    0xEF17,
    "ef17",
    "",
    _READ,
    key(_UK[6]),
    "card.md 2.5",
    items=(an(0x3B, 0x14), an(0x3C, 0x46), an(0x3D, 0x01), cn(0x3E, 0x04), an(0x3F, 0x3C)),
    vectors=(Vector(4, "20120101", bytes.fromhex("3E0420120101")),),
)

EF18 = RecordFile(
    0xEF18,
    "ef18",
    "",
    _READ,
    key(_UK[7]),
    "card.md 2.5",
    items=(an(0x74, 0x03), cn(0x75, 0x03), cn(0x76, 0x01), cn(0x77, 0x04), cn(0x78, 0x04)),
    vectors=(Vector(3, "01", bytes.fromhex("760101")),),
)

EF19 = RecordFile(
    0xEF19,
    "ef19",
    "",
    _READ,
    key(_UK[8]),
    "card.md 2.5",
    items=tuple(_template_79(n) for n in (1, 2, 3, 4)),
    vectors=(
        Vector(
            1,
            {"tag_1c": 12345, "tag_1d": "A"},
            bytes.fromhex(
                "792718030000001903FFFFFF1A04FFFFFFFF1B04FFFFFFFF1C04000123451D034100001E04FFFFFFFF"
            ),
        ),
    ),
)

DF03 = DirectoryFile(
    fid=0xDF03,
    label="DF03",
    aid=bytes.fromhex("D15600000502"),
    chinese="社会保险应用一",
    clause="card.md 2.1",
    parent="SSSE",
    lock_level=_LK,
    files=(EF05, EF06, EF07, EF15, EF16, EF17, EF18, EF19),
    keys=of_one_source(
        MASTER_KEY,
        stk(0x82),
        external("LK", _LK, "应用锁定密钥"),
        external("RK1", _RK1),
        external("RK2", _RK2),
        *(external(f"UK{n}", kid) for n, kid in _UK.items()),
    ),
)
