"""DF01, common data: household, address, education, employer (card.md 2.5, keys 5.2)."""

from cardkit.card.files.generation2.shorthand import (
    MASTER_KEY,
    an,
    cn,
    external,
    of_one_source,
    stk,
)
from cardkit.card.files.model import (
    FREE,
    BinaryFile,
    DirectoryFile,
    RecordFile,
    Vector,
    key,
    pin_or,
    template,
)

_RK = 0x88
_UK = {1: 0x83, 2: 0x84, 3: 0x85, 4: 0x86, 5: 0x87, 6: 0x89}
_BINARY_UPDATE = {0xEF16: 0x8A, 0xEF17: 0x8B, 0xEF18: 0x8C, 0xEF19: 0x8D, 0xEF1A: 0x8E}
_READ = pin_or(_RK)

EF05 = RecordFile(
    0xEF05,
    "household",
    "户籍信息",
    _READ,
    key(_UK[1]),
    "card.md 2.5",
    items=(
        an(0x20, 0x02, "household_type", "户口性质"),
        an(0x21, 0x50, "household_address", "户口所在地地址"),
        cn(0x0E, 0x03, "household_district", "户口所在地行政区划"),
    ),
    vectors=(
        Vector(1, "10", bytes.fromhex("20023130")),
        Vector(3, "639900", bytes.fromhex("0E03639900")),
    ),
)

EF06 = RecordFile(
    0xEF06,
    "residence",
    "常住地与通讯",
    _READ,
    key(_UK[4]),
    "card.md 2.5",
    items=(
        an(0x23, 0x50, "residence_address", "常住地地址"),
        cn(0x24, 0x03, "residence_district", "常住地行政区划"),
        an(0x28, 0x0F, "phone", "联系电话"),
        an(0x2C, 0x32),
        an(0x2D, 0x0F),
    ),
    vectors=(
        Vector(2, None, bytes.fromhex("2403FFFFFF")),
        Vector(3, "01012345678", bytes.fromhex("280F303130313233343536373800000000")),
    ),
)

EF07 = RecordFile(
    0xEF07,
    "ef07",
    "",
    _READ,
    key(_UK[2]),
    "card.md 2.5",
    items=(an(0x29, 0x01),),
    vectors=(Vector(1, "1", bytes.fromhex("290131")),),
)

EF08 = RecordFile(
    0xEF08,
    "marriage",
    "婚姻状况",
    _READ,
    key(_UK[3]),
    "card.md 2.5",
    items=(an(0x2B, 0x01, "marital_status", "婚姻状况"),),
    vectors=(Vector(1, "2", bytes.fromhex("2B0132")),),
)

EF09 = RecordFile(
    0xEF09,
    "employer",
    "单位信息",
    _READ,
    key(_UK[2]),
    "card.md 2.5",
    items=(
        an(0x2E, 0x46, "employer_name", "单位名称"),
        an(0x30, 0x09, "employer_code", "组织机构代码"),
        an(0x32, 0x02),
    ),
    vectors=(Vector(2, "X00000019", bytes.fromhex("3009583030303030303139")),),
)

EF0A = RecordFile(
    0xEF0A,
    "ef0a",
    "",
    _READ,
    key(_UK[5]),
    "card.md 2.5",
    items=(an(0x37, 0x03), an(0x38, 0x02), cn(0x39, 0x04)),
    vectors=(Vector(3, "20120101", bytes.fromhex("390420120101")),),
)


EF15 = RecordFile(
    0xEF15,
    "schooling",
    "学历信息",
    _READ,
    key(_UK[6]),
    "card.md 2.5",
    items=(
        cn(0x2A, 0x01),
        *(
            template(
                0x40, f"schooling_{n}", f"学历{n}", an(0x57, 0x03), cn(0x58, 0x03), an(0x59, 0x28)
            )
            for n in (1, 2, 3)
        ),
    ),
    vectors=(
        Vector(1, "01", bytes.fromhex("2A0101")),
        Vector(
            2,
            {"tag_57": "123", "tag_58": "201207", "tag_59": "A"},
            bytes.fromhex("403457033132335803201207592841") + bytes(39),
        ),
    ),
)


def _binary(fid: int) -> BinaryFile:
    return BinaryFile(
        fid,
        f"binary_{fid & 0xFF:02x}",
        "预留透明文件",
        FREE,
        key(_BINARY_UPDATE[fid]),
        "card.md 2.5",
        size=0x128,
        vectors=(Vector(1, b"\x05", b"\x05" + bytes(0x127)),),
    )


DF01 = DirectoryFile(
    fid=0xDF01,
    label="DF01",
    aid=bytes.fromhex("D15600000500"),
    chinese="公共信息应用",
    clause="card.md 2.1",
    parent="SSSE",
    files=(EF05, EF06, EF07, EF08, EF09, EF0A, EF15, *(_binary(fid) for fid in _BINARY_UPDATE)),
    keys=of_one_source(
        MASTER_KEY,
        stk(0x82),
        *(external(f"UK{n}", _UK[n]) for n in (1, 2, 3, 4, 5)),
        external("RK", _RK),
        external("UK6", _UK[6]),
        *(external(f"UK{n:X}", kid) for n, kid in enumerate(_BINARY_UPDATE.values(), start=7)),
    ),
)
