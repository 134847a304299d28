"""The sections of a profile and how they are read.

Every fact that is only medium or inferred, and every rule that differs from place to place, is a
field here, so that whoever has the real standard or the real device corrects it without touching
code. docs/profiles.md is generated from this module.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from cardkit.errors import UsageError
from cardkit.profile import rules


@dataclass(frozen=True, slots=True)
class Region:
    """Where the cards belong: province (2 digits), issuing city (6 digits), local time."""

    province: str
    city: str
    name: str = ""
    utc_offset_hours: int = 8


@dataclass(frozen=True, slots=True)
class CardSection:
    """The card and its chip.

    ``generation`` names the specification tree, ``version`` what EF05 tag 03 says.
    ``key_version`` is that of the keys on the cards. ``dialect`` is
    the chip operating system of blank chips, ``blank_atr_head`` what their ATR begins with,
    ``atr_head`` the first 11 ATR bytes they get.
    ``institution`` and ``card_class`` go into EF05 04 and 02 of blank chips and are checked on
    pre-made ones; ``check_factory_items = false`` only asks that they are filled.
    """

    generation: str = "2.0"
    version: str = "2.00"
    algorithm: int = 1
    key_version: int = 1
    dialect: str = "t514"
    blank_atr_head: str = "3B6D0000"
    atr_head: str = "3B6D00000087BF10028649"
    card_class: str = "3"
    institution: str = ""
    check_factory_items: bool = True


@dataclass(frozen=True, slots=True)
class Pin:
    """PIN of a new card, and the security level (a KID) whose key opens its reset."""

    initial: str = field(default="123456", repr=False)
    puk_level: int = 0x06


@dataclass(frozen=True, slots=True)
class Messaging:
    """How the chip protects commands (secure messaging): independent switches.

    ``key`` is ``process`` or ``direct``: what commands under STK work with; WRITE KEY always takes
    the master key itself. ``challenge`` is how many bytes of challenge make the initial vector,
    ``mac`` is ``left4``, ``fold4`` or empty (as cards with the algorithm do), ``padding`` is
    ``if-needed`` or ``always``.
    """

    key: str = "process"
    challenge: int = 8
    mac: str = ""
    padding: str = "if-needed"


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the master keys are.

    ``store`` is ``soft:PATH`` for an encrypted store, a path to a file of test keys, or
    ``package:NAME`` for those that come with cardkit; paths are beside the profile or absolute.
    ``plain_key_loading`` lists the roles that leave the store in clear for chips that load them so.
    ``version`` pins the version of the keys, for cards that were made with it; 0 takes the newest
    that is active. ``versions`` pins that of single keys, ``NAME VERSION``. ``audit`` is the log of
    key use, beside the store by default.
    """

    store: str = "package:masters-3des.toml"
    plain_key_loading: tuple[str, ...] = ("MK",)
    version: int = 0
    versions: tuple[str, ...] = ()
    audit: str = ""

    def pinned(self) -> dict[str, int]:
        """Key → version of ``versions``; ValueError for a text that says none."""
        pairs = (text.split() for text in self.versions)
        return {name: int(version) for name, version in pairs}


