"""``cardkit card``: one card in a reader, or the image of a virtual one."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

COMMANDS = {
    "read": Later("cardkit.cli.card_read:read", "Read what is on a card 读卡"),
    "verify": Later("cardkit.cli.card_verify:verify", "Check that a card is right 验卡"),
    "dump": Later("cardkit.cli.card_dump:dump", "Print every record of a card in hex 转储"),
    "apdu": Later("cardkit.cli.card_apdu:apdu", "Send commands in hex 指令"),
    "shell": Later("cardkit.cli.card_shell:shell", "Talk to a card step by step 交互"),
    "trace": Later("cardkit.cli.card_trace:trace", "Show a recorded session in words 跟踪记录"),
    "replay": Later("cardkit.cli.card_trace:replay", "Send a recorded session again 重放"),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def card() -> None:
    """Read, check and talk to one card 卡片.

    Without --reader it is the card in the only reader that has one.
    """
