"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How well something works."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``cardkit doctor``.

    Parameters
    ----------
    name : str
        What was looked at: service, permission, drivers, network, reader, card, keys, registry,
        or the name of a program for versions.
    state : State
        How well it works.
    message : str
        What was found, one line.
    remedy : str
        What to do about it, empty when nothing is to be done. May have several lines, when a file
        is to be written.
    """

    name: str
    state: State
    message: str
    remedy: str = ""


def ok(name: str, message: str, remedy: str = "") -> Finding:
    """It works."""
    return Finding(name, State.OK, message, remedy)


def warn(name: str, message: str, remedy: str = "") -> Finding:
    """It works, but."""
    return Finding(name, State.WARN, message, remedy)


def fail(name: str, message: str, remedy: str = "") -> Finding:
    """It does not work."""
    return Finding(name, State.FAIL, message, remedy)
