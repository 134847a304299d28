"""SSSE, the social-security environment: who issued the card, whose it is (card.md 2.4, 2.6)."""

import datetime as dt

from cardkit.card.files.codings import BYTES, DATE, DIGITS, TEXT
from cardkit.card.files.generation2.shorthand import MASTER_KEY, PIN_SLOT, external, stk
from cardkit.card.files.model import (
    FREE,
    BinaryFile,
    Confidence,
    DirectoryFile,
    Item,
    KeySlot,
    KeyType,
    RecordFile,
    Vector,
    key,
)

_UKSSSE = 0x04
_RKSSSE = 0x0A

EF05 = RecordFile(
    0xEF05,
    "issuer",
    "发卡机构数据",
    read=FREE,
    update=key(_UKSSSE),
    clause="card.md 2.4",
    items=(
        Item(0x01, 0x10, BYTES, "card_id_code", "卡识别码"),
        Item(0x02, 0x01, TEXT, "card_class", "卡类别"),
        Item(0x03, 0x04, TEXT, "specification_version", "规范版本"),
        Item(0x04, 0x0C, DIGITS, "initialisation_institution", "初始化机构编号"),
        Item(0x05, 0x04, DATE, "issue_date", "发卡日期"),
        Item(0x06, 0x04, DATE, "valid_until", "卡有效期"),
        Item(0x07, 0x09, TEXT, "card_number", "卡号"),
    ),
    vectors=(
        Vector(
            1,
            bytes.fromhex("110330300D15600000599110145FFFFF"),
            bytes.fromhex("0110110330300D15600000599110145FFFFF"),
        ),
        Vector(2, "3", b"\x02\x013"),
        Vector(3, "3.00", bytes.fromhex("0304332E3030")),
        Vector(4, "91560000023304003304002A", bytes.fromhex("040C91560000023304003304002A")),
        Vector(5, dt.date(2010, 10, 1), bytes.fromhex("050420101001")),
        Vector(6, None, bytes.fromhex("0604FFFFFFFF")),
        Vector(7, "X00000019", bytes.fromhex("0709583030303030303139")),
    ),
)

EF06 = RecordFile(
    0xEF06,
    "holder",
    "持卡人基本信息",
    read=FREE,
    update=key(_UKSSSE),
    clause="card.md 2.4",
    items=(
        Item(0x08, 0x12, TEXT, "citizen_number", "社会保障号码"),
        Item(0x09, 0x1E, TEXT, "name", "姓名"),
        Item(0x4E, 0x14, TEXT, "name_extension", "姓名扩展"),
        Item(0x0A, 0x01, TEXT, "sex", "性别"),
        Item(0x0B, 0x01, DIGITS, "nation", "民族"),
        Item(0x0C, 0x03, DIGITS, "birthplace", "出生地"),
        Item(0x0D, 0x04, DATE, "birth_date", "出生日期"),
    ),
    vectors=(
        Vector(1, "440524188001010014", bytes.fromhex("0812343430353234313838303031303130303134")),
        Vector(2, "䶮", bytes.fromhex("091EFE9F") + bytes(28)),
        Vector(3, None, b"\x4e\x14" + bytes(20)),
        Vector(4, "2", bytes.fromhex("0A0132")),
        Vector(5, "01", bytes.fromhex("0B0101")),
        Vector(6, "639900", bytes.fromhex("0C03639900")),
        Vector(7, dt.date(1880, 1, 1), bytes.fromhex("0D0418800101")),
    ),
)

EF07 = BinaryFile(
    0xEF07,
    "fingerprint",
    "指纹",
    read=key(_RKSSSE),
    update=key(_UKSSSE),
    clause="card.md 2.4",
    size=0x400,
    confidence=Confidence.MEDIUM,
    vectors=(Vector(1, b"\x01\x02", b"\x01\x02" + bytes(0x3FE)),),
)

EF08 = BinaryFile(
    0xEF08,
    "photo",
    "相片",
    read=key(_RKSSSE),
    update=key(_UKSSSE),
    clause="card.md 2.4",
    size=0x1000,
    confidence=Confidence.MEDIUM,
    vectors=(Vector(1, b"\xff\xd8", b"\xff\xd8" + bytes(0xFFE)),),
)

SSSE = DirectoryFile(
    fid=0xDDF1,
    label="SSSE",
    aid=bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF"),  # "sx1.sh." and 社会保障 in GBK
    chinese="社会保障环境",
    clause="card.md 2.1",
    parent="MF",
    lock_level=0x05,
    files=(EF05, EF06, EF07, EF08),
    keys=(
        MASTER_KEY,
        KeySlot("IRK", 0x00, KeyType.INTERNAL, "内部认证密钥"),
        stk(0x02),
        external("UKSSSE", _UKSSSE, "更新密钥"),
        external("BK", 0x05, "卡片锁定密钥"),
        external("PUK", 0x06, "密码解锁密钥"),
        external("RKSSSE", _RKSSSE, "读密钥"),
        PIN_SLOT,
    ),
)
