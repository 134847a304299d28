"""Invented people, one seed always giving the same ones."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from itertools import accumulate

from cardkit.codec.numbers import citizen_check, luhn_check
from cardkit.issuance.roster.sample import names
from cardkit.registry.people import Applicant

DISTRICT = "639900"
"""A district code that is assigned to no place."""

_FIRST_DAY = dt.date(1938, 1, 1).toordinal()
_LAST_DAY = dt.date(2009, 12, 31).toordinal()
_SEQUENCES = 999
_RETIRED_BEFORE = 1954
_CHILD_AFTER = 1998

LARGEST = (_LAST_DAY - _FIRST_DAY + 1) * _SEQUENCES
"""So many people have different citizen numbers."""

_TOWNS = ("青禾镇", "柳湾镇", "石桥镇", "河西乡", "南坪乡", "云岭镇", "双泉乡", "红土镇")
_VILLAGES = ("幸福村", "上庄村", "团结村", "大墩村", "小桥村", "泉湾村", "新民村", "杏林村")

_NATIONS = tuple(code for code, _ in names.NATIONS)
_NATION_WEIGHTS = tuple(accumulate(share for _, share in names.NATIONS))

_SHOWN_EARLY = {2: ("05", "吐尔逊·买买提"), 4: ("01", "龙䶮"), 6: ("05", names.LONGEST)}
"""Nation and name of early rows, so that a handful of people already shows what names can be."""


def people(count: int, seed: int) -> Iterator[Applicant]:
    """Invent people; no two have the same citizen number.

    Parameters
    ----------
    count : int
        How many, at most `LARGEST`.
    seed : int
        The same seed and count give the same people.

    Yields
    ------
    Applicant
        In the order of a roster whose heading is row 1.

    Raises
    ------
    ValueError
        Negative count, or more than there are numbers for.
    """
    if not 0 <= count <= LARGEST:
        raise ValueError(f"between 0 and {LARGEST:,} people can be invented")
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for at, place in enumerate(rng.sample(range(LARGEST), count)):
        yield _person(rng, at, place)


def _person(rng: random.Random, at: int, place: int) -> Applicant:
    day, sequence = divmod(place, _SEQUENCES)
    birth = dt.date.fromordinal(_FIRST_DAY + day)
    first17 = f"{DISTRICT}{birth:%Y%m%d}{sequence + 1:03}"
    sex = "1" if int(first17[-1]) % 2 else "2"
    nation = rng.choices(_NATIONS, cum_weights=_NATION_WEIGHTS)[0]
    name = names.name(rng, nation, sex)
    nation, name = _SHOWN_EARLY.get(at, (nation, name))
    town, village = rng.choice(_TOWNS), rng.choice(_VILLAGES)
    return Applicant(
        row=at + 2,
        name=name,
        citizen_number=first17 + citizen_check(first17),
        insurance_number=f"6399{place:010}",
        sex=sex,
        birth_date=first17[6:14],
        birthplace=DISTRICT,
        nation=nation,
        address=f"{town}{village}{rng.randrange(1, 200)}号",
        phone=f"129{rng.randrange(10**8):08}",
        status=_status(rng, birth.year),
        card_kind="child" if birth.year > _CHILD_AFTER else "adult",
        bank_card_number=_bank_card_number(place),
    )


def _status(rng: random.Random, year: int) -> str:
    if year < _RETIRED_BEFORE:
        return "退休"
    return "在职" if rng.random() < 0.95 else "失业"


def _bank_card_number(place: int) -> str:
    first = f"6299990{place:011}"
    return first + luhn_check(first)
