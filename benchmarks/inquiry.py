"""The inquiry interface: 200 clients at once against a county's registry.

A server process of its own (plain HTTP on loopback, and TLS), a process of its own for the clients:
200 connections that stay open, each sending its next question when it has its answer. Both
processes share the machine's two cores; the clients' part of the processor is printed, so that the
figure of a machine of their own can be guessed. The load is spread over the kinds of number.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import update

from cardkit.issuance import roster
from cardkit.issuance.roster import sample
from cardkit.registry.inquiry.clients import Clients
from cardkit.registry.inquiry.rights import Right
from cardkit.registry.numbering import Numbering
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.schema import cards

PEOPLE = 220_000
CLIENTS = 200
SECONDS = 10.0
_HEAD = (
    "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n"
)


def main() -> None:
    """Print requests per second and latencies."""
    with tempfile.TemporaryDirectory(prefix="cardkit-inquiry-") as name:
        folder = Path(name)
        token, numbers = _prepare(folder)
        single = [_request("/v1/inquiry", token, {"by": by, "key": key}) for by, key in numbers]
        batches = [
            _request("/v1/inquiries", token, {"questions": [
                {"by": by, "key": key} for by, key in random.sample(numbers, 100)
            ]})
            for _ in range(200)
        ]  # fmt: skip
        for clients in (1, CLIENTS):
            _measure(folder, f"one question, {clients:3} clients", single, clients, 1)
        _measure(folder, "100 questions,  8 clients", batches, 8, 100)


def _prepare(folder: Path) -> tuple[str, list[tuple[str, str]]]:
    """A county with cards that are in use, and 2,000 numbers to ask for."""
    path = folder / "roster.csv"
    sample.write(path, PEOPLE, 1)
    people = roster.read(path, today=dt.date(2030, 1, 1)).applicants
    with Registry.open(
        sqlite_url(folder / "registry.db"), clock=lambda: dt.datetime.now(dt.UTC), actor="benchmark"
    ) as registry:
        numbering = Numbering("A", 1, 1, "639900")
        registry.enrol(people, numbering, BatchInfo("roster.csv", "0" * 64, PEOPLE))
        with registry.books.store.writing() as connection:
            connection.execute(update(cards).values(state="active", bank_state="active"))
        chosen = random.Random(1).sample(people, 2000)  # noqa: S311
        numbers = [("citizen_number", one.citizen_number) for one in chosen[:1000]]
        for one in chosen[1000:]:
            record = registry.find_by_citizen_number(one.citizen_number)
            assert record is not None
            numbers.append(("card_number", record.card_number))
        token = Clients(registry.books).add("load", frozenset(Right), per_second=0)[1]
    return token, numbers


def _request(path: str, token: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    return (
        _HEAD.format(path, token) + f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content


def _measure(folder: Path, what: str, requests: Sequence[bytes], clients: int, each: int) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "cardkit", "registry", "serve", "--registry",
         str(folder / "registry.db"), "--profile", "test", "--plain-loopback", "--listen",
         "127.0.0.1:0", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        text = ""
        while "}" not in text:
            text += server.stdout.readline()
        port = int(json.loads(text)["url"].rpartition(":")[2])
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        load = context.Process(target=_load, args=(port, requests, clients, sender))
        load.start()
        took, busy = receiver.recv()
        load.join()
    finally:
        server.terminate()
        server.wait()
    took.sort()
    rate = len(took) / SECONDS
    print(
        f"{what}: {rate:7,.0f} requests/s = {rate * each:7,.0f} answers/s; "
        f"median {took[len(took) // 2] * 1e3:6.1f} ms, p99 {took[len(took) * 99 // 100] * 1e3:6.1f}"
        f" ms, longest {took[-1] * 1e3:6.1f} ms; the clients took {busy / SECONDS:.0%} of a core",
        flush=True,
    )


def _load(port: int, requests: Sequence[bytes], clients: int, sender: object) -> None:
    began = os.times()
    took = asyncio.run(_all(port, requests, clients))
    used = os.times()
    sender.send((took, used.user - began.user + used.system - began.system))  # type: ignore[attr-defined]


async def _all(port: int, requests: Sequence[bytes], clients: int) -> list[float]:
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
    until = time.perf_counter() + SECONDS
    took = await asyncio.gather(
        *(_one(line, requests, until, seed) for seed, line in enumerate(lines))
    )
    return [t for some in took for t in some]


async def _one(
    line: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    requests: Sequence[bytes],
    until: float,
    seed: int,
) -> list[float]:
    reader, writer = line
    choose = random.Random(seed).choice  # noqa: S311
    took = []
    while (began := time.perf_counter()) < until:
        writer.write(choose(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        body = await reader.readexactly(int(length))
        assert b'"found":true' in body
        took.append(time.perf_counter() - began)
    writer.close()
    return took


if __name__ == "__main__":
    main()
