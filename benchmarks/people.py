"""Synthetic applicants for measurements: all ten window items are given."""

from __future__ import annotations

from cardkit.codec.numbers import citizen_check
from cardkit.registry.people import Applicant

NAME = "阿卜杜热合曼江·阿卜杜克热木·吐尔逊"


def person(number: int) -> Applicant:
    """One of up to 100,000 people."""
    day, rest = divmod(number, 1000)
    body = f"639900199{day // 28 % 10}01{day % 28 + 1:02d}{rest:03d}"
    return Applicant(
        row=number + 2,
        name=NAME,
        citizen_number=body + citizen_check(body),
        insurance_number=f"6399{number:08d}",
        sex="1" if rest % 2 else "2",
        birth_date=body[6:14],
        birthplace="639900",
        nation="05",
    )
