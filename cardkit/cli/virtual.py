"""``cardkit virtual``: readers and cards in software, until stopped."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output
from cardkit.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from cardkit.virtual.service import Service

SERIAL_LENGTH = 4
MOST_READERS = 16


@click.group()
def virtual() -> None:
    """Readers and cards in software 虚拟设备, for trying out and for tests."""
    if os.name != "posix":
        raise UnreachableError(
            "virtual readers need pcscd, which this system does not have",
            hint="use the card of an image file: --image; or a Linux machine",
        )


@virtual.command()
@click.option(
    "--count",
    type=click.IntRange(1, MOST_READERS),
    metavar="N",
    default=1,
    show_default=True,
    help="How many readers. They come in pairs: of an odd number one more is listed.",
)
@common.runtime_option()
@common.json_option()
def readers(count: int, runtime_dir: Path | None, *, as_json: bool) -> None:
    """Run a PC/SC service with virtual readers 虚拟读卡器, until Ctrl-C.

    It leaves the machine's own pcscd alone. Root needs nothing more, and every PC/SC program finds
    the readers; without root it may print a variable that other programs need.
    """
    from cardkit.virtual.service import run_service  # noqa: PLC0415

    out = Output(as_json=as_json)
    run_service(
        count, runtime_dir, report=lambda service: _report(service, out), stop=stopped_by_signal()
    )
    out.note("virtual readers stopped")


def _report(service: Service, out: Output) -> None:
    out.document(
        {"readers": list(service.readers), "environment": service.environment,
         "mode": service.mode.value}
    )  # fmt: skip
    for slot, name in enumerate(service.readers):
        out.line(f"slot {slot}: {name}")
    if len(service.readers) % 2:
        out.line("PC/SC lists a spare reader beside them: virtual readers come in pairs")
    for name, value in service.environment.items():
        out.line(f"other programs need: export {name}={value}")
    out.note("running; Ctrl-C stops. Put a card in: cardkit virtual card --slot 0")


def stopped_by_signal() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    event = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        event.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return event


@virtual.command()
@common.profile_option(default="test")
@click.option(
    "--state",
    type=click.Choice(["blank", "premade", "complete", "issued"]),
    default="premade",
    show_default=True,
    help="A new card is blank 空白, pre-made 预制 (structure and keys), complete (also the MAC "
    "of its id code), or issued 已制 to somebody who does not exist.",
)
@click.option(
    "--image",
    type=common.PATH,
    help="Card image 卡片映像: used if it is there (whatever --state says), and kept up to date.",
)
@click.option(
    "--slot", type=click.IntRange(0, MOST_READERS - 1), default=0, show_default=True,
    help="Which virtual reader.",
)  # fmt: skip
@click.option(
    "--count",
    type=click.IntRange(min=1),
    metavar="K",
    default=1,
    show_default=True,
    help="A stack 卡叠 of so many cards: the next goes in when one has a holder's data on it.",
)
@click.option("--serial", metavar="HEX", default="00000001", show_default=True,
              help="Serial 序列号 of the first card, 4 bytes; the others count on.")  # fmt: skip
@common.runtime_option()
@common.json_option()
def card(
    profile: str,
    state: str,
    image: Path | None,
    slot: int,
    count: int,
    serial: str,
    *,
    runtime_dir: Path | None,
    as_json: bool,
) -> None:
    """Put a virtual card 虚拟卡 into a virtual reader, until Ctrl-C.

    The readers run elsewhere: `cardkit virtual readers`. Images hold test keys and personal data in
    clear; they are for synthetic data only.
    """
    if image is not None and count > 1:
        raise UsageError("an image is one card", hint="leave out --image or --count")
    from cardkit.cli.virtual_cards import Stack, run_cards  # noqa: PLC0415

    cards = Stack(common.load_profile(profile), state, parse_serial(serial), count, image)
    run_cards(cards, slot, runtime_dir, out=Output(as_json=as_json), stop=stopped_by_signal())


@virtual.command()
@click.option(
    "--image", type=common.PATH, required=True,
    help="PSAM image 映像, from `cardkit key psam make`.",
)  # fmt: skip
@click.option(
    "--slot", type=click.IntRange(0, MOST_READERS - 1), default=1, show_default=True,
    help="Which virtual reader.",
)  # fmt: skip
@common.runtime_option()
@common.json_option()
def psam(image: Path, slot: int, *, runtime_dir: Path | None, as_json: bool) -> None:
    """Put a virtual PSAM 虚拟 PSAM into a virtual reader, until Ctrl-C.

    The readers run elsewhere: `cardkit virtual readers`.
    """
    from cardkit.cli.virtual_psam import run_psam  # noqa: PLC0415

    run_psam(image, slot, runtime_dir, out=Output(as_json=as_json), stop=stopped_by_signal())


def parse_serial(text: str) -> int:
    """Serial of four bytes in hex.

    Raises
    ------
    UsageError
        Something else.
    """
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != SERIAL_LENGTH:
        raise UsageError(f"--serial {text!r}: 4 bytes in hex wanted", hint="00A00001")
    return int.from_bytes(value, "big")
