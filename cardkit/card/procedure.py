"""Procedures: what is done with a card, written once, without input or output.

A procedure is a generator. It yields a `Command` for the chip, a `KeyRequest` for whoever holds the
keys, or a `Milestone` for the journal, and gets back a `Response`, the bytes asked for, or nothing.
Who connects it to a reader, a virtual card, a recording, a key store in this process or a service
that answers an hour later, is none of its business; `run` is the plain way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from cardkit.apdu import Command, Link, Response, StatusError
from cardkit.card.key_request import CardKeys, KeyRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Milestone:
    """A point that must be on record, durably, before the procedure goes on."""

    name: str


Request = Command | KeyRequest | Milestone
Answer = Response | bytes | None
Procedure = Generator[Request, Answer, T]


def transmit(command: Command) -> Procedure[Response]:
    """Send a command, whatever the card answers."""
    answer = yield command
    if not isinstance(answer, Response):
        raise TypeError("a runner answers a Command with a Response")
    return answer


def command(command: Command, *, what: str, file: str = "", hint: str = "") -> Procedure[bytes]:
    """Send a command that must succeed, return its data.

    Raises
    ------
    StatusError
        The card answered anything but 9000.
    """
    answer = yield from transmit(command)
    if not answer.sw.ok:
        raise StatusError(answer.sw, command, what=what, file=file, hint=hint)
    return answer.data


def ask(request: KeyRequest) -> Procedure[bytes]:
    """Ask whoever holds the keys."""
    answer = yield request
    if not isinstance(answer, bytes):
        raise TypeError("a runner answers a KeyRequest with bytes")
    return answer


def milestone(name: str) -> Procedure[None]:
    """Have a point recorded before anything else happens."""
    yield Milestone(name)


def no_journal(_milestone: str) -> None:
    """Milestones of a procedure that nobody needs to resume."""


def run(
    procedure: Procedure[T],
    link: Link,
    keys: CardKeys,
    journal: Callable[[str], None] = no_journal,
) -> T:
    """Run a procedure to its end against one chip.

    Parameters
    ----------
    procedure : Procedure
        A fresh generator.
    link : Link
        The chip, behind its chain of links.
    keys : CardKeys
        Answers key requests for this card.
    journal : callable
        Gets the name of each milestone and returns once it is durable.

    Returns
    -------
    The procedure's own result.

    Raises
    ------
    CardkitError
        Whatever link, keys or the procedure itself raise; it is thrown into the procedure first.
    """
    answer: Answer = None
    try:
        request = next(procedure)
        while True:
            try:
                answer = _perform(request, link, keys, journal)
            except Exception as error:  # noqa: BLE001 - handed to the procedure, which may clean up
                request = procedure.throw(error)
            else:
                request = procedure.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result


def _perform(
    request: Request, link: Link, keys: CardKeys, journal: Callable[[str], None]
) -> Answer:
    if isinstance(request, Command):
        return Response.parse(link.transmit(request.to_bytes()))
    if isinstance(request, Milestone):
        journal(request.name)
        return None
    return request.put_to(keys)
