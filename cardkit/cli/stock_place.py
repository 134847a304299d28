"""``--stock-place``: whose stock is used up, or filled, by what a command does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cardkit.cli.common import Decorator
    from cardkit.registry.registry import Registry


def option(text: str = "") -> Decorator:
    """``--stock-place``; `of` and `keep` read it."""
    return click.option(
        "--stock-place",
        metavar="PLACE",
        envvar="CARDKIT_STOCK_PLACE",
        expose_value=False,
        callback=_remember,
        help=(text or "Code of the place whose blank cards are used up 领用地点.")
        + " Default: no stock is kept.",
    )


def _remember(ctx: click.Context, param: click.Parameter, value: str | None) -> None:  # noqa: ARG001
    ctx.meta["cardkit.stock_place"] = value or ""


def of(ctx: click.Context) -> str:
    """Code of the place, or ``''``."""
    return str(ctx.meta.get("cardkit.stock_place", ""))


def keep(registry: Registry, ctx: click.Context) -> int | None:
    """From now on book cards made and spoilt there; returns how many blank cards the books have.

    Raises
    ------
    PlacesError
        There is no such place.
    """
    if not of(ctx):
        return None
    from cardkit.registry.stock import WindowStock  # noqa: PLC0415

    stock = WindowStock(registry.books, of(ctx))
    held = stock.held()
    registry.uses_stock(stock)
    return held
