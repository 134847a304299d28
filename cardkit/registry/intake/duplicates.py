"""Is this person known already? By number in both its forms, and by name and birth date.

Everything is looked up through an index, so that it takes as long in a county of 220,000 as in
an empty registry: by number, or by birth date (some six people each day), whose names are compared
here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, func, or_, select

from cardkit.codec.numbers import citizen_check
from cardkit.registry.books import Books
from cardkit.registry.schema.cards import cards, people
from cardkit.registry.schema.intake import OPEN_APPLICATION, applications
from cardkit.registry.states import DEAD

_DOTS = dict.fromkeys(map(ord, "·•・‧∙⋅．.。"), "·")
_SPACES = re.compile(r"\s+")
_FETCH = 2_000


class Likeness(StrEnum):
    """Why somebody may be the same person; the first is certain."""

    NUMBER = "number"  # the same citizen number, perhaps in its old form
    INSURANCE_NUMBER = "insurance_number"
    NAME = "name"  # same birth date, same name once both are normalised
    SIMILAR_NAME = "similar_name"  # same birth date and sex, one character differs

    @property
    def zh(self) -> str:
        """What an operator reads."""
        return _CHINESE[self]


_CHINESE = {
    Likeness.NUMBER: "公民身份号码相同",
    Likeness.INSURANCE_NUMBER: "养老保险号相同",
    Likeness.NAME: "姓名和出生日期相同",
    Likeness.SIMILAR_NAME: "出生日期、性别相同，姓名仅一字不同",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be the same person.

    Parameters
    ----------
    person_id : int or None
        Of the registry.
    application : int or None
        An application on its way, whose person the registry may not know yet.
    card_id : int or None
        The living card record of the person.
    """

    likeness: Likeness
    person_id: int | None = None
    application: int | None = None
    card_id: int | None = None

    def as_json(self) -> dict[str, object]:
        """For programs; nothing of it is personal."""
        return {
            "likeness": self.likeness.value,
            "zh": self.likeness.zh,
            "person": self.person_id,
            "application": self.application,
            "card": self.card_id,
        }


def normalised(name: str) -> str:
    """Name without what people write in different ways: widths, blanks, dots, capitals.

    Examples
    --------
    >>> normalised("买买提．艾力") == normalised("买买提・ 艾力"), normalised("Ａnna LI")
    (True, 'annali')
    """
    plain = unicodedata.normalize("NFKC", name.translate(_DOTS))
    return _SPACES.sub("", plain).translate(_DOTS).casefold()


def one_apart(one: str, other: str) -> bool:
    """Whether two names of the same length differ in exactly one character.

    Examples
    --------
    >>> one_apart("张测试", "章测试"), one_apart("张三", "李四"), one_apart("张三", "张三")
    (True, False, False)
    """
    return len(one) == len(other) > 1 and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def both_forms(number: str) -> list[str]:
    """The forms a citizen number may have been written in: 18 characters and 15 digits.

    The old form has two digits for the year and no check character (GB 11643-1989); its sequences
    996 to 999 were kept for people of a great age, so 18xx is tried as well.

    Examples
    --------
    >>> both_forms("110105491231002")
    ['110105491231002', '11010519491231002X', '110105184912310020']
    >>> both_forms("11010519491231002X")
    ['11010519491231002X', '110105491231002']
    """
    plain = unicodedata.normalize("NFKC", number).strip().upper()
    if len(plain) == 18 and plain[:17].isdecimal():
        old = plain[:6] + plain[8:17]
        return [plain, old] if plain[6:8] in ("18", "19") else [plain]
    if len(plain) == 15 and plain.isdecimal():
        bodies = [plain[:6] + century + plain[6:] for century in ("19", "18")]
        return [plain, *(body + citizen_check(body) for body in bodies)]
    return [plain]


