"""Kinds of things in stock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cardkit.registry.stock.errors import StockError


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing.

    Parameters
    ----------
    numbered : bool
        Whether each piece has a number that has to be given; the others may be counted only.
    checked : bool
        Whether its numbers end with the check character of a card number 卡号.
    """

    name: str
    zh: str
    numbered: bool
    checked: bool = False


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("blank-card", "空白卡", numbered=False),
        Kind("preprinted-card", "预印卡", numbered=True, checked=True),
        Kind("temporary-card", "临时卡", numbered=True),
        Kind("psam", "PSAM卡", numbered=True),
        Kind("pos", "移动POS机", numbered=True),
        Kind("receipt", "收款收据", numbered=True),
        Kind("form", "编号表单", numbered=True),
    )
}


def kind_named(name: str) -> Kind:
    """The kind with that name.

    Raises
    ------
    StockError
        There is none.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise StockError(
            "kind", f"stock has no kind {name!r}", hint=f"kinds are {', '.join(KINDS)}"
        ) from None
