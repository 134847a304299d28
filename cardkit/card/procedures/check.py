"""Read back what was written and compare, each item once."""

from __future__ import annotations

from collections.abc import Mapping

from cardkit.card.card import Card
from cardkit.card.files.codings import Value
from cardkit.card.files.model import Field
from cardkit.card.procedure import Procedure
from cardkit.errors import CardkitError, ExitCode, RefusedError


class DifferentDataError(CardkitError):
    """What was read back is not what was written."""

    exit_code = ExitCode.PARTIAL
    zh = "写入后读回的数据不一致：芯片已损坏"

    def __init__(self, addresses: list[str]) -> None:
        super().__init__(
            f"read back differs from what was written: {', '.join(addresses)}",
            hint="the chip is worn out, or the card was made for other data",
        )
        self.addresses = addresses


class FactoryDataError(RefusedError):
    """What the factory wrote is not what the profile says; the chip itself is sound."""

    def __init__(self, addresses: list[str]) -> None:
        items = ", ".join(addresses)
        super().__init__(
            f"{items}: the factory wrote something else than the profile says",
            hint="correct card.institution and card.card_class in the profile, or set "
            "card.check_factory_items = false, and put the card in again",
            zh=f"{items}：卡片出厂数据与配置不符：请更正配置后再次运行，此卡会继续完成",
        )


def check(card: Card, values: Mapping[str, Value], pin: str | None = None) -> Procedure[None]:
    """Read every address once and compare; directories are opened as they come.

    Parameters
    ----------
    values : mapping
        Address → value; None for an item that must be unfilled.
    pin : str, optional
        For files that open only with the PIN: the initial one of a card nobody holds yet.

    Raises
    ------
    DifferentDataError
        Names every address that differs, never a value.
    """
    records = {address: card.tree.find(address).item.record(v) for address, v in values.items()}
    yield from check_records(card, records, pin)


def check_records(
    card: Card, records: Mapping[str, bytes], pin: str | None = None
) -> Procedure[None]:
    """As `check`, with the bytes of the records."""
    different = []
    for address, record in records.items():
        field = card.tree.find(address)
        yield from card.open_for(field.file.read, field.directory, pin)
        if (yield from card.read_record(field)) != record:
            different.append(address)
    if different:
        raise DifferentDataError(different)


def same(field: Field, found: Value, value: Value) -> bool:
    """Whether two values have the same bytes on the card."""
    return field.encode(found) == field.encode(value)
