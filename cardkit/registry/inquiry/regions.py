"""Other regions: whose card a number is, and where to ask. Data of a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cardkit.errors import UsageError
from cardkit.registry.inquiry.questions import By, Question

_DISTRICT_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Region:
    """A region with a registry of its own.

    Parameters
    ----------
    code : str
        What a question names it by.
    url : str
        Of its inquiry interface, without ``/v1``; ``''`` for our own region.
    districts : tuple of str
        First digits of the districts in its card id codes and citizen numbers.
    card_prefixes : tuple of str
        First characters of its card numbers.
    ca : Path or None
        Certificates to check its server by; None: those of the system.
    certificate, key, token_file : Path or None
        How this side shows who it is.
    """

    code: str
    url: str = ""
    name: str = ""
    districts: tuple[str, ...] = ()
    card_prefixes: tuple[str, ...] = ()
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    token_file: Path | None = None


class Regions:
    """Our own region and the others."""

    def __init__(self, own: str, others: Iterable[Region] = ()) -> None:
        self.own = own
        self._others = {region.code: region for region in others}

    def __getitem__(self, code: str) -> Region:
        return self._others[code]

    def __contains__(self, code: object) -> bool:
        return code == self.own or code in self._others

    def named(self, question: Question) -> str:
        """Region that decides before anybody looks: ours, another, or ``''`` for "ask here first".

        A card id code begins with a district and a card number with its region's prefix, so they
        say whose card it is. A citizen number says where somebody was first registered; such a
        person may well have a card here.
        """
        if question.region:
            return question.region
        if question.by is By.CARD_ID_CODE:
            return self._of_district(question.key) or self.own
        if question.by is By.CARD_NUMBER:
            return self._of_prefix(question.key)
        return ""

    def second(self, question: Question) -> str:
        """Where to ask when nothing was found here, ``''`` for nowhere."""
        return self._of_district(question.key) if question.by is By.CITIZEN_NUMBER else ""

    def _of_district(self, number: str) -> str:
        return self._longest(number[:_DISTRICT_DIGITS], lambda region: region.districts)

    def _of_prefix(self, number: str) -> str:
        return self._longest(number, lambda region: region.card_prefixes)

    def _longest(self, number: str, prefixes_of: Callable[[Region], tuple[str, ...]]) -> str:
        fitting = [
            (len(prefix), region.code)
            for region in self._others.values()
            for prefix in prefixes_of(region)
            if number.startswith(prefix)
        ]
        return max(fitting, default=(0, ""))[1]


def load(own: str, path: Path) -> Regions:
    """Read the other regions; files are named relative to `path`.

    ::

        [639800]
        url = "https://cards.example:8443"
        districts = ["6398"]
        card_prefixes = ["B"]
        ca = "ca.pem"
        token_file = "639800.token"

    Raises
    ------
    UsageError
        The file cannot be used.
    """
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint="name it with --regions") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    return Regions(own, [_region(path, code, table) for code, table in tables.items()])


_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _is_private(url: str) -> bool:
    """Whether nobody can listen: TLS, or a connection that does not leave this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        return False


_TEXTS = ("url", "name")
_LISTS = ("districts", "card_prefixes")
_PATHS = ("ca", "certificate", "key", "token_file")


def _region(path: Path, code: str, table: object) -> Region:
    if not isinstance(table, dict) or not _is_private(str(table.get("url", ""))):
        raise UsageError(
            f"{path}: region {code} has no url that begins with https://",
            hint="https://HOST:PORT; personal data do not go over a network in clear",
        )
    unknown = set(table) - {*_TEXTS, *_LISTS, *_PATHS}
    if unknown:
        raise UsageError(f"{path}: region {code}: unknown setting {min(unknown)}")
    texts = {name: str(table[name]) for name in _TEXTS if name in table}
    lists = {name: tuple(map(str, table[name])) for name in _LISTS if name in table}
    paths = {name: path.parent / str(table[name]) for name in _PATHS if name in table}
    return Region(code, **texts, **lists, **paths)  # type: ignore[arg-type]
