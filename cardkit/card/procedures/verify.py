"""Check a finished card: whether it proves its keys, whether its data agree with each other.

Nothing is written, no PIN is presented, no key has its tries counted: INTERNAL AUTHENTICATE asks
the card for a proof, not the other way round.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from cardkit.apdu import StatusError
from cardkit.card.card import AuthenticationFailedError, Card
from cardkit.card.files.codings import Value
from cardkit.card.procedure import Procedure
from cardkit.card.procedures.identify import (
    APPLICATION_PROVIDER,
    NO_MAC,
    Expected,
    WrongCardError,
)
from cardkit.card.procedures.personalize import id_code_mac
from cardkit.card.procedures.read import NOT_THERE, enter
from cardkit.codec.nations import NATIONS
from cardkit.codec.numbers import NumberError, is_card_number, parse_citizen_number
from cardkit.codec.text import FOUR_BYTES, NAME_BYTES, TextError, check_text

ID_CODE = "SSSE.EF05.01"
VERSION = "SSSE.EF05.03"
ISSUED_ON = "SSSE.EF05.05"
VALID_UNTIL = "SSSE.EF05.06"
CARD_NUMBER = "SSSE.EF05.07"
CITIZEN_NUMBER = "SSSE.EF06.08"
NAME = "SSSE.EF06.09"
NAME_EXTENSION = "SSSE.EF06.4E"
SEX = "SSSE.EF06.0A"
NATION = "SSSE.EF06.0B"
BIRTHPLACE = "SSSE.EF06.0C"
BIRTH_DATE = "SSSE.EF06.0D"

_UNFILLED = "not filled"
_VERSIONS = ("1.00", "2.00", "3.00")


class Outcome(Enum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a card.

    Parameters
    ----------
    name, chinese : str
        What was looked at.
    outcome : Outcome
        How it ended.
    detail : str
        What is wrong, or why it was skipped; never a value of the card.
    """

    name: str
    chinese: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying a card found: the checks, and the values they looked at."""

    checks: tuple[Check, ...]
    values: Mapping[str, Value] = field(repr=False)


Values = Mapping[str, Value]
Rule = Callable[[Values, dt.date, Expected | None], str]


def verify(
    card: Card, *, factor: bytes | None, expected: Expected | None, today: dt.date
) -> Procedure[Verified]:
    """Read the environment, check the proof of its keys and its data.

    Parameters
    ----------
    factor : bytes or None
        8 bytes of our choice for INTERNAL AUTHENTICATE; None where there are no keys.
    expected : Expected or None
        Version and city of the profile, None to accept any.
    today : date
        For dates that must lie behind or ahead.

    Raises
    ------
    WrongCardError
        There is no social-security environment on the chip.
    """
    yield from enter(card, card.tree.directory("SSSE"))
    values = yield from _environment(card)
    checks = [
        (yield from _internal_authentication(card, factor)),
        (yield from _mac(values, factor)),
        *agreement(values, today, expected),
    ]
    return Verified(tuple(checks), values)


def _environment(card: Card) -> Procedure[dict[str, Value]]:
    values: dict[str, Value] = {}
    for each in card.tree.fields:
        if each.directory.label != "SSSE" or not each.file.read.free:
            continue
        try:
            values[each.address] = yield from card.read(each)
        except StatusError as error:
            if error.sw not in NOT_THERE:
                raise
            values[each.address] = None
    return values


def _internal_authentication(card: Card, factor: bytes | None) -> Procedure[Check]:
    name, chinese = "internal_authentication", "内部认证"
    if factor is None:
        return Check(name, chinese, Outcome.SKIPPED, "no keys: name a profile")
    ssse = card.tree.directory("SSSE")
    try:
        yield from card.internal_authenticate(ssse, ssse.key("IRK"), factor, factor)
    except AuthenticationFailedError as error:
        return Check(name, chinese, Outcome.FAILED, error.message)
    return Check(name, chinese, Outcome.OK)


def _mac(values: Values, factor: bytes | None) -> Procedure[Check]:
    name, chinese = "id_code_mac", "卡识别码校验"
    code = values[ID_CODE]
    if factor is None:
        return Check(name, chinese, Outcome.SKIPPED, "no keys: name a profile")
    if not isinstance(code, bytes):
        return Check(name, chinese, Outcome.FAILED, _UNFILLED)
    if code[12:] == NO_MAC:
        return Check(name, chinese, Outcome.FAILED, "the id code has no MAC yet")
    try:
        mac = yield from id_code_mac(code)
    except WrongCardError as error:  # a PSAM authenticates with IRK and makes no such MAC
        return Check(name, chinese, Outcome.SKIPPED, error.message)
    if code[12:] != mac:
        return Check(name, chinese, Outcome.FAILED, "the MAC is not that of this card's key")
    return Check(name, chinese, Outcome.OK)


def agreement(values: Values, today: dt.date, expected: Expected | None = None) -> Iterator[Check]:
    """Whether the data agree with themselves, with the calendar and with the profile.

    Parameters
    ----------
    values : mapping
        Address → value, for the free items of the environment.
    """
    for name, (chinese, rule) in _RULES.items():
        problem = rule(values, today, expected)
        outcome = Outcome.FAILED if problem else Outcome.OK
        yield Check(name, chinese, outcome, problem)


def _id_code(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    code = values.get(ID_CODE)
    if not isinstance(code, bytes):
        return _UNFILLED
    if code[3:8] != APPLICATION_PROVIDER:
        return "not that of a social-security card"
    if expected is not None and code[:3] != expected.district:
        return f"of district {code[:3].hex()}, the profile is of {expected.district.hex()}"
    return ""


def _version(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    version = values.get(VERSION)
    wanted = _VERSIONS if expected is None else (expected.version,)
    return "" if version in wanted else f"not {' or '.join(wanted)}"


def _card_number(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    number = values.get(CARD_NUMBER)
    if not isinstance(number, str):
        return _UNFILLED
    return "" if is_card_number(number) else "wrong check character"


def _dates(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    issued, until = values.get(ISSUED_ON), values.get(VALID_UNTIL)
    if issued is None or until is None:
        return _UNFILLED
    if not isinstance(issued, dt.date) or not isinstance(until, dt.date):
        return "no dates of the calendar"
    if issued > today:
        return "issued in the future"
    if until <= issued:
        return "valid until a day before it was issued"
    return "expired" if until < today else ""


def _citizen_number(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    number = values.get(CITIZEN_NUMBER)
    if not isinstance(number, str):
        return _UNFILLED
    try:
        parse_citizen_number(number, today)
    except NumberError as error:
        return str(error)
    return ""


def _name(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    name, extension = values.get(NAME), values.get(NAME_EXTENSION)
    if not isinstance(name, str):
        return _UNFILLED
    try:
        length = check_text(name, FOUR_BYTES)
        check_text(str(extension or ""), FOUR_BYTES)
    except TextError as error:
        return str(error)
    if extension and length < NAME_BYTES - 3:  # a character has at most four bytes
        return "the extension continues a name that is not full"
    return ""


def _sex(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    return _as_number_says(values, SEX, ("1", "2"))


def _birth_date(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    return _as_number_says(values, BIRTH_DATE, None)


def _as_number_says(values: Values, address: str, known: tuple[str, ...] | None) -> str:
    """Whether sex or birth date is what the citizen number says."""
    value, number = values.get(address), values.get(CITIZEN_NUMBER)
    if value is None:
        return _UNFILLED
    if known is not None and value not in known:
        return "none of " + ", ".join(known)
    try:
        told = parse_citizen_number(str(number))
    except NumberError:
        return ""  # the number itself is reported
    wanted = told.sex if address == SEX else told.birth_date
    return "" if value == wanted else "not what the citizen number says"


def _nation(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    nation = values.get(NATION)
    return "" if nation is None or nation in NATIONS else "none of GB 3304"


def _birthplace(values: Values, today: dt.date, expected: Expected | None) -> str:  # noqa: ARG001
    place = values.get(BIRTHPLACE)
    if place is None or (isinstance(place, str) and len(place) == 6 and place.isdecimal()):
        return ""
    return "not six digits"


_RULES: dict[str, tuple[str, Rule]] = {
    "id_code": ("卡识别码", _id_code),
    "version": ("规范版本", _version),
    "card_number": ("卡号", _card_number),
    "dates": ("发卡日期与有效期", _dates),
    "citizen_number": ("社会保障号码", _citizen_number),
    "name": ("姓名", _name),
    "sex": ("性别", _sex),
    "birth_date": ("出生日期", _birth_date),
    "birthplace": ("出生地", _birthplace),
    "nation": ("民族", _nation),
}