@dataclass(frozen=True, slots=True)
class Psam:
    """Where the keys lie in the PSAMs of this place.

    ``level`` is ``province`` or ``city``: whose keys they hold. ``keys`` corrects the key map, line
    by line: ``NAME USAGE ID``. ``version`` is the version of the keys in them. ``records`` is their
    manifest (state, validity, usage of every key), ``audit`` the log of their use.
    """

    level: str = "province"
    keys: tuple[str, ...] = ()
    version: int = 1
    records: str = ""
    audit: str = ""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Sequences of numbers: card number = prefix, digits, check character; serial of 4 bytes."""

    card_prefix: str = "A"
    card_first: int = 1
    serial_first: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """What text a card may carry."""

    four_byte_characters: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """Rules of issuing."""

    validity_years: int = 10


@dataclass(frozen=True, slots=True)
class Photo:
    """What a photo of a person must be like on intake.

    ``width`` x ``height`` pixels at ``dpi`` and the white background come from GA 461-2004 (the
    identity card of the second generation); the other limits are ours. A larger photo of the same
    shape (``aspect_tolerance``, in thousandths) is scaled down. Brightness and contrast are of 0 to
    255; ``least_chroma`` is how far the colours of the face lie apart, less is a black and white
    picture in the coding of a coloured one; ``least_sharpness`` is the variance of the Laplacian,
    ``most_unevenness`` the greatest difference of brightness between the two halves of the face.
    ``head_top_most`` is the greatest distance of the hair from the upper edge,
    ``centre_tolerance`` how far the person may be out of the middle, both in pixels of the finished
    photo. ``chip_bytes`` is the room in the chip, ``on_chip`` whether the photo of a holder who has
    one is written there.
    """

    width: int = 358
    height: int = 441
    dpi: int = 350
    check_dpi: bool = True
    aspect_tolerance: int = 10
    least_bytes: int = 5_000
    most_bytes: int = 2_000_000
    least_brightness: int = 70
    most_brightness: int = 215
    least_contrast: int = 22
    least_chroma: int = 6
    least_sharpness: int = 18
    most_unevenness: int = 45
    least_background: int = 200
    most_background_spread: int = 14
    head_top_most: int = 45
    centre_tolerance: int = 40
    chip_bytes: int = 4_096
    on_chip: bool = True


@dataclass(frozen=True, slots=True)
class Intake:
    """What an application needs before the county confirms it."""

    photo_required: bool = True
    identity_required: bool = True


@dataclass(frozen=True, slots=True)
class Face:
    """The printed side of a card.

    ``layout`` is ``standard`` or the path of a TOML file, beside the profile or absolute; ``title``
    and ``issuer`` are what it may print. An empty ``font`` takes the installed Chinese font.
    """

    layout: str = "standard"
    title: str = "社会保障卡"
    issuer: str = ""
    font: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Exchange files. ``plain_files`` allows them to leave in clear, against domain.md [D19]."""

    plain_files: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole profile. ``test`` admits test keys and nothing else."""

    name: str
    region: Region
    test: bool = False
    card: CardSection = CardSection()
    pin: Pin = Pin()
    messaging: Messaging = Messaging()
    keys: Keys = Keys()
    psam: Psam = Psam()
    numbers: Numbers = Numbers()
    text: Text = Text()
    issue: Issue = Issue()
    intake: Intake = Intake()
    photo: Photo = Photo()
    face: Face = Face()
    exchange: Exchange = Exchange()
    lifecycle: dict[str, Any] = field(default_factory=dict, hash=False)
    folder: Path = Path()

    @property
    def district(self) -> bytes:
        """Issuing city as the first 3 bytes of a card id code."""
        return bytes.fromhex(self.region.city)


def shipped() -> list[str]:
    """Names of the profiles that come with cardkit."""
    folder = importlib.resources.files("cardkit.profile") / "shipped"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


def load(name_or_path: str) -> Profile:
    """Read a shipped profile by name, or a file by path.

    Raises
    ------
    UsageError
        No such profile, not TOML, an unknown or missing or impossible field; names it.

    Examples
    --------
    >>> load("test").region.city
    '639900'
    """
    path = Path(name_or_path)
    if name_or_path in shipped():
        resource = importlib.resources.files("cardkit.profile") / "shipped" / f"{name_or_path}.toml"
        text, folder = resource.read_text(encoding="utf-8"), Path()
    else:
        text, folder = _read(path), path.parent
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"profile {name_or_path}: {error}") from None
    content.setdefault("name", path.stem)
    profile: Profile = _section(Profile, content, name_or_path, "")
    rules.check(profile, name_or_path)
    return dataclasses.replace(profile, folder=folder)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"no profile {path}",
            hint=f"name a file, or one of the shipped profiles: {', '.join(shipped())}",
        ) from None


@cache
def _hints(section: type) -> dict[str, Any]:
    return get_type_hints(section)


def _section(section: type, content: dict[str, Any], source: str, where: str) -> Any:  # noqa: ANN401
    fields = {f.name: f for f in dataclasses.fields(section) if f.name != "folder"}
    unknown = sorted(set(content) - set(fields))
    if unknown:
        raise UsageError(
            f"profile {source}: unknown field {where}{unknown[0]}",
            hint=f"known are {', '.join(fields)}",
        )
    values = {
        name: _value(_hints(section)[name], value, source, where + name)
        for name, value in content.items()
    }
    missing = [
        name for name, f in fields.items()
        if name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]  # fmt: skip
    if missing:
        raise UsageError(f"profile {source}: field {where}{missing[0]} is missing")
    return section(**values)


def _value(hint: Any, value: Any, source: str, where: str) -> Any:  # noqa: ANN401
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise UsageError(f"profile {source}: {where} is a section")
        return _section(hint, value, source, where + ".")
    if hint == tuple[str, ...] and isinstance(value, list):
        return tuple(str(v) for v in value)
    if hint == dict[str, Any] and isinstance(value, dict):
        return value  # whoever uses it reads it: cardkit.registry.lifecycle.rules
    if type(value) is not hint:
        wanted = getattr(hint, "__name__", str(hint))
        raise UsageError(f"profile {source}: {where} must be of type {wanted}")
    return value
