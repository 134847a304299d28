"""A virtual PSAM in a virtual reader, until stopped."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from cardkit.cli.output import Output
from cardkit.virtual import service, vpcd
from cardkit.virtual.psam import VirtualPsam

_LOOK = 0.2  # seconds between two looks whether to stop


def run_psam(
    image: Path, slot: int, runtime_dir: Path | None, *, out: Output, stop: threading.Event
) -> None:
    """Keep the PSAM of an image in a virtual reader until ``stop`` is set.

    Raises
    ------
    UsageError
        No image.
    NoVirtualReaderError, SlotTakenError
        There is no such reader, or a card is in it.
    """
    psam = VirtualPsam.load(image)

    def attach() -> Any:  # noqa: ANN401 - a socket, which this module has no other use for
        return service.attach(slot, runtime_dir)

    thread = vpcd.insert(psam, attach)
    atr = psam.atr.hex().upper()
    out.document({"slot": slot, "atr": atr, "terminal_number": psam.chip.terminal.hex()})
    out.line(f"slot {slot}: PSAM with ATR {atr}")
    out.note("Ctrl-C takes it out")
    while not stop.wait(_LOOK) and not thread.wait(0):
        pass
    thread.remove()
    if thread.error is not None:
        raise thread.error
    out.note("PSAM taken out")
