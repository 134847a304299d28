"""``cardkit key``: keys made, guarded, used and accounted for."""

from __future__ import annotations

import click

from cardkit.cli.lazy import Later, LazyGroup

COMMANDS = {
    "init": Later("cardkit.cli.key_store:init", "Make an encrypted store 建库"),
    "list": Later("cardkit.cli.key_store:list_", "Keys, states and check values 列出"),
    "check": Later("cardkit.cli.key_store:check", "Compare check values 核对校验值"),
    "roles": Later("cardkit.cli.key_store:roles", "Who may do what 职责"),
    "passphrase": Later("cardkit.cli.key_store:passphrase", "New custodians or passphrases 口令"),
    "accept": Later("cardkit.cli.key_store:accept", "Take a restored older store 接受旧库"),
    "accept-clock": Later(
        "cardkit.cli.key_store:accept_clock", "The clock was set forward before 认可时钟"
    ),
    "agent": Later("cardkit.cli.key_agent:agent", "Open a store for services 密钥代理"),
    "generate": Later("cardkit.cli.key_make:generate", "Make a key in the store 生成"),
    "import": Later("cardkit.cli.key_make:import_", "Bring keys in 导入"),
    "ceremony": Later("cardkit.cli.key_ceremony:ceremony", "Keys from components 分量仪式"),
    "approve": Later("cardkit.cli.key_make:approve", "Make a key active 审批"),
    "suspend": Later("cardkit.cli.key_make:suspend", "Stop the use of a key for now 暂停"),
    "resume": Later("cardkit.cli.key_make:resume", "Use a suspended key again 恢复"),
    "retire": Later("cardkit.cli.key_make:retire", "No new cards with a key 停用"),
    "destroy": Later("cardkit.cli.key_make:destroy", "Overwrite a key for ever 销毁"),
    "derive": Later("cardkit.cli.key_out:derive", "Card keys into a sealed file 分散"),
    "export": Later("cardkit.cli.key_out:export", "A key under a transport key 导出"),
    "selftest": Later(
        "cardkit.cli.key_selftest:selftest", "Compute known answers 算法自检 and compare"
    ),
    "psam": Later("cardkit.cli.key_psam:psam", "PSAM cards 安全存取模块"),
    "token": Later("cardkit.cli.key_token:token", "Keys in a PKCS#11 token 密码设备"),
    "serve": Later("cardkit.cli.key_serve:serve", "Answer other processes 密钥服务"),
    "audit": Later("cardkit.cli.key_audit:audit", "What was done with keys 审计"),
}


@click.group(cls=LazyGroup, later=COMMANDS)
def key() -> None:
    """Make, guard and use keys 密钥.

    A store is one encrypted file that any two of its custodians 保管人 open together. Passphrases
    and components are typed without echo, or come from files; they are never on a command line.
    """
