"""A virtual card printer: every card is a PNG in a directory, and it can run out or jam.

``virtual:DIR?ribbon=100&jam=3`` names one with a ribbon for 100 cards that jams in its third job.
What it holds and has printed is kept in ``printer.json`` beside the cards, so that it goes on where
it stopped; ``jobs.jsonl`` is its journal (no personal data). The pictures themselves show people:
the directory is for its owner only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import parse_qsl

from cardkit import wholefile
from cardkit.errors import UsageError
from cardkit.registry.intake.printer import PrinterError, PrintJob

SCHEME = "virtual:"

_ENDLESS = -1


@dataclass(slots=True)
class Machine:
    """State of the machine between jobs.

    Parameters
    ----------
    ribbon, hopper : int
        Cards that the ribbon and the input tray are good for; -1: for ever.
    jam : int
        The job that jams in the middle of its card, 0: none.
    offline : int
        1: does not answer.
    jobs, printed, spoilt : int
        Counted.
    """

    ribbon: int = _ENDLESS
    hopper: int = _ENDLESS
    jam: int = 0
    offline: int = 0
    jobs: int = 0
    printed: int = 0
    spoilt: int = 0


_SETTINGS = ("ribbon", "hopper", "jam", "offline")


class _Words(NamedTuple):
    message: str
    hint: str
    zh: str


_FAULTS: Mapping[str, _Words] = {
    "offline": _Words(
        "the card printer does not answer",
        "see that it is switched on and connected; no card was touched",
        "打印机没有应答：请检查电源和连接；没有动用卡片",
    ),
    "hopper": _Words(
        "the card printer has no cards",
        "fill the input tray and print again",
        "打印机卡箱已空：请加卡后重新打印",
    ),
    "ribbon": _Words(
        "the ribbon of the card printer is used up",
        "put in a new ribbon and print again; no card was touched",
        "打印机色带已用完：请更换色带后重新打印；没有动用卡片",
    ),
    "jam": _Words(
        "a card jammed in the printer",
        "take it out, note it as spoilt, and print again",
        "打印机卡卡，此卡已废：请取出并按废卡登记，然后重新打印",
    ),
}


class VirtualPrinter:
    """A printer that exists only as a directory.

    Parameters
    ----------
    directory : Path
        Made when it is missing (0700).
    settings : mapping
        Of `Machine`: ``ribbon``, ``hopper``, ``jam``, ``offline``; given ones replace those kept.
    """

    name = "virtual"

    def __init__(self, directory: Path, settings: Mapping[str, int] | None = None) -> None:
        self.directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.machine = self._kept()
        except (OSError, ValueError, TypeError):
            raise UsageError(
                f"{directory} cannot be a virtual printer", hint="name a directory of its own"
            ) from None
        for name, value in (settings or {}).items():
            setattr(self.machine, name, value)

    @classmethod
    def named(cls, address: str) -> Self:
        """The printer of an address.

        Raises
        ------
        UsageError
            The address says something unknown.
        """
        path, _, query = address.removeprefix(SCHEME).partition("?")
        settings = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in _SETTINGS or not value.isdecimal():
                raise UsageError(
                    f"a virtual printer has no setting {name}={value}",
                    hint=f"settings are {', '.join(_SETTINGS)}, each a number",
                )
            settings[name] = int(value)
        if not path:
            raise UsageError("a virtual printer needs a directory", hint="virtual:DIR")
        return cls(Path(path), settings)

    def print_face(self, job: PrintJob) -> None:
        """See `cardkit.registry.intake.printer.Printer`."""
        machine = self.machine
        machine.jobs += 1
        problem = self._problem()
        if problem == "jam":
            machine.spoilt += 1
            machine.jam = 0
            self._use_up()
            self._write(f"job-{job.number:06d}-spoilt.png", _half(job.image))
        elif not problem:
            machine.printed += 1
            self._use_up()
            self._write(f"job-{job.number:06d}.png", job.image)
        self._note(job, problem)
        if problem:
            words = _FAULTS[problem]
            raise PrinterError(
                problem, words.message, spoilt=problem == "jam", hint=words.hint, zh=words.zh
            )

    def _problem(self) -> str:
        machine = self.machine
        if machine.offline:
            return "offline"
        if machine.hopper == 0:
            return "hopper"
        if machine.ribbon == 0:
            return "ribbon"
        return "jam" if machine.jobs == machine.jam else ""

    def _use_up(self) -> None:
        for name in ("hopper", "ribbon"):
            left = getattr(self.machine, name)
            setattr(self.machine, name, left - 1 if left > 0 else left)

    def _kept(self) -> Machine:
        file = self.directory / "printer.json"
        return Machine(**json.loads(file.read_text("utf-8"))) if file.exists() else Machine()

    def _note(self, job: PrintJob, problem: str) -> None:
        line = {
            "job": job.number,
            "result": problem or "printed",
            "image": hashlib.sha256(job.image).hexdigest(),
        }
        handle = os.open(
            self.directory / "jobs.jsonl", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600
        )
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._write("printer.json", json.dumps(asdict(self.machine)).encode())

    def _write(self, name: str, data: bytes) -> None:
        wholefile.write(self.directory / name, data)


def _half(image: bytes) -> bytes:
    """The upper half of the picture: as far as the card came."""
    from cardkit.registry.intake import raster  # noqa: PLC0415 - slow to import, seldom wanted

    picture = raster.decode(image, ("PNG",))
    white = raster.canvas(picture.width, picture.height)
    white.paste(picture.crop((0, 0, picture.width, picture.height // 2)), (0, 0))
    return raster.to_png(white, 300)
