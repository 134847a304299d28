"""``kill -9`` at every point: a program of its own that forks programs and lets them die.

The chip lives in the parent and so outlives the child; a child reaches it over a pair of sockets.
At its point the child kills itself. What it leaves is a registry that nobody closed and a chip that
still has its power, its selected file and its open keys (unless the power went with the child:
`Hit.TORN`). The parent has one thread only, as forking demands, so tests start it as a process::

    python -m tests.crash.killing ROAD FIRST LAST
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import traceback
from typing import Final, Never

from cardkit.apdu.link import LinkLostError, chain
from cardkit.virtual.card import PowerLostError
from tests.crash.fragile import FragileCard, Watch
from tests.crash.places import RESET, Hit, Place, Point, read_points
from tests.crash.proof import finish
from tests.crash.scene import FIRST_DAY, LISTED, Road, Scene, at, scene

COMMAND: Final = b"C"
TORN: Final = b"T"
ATR: Final = b"A"
WARM_RESET: Final = b"R"
_UNHARMED: Final = 3  # exit code of a child that was never hit


class Doomed(Watch):
    """A watch whose program is killed."""

    def cut(self) -> Never:
        """See `Watch.cut`."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


class Wire:
    """One end of the pair of sockets: messages of two bytes of length and so many bytes."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: bytes) -> None:
        """Send one message."""
        self._end.sendall(len(message).to_bytes(2, "big") + message)

    def receive(self) -> bytes:
        """The next message; empty when the other end is gone, or has nothing to say."""
        length = self._end.recv(2, socket.MSG_WAITALL)
        if len(length) < 2:
            return b""
        return self._end.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)

    def close(self) -> None:
        """Hang up."""
        self._end.close()


class WireLink:
    """The child's link to the chip; here it is killed around a command."""

    def __init__(self, wire: Wire, watch: Watch) -> None:
        self._wire = wire
        self._watch = watch

    @property
    def atr(self) -> bytes:
        """Answer to the last reset."""
        return self._ask(ATR)

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command, return data and status word."""
        return self._pass(Place(apdu[:4].hex().upper()), COMMAND, apdu)

    def reset(self) -> bytes:
        """Warm reset; returns the ATR."""
        return self._pass(Place(RESET), WARM_RESET)

    def _pass(self, place: Place, kind: bytes, apdu: bytes = b"") -> bytes:
        hit = self._watch.passes(place)
        if hit is None:
            return self._ask(kind, apdu)
        if hit is not Hit.CUT_BEFORE:
            self._wire.send((TORN if hit is Hit.TORN else kind) + apdu)
            self._wire.receive()  # the chip is done; the answer is never used
        self._watch.cut()
        raise LinkLostError("a dead program goes on")

    def _ask(self, kind: bytes, apdu: bytes = b"") -> bytes:
        self._wire.send(kind + apdu)
        return self._wire.receive()


def serve(card: FragileCard, wire: Wire) -> None:
    """Be the reader of a chip until the child is gone."""
    while message := wire.receive():
        wire.send(_answer(card, message[:1], message[1:]))


def _answer(card: FragileCard, kind: bytes, apdu: bytes) -> bytes:
    if kind == ATR:
        return card.atr
    if kind == WARM_RESET:
        return card.reset()
    if kind == COMMAND:
        return card.transmit(apdu)
    try:
        return card.hit(apdu, Hit.TORN)
    except PowerLostError:
        return b""


def kill(one: Scene, point: Point) -> None:
    """Fork a program that makes the chip of a scene and is killed at a point."""
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        here.close()
        _die(one, Wire(there), Doomed.of(point))
    there.close()
    one.card.power_on()
    wire = Wire(here)
    serve(one.card, wire)
    wire.close()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the child was not killed: {os.waitstatus_to_exitcode(status)}"
    assert os.WTERMSIG(status) == signal.SIGKILL
    one.look_up(FIRST_DAY)


def _die(one: Scene, wire: Wire, watch: Watch) -> Never:
    try:
        with one.program(watch, FIRST_DAY) as program:
            program.writer.process(chain(WireLink(wire, watch)), "reader")
    except BaseException:  # noqa: BLE001 - a child must not run on as its parent
        traceback.print_exc()
    finally:
        os._exit(_UNHARMED)


def kill_all(road: Road, points: list[Point]) -> int:
    """Kill a program at each of the points and prove what the next one makes of it."""
    assert threading.active_count() == 1, "fork only a process with one thread"
    road.chip()  # everything that all children need is made once
    gc.freeze()
    for point in points:
        with scene(road) as one, at(point):
            kill(one, point)
            finish(one)
    return len(points)


def points_to_kill_at(road: str) -> list[Point]:
    """Points of a list that differ for a program that is dead.

    It leaves the same after a command whose answer it did not live to see and before the next one.

    Examples
    --------
    >>> [str(point) for point in points_to_kill_at("blank")][2:4]
    ['0004 cut-before 00840000', '0005 torn 00840000']
    """
    points = read_points(road)
    return [
        point
        for point, following in zip(points, [*points[1:], None], strict=True)
        if (point.hit, following and following.hit) != (Hit.UNANSWERED, Hit.CUT_BEFORE)
    ]


def _main(name: str, first: str, last: str) -> None:
    (road,) = (road for road in LISTED if road.name == name)
    points = [p for p in points_to_kill_at(name) if int(first) <= p.number <= int(last)]
    sys.stdout.write(f"{kill_all(road, points)} killed\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
