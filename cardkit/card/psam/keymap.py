"""Which key of a card has which place in a PSAM: file → key → KID → usage byte and id.

The table is that of 2.0 cards and of a PSAM that holds province keys and so resolves two levels
below them, city and card (card.md 5.2); it is declared here as data. A profile corrects it, entry
by entry.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from cardkit.errors import UsageError


class PsamKeyType(IntEnum):
    """Low five bits of the usage byte (card.md 5.3)."""

    MASTER = 0
    MAINTENANCE = 1
    PURCHASE = 2
    PIN_UNBLOCK = 3
    PIN_RELOAD = 4
    CARD_MAINTENANCE = 5
    MAC = 6
    ENCRYPT = 7
    MAC_AND_ENCRYPT = 8


ENCRYPTS = frozenset({PsamKeyType.ENCRYPT, PsamKeyType.MAC_AND_ENCRYPT})
MACS = frozenset({PsamKeyType.MAC, PsamKeyType.MAC_AND_ENCRYPT})

_TYPE_BITS = 5
_ONE_LEVEL = 1 << _TYPE_BITS
_MINISTRY_LEVELS = 3


class PsamLevel(StrEnum):
    """Whose keys a PSAM holds. Keys of the ministry are the same in both."""

    PROVINCE = "province"
    CITY = "city"


@dataclass(frozen=True, slots=True)
class PsamKey:
    """Place of a key in a PSAM.

    Parameters
    ----------
    usage : int
        High 3 bits: levels of diversification it resolves, low 5 bits: type.
    id : int

    Examples
    --------
    >>> key = PsamKey(0x48, 0x12)
    >>> key.levels, key.type.name, str(key)
    (2, 'MAC_AND_ENCRYPT', '48 12')
    """

    usage: int
    id: int

    @property
    def levels(self) -> int:
        """1 card, 2 city and card, 3 province, city and card."""
        return self.usage >> _TYPE_BITS

    @property
    def type(self) -> PsamKeyType:
        """What the key may do."""
        return PsamKeyType(self.usage & _ONE_LEVEL - 1)

    def __str__(self) -> str:
        return f"{self.usage:02X} {self.id:02X}"


@dataclass(frozen=True, slots=True)
class MapEntry:
    """One line of the map.

    Parameters
    ----------
    name : str
        Key of the card, as key stores name it.
    kid : int or None
        Its id on the card; None where a profile adds a key and need not say.
    place : PsamKey
    files : tuple of str
        What it opens, in its directory.
    inferred : bool
        The id is from a source, the usage byte concluded from its neighbours.
    """

    name: str
    kid: int | None
    place: PsamKey
    files: tuple[str, ...] = ()
    inferred: bool = False


def _line(
    name: str, kid: int, usage: int, number: int, files: str = "", *, inferred: bool = False
) -> MapEntry:
    return MapEntry(name, kid, PsamKey(usage, number), tuple(files.split()), inferred)


TWO_LEVELS: tuple[MapEntry, ...] = (
    _line("SSSE.IRK", 0x00, 0x67, 0x08),
    _line("SSSE.STK", 0x02, 0x48, 0x09),
    _line("SSSE.UKSSSE", 0x04, 0x48, 0x12, "EF05 EF06 EF07 EF08"),
    _line("SSSE.BK", 0x05, 0x48, 0x11, inferred=True),
    _line("SSSE.PUK", 0x06, 0x48, 0x10, inferred=True),
    _line("SSSE.RKEF0C", 0x07, 0x48, 0x5D, "EF0C"),
    _line("SSSE.RKSSSE", 0x0A, 0x47, 0x0A, "EF07 EF08"),
    _line("SSSE.UKEF0D", 0x0D, 0x48, 0x13, "EF0D"),
    _line("DF01.UK1", 0x83, 0x48, 0x42, "EF05"),
    _line("DF01.UK2", 0x84, 0x48, 0x43, "EF07 EF09"),
    _line("DF01.UK3", 0x85, 0x47, 0x24, "EF08"),
    _line("DF01.UK4", 0x86, 0x47, 0x25, "EF06"),
    _line("DF01.UK5", 0x87, 0x48, 0x44, "EF0A"),
    _line("DF01.RK", 0x88, 0x67, 0x2E, inferred=True),
    _line("DF01.UK6", 0x89, 0x47, 0x2F, "EF15"),
    _line("DF01.UK7", 0x8A, 0x47, 0x30, "EF16"),
    _line("DF01.UK8", 0x8B, 0x47, 0x31, "EF17"),
    _line("DF01.UK9", 0x8C, 0x47, 0x32, "EF18"),
    _line("DF01.UKA", 0x8D, 0x47, 0x33, "EF19"),
    _line("DF01.UKB", 0x8E, 0x47, 0x34, "EF1A"),
    _line("DF02.UK1", 0x83, 0x47, 0x26, "EF05"),
    _line("DF02.UK2", 0x84, 0x48, 0x45, "EF06"),
    _line("DF02.UK3", 0x85, 0x48, 0x46, "EF07"),
    _line("DF02.UK4", 0x86, 0x47, 0x27, "EF09"),
    _line("DF02.UK5", 0x87, 0x47, 0x28, "EF15"),
    _line("DF02.RK", 0x88, 0x67, 0x35, inferred=True),
    _line("DF02.UK6", 0x89, 0x47, 0x36, "EF16"),
    _line("DF03.LK", 0x83, 0x48, 0x40, inferred=True),
    _line("DF03.RK1", 0x84, 0x67, 0x2B),
    _line("DF03.RK2", 0x85, 0x67, 0x2C),
    _line("DF03.UK1", 0x86, 0x48, 0x47, "EF05"),
    _line("DF03.UK2", 0x87, 0x47, 0x29, "EF06"),
    _line("DF03.UK3", 0x88, 0x48, 0x48, "EF07"),
    _line("DF03.UK4", 0x89, 0x47, 0x37, "EF15"),
    _line("DF03.UK5", 0x8A, 0x47, 0x38, "EF16"),
    _line("DF03.UK6", 0x8B, 0x47, 0x39, "EF17"),
    _line("DF03.UK7", 0x8C, 0x47, 0x3A, "EF18"),
    _line("DF03.UK8", 0x8D, 0x47, 0x3B, "EF19"),
    _line("DF04.LK", 0x83, 0x48, 0x41, inferred=True),
    _line("DF04.RK1", 0x84, 0x67, 0x2D),
    _line("DF04.UK1", 0x85, 0x48, 0x49, "EF05"),
    _line("DF04.UK2", 0x86, 0x47, 0x2A, "EF06 EF15"),
    _line("DF05.UK1", 0x83, 0x47, 0xB4, "EF05"),
    _line("DF06.UK1", 0x85, 0x48, 0x53, "EF05 EF06"),
    _line("DF07.UK1", 0x86, 0x47, 0x3E, "EF05"),
    _line("DF07.UK2", 0x87, 0x47, 0xB0, "EF06"),
    _line("DF07.UK3", 0x88, 0x47, 0xB2, "EF07"),
)
"""2.0 cards, province PSAM (card.md 5.2). STK is STKSSSE; UKEF0D the second writer's key."""


