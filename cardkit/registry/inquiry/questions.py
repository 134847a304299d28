"""What can be asked: a kind of number, the number, and in which region."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cardkit.registry.inquiry.rights import Right


class By(StrEnum):
    """Which number a card is looked for by."""

    CARD_NUMBER = "card_number"
    CARD_ID_CODE = "card_id_code"
    CITIZEN_NUMBER = "citizen_number"
    INSURANCE_NUMBER = "insurance_number"
    BANK_CARD_NUMBER = "bank_card_number"


FORMS: Mapping[By, re.Pattern[str]] = {
    By.CARD_NUMBER: re.compile(r"[0-9A-Z]{9}"),
    By.CARD_ID_CODE: re.compile(r"[0-9A-F]{24}(?:[0-9A-F]{8})?"),
    By.CITIZEN_NUMBER: re.compile(r"[0-9]{17}[0-9X]"),
    By.INSURANCE_NUMBER: re.compile(r"[0-9A-Z]{4,32}"),
    By.BANK_CARD_NUMBER: re.compile(r"[0-9]{12,19}"),
}
"""How each kind of number looks."""

NEEDED: Mapping[By, Right | None] = {
    By.CARD_NUMBER: None,
    By.CARD_ID_CODE: None,
    By.CITIZEN_NUMBER: Right.BY_PERSON,
    By.INSURANCE_NUMBER: Right.BY_PERSON,
    By.BANK_CARD_NUMBER: Right.BY_ACCOUNT,
}
"""The right that asking by a kind of number needs."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question: which card has this number, and how does it stand.

    Parameters
    ----------
    by : By
        Kind of number.
    key : str
        The number; not shown by ``repr``.
    region : str
        Code of the region to ask, ``''`` where the number decides.
    """

    by: By
    key: str = field(repr=False)
    region: str = ""

    @property
    def well_formed(self) -> bool:
        """Whether the number can be one of its kind.

        Examples
        --------
        >>> Question(By.CARD_NUMBER, "A00000017").well_formed
        True
        >>> Question(By.CARD_NUMBER, "A0000001").well_formed
        False
        """
        return FORMS[self.by].fullmatch(self.key) is not None
