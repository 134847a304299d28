"""The two programs that `benchmarks.window` compares: the toolkit, and a bare pyscard loop."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from pathlib import Path

from benchmarks.people import person
from cardkit.apdu import pcsc
from cardkit.apdu.link import chain
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Issued, Writer
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.registry.numbering import Numbering
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url


def toolkit(registry_file: str, count: str) -> None:
    """Issue a card whenever a line comes; answer with the seconds."""
    profile = load("test")
    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))
    registry = Registry.open(
        sqlite_url(Path(registry_file)), clock=lambda: dt.datetime.now(dt.UTC), actor="bench"
    )
    registry.enrol(
        [person(number) for number in range(int(count))],
        Numbering("A", 1, 1, profile.region.city),
        BatchInfo("bench", "", int(count)),
    )
    writer = Writer(profile, registry, registry.worklist(), keyring, lambda n: b"\x11" * n)
    reader = pcsc.list_readers()[0]
    pcsc.wait_for_card(reader, 10)
    for line in sys.stdin:
        json.loads(line)
        with pcsc.open_card(reader) as link:
            keyring.prepare([link.atr[-8:]])
            begin = time.perf_counter()
            outcome = writer.process(chain(link, t0=link.protocol == "T=0"), reader)
            seconds = time.perf_counter() - begin
            link.close(pcsc.Disposition.UNPOWER)
        if not isinstance(outcome, Issued):
            sys.exit(f"not issued: {outcome.error}")
        print(seconds, flush=True)
    registry.close()


def bare() -> None:
    """Replay commands whenever a line with them comes; answer with the seconds."""
    from smartcard.CardConnection import CardConnection  # noqa: PLC0415
    from smartcard.scard import SCARD_UNPOWER_CARD  # noqa: PLC0415
    from smartcard.System import readers  # noqa: PLC0415

    reader = readers()[0]
    for line in sys.stdin:
        commands = [list(bytes.fromhex(command)) for command in json.loads(line)]
        connection = reader.createConnection()
        connection.connect(
            CardConnection.T0_protocol | CardConnection.T1_protocol,
            disposition=SCARD_UNPOWER_CARD,
        )
        begin = time.perf_counter()
        for command in commands:
            _, sw1, sw2 = connection.transmit(command)
            if sw1 not in (0x90, 0x61):
                sys.exit(f"{bytes(command[:4]).hex()} answers {sw1:02X}{sw2:02X}")
        seconds = time.perf_counter() - begin
        connection.disconnect()
        print(seconds, flush=True)


if __name__ == "__main__":
    {"toolkit": toolkit, "bare": bare}[sys.argv[1]](*sys.argv[2:])