class KeyMap:
    """The map for one kind of PSAM.

    Parameters
    ----------
    entries : iterable of MapEntry
        For a province PSAM.
    level : PsamLevel
        In a city PSAM a key of the province is one of the city: one level less in the usage byte.
    corrections : iterable of str
        Lines of a profile, ``NAME USAGE ID`` with two hex digits each, taken as they are; they
        replace what the map says, or add to it.

    Examples
    --------
    >>> city = KeyMap(level=PsamLevel.CITY)
    >>> str(city.find("SSSE.UKSSSE").place), str(city.find("SSSE.IRK").place)
    ('28 12', '67 08')
    >>> str(KeyMap(corrections=["SSSE.RKSSSE 67 0B"]).find("SSSE.RKSSSE").place)
    '67 0B'
    """

    def __init__(
        self,
        entries: Iterable[MapEntry] = TWO_LEVELS,
        *,
        level: PsamLevel = PsamLevel.PROVINCE,
        corrections: Iterable[str] = (),
    ) -> None:
        lowered = level is PsamLevel.CITY
        self._entries = {e.name: _city_entry(e) if lowered else e for e in entries}
        for text in corrections:
            name, place = parse_correction(text)
            known = self._entries.get(name)
            self._entries[name] = (
                dataclasses.replace(known, place=place, inferred=False)
                if known
                else MapEntry(name, None, place)
            )

    def __iter__(self) -> Iterator[MapEntry]:
        return iter(self._entries.values())

    def find(self, name: str) -> MapEntry | None:
        """The line of a key; None for a key that PSAMs do not have."""
        return self._entries.get(name)


def _city_entry(entry: MapEntry) -> MapEntry:
    place = entry.place
    if place.levels >= _MINISTRY_LEVELS:
        return entry
    return dataclasses.replace(entry, place=PsamKey(place.usage - _ONE_LEVEL, place.id))


def parse_correction(text: str) -> tuple[str, PsamKey]:
    """Read ``NAME USAGE ID``.

    Raises
    ------
    UsageError
        Something else, no level, or a type that authenticates nothing.
    """
    try:
        name, usage, number = text.split()
        (one,), (two,) = bytes.fromhex(usage), bytes.fromhex(number)
        place = PsamKey(one, two)
        if not 1 <= place.levels <= _MINISTRY_LEVELS or place.type not in ENCRYPTS | MACS:
            raise ValueError  # noqa: TRY301 - one message for every way to be wrong
    except ValueError:
        raise UsageError(
            f"psam.keys: {text!r} is no place of a key in a PSAM",
            hint="name, usage byte (1 to 3 levels, type 6 to 8) and id: SSSE.UKSSSE 48 12",
        ) from None
    return name, place
