"""People as the roster gives them: the input of an enrolment.

An :class:`Applicant` is one checked row of a roster.  It carries personal data, so its ``repr``
shows the row number and nothing else; a log line or a traceback can never leak a name through it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Applicant"]


@dataclass(slots=True)
class Applicant:
    """One person of a roster who is to receive a card.

    Every text field is ``''`` when the roster leaves it empty; nothing is ``None``, so that
    bulk code needs no special cases.

    Parameters
    ----------
    row
        Row number in the roster as an operator counts it (the heading is row 1).
    name
        Name as it is to be stored on the card.
    citizen_number
        18-character citizen number (GB 11643), last character a digit or ``X``.
    insurance_number
        Social insurance number; usually the citizen number, kept apart because it need not be.
    sex
        ``'1'`` male or ``'2'`` female (GB/T 2261).
    birth_date
        Eight digits, ``YYYYMMDD``.
    birthplace
        Six digits, administrative district (GB/T 2260).
    nation
        Two digits (GB/T 3304) or ``''``.
    address, phone, status, card_kind, bank_card_number
        As the roster gives them, ``''`` when absent.
    items
        Further card items by address (``DF01.EF05.20``) with their roster values.

    Examples
    --------
    >>> Applicant(row=2, name="someone", citizen_number="x")
    Applicant(row=2)
    """

    row: int
    name: str = field(repr=False)
    citizen_number: str = field(repr=False)
    insurance_number: str = field(default="", repr=False)
    sex: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    birthplace: str = field(default="", repr=False)
    nation: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    status: str = field(default="", repr=False)
    card_kind: str = field(default="", repr=False)
    bank_card_number: str = field(default="", repr=False)
    items: dict[str, str] = field(default_factory=dict, repr=False)
