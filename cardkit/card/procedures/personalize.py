"""Write a person's data onto a card that has structure and keys, and read it back.

The window's road: one external authentication with the update key, one UPDATE RECORD an item by
short file identifier and tag; then every item is read once and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cardkit.card.card import Card
from cardkit.card.files.codings import Value
from cardkit.card.key_request import KeyUse, Seal, Sealing
from cardkit.card.procedure import Procedure, ask
from cardkit.card.procedures.check import DifferentDataError, check
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

    An item nobody supplies is not written; should a card carry a left-over there, the check finds it
    and it is emptied.

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
    """
    completed: dict[str, Value] = {}
    id_code = identity.id_code
    if not identity.has_mac:
        id_code = id_code[:12] + (yield from id_code_mac(id_code))
        completed = {ID_CODE: id_code}
    elsewhere = {a: v for a, v in values.items() if not a.startswith("SSSE.") and v is not None}
    window = {a: values.get(a) for a in WINDOW_ITEMS}
    yield from _write(card, {a: v for a, v in window.items() if v is not None})
    yield from _write(card, completed)
    yield from _write(card, elsewhere)
    factory = {a: values[a] for a in FACTORY_ITEMS if values.get(a) is not None}
    yield from _check(card, completed | factory | window | elsewhere, pin)
    return id_code


def _write(card: Card, values: Mapping[str, Value]) -> Procedure[None]:
    for address, value in values.items():
        field = card.tree.find(address)
        yield from card.open_for(field.file.update, field.directory)
        yield from card.update(field, value)


def _check(card: Card, values: Mapping[str, Value], pin: str | None) -> Procedure[None]:
    try:
        yield from check(card, values, pin)
    except DifferentDataError as error:
        left_over = _left_over(error.addresses, values)
        if not left_over:
            raise
        yield from _write(card, dict.fromkeys(left_over))
        yield from check(card, dict.fromkeys(left_over), pin)


def _left_over(addresses: Iterable[str], values: Mapping[str, Value]) -> list[str]:
    """The addresses, if all of them are items that nobody supplied: a card that was used before."""
    found = list(addresses)
    return found if all(a in WINDOW_ITEMS and values[a] is None for a in found) else []
