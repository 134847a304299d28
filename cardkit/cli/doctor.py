"""``cardkit doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.connect import find_pcsc
from cardkit.cli.output import Output, columns_wide, printable
from cardkit.errors import ExitCode

if TYPE_CHECKING:
    from cardkit.doctor import Finding

_SIGNS = {"ok": "ok", "warn": "note", "fail": "FAIL"}


@click.command()
@common.profile_option(text="Look for the keys of this profile 配置 too.")
@common.registry_option()
@common.json_option()
@click.pass_context
def doctor(ctx: click.Context, profile: str | None, registry: str | None, *, as_json: bool) -> None:
    """What works here, what does not, and what to do about it 自检. Nothing is changed.

    The findings stand in the order in which things have to work: the first that fails is the one to
    mend. Exit code 0 when all is well, 1 when something is to be noted, 3 when something does not
    work, 4 when it is this user's permission.
    """
    find_pcsc()
    from cardkit.doctor import examine  # noqa: PLC0415

    findings = examine(profile=profile or "", registry=common.registry_url(registry))
    out = Output(as_json=as_json)
    code = exit_code(findings)
    out.document({"ok": code == ExitCode.DONE, "findings": [_as_json(f) for f in findings]})
    for finding in findings:
        out.lines(_lines(finding))
    ctx.exit(code)


def exit_code(findings: list[Finding]) -> ExitCode:
    """The worst of the findings, as an exit code."""
    failed = [finding for finding in findings if finding.state.value == "fail"]
    if any(finding.name == "permission" for finding in failed):
        return ExitCode.REFUSED
    if failed:
        return ExitCode.UNREACHABLE
    noted = any(finding.state.value == "warn" for finding in findings)
    return ExitCode.PARTIAL if noted else ExitCode.DONE


def _lines(finding: Finding) -> list[str]:
    head = f"{_SIGNS[finding.state.value]:5} {finding.name:11} "
    lines = [head + printable(finding.message)]
    indent = " " * columns_wide(head)
    remedy = finding.remedy.splitlines()
    return lines + [
        f"{indent}{'→ ' if at == 0 else '  '}{printable(line)}" for at, line in enumerate(remedy)
    ]


def _as_json(finding: Finding) -> dict[str, str]:
    return {
        "name": finding.name,
        "state": finding.state.value,
        "message": finding.message,
        "remedy": finding.remedy,
    }
