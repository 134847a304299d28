"""``cardkit card verify``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output, table
from cardkit.cli.session import Target, card_session, target_options
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.card.procedures.verify import Check

_SIGNS = {"ok": "ok 正确", "failed": "FAILED 错误", "skipped": "skipped 未查"}


@click.command()
@target_options
@common.registry_option(
    text="Compare with the record of the card in this registry 登记库 too.", default=False
)
@common.json_option()
@click.pass_context
def verify(ctx: click.Context, target: Target, registry: str | None, *, as_json: bool) -> None:
    """Check that a card is right 验卡; nothing is written.

    The card proves its key (INTERNAL AUTHENTICATE 内部认证) and the MAC of its id code 卡识别码 is
    computed again, if --profile says which keys. Check digits, dates, and sex and birth date
    against the citizen number are checked always. Exit code 1 when a check fails.
    """
    from cardkit.card.procedures.verify import Outcome  # noqa: PLC0415
    from cardkit.card.procedures.verify import verify as procedure  # noqa: PLC0415
    from cardkit.issuance.plan import expected_card  # noqa: PLC0415

    if registry is not None and target.profile is None:
        raise UsageError("comparing with a registry needs a profile", hint="name it with --profile")
    with card_session(target) as session:
        profile = session.profile
        expected = expected_card(profile) if profile else None
        factor = os.urandom(8) if profile else None
        found = session.run(
            procedure(session.card, factor=factor, expected=expected, today=common.today(profile))
        )
        tree = session.card.tree
    checks = list(found.checks)
    if registry is not None and profile is not None:
        from cardkit.cli.card_compare import compare  # noqa: PLC0415

        with common.open_registry(registry, only_look=True) as opened:
            checks += compare(tree, profile, found.values, opened)
    failed = any(check.outcome is Outcome.FAILED for check in checks)
    out = Output(as_json=as_json)
    out.document({"ok": not failed, "checks": [_as_json(check) for check in checks]})
    out.lines(table(_row(check) for check in checks))
    if failed:
        ctx.exit(ExitCode.PARTIAL)


def _row(check: Check) -> tuple[str, str, str, str]:
    return _SIGNS[check.outcome.value], check.name, check.chinese, check.detail


def _as_json(check: Check) -> dict[str, str]:
    return {"name": check.name, "outcome": check.outcome.value, "detail": check.detail}
