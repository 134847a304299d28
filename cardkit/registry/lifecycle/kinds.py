"""Card kinds 卡种 as data [D6]: who may have which, and what has to be known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

_ALWAYS = ("name", "citizen_number", "birth_date")


@dataclass(frozen=True, slots=True)
class CardKind:
    """One kind of card.

    Parameters
    ----------
    least_age, most_age : int or None
        Completed years.
    needs : tuple of str
        Data beside those every person gives.
    next : str
        Kind to be exchanged for when the holder is too old, or ``''``.
    pool : bool
        Lent from a pool; nobody applies for one.
    person : bool
        Whether the holder is a person, with a name and an age.
    """

    code: str
    zh: str
    en: str
    least_age: int | None = None
    most_age: int | None = None
    needs: tuple[str, ...] = ()
    next: str = ""
    pool: bool = False
    person: bool = True


@dataclass(frozen=True, slots=True)
class KindProblem:
    """What keeps somebody from having a card of a kind; names the field, not what it says."""

    field: str
    zh: str
    en: str


def age(birth_date: str, day: date) -> int:
    """Completed years on a day.

    Parameters
    ----------
    birth_date : str
        ``YYYYMMDD``.

    Examples
    --------
    >>> age("19960502", date(2012, 5, 1)), age("19960502", date(2012, 5, 2))
    (15, 16)
    """
    born = int(birth_date)
    return (day.year * 10_000 + day.month * 100 + day.day - born) // 10_000


def problems(kind: CardKind, data: Mapping[str, str], day: date) -> Iterator[KindProblem]:
    """What is wrong with these data for a card of that kind.

    Parameters
    ----------
    data : mapping
        ``birth_date`` (``YYYYMMDD``), ``name``, ... and what the kind needs.

    Examples
    --------
    >>> child = CardKind("child", "少儿卡", "child", most_age=15)
    >>> data = {"name": "n", "citizen_number": "c", "birth_date": "19900101"}
    >>> [problem.zh for problem in problems(child, data, date(2012, 5, 1))]
    ['少儿卡须不满16周岁']
    """
    if kind.pool:
        yield KindProblem("card_kind", f"{kind.zh}只能借用，不能申领", f"{kind.en}: only lent")
    for name in (*(_ALWAYS if kind.person else ()), *kind.needs):
        if not data.get(name, "").strip():
            yield KindProblem(name, f"{kind.zh}须填写{name}", f"{kind.en}: {name} is missing")
    born = data.get("birth_date", "")
    if not kind.person or len(born) != 8 or not born.isdecimal():
        return
    years = age(born, day)
    if kind.least_age is not None and years < kind.least_age:
        least = kind.least_age
        yield KindProblem("birth_date", f"{kind.zh}须年满{least}周岁", f"{kind.en}: from {least}")
    if kind.most_age is not None and years > kind.most_age:
        most = kind.most_age
        yield KindProblem(
            "birth_date", f"{kind.zh}须不满{most + 1}周岁", f"{kind.en}: up to {most} years"
        )


def outgrown_before(kind: CardKind, day: date) -> str:
    """Born on this day (``YYYYMMDD``) or earlier is too old on `day`; ``''`` where nobody is.

    Examples
    --------
    >>> outgrown_before(CardKind("child", "少儿卡", "child", most_age=15), date(2012, 5, 1))
    '19960501'
    """
    if kind.most_age is None:
        return ""
    return f"{day.year - kind.most_age - 1:04d}{day.month:02d}{day.day:02d}"
