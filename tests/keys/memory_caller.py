"""A caller of a key service that looks for master keys in its own memory; run as a program.

    python memory_caller.py SETTINGS NEEDLES     keys behind the service of the settings file
    python memory_caller.py --soft NEEDLES       keys in this process, to see that they are found

NEEDLES are numbers, so that the bytes that are looked for are not in this process: each half of a
key as a number of 64 bits, multiplied by an odd constant. Memory is multiplied the same way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from cardkit.card.key_request import External, WriteKey
from cardkit.keys import CardKeySet, KeyStore
from cardkit.keys.card_keys import derive
from cardkit.keys.reference import city_factor, province_factor

FACTOR = 0x9E3779B97F4A7C15
ABOVE = (province_factor("63"), city_factor("639900"))
CARDS = b"".join(n.to_bytes(8, "big") for n in range(5000))
NAMES = ["SSSE.IRK", "SSSE.MK"]


def use(store: KeyStore) -> int:
    """Derive a batch, get answers; the answers' length is told so that they were asked for."""
    keys = CardKeySet.from_batches(derive(store, NAMES, ABOVE, CARDS), 4999)
    proof = keys.external(External("SSSE.IRK", bytes(8), bytes(8)))
    return len(proof + keys.write_key(WriteKey("SSSE.MK", bytes(5), "SSSE.IRK", b"\x15head")))


def found(needles: list[list[int]]) -> list[int]:
    """Places in the list of those whose two halves stand one behind the other in memory."""
    wanted = [tuple(np.uint64(half) for half in needle) for needle in needles]
    hits: set[int] = set()
    regions = Path("/proc/self/maps").read_text().splitlines()
    with open("/proc/self/mem", "rb", buffering=0) as memory:  # noqa: PTH123
        for region in regions:
            span, rights = region.split()[:2]
            if "r" not in rights or region.endswith(("[vvar]", "[vsyscall]")):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            hits |= _in(content, wanted)
    return sorted(hits)


def _in(content: bytes, wanted: list[tuple[np.uint64, ...]]) -> set[int]:
    hits = set()
    for shift in range(8):
        usable = (len(content) - shift) // 8 * 8
        words = np.frombuffer(content, dtype="<u8", count=usable // 8, offset=shift)
        mixed = words * np.uint64(FACTOR)
        for place, (left, right) in enumerate(wanted):
            at = np.flatnonzero(mixed[:-1] == left)
            if np.any(mixed[at + 1] == right):
                hits.add(place)
    return hits


def main() -> None:
    """Use the keys, then look."""
    where, needles = sys.argv[1:]
    if where == "--soft":
        from cardkit.keys.open_store import open_store  # noqa: PLC0415
        from cardkit.profile import load  # noqa: PLC0415

        store: KeyStore = open_store(load("test"))
    else:
        from cardkit.keys.remote_tls import open_remote  # noqa: PLC0415

        store = open_remote(Path(where))
    answers = use(store)
    hits = found(json.loads(Path(needles).read_text()))
    sys.stdout.write(json.dumps({"answers": answers, "found": hits}))


if __name__ == "__main__":
    main()
