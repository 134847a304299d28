"""The program ``cardkit``: its commands, and what happens when one of them fails."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

import click

import cardkit
from cardkit.cli import failures, settings
from cardkit.cli.hardening import harden
from cardkit.cli.lazy import Later, LazyGroup
from cardkit.cli.output import Output
from cardkit.errors import CardkitError

COMMANDS = {
    "doctor": Later(
        "cardkit.cli.doctor:doctor", "What works here, what does not, and what to do 自检"
    ),
    "reader": Later("cardkit.cli.reader:reader", "Readers 读卡器 and what is in them"),
    "roster": Later("cardkit.cli.roster:roster", "Check and enrol rosters 花名册, make samples"),
    "intake": Later("cardkit.cli.intake:intake", "Applications, photos, printed faces 受理"),
    "issue": Later("cardkit.cli.issue:issue", "Make the cards of a roster, or that wait 制卡"),
    "card": Later("cardkit.cli.card:card", "Read, check and talk to one card 卡片"),
    "pin": Later("cardkit.cli.pin:pin", "Verify or change the PIN 密码 of a card"),
    "key": Later("cardkit.cli.key:key", "Make, guard and use keys 密钥"),
    "registry": Later("cardkit.cli.registry:registry", "Cards made, and their history 登记库"),
    "lifecycle": Later(
        "cardkit.cli.lifecycle:lifecycle",
        "What happens to a card: loss, replacement ... 卡生命周期",
    ),
    "operator": Later("cardkit.cli.operator:operator", "The people who work 操作员"),
    "approval": Later("cardkit.cli.approval:approval", "The second person 双人复核"),
    "forms": Later("cardkit.cli.forms:forms", "Receipts and forms 回执与表单, and checking them"),
    "stock": Later(
        "cardkit.cli.stock:stock", "Blank cards, PSAMs, numbered forms: what is where 库存"
    ),
    "lot": Later("cardkit.cli.lot:lot", "Packs of cards that are handed out 发放批次"),
    "virtual": Later("cardkit.cli.virtual:virtual", "Readers and cards in software 虚拟设备"),
}


_COLLECT_AFTER = 50_000
"""Objects made before garbage is looked for: modules being loaded make many, and none is garbage.
At Python's 700 that search is a tenth of the time of a command that opens a registry."""

_ROOM = 4
"""Columns left free at the end of lines of help."""


class _Formatter(click.HelpFormatter):
    """Help for a terminal: a Chinese character takes two columns of it, and click counts one."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        super().__init__(indent_increment, width, max_width)
        if width is None:
            self.width -= _ROOM


click.Context.formatter_class = _Formatter  # also of every command below


@click.group(
    cls=LazyGroup,
    later=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(cardkit.__version__, message="cardkit %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Make Chinese social-security cards 社会保障卡 through PC/SC, and work with them.

    Settings come from flags, then CARDKIT_* variables, then cardkit.toml.

    Exit codes: 0 done; 1 done, but some rows, cards or checks failed; 2 wrong usage or bad file; 3
    reader, card or device not reachable; 4 refused for security (locked, wrong PIN, key,
    permission); 70 bug.
    """
    ctx.default_map = settings.GroupDefaults(settings.load(), cli)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: the command line of the process.

    Returns
    -------
    int
        The exit code (`cardkit.errors.ExitCode`, or 130 after Ctrl-C).
    """
    harden()
    gc.set_threshold(_COLLECT_AFTER)
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    Output.document_written = False
    Output.language = "en"
    try:
        result = cli.main(words, prog_name="cardkit", standalone_mode=False)
        sys.stdout.flush()
    except CardkitError as error:
        return failures.report(error, as_json=as_json)
    except click.Abort:
        return failures.report_interrupt()
    except click.ClickException as error:
        return failures.report_usage(error, as_json=as_json)
    except BrokenPipeError:
        return _quiet_end()
    except Exception as error:  # noqa: BLE001 - everything else is a bug, and is told as one
        return failures.report_bug(error, words, as_json=as_json)
    return result if isinstance(result, int) else 0


def _quiet_end() -> int:
    """Whoever read our output has gone: end like other programs in a pipe, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