class Duplicates:
    """The search in one registry."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def find(
        self,
        citizen_number: str,
        *,
        name: str = "",
        birth_date: str = "",
        sex: str = "",
        insurance_number: str = "",
        but_application: int | None = None,
    ) -> list[Candidate]:
        """Whoever may be the same person, the most certain first.

        Parameters
        ----------
        citizen_number : str
            18 characters or 15 digits; ``''`` when unknown.
        birth_date : str
            Eight digits.
        but_application : int, optional
            The application in question itself.
        """
        with self._books.store.reading() as connection:
            return self.find_in(
                connection,
                citizen_number,
                name=name,
                birth_date=birth_date,
                sex=sex,
                insurance_number=insurance_number,
                but_application=but_application,
            )

    def find_in(
        self,
        connection: Connection,
        citizen_number: str,
        *,
        name: str = "",
        birth_date: str = "",
        sex: str = "",
        insurance_number: str = "",
        but_application: int | None = None,
    ) -> list[Candidate]:
        """The same inside a transaction."""
        numbers = both_forms(citizen_number) if citizen_number else []
        found: dict[tuple[int | None, int | None], Likeness] = {}
        for likeness, person, application in (
            *_by_number(connection, numbers),
            *_by_insurance_number(connection, insurance_number, numbers),
            *_by_name(connection, name, birth_date, sex),
        ):
            if application is None or application != but_application:
                found.setdefault((person, application), likeness)
        living = _living(connection, [person for person, _ in found if person is not None])
        order = list(Likeness)
        return sorted(
            (
                Candidate(likeness, person, application, living.get(person or 0))
                for (person, application), likeness in found.items()
            ),
            key=lambda one: order.index(one.likeness),
        )

    def groups(self) -> Iterator[list[int]]:
        """People of the whole registry with one birth date and (normalised) name, in groups.

        Read in the order of the index: memory does not grow with the registry.
        """
        query = select(people.c.birth_date, people.c.name, people.c.id).order_by(
            people.c.birth_date, people.c.name
        )
        with self._books.store.reading(snapshot=True) as connection:
            rows = connection.execution_options(yield_per=_FETCH).execute(query)
            for _, born in groupby((tuple(row) for row in rows), key=itemgetter(0)):
                by_name: dict[str, list[int]] = {}
                for _, name, person in born:
                    by_name.setdefault(normalised(name), []).append(person)
                yield from (group for group in by_name.values() if len(group) > 1)


_Found = tuple[Likeness, int | None, int | None]


def _by_number(connection: Connection, numbers: list[str]) -> Iterator[_Found]:
    if not numbers:
        return
    likeness = Likeness.NUMBER
    ids = connection.execute(
        select(people.c.id).where(
            or_(
                people.c.citizen_number.in_(numbers),
                people.c.insurance_number.in_(numbers)
                & (people.c.insurance_number != people.c.citizen_number),
            )
        )
    ).scalars()
    yield from ((likeness, person, None) for person in ids)
    on_their_way = connection.execute(
        select(applications.c.id).where(
            applications.c.citizen_number.in_(numbers), applications.c.state.in_(OPEN_APPLICATION)
        )
    ).scalars()
    yield from ((likeness, None, application) for application in on_their_way)


def _by_insurance_number(
    connection: Connection, number: str, known: Iterable[str]
) -> Iterator[_Found]:
    if not number or number in known:
        return
    ids = connection.execute(
        select(people.c.id).where(
            or_(
                people.c.citizen_number == number,
                (people.c.insurance_number == number)
                & (people.c.insurance_number != people.c.citizen_number),
            )
        )
    ).scalars()
    yield from ((Likeness.INSURANCE_NUMBER, person, None) for person in ids)


def _by_name(connection: Connection, name: str, birth_date: str, sex: str) -> Iterator[_Found]:
    if not name or not birth_date:
        return
    wanted = normalised(name)
    born = connection.execute(
        select(people.c.id, people.c.name, people.c.sex).where(people.c.birth_date == birth_date)
    )
    for person, other, other_sex in born:
        likeness = _likeness(wanted, normalised(other), sex, other_sex)
        if likeness:
            yield likeness, person, None
    waiting = connection.execute(
        select(applications.c.id, applications.c.name, applications.c.sex).where(
            applications.c.birth_date == birth_date, applications.c.state.in_(OPEN_APPLICATION)
        )
    )
    for application, other, other_sex in waiting:
        likeness = _likeness(wanted, normalised(other), sex, other_sex)
        if likeness:
            yield likeness, None, application


def _likeness(name: str, other: str, sex: str, other_sex: str) -> Likeness | None:
    if name == other:
        return Likeness.NAME
    same_sex = not sex or not other_sex or sex == other_sex
    return Likeness.SIMILAR_NAME if same_sex and one_apart(name, other) else None


def _living(connection: Connection, person_ids: list[int]) -> dict[int, int]:
    rows = connection.execute(
        select(cards.c.person, func.max(cards.c.id))
        .where(cards.c.person.in_(person_ids), cards.c.state.not_in(DEAD))
        .group_by(cards.c.person)
    )
    return {row[0]: row[1] for row in rows}
