"""``cardkit key selftest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output, printable, table
from cardkit.errors import ExitCode

if TYPE_CHECKING:
    from cardkit.keys.selftest import Report


@click.command()
@click.argument("file", required=False, type=common.PATH)
@common.json_option()
@click.pass_context
def selftest(ctx: click.Context, file: Path | None, *, as_json: bool) -> None:
    """Compute known answers 算法自检 with every algorithm, and compare.

    Without FILE these are the ones that are part of the program, which every key service computes
    when it starts too. FILE is JSON: a list "vectors" of objects with "name", "alg", "inputs" and
    "output"; docs/algorithms.md lists algorithms and inputs.

    Exit code 0 when all passed, 1 when one failed or is of an unknown algorithm, 2 for a file that
    cannot be used.
    """
    from cardkit.keys.selftest import load, run, run_builtin  # noqa: PLC0415

    report = run_builtin() if file is None else run(load(file))
    out = Output(as_json=as_json)
    out.document(_as_json(report))
    out.lines(_lines(report))
    if report.completed:
        names = printable(", ".join(report.completed))
        out.note(f"inputs the file leaves out were taken from cardkit's own vectors: {names}")
    ctx.exit(ExitCode.DONE if report.ok else ExitCode.PARTIAL)


def _as_json(report: Report) -> dict[str, list[str]]:
    return {
        "passed": report.passed,
        "failed": list(report.failed),
        "unknown": list(report.unknown),
        "completed": report.completed,
    }


def _lines(report: Report) -> list[str]:
    rows = [("FAILED 失败", name, reason) for name, reason in report.failed.items()]
    rows += [("unknown 未知", name, alg) for name, alg in report.unknown.items()]
    counts = (
        f"{len(report.passed)} passed 通过, {len(report.failed)} failed 失败, "
        f"{len(report.unknown)} unknown 未知"
    )
    return [*table(rows), counts]
