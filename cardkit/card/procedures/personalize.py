"""Write a person's data onto a card that has structure and keys, and read it back.

The window's road: one external authentication with the update key, one UPDATE RECORD an item by
short file identifier and tag; then every item is read once and compared.
"""

from __future__ import annotations

from collections.abc import Mapping

from cardkit.card.card import Card
from cardkit.card.files.codings import Value
from cardkit.card.key_request import KeyUse, Seal, Sealing
from cardkit.card.procedure import Procedure, ask
from cardkit.card.procedures.check import (
    DifferentDataError,
    FactoryDataError,
    check_records,
)
from cardkit.card.procedures.identify import Identity

ID_CODE = "SSSE.EF05.01"
WINDOW_ITEMS = tuple(
    f"SSSE.{item}"
    for item in (
        "EF05.05", "EF05.06", "EF05.07",
        "EF06.08", "EF06.09", "EF06.4E", "EF06.0A", "EF06.0B", "EF06.0C", "EF06.0D",
    )
)  # fmt: skip
"""What a window writes: issue data of EF05 and the holder in EF06 (card.md 9)."""

FACTORY_ITEMS = ("SSSE.EF05.02", "SSSE.EF05.04")
"""What the factory wrote and the window checks (id code and version were read to identify)."""

_ID_CODE_MAC = Sealing(encrypt=False, key_use=KeyUse.DIRECT)


def id_code_mac(id_code: bytes) -> Procedure[bytes]:
    """The 4 bytes that complete an id code: retail MAC under the card's IRK over its first 12."""
    return (yield from ask(Seal("SSSE.IRK", id_code[:12], b"", bytes(8), _ID_CODE_MAC)))


def open_for_update(card: Card) -> Procedure[None]:
    """Present the update key of the environment; writes nothing."""
    field = card.tree.find(ID_CODE)
    yield from card.open_for(field.file.update, field.directory)


def personalize(
    card: Card, identity: Identity, values: Mapping[str, Value], pin: str | None = None
) -> Procedure[bytes]:
    """Write what ``values`` has, then check all window and factory items.

    An item nobody supplies is not written; should a card carry a left-over there, the check
    finds it and it is emptied.

    Parameters
    ----------
    identity : Identity
        What `identify` found on this card, in this session.
    values : mapping
        Address → value. Items of other directories are written after the environment, each under
        the update key of its file.
    pin : str, optional
        Initial PIN, where a file to be checked opens only with it.

    Returns
    -------
    bytes
        The complete id code, 16 bytes.

    Raises
    ------
    DifferentDataError
        The check failed.
    FactoryDataError
        Only what the factory wrote differs.
    """
    id_code = identity.id_code
    records = {a: _record(card, a, v) for a, v in values.items() if v is not None}
    window = {a: records[a] for a in WINDOW_ITEMS if a in records}
    elsewhere = {a: record for a, record in records.items() if not a.startswith("SSSE.")}
    if not identity.has_mac:
        id_code = id_code[:12] + (yield from id_code_mac(id_code))
        window[ID_CODE] = _record(card, ID_CODE, id_code)
    yield from _write(card, window | elsewhere)

    factory = {a: records[a] for a in FACTORY_ITEMS if a in records}
    unfilled = {a: _record(card, a, None) for a in WINDOW_ITEMS if a not in records}
    yield from _check(card, factory | unfilled | window | elsewhere, unfilled, pin)
    return id_code


def _record(card: Card, address: str, value: Value) -> bytes:
    return card.tree.find(address).item.record(value)


def _write(card: Card, records: Mapping[str, bytes]) -> Procedure[None]:
    for address, record in records.items():
        field = card.tree.find(address)
        yield from card.open_for(field.file.update, field.directory)
        yield from card.update_record(field, record)


def _check(
    card: Card, records: Mapping[str, bytes], unfilled: Mapping[str, bytes], pin: str | None
) -> Procedure[None]:
    try:
        yield from check_records(card, records, pin)
    except DifferentDataError as error:
        if set(error.addresses) <= set(FACTORY_ITEMS):
            raise FactoryDataError(error.addresses) from None
        left_over = {a: unfilled[a] for a in error.addresses if a in unfilled}
        if len(left_over) < len(error.addresses):
            raise
        yield from _write(card, left_over)  # the card was used before
        yield from check_records(card, left_over, pin)
