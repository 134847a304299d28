"""The POS or PSAM that goes along with a lot."""

from __future__ import annotations

from sqlalchemy import Connection, select

from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.records import State
from cardkit.registry.numbering import lot_name
from cardkit.registry.schema.lots import lots
from cardkit.registry.schema.stock import stock_numbers
from cardkit.registry.stock.kinds import kind_named
from cardkit.registry.stock.numbers import parse_range
from cardkit.registry.stock.rules import State as StockState


def at_home(connection: Connection, machine: str, kind: str) -> str:
    """The number of a machine, if it is in stock and with no other lot.

    Raises
    ------
    LotError
        It is not.
    """
    if not machine:
        return ""
    number = parse_range(kind_named(kind), machine)
    table = stock_numbers.c
    held = connection.execute(
        select(table.state).where(
            table.kind == kind, table.series == number.series, table.number == number.first
        )
    ).scalar()
    if held != StockState.HELD:
        raise LotError(
            "machine",
            f"stock has no {kind} {machine} that could go along",
            hint="cardkit stock show tells where it is",
            zh=f"库存中没有可用的 {machine}：请用 cardkit stock show 查询",
        )
    name = machine.strip().upper()
    elsewhere = connection.execute(
        select(lots.c.id).where(
            lots.c.machine == name, lots.c.machine_kind == kind, lots.c.state == State.OUT.value
        )
    ).scalar()
    if elsewhere is not None:
        raise LotError(
            "machine",
            f"{kind} {machine} is out with {lot_name(elsewhere)}",
            hint="take another one",
            zh=f"{machine} 已随批次 {lot_name(elsewhere)} 带出：请换一台",
        )
    return name
