"""The fields of a profile in words: the page docs/profiles.md, made from the schema."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, get_type_hints

from cardkit.profile.schema import Profile

MEANINGS = {
    "name": "Name of the profile, shown in reports. Default: the name of the file.",
    "test": "Whether the cards are synthetic. Test keys are admitted by a test profile only.",
    "region.province": "Province, 2 digits (GB/T 2260). Factor of key derivation.",
    "region.city": "Issuing city, 6 digits, in that province. Factor of key derivation, first 3 "
    "bytes of the card id code, city in the serial of blank chips. A card of another city is "
    "refused.",
    "region.name": "Name of the place, for people.",
    "region.utc_offset_hours": "Hours ahead of UTC: which day it is at the window, for the date of "
    "issue and for dates in the future.",
    "card.generation": "Specification tree of the cards. Known: `2.0`.",
    "card.version": "What EF05 tag 03 of SSSE has to say; written to blank chips.",
    "card.algorithm": "Algorithm the card names when SSSE is selected: 1 3DES, 2 SSF33, 3 SM4. A "
    "card that names another, or a key of another, is refused. SSF33 is secret: only a PSAM "
    "computes it, no store and no virtual card.",
    "card.key_version": "Version of the keys on the cards, 1 to 3: cards with SM4 or SSF33 want it "
    "in EXTERNAL AUTHENTICATE, blank chips get it. Which master keys they come from says "
    "`keys.version`.",
    "card.dialect": "Chip operating system of blank chips. Known: `t514`.",
    "card.blank_atr_head": "What the ATR of a blank chip begins with, in hex; other chips are "
    "refused.",
    "card.atr_head": "First 11 bytes of the ATR that a blank chip is given, in hex. City and "
    "serial follow.",
    "card.card_class": "Card class, EF05 tag 02: written to blank chips, compared on pre-made "
    "cards.",
    "card.institution": "Initialisation institution number, EF05 tag 04: 24 hex digits; empty: not "
    "filled. Written to blank chips, compared on pre-made cards.",
    "card.check_factory_items": "Whether card class and institution of a pre-made card are "
    "compared with this profile.",
    "pin.initial": "PIN of a new card, 4 to 16 digits; the holder changes it.",
    "pin.puk_level": "Level (the KID) of the key that opens the reset of the PIN.",
    "messaging.key": "What commands under STK (PIN unlocked or reset) are protected with: "
    "`process`, a process key made from STK and the challenge, or `direct`, STK itself. WRITE KEY "
    "always takes the master key itself.",
    "messaging.challenge": "Bytes of GET CHALLENGE that make the initial vector, filled with 00: 4 "
    "or 8; 16 with SM4 only. Process keys are made from 8.",
    "messaging.mac": "How the last block becomes a MAC: `left4` its first 4 bytes, `fold4` the XOR "
    "of its words; empty: `left4` with 3DES, `fold4` with SM4.",
    "messaging.padding": "Whether a plain text that fills its blocks is padded: `if-needed` or "
    "`always`.",
    "keys.store": "Where the master keys are: `soft:PATH` for an encrypted store, `pkcs11:FILE` "
    "for a token, `remote:FILE` for a key service, a path to a file of test keys, or "
    "`package:NAME` for test keys that come with cardkit. Paths are taken from the folder of the "
    "profile. See [keys.md](keys.md), [tokens.md](tokens.md) and [keys-test.md](keys-test.md).",
    "keys.version": "Version of the keys, for cards that were made with it; 0 takes the newest "
    "that can be used now.",
    "keys.versions": "Versions of single keys, one text a key, such as `SSSE.IRK 2`: for cards "
    "made when some keys had been replaced and others not. They go before `keys.version`.",
    "keys.audit": "Log of key use; beside the store when empty.",
    "keys.plain_key_loading": "Roles of keys that leave the store in clear, for chips that load "
    "them so: the first master key of a directory file cannot be sealed under another.",
    "psam.level": "Whose keys the PSAMs of this place hold: `province` or `city`. It decides the "
    "usage bytes of the key map. See [psam.md](psam.md).",
    "psam.keys": "Corrections of the key map, one text a key: name, usage byte and id in hex, such "
    "as `SSSE.RKSSSE 67 0B`.",
    "psam.version": "Version of the keys in the PSAMs of this place, 1 to 99; with `keys.version` "
    "another one is refused.",
    "psam.records": "Manifest of the PSAM: state, validity and usage of every key, and who has "
    "which role; paths are taken from the folder of the profile. Without one all keys of the map "
    "are active, for whoever has the PSAM.",
    "psam.audit": "Log of the use of PSAM keys. When empty `keys.audit`, else beside the PSAM's "
    "image, or `psam.audit` among the user's state files.",
    "numbers.card_prefix": "What card numbers begin with: 0 to 7 digits or capitals, not L, which "
    "temporary cards 临时卡 have. A running number and the check character follow, 9 in all.",
    "numbers.card_first": "First running number; a registry beyond it goes on.",
    "numbers.serial_first": "First serial (4 bytes) for blank chips; a registry beyond it goes on.",
    "text.four_byte_characters": "Whether a card may carry characters of four bytes in GB18030, "
    "such as 㐂. Most readers in the field cannot show them.",
    "issue.validity_years": "Years from the date of issue to the last day, EF05 tag 06.",
    "intake.photo_required": "Whether an application needs a photo before it is confirmed.",
    "intake.identity_required": "Whether the identity system must have said that name and number "
    "agree before an application is confirmed.",
    "photo.width": "Width of a photo in pixels (GA 461-2004).",
    "photo.height": "Height of a photo in pixels (GA 461-2004).",
    "photo.dpi": "Resolution a photo of exactly that size has to state (GA 461-2004).",
    "photo.check_dpi": "Whether a stated resolution is checked; one that is not stated passes.",
    "photo.aspect_tolerance": "How far the shape may differ, in thousandths. A larger photo of the "
    "right shape is scaled down.",
    "photo.least_bytes": "Smallest file taken, in bytes: below it, the photo is compressed too "
    "much.",
    "photo.most_bytes": "Largest file taken, in bytes.",
    "photo.least_brightness": "Smallest median brightness of the face, 0 to 255.",
    "photo.most_brightness": "Greatest median brightness of the face, 0 to 255.",
    "photo.least_contrast": "Smallest standard deviation of the brightness of the face.",
    "photo.least_chroma": "Smallest median distance of the colours of the face: below it, "
    "the photo is black and white.",
    "photo.least_sharpness": "Smallest variance of the Laplacian of the brightness.",
    "photo.most_unevenness": "Greatest difference of brightness between the halves of the face.",
    "photo.least_background": "Smallest brightness of the background, in its darkest colour.",
    "photo.most_background_spread": "Greatest standard deviation within the background.",
    "photo.head_top_most": "Greatest distance of the hair from the upper edge, in pixels of the "
    "finished photo.",
    "photo.centre_tolerance": "How far the person may be out of the middle, in pixels of the "
    "finished photo.",
    "photo.chip_bytes": "Room for the photo in the chip (EF08 of SSSE), in bytes.",
    "photo.on_chip": "Whether the photo of a holder who has one is written into the chip.",
    "face.layout": "Layout of the printed side: `standard`, or a TOML file like it. See "
    "[intake.md](intake.md).",
    "face.title": "What is printed at the top.",
    "face.issuer": "Agency that is printed; empty: the name of the region.",
    "face.font": "Font file for the printed side; empty: the installed Noto Sans CJK.",
    "exchange.plain_files": "Whether an exchange file may leave in clear, when whoever sends it "
    "says so (`--plain`). See [exchange.md](exchange.md).",
}
"""What each field is for; a test compares the names with the schema."""

_TYPES = {str: "text", int: "number", bool: "true or false", tuple[str, ...]: "list of texts"}
_TITLES = {
    "region": "Where the cards belong 地区",
    "card": "The card and its chip 卡片",
    "pin": "PIN 密码",
    "messaging": "How the chip protects commands 安全报文",
    "keys": "Master keys 主密钥",
    "psam": "Keys in a PSAM 安全存取模块",
    "numbers": "Numbers 编号",
    "text": "Text on the card 文字",
    "issue": "Issuing 制卡",
    "intake": "Taking applications 受理",
    "photo": "Photos 照片",
    "face": "The printed side 卡面",
    "exchange": "Exchange files 交换文件",
}


@dataclasses.dataclass(frozen=True, slots=True)
class FieldInWords:
    """One field of a profile; ``default`` is None where it has to be given."""

    path: str
    type: str
    default: str | None
    meaning: str


def fields_in_words() -> list[FieldInWords]:
    """Every field, in the order of the schema; sections stand for their fields."""
    return list(_fields(Profile, ""))


def describe() -> str:
    """The fields as Markdown sections, one table a section."""
    lines: list[str] = []
    found = fields_in_words()
    for section in ("", *_TITLES):
        lines += _section(section, [f for f in found if f.path.rpartition(".")[0] == section])
    return "\n".join(lines).rstrip() + "\n"


def _fields(section: type, above: str) -> Iterator[FieldInWords]:
    hints = get_type_hints(section)
    for field in dataclasses.fields(section):
        kind, path = hints[field.name], above + field.name
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            yield from _fields(kind, f"{path}.")
        elif kind in _TYPES:  # the folder of the file is no field of it
            yield FieldInWords(path, _TYPES[kind], _default(field), MEANINGS.get(path, ""))


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default is dataclasses.MISSING:
        return None
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return str(value).lower() if isinstance(value, bool) else str(value).replace("'", '"')


def _section(name: str, fields: list[FieldInWords]) -> Iterator[str]:
    yield f"## `[{name}]` {_TITLES[name]}" if name else "## At the top of the file"
    yield ""
    yield "| field | type | default | meaning |"
    yield "|---|---|---|---|"
    for field in fields:
        yield f"| `{field.path}` | {field.type} | {_shown(field)} | {field.meaning} |"
    yield ""


def _shown(field: FieldInWords) -> str:
    if field.path == "name":
        return "the file's name"
    if field.default is None:
        return "**required**"
    return f"`{field.default}`" if field.default else "empty"
