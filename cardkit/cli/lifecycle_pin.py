"""``cardkit lifecycle unlock-pin|reset-pin`` and ``cardkit pin unlock|reset``: the holder's PIN.

One road: the rules, the act on record, the chip, the result (`cardkit.issuance.pin_service`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common, desk
from cardkit.cli.lifecycle_act import Given, given_options, perform, request_of
from cardkit.cli.output import Output
from cardkit.cli.registry_cards import find
from cardkit.cli.session import Target, card_session, target_options
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.issuance.pin_service import PinService, Served
    from cardkit.registry.records import CardRecord
    from cardkit.registry.registry import Registry

_ROAD = """

    The holder comes in person, with card and ID; the rules of the place say who does it and
    whether a second person approves. The act is on record before the chip is touched. When
    something breaks off between, the same command again finishes it; `cardkit lifecycle chip
    pending` shows what is left.
    """
_UNLOCK = "Unlock the PIN 密码解锁: it stays what it was and has all its tries again."
_RESET = "Reset the PIN 密码重置 to the initial one of the rules."


def _command(action: str, text: str, *, name: str, bank: str = "") -> click.Command:
    """A command for one of the two acts.

    Parameters
    ----------
    bank : str
        The action of ``--bank``; such a command records the act alone when no reader is named.
    """

    def run(ctx: click.Context, /, target: Target, which: str | None, **given: Any) -> None:  # noqa: ANN401
        if given.pop("bank", False):
            _refuse_chip(target)
            perform(ctx, bank, which=str(which), **given)
        elif bank and target.reader is None and target.image is None:
            perform(ctx, action, which=str(which), **given)
        else:
            _at_chip(ctx, action, which, target, **given)

    run.__doc__ = f"{text}{_ROAD}"
    decorated: Callable[..., Any] = given_options(target_options(click.pass_context(run)))
    if bank:
        on_bank = click.option("--bank", is_flag=True, help="On the bank's side 银行侧.")
        decorated = on_bank(decorated)
    argument = click.argument("which", metavar="CARD" if bank else "[CARD]", required=bool(bank))
    return click.command(name)(argument(decorated))


def _refuse_chip(target: Target) -> None:
    if target.reader is not None or target.image is not None:
        raise UsageError(
            "the bank's PIN is not on this chip's social-security side",
            hint="leave --reader and --image out",
            zh="银行密码不在社保应用中：请去掉 --reader 和 --image",
        )


def _at_chip(
    ctx: click.Context,
    action: str,
    which: str | None,
    target: Target,
    *,
    registry: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 - the fields of `Given`
) -> None:
    """The act and the chip."""
    with (
        common.open_registry(registry, only_look=True) as opened,
        _service(opened, ctx, target) as (service, reader),
    ):
        operator = desk.signed_in(opened, ctx)
        record = find(opened, which) if which else _of_card(opened, service)
        begun = service.begun(record.card_id, action)
        if begun is not None:
            served = service.finish(begun, record, operator)
        else:
            what = (action, record.card_id)
            asked = request_of(opened, ctx, what, operator, Given(**given))
            served = service.serve(asked, record)
    _tell(Output(as_json=as_json), served, record.card_id, reader)


@contextmanager
def _service(
    opened: Registry, ctx: click.Context, target: Target
) -> Iterator[tuple[PinService, str]]:
    """The card in the reader, and the name of that."""
    from cardkit.issuance.pin_service import PinService  # noqa: PLC0415

    with card_session(target, opens=True, keys=True) as session:
        life = desk.lifecycle_of(opened, ctx)
        yield PinService(life, session.in_reader()), session.reader


def _of_card(opened: Registry, service: PinService) -> CardRecord:
    """The record of the card in the reader."""
    record = opened.find_by_id_code(service.id_code())
    if record is None:
        raise UsageError(
            "the registry does not know the card in the reader",
            hint="name another registry with --registry",
            zh="登记库中没有读卡器中的卡：请核对登记库",
        )
    return record


def _tell(out: Output, served: Served, card_id: int, reader: str) -> None:
    out.document(
        {
            "act_id": served.act_id,
            "action": served.action,
            "card_id": card_id,
            "reader": reader,
            "taken_up": served.taken_up,
            "chip_done": True,
        }
    )
    if served.taken_up:
        out.line(f"act {served.act_id} was on record before; its chip is done now 已补办")
    done = "unlocked 密码已解锁" if served.action == "unlock-pin" else "reset 密码已重置"
    out.line(f"record {card_id}: the PIN is {done}")


unlock_pin = _command("unlock-pin", _UNLOCK, name="unlock-pin", bank="bank-pin-unlock")
reset_pin = _command("reset-pin", _RESET, name="reset-pin", bank="bank-pin-reset")
pin_unlock = _command("unlock-pin", _UNLOCK, name="unlock")
pin_reset = _command("reset-pin", _RESET, name="reset")
