"""What the values of a profile may be: what would fail later, in front of a card, is refused here.

Profiles know nothing of cards, so what the program can make is declared here once more, as data; a
test compares it with the specification trees and the dialects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cardkit.codec.numbers import TEMPORARY_PREFIX
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.profile.schema import CardSection, Keys, Messaging, Numbers, Profile, Region

GENERATIONS: Mapping[str, frozenset[int]] = {"2.0": frozenset({1, 2, 3})}
"""Specification tree → algorithms of its cards (1 3DES, 2 SSF33, which takes a PSAM, 3 SM4)."""

DIALECTS = frozenset({"t514"})
"""Chip operating systems that blank chips may have."""

CARD_NUMBER_LENGTH = 8  # characters before the check character
MOST_YEARS = 100
MOST_VERSIONS = 99
MOST_KEY_VERSIONS = 3  # on a card (LD/T 6001.3)
MOST_HOURS = 14  # the date line: UTC-12 to UTC+14
LEAST_HOURS = -12

TDES = 1
PROCESS_FACTOR = 8  # bytes
_SWITCHES = {
    "key": ("process", "direct"),
    "mac": ("", "left4", "fold4"),
    "padding": ("if-needed", "always"),
}

_DIGITS = frozenset("0123456789")
_NUMBER_CHARACTERS = _DIGITS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

Broken = tuple[str, str]
"""A rule that is not kept, and what to do."""


def check(profile: Profile, source: str) -> None:
    """Refuse values that cannot be.

    Raises
    ------
    UsageError
        Names profile, field and rule.
    """
    for rule, hint in _broken(profile):
        raise UsageError(f"profile {source}: {rule}", hint=hint)


def _broken(profile: Profile) -> Iterator[Broken]:
    yield from _region(profile.region)
    yield from _support(profile.card)
    yield from _card(profile.card)
    yield from _messaging(profile.messaging, profile.card)
    yield from _numbers(profile.numbers)
    if not (_are_digits(profile.pin.initial) and 4 <= len(profile.pin.initial) <= 16):
        yield "pin.initial has 4 to 16 digits", ""
    if not 0 <= profile.keys.version <= MOST_VERSIONS:
        yield f"keys.version is 0 to {MOST_VERSIONS}", "0 takes the newest that is active"
    if not _are_versions(profile.keys):
        yield f"keys.versions: each is a key and 1 to {MOST_VERSIONS}", 'such as "SSSE.IRK 2"'
    if not 1 <= profile.psam.version <= MOST_VERSIONS:
        yield f"psam.version is 1 to {MOST_VERSIONS}", ""
    if profile.psam.level not in ("province", "city"):
        yield "psam.level is province or city", ""
    if not 0x00 < profile.pin.puk_level <= 0xFF:
        yield "pin.puk_level is one byte, 1 to 255", "the KID of the key that opens the reset: 6"
    if not 1 <= profile.issue.validity_years <= MOST_YEARS:
        yield f"issue.validity_years is 1 to {MOST_YEARS}", ""


def _are_versions(keys: Keys) -> bool:
    try:
        pinned = keys.pinned()
    except ValueError:
        return False
    return len(pinned) == len(keys.versions) and all(
        1 <= version <= MOST_VERSIONS for version in pinned.values()
    )


def _region(region: Region) -> Iterator[Broken]:
    if not (_are_digits(region.province) and len(region.province) == 2):
        yield "region.province has 2 digits", ""
    if not (_are_digits(region.city) and len(region.city) == 6):
        yield "region.city has 6 digits", ""
    if not region.city.startswith(region.province):
        yield "region.city lies in region.province", ""
    if not LEAST_HOURS <= region.utc_offset_hours <= MOST_HOURS:
        yield f"region.utc_offset_hours is {LEAST_HOURS} to {MOST_HOURS}", "China has 8"


def _support(card: CardSection) -> Iterator[Broken]:
    """What this version of the program can make."""
    algorithms = GENERATIONS.get(card.generation)
    if algorithms is None:
        known = ", ".join(f'"{name}"' for name in sorted(GENERATIONS))
        yield f"card.generation {card.generation!r} is not known", f"known are {known}"
    elif card.algorithm not in algorithms:
        yield (
            f"card.algorithm {card.algorithm} is not supported for generation {card.generation}",
            "1 is 3DES, 2 is SSF33, 3 is SM4",
        )
    if card.dialect not in DIALECTS:
        known = ", ".join(f'"{name}"' for name in sorted(DIALECTS))
        yield f"card.dialect {card.dialect!r} is not known", f"known are {known}"


def _card(card: CardSection) -> Iterator[Broken]:
    if not 1 <= card.key_version <= MOST_KEY_VERSIONS:
        yield f"card.key_version is 1 to {MOST_KEY_VERSIONS}", ""
    if not (card.version.isascii() and card.version.isprintable() and len(card.version) == 4):
        yield "card.version has 4 characters", 'such as "2.00"'
    if not (card.card_class.isascii() and card.card_class.isprintable()
            and len(card.card_class) == 1):  # fmt: skip
        yield "card.card_class has 1 character", ""
    if not _is_hex(card.atr_head, 11):
        yield "card.atr_head has 11 bytes in hex", ""
    if not _is_hex(card.blank_atr_head):
        yield "card.blank_atr_head is hex", ""
    if card.institution and not _is_hex(card.institution, 12):
        yield "card.institution has 12 bytes in hex", ""


def _messaging(messaging: Messaging, card: CardSection) -> Iterator[Broken]:
    for name, values in _SWITCHES.items():
        if getattr(messaging, name) not in values:
            known = ", ".join(f'"{value}"' for value in values)
            yield f"messaging.{name} is one of {known}", ""
    if messaging.challenge not in (4, 8, 16):
        yield "messaging.challenge is 4, 8 or 16", "bytes of GET CHALLENGE"
    elif messaging.key == "process" and messaging.challenge != PROCESS_FACTOR:
        yield "messaging.challenge is 8 with process keys", "they are made from 8 bytes"
    elif messaging.challenge == 16 and card.algorithm == TDES:
        yield "messaging.challenge of 16 fits no 3DES card", "its initial vector has 8 bytes"


def _numbers(numbers: Numbers) -> Iterator[Broken]:
    prefix = numbers.card_prefix
    if len(prefix) >= CARD_NUMBER_LENGTH or not _NUMBER_CHARACTERS.issuperset(prefix):
        yield "numbers.card_prefix has 0 to 7 digits or capitals", ""
    elif not 0 <= numbers.card_first < 10 ** (CARD_NUMBER_LENGTH - len(prefix)):
        yield "numbers.card_first has no room behind numbers.card_prefix", "8 characters together"
    if prefix.startswith(TEMPORARY_PREFIX):
        yield "numbers.card_prefix does not begin with L", "numbers of temporary cards 临时卡 do"
    if not 0 <= numbers.serial_first < 1 << 32:
        yield "numbers.serial_first has 4 bytes", ""


def _are_digits(text: str) -> bool:
    return bool(text) and _DIGITS.issuperset(text)


def _is_hex(text: str, length: int | None = None) -> bool:
    try:
        return length in (None, len(bytes.fromhex(text)))
    except ValueError:
        return False
