"""What a client may ask and see: data.

Every field of an answer belongs to one right. A client without it gets an answer in which the field
does not exist, so that no empty value can tell anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from cardkit.errors import UsageError


class Right(StrEnum):
    """One thing a client may do."""

    STATE = "state"  # see how a card stands
    NUMBERS = "numbers"  # see card number, id code, insurance number
    PERSON = "person"  # see whose card it is
    ACCOUNT = "account"  # see the bank account on the card
    BY_PERSON = "by-person"  # ask by citizen or insurance number
    BY_ACCOUNT = "by-account"  # ask by bank card number
    BATCH = "batch"  # ask many questions at once
    BLACKLIST = "blacklist"  # fetch the list of stopped cards
    FOREIGN = "foreign"  # ask about cards of other regions


FIELDS: Mapping[str, Mapping[str, Right]] = {
    "card": {
        "state": Right.STATE,
        "valid": Right.STATE,
        "kind": Right.STATE,
        "changed_at": Right.STATE,
        "lapses_at": Right.STATE,
        "bank_state": Right.STATE,
        "card_number": Right.NUMBERS,
        "card_id_code": Right.NUMBERS,
        "insurance_number": Right.NUMBERS,
    },
    "person": {
        "name": Right.PERSON,
        "citizen_number": Right.PERSON,
        "sex": Right.PERSON,
        "birth_date": Right.PERSON,
    },
    "account": {"bank_card_number": Right.ACCOUNT},
}
"""Group of an answer → field → the right it needs."""


def visible(rights: frozenset[Right]) -> dict[str, tuple[str, ...]]:
    """Fields of each group that `rights` show; groups without any are left out.

    Examples
    --------
    >>> visible(frozenset({Right.ACCOUNT, Right.BATCH}))
    {'account': ('bank_card_number',)}
    """
    shown = {
        group: tuple(name for name, right in fields.items() if right in rights)
        for group, fields in FIELDS.items()
    }
    return {group: fields for group, fields in shown.items() if fields}


def parse(words: Iterable[str]) -> frozenset[Right]:
    """Rights by their codes.

    Raises
    ------
    UsageError
        One of them is none.

    Examples
    --------
    >>> sorted(parse(["state", "batch"]))
    [<Right.BATCH: 'batch'>, <Right.STATE: 'state'>]
    """
    try:
        return frozenset(Right(word) for word in words)
    except ValueError as error:
        raise UsageError(
            f"{error}".replace("Right", "right"), hint=f"rights: {', '.join(Right)}"
        ) from None
