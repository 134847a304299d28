"""DF02, skills and employment (card.md 2.5, keys 5.2)."""

from cardkit.card.files.generation2.shorthand import (
    MASTER_KEY,
    an,
    cn,
    external,
    of_one_source,
    stk,
)
from cardkit.card.files.model import (
    CyclicFile,
    DirectoryFile,
    Item,
    RecordFile,
    Vector,
    key,
    pin_or,
    template,
)

_RK = 0x88
_UK = {1: 0x83, 2: 0x84, 3: 0x85, 4: 0x86, 5: 0x87, 6: 0x89}
_READ = pin_or(_RK)


def _template_43(n: int) -> Item:
    return template(
        0x43, f"tag_43_{n}", "",
        an(0x5A, 0x07), an(0x5B, 0x01), an(0x5C, 0x46), cn(0x5D, 0x04), an(0x5E, 0x10),
    )  # fmt: skip


def _template_44(n: int) -> Item:
    return template(
        0x44, f"tag_44_{n}", "",
        an(0x33, 0x03), an(0x34, 0x46), cn(0x35, 0x04), an(0x36, 0x10),
    )  # fmt: skip


def _template_99(n: int) -> Item:
    return template(0x99, f"tag_99_{n}", "", an(0x10, 0x03), cn(0x11, 0x04), cn(0x12, 0x03))


EF05 = RecordFile(
    0xEF05,
    "skills",
    "职业技能",
    _READ,
    key(_UK[1]),
    "card.md 2.5",
    items=(
        an(0x42, 0x03),
        an(0x41, 0x03),
        _template_43(1),
        _template_43(2),
        _template_44(1),
        _template_44(2),
    ),
    vectors=(
        Vector(1, "120", bytes.fromhex("4203313230")),
        Vector(
            3,
            {"tag_5a": "X", "tag_5b": "1", "tag_5c": "", "tag_5d": "20120101", "tag_5e": "9"},
            bytes.fromhex("436C5A07580000000000005B01315C46")
            + bytes(0x46)
            + bytes.fromhex("5D04201201015E1039")
            + bytes(15),
        ),
        Vector(
            5,
            {"tag_35": "20120101"},
            bytes.fromhex("446533030000003446")
            + bytes(0x46)
            + bytes.fromhex("3504201201013610")
            + bytes(16),
        ),
    ),
)

EF06 = RecordFile(
    0xEF06,
    "employment",
    "就业信息",
    _READ,
    key(_UK[2]),
    "card.md 2.5",
    items=(
        cn(0x4C, 0x04),
        an(0x4B, 0x05),
        cn(0x4D, 0x03),
        cn(0x60, 0x04),
        an(0x4F, 0x06),
        cn(0x50, 0x03),
        an(0x3A, 0x07),
    ),
    vectors=(Vector(3, "639900", bytes.fromhex("4D03639900")),),
)

EF07 = CyclicFile(
    0xEF07,
    "ef07",
    "",
    _READ,
    key(_UK[3]),
    "card.md 2.5",
    fields=(an(1, 0x07), cn(2, 0x04), cn(3, 0x04), an(4, 0x46)),
    count=4,
    vectors=(
        Vector(
            1,
            {"tag_01": "12", "tag_02": "20120101", "tag_03": "20121231", "tag_04": "A"},
            bytes.fromhex("31320000000000201201012012123141") + bytes(69),
        ),
    ),
)

EF09 = RecordFile(
    0xEF09,
    "ef09",
    "",
    _READ,
    key(_UK[4]),
    "card.md 2.5",
    items=(an(0x55, 0x10), an(0x56, 0x46), cn(0x96, 0x04), cn(0x97, 0x03)),
    vectors=(Vector(1, "A1", bytes.fromhex("55104131") + bytes(14)),),
)

EF15 = RecordFile(
    0xEF15,
    "ef15",
    "",
    _READ,
    key(_UK[5]),
    "card.md 2.5",
    items=(*(_template_99(n) for n in (1, 2, 3, 4)), cn(0x0F, 0x04), cn(0x1F, 0x03)),
    vectors=(
        Vector(
            4,
            {"tag_10": "101", "tag_11": "20120101", "tag_12": "201212"},
            bytes.fromhex("991010033130311104201201011203201212"),
        ),
        Vector(6, None, bytes.fromhex("1F03FFFFFF")),
    ),
)

EF16 = CyclicFile(
    0xEF16,
    "ef16",
    "",
    _READ,
    key(_UK[6]),
    "card.md 2.5",
    fields=(an(1, 0x03), cn(2, 0x04), cn(3, 0x04), cn(4, 0x04), cn(5, 0x03)),
    count=4,
    vectors=(
        Vector(
            1,
            {"tag_01": "123", "tag_02": "20120101", "tag_05": "639900"},
            bytes.fromhex("31323320120101FFFFFFFFFFFFFFFF639900"),
        ),
    ),
)

DF02 = DirectoryFile(
    fid=0xDF02,
    label="DF02",
    aid=bytes.fromhex("D15600000501"),
    chinese="就业失业登记应用",
    clause="card.md 2.1",
    parent="SSSE",
    files=(EF05, EF06, EF07, EF09, EF15, EF16),
    keys=of_one_source(
        MASTER_KEY,
        stk(0x82),
        *(external(f"UK{n}", _UK[n]) for n in (1, 2, 3, 4, 5)),
        external("RK", _RK),
        external("UK6", _UK[6]),
    ),
)
