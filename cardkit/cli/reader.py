"""``cardkit reader``: what is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.connect import find_pcsc
from cardkit.cli.output import Output, table

if TYPE_CHECKING:
    from cardkit.apdu.pcsc import Holder, ReaderState


@click.group()
def reader() -> None:
    """Readers 读卡器 and what is in them."""


@reader.command("list")
@common.json_option()
def list_(*, as_json: bool) -> None:
    """List readers 读卡器, the card in each, and who uses it.

    PC/SC does not tell which program holds which reader; of a busy reader, all programs that may
    hold it are named, as far as this user may see them.
    """
    find_pcsc()
    from cardkit.apdu import pcsc  # noqa: PLC0415

    out = Output(as_json=as_json)
    states = pcsc.reader_states()
    holders = pcsc.find_holders() if any(_used(state) for state in states) else []
    out.document([_as_json(state, holders) for state in states])
    rows = [(state.name, _words(state, holders), state.atr.hex().upper()) for state in states]
    out.lines(table(rows, ("读卡器 READER", "卡片 CARD", "ATR")) if rows else [])
    if not rows:
        out.note("no reader is connected 没有读卡器")


def _used(state: ReaderState) -> bool:
    # pcscd sets one of the two, never both.
    return state.in_use or state.exclusive


def _words(state: ReaderState, holders: list[Holder]) -> str:
    if not state.present:
        return "empty 无卡"
    if state.mute:
        return "mute 卡无应答"
    if not _used(state):
        return "present 有卡"
    who = ", ".join(str(holder) for holder in holders)
    kind = "busy 占用" if state.exclusive else "shared 共用"
    return f"{kind}: {who}" if who else kind


def _as_json(state: ReaderState, holders: list[Holder]) -> dict[str, object]:
    return {
        "name": state.name,
        "card": state.present,
        "atr": state.atr.hex().upper() or None,
        "in_use": _used(state),
        "exclusive": state.exclusive,
        "mute": state.mute,
        "holders": [
            {"pid": holder.pid, "program": holder.program} for holder in holders if _used(state)
        ],
    }
