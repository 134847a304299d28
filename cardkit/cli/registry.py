"""``cardkit registry``: people, cards, and everything that happened to them."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

COMMANDS = {
    "list": Later("cardkit.cli.registry_cards:list_", "Card records 列出"),
    "show": Later("cardkit.cli.registry_cards:show", "One card with its history 查看"),
    "export": Later("cardkit.cli.registry_cards:export", "Card records into a file 导出"),
    "audit": Later("cardkit.cli.registry_cards:audit", "Counts, and the chain of the history 审计"),
    "spoil": Later("cardkit.cli.registry_cards:spoil", "Give up the chip of a record 废卡"),
    "migrate": Later("cardkit.cli.registry_upkeep:migrate", "Bring an earlier one up to date 升级"),
    "backup": Later("cardkit.cli.registry_upkeep:backup", "All of it, encrypted, into a file 备份"),
    "restore": Later("cardkit.cli.registry_upkeep:restore", "Put a backup back 恢复"),
    "accept-clock": Later(
        "cardkit.cli.registry_upkeep:accept_clock", "Go on although the history ends later 校时"
    ),
    "places": Later("cardkit.cli.registry_statistics:places", "Villages, windows ... 地点"),
    "statistics": Later(
        "cardkit.cli.registry_statistics:statistics", "What happened, by place and period 统计"
    ),
    "sample": Later("cardkit.cli.registry_statistics:sample", "Samples for inspection 抽查"),
    "archive": Later("cardkit.cli.registry_archive:archive", "Volumes of a hundred people 档案"),
    "exchange": Later(
        "cardkit.cli.registry_exchange:exchange", "Files of banks, factories ... 交换文件"
    ),
    "serve": Later("cardkit.cli.registry_serve:serve", "Answer other systems 信息查询接口"),
    "client": Later("cardkit.cli.registry_client:client", "Systems that may ask 查询客户端"),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def registry() -> None:
    """People, cards, and everything that happened to them 登记库."""
