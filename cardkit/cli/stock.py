"""``cardkit stock``: cards, PSAMs, machines and numbered forms, under number."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

COMMANDS = {
    "receive": Later("cardkit.cli.stock_moves:receive", "Things come in 入库"),
    "move": Later("cardkit.cli.stock_moves:move", "Things go to another place 调拨"),
    "use": Later("cardkit.cli.stock_moves:use", "Something is used up 领用"),
    "spoil": Later("cardkit.cli.stock_moves:spoil", "Something is no good 作废"),
    "destroy": Later("cardkit.cli.stock_moves:destroy", "Spoilt things are destroyed 销毁"),
    "return": Later("cardkit.cli.stock_moves:return_", "Back to the supplier 退回"),
    "write-off": Later("cardkit.cli.stock_moves:write_off", "Off the books 盘亏核销"),
    "find": Later("cardkit.cli.stock_moves:find", "What was missing is there 盘盈找回"),
    "correct": Later("cardkit.cli.stock_moves:correct", "Take back what a wrong line said 更正"),
    "balance": Later("cardkit.cli.stock_looking:balance", "How many of what are where 库存余额"),
    "count": Later("cardkit.cli.stock_looking:count", "The shelf against the books 盘点"),
    "show": Later("cardkit.cli.stock_looking:show", "What was done 流水"),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def stock() -> None:
    """Cards, PSAMs, machines and numbered forms 库存: received, moved, used, spoilt, destroyed.

    Numbers are given as printed, --first and --last; blank cards may be counted only, --count. Who
    works is signed in (cardkit operator sign-in).
    """
