"""``cardkit registry exchange``: files from and for banks, agencies, factories and terminals."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

_FILES, _AGREED = "cardkit.cli.registry_exchange_files", "cardkit.cli.registry_exchange_agreed"
COMMANDS = {
    "layouts": Later(f"{_AGREED}:layouts", "Layouts that can be used 文件格式"),
    "show": Later(f"{_AGREED}:show", "Fields and result codes of a layout 字段"),
    "partner": Later(f"{_AGREED}:partner", "Who files come from and go to 交换单位"),
    "import": Later(f"{_FILES}:import_", "Take a file in, and answer it 导入"),
    "compare": Later(f"{_FILES}:compare", "Compare the cards with a list 数据比对"),
    "export": Later(f"{_FILES}:export", "Make a file of what was not sent yet 导出"),
    "reissue": Later(f"{_FILES}:reissue", "Send rejected rows in a new batch 重发"),
    "status": Later(f"{_AGREED}:status", "What was exchanged 交换批次"),
    "look": Later(f"{_AGREED}:look", "Rows of a batch that failed, and why 查看"),
    "proposals": Later(
        "cardkit.cli.registry_exchange_proposals:proposals", "Corrections to decide 更正建议"
    ),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def exchange() -> None:
    """Files exchanged with banks, agencies, factories and terminals 交换文件."""
