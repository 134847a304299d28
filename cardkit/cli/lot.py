"""``cardkit lot``: packs of cards that leave the office, and come back counted."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

COMMANDS = {
    "pack": Later("cardkit.cli.lot_leaving:pack", "Finished cards of a place 装袋"),
    "unpack": Later("cardkit.cli.lot_leaving:unpack", "Packed by mistake, not yet out 拆袋"),
    "take": Later("cardkit.cli.lot_leaving:take", "A list for where there is no network 数据包"),
    "out": Later("cardkit.cli.lot_leaving:out", "Two people leave 带出"),
    "hand-over": Later("cardkit.cli.lot_leaving:hand_over", "On the way 途中交接"),
    "pick-up": Later("cardkit.cli.lot_leaving:pick_up", "The clerk of an employer 单位领取"),
    "take-down": Later("cardkit.cli.lot_returning:take_down", "What was written down 封存结果"),
    "merge": Later("cardkit.cli.lot_returning:merge", "Take the outcome over 合并结果"),
    "back": Later("cardkit.cli.lot_returning:back", "What came back is counted 带回"),
    "close": Later("cardkit.cli.lot_returning:close", "End a lot 核销"),
    "show": Later("cardkit.cli.lot_returning:show", "One lot, with its chain of custody 查看"),
    "list": Later("cardkit.cli.lot_returning:list_", "Lots with their counts 批次列表"),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def lot() -> None:
    """Hand-out lots 发放批次: packed, out with two people, back and counted.

    A lot is called L000012 or 12. Who works is signed in (cardkit operator sign-in).
    """
