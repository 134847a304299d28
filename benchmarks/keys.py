"""Deriving through `KeyStore.derive_many` with policy and audit on, against one core's limit.

200,000 cards × 12 keys, 3DES and SM4. The limit is what ``openssl speed`` computes in the same run.
The store works for a second or more between two turns of OpenSSL on the same cores, and is compared
with their mean; the figure is the median over all turns. Before each turn the store derives every
key once and is not timed: OpenSSL never lets its 16 KiB go cold, and touching megabytes that have
lain idle for a second costs a virtual machine as much as deriving three keys for all cards
(measured: 80 ms). On a machine with other work only the second figure means much: bytes a second of
processor time, of this process and of OpenSSL. It leaves out waiting for the disk.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from cardkit.card.key_request import Internal
from cardkit.keys import Factors
from cardkit.keys.audit import AuditLog
from cardkit.keys.custody import Custody, Wish
from cardkit.keys.guarded import GuardedStore
from cardkit.keys.open_store import Access, guarded
from cardkit.keys.reference import city_factor, province_factor
from cardkit.keys.soft_file import KeyFile, Passphrases
from cardkit.keys.soft_format import Cost

CARDS, KEYS, ROUNDS, SINGLE = 200_000, 12, 9, 2_000
BYTES = CARDS * KEYS * 16
MANY = 1_000_000
CIPHERS = {"3des": "des-ede3", "sm4": "sm4-ecb"}
ABOVE = (province_factor("63"), city_factor("639900"))
PASSPHRASES = {"a": "passphrase of a", "b": "passphrase of b"}


def now() -> dt.datetime:
    """The clock."""
    return dt.datetime.now(dt.UTC)


def make_store(folder: Path, algorithm: str) -> GuardedStore:
    """A soft store with twelve active keys, opened for use."""
    audit = AuditLog(folder / "audit", now)
    roles = {"generate": ("gu",), "approve": ("shen",), "use": ("clerk",)}
    cost = Cost(memory_kib=64, iterations=1, lanes=1)
    file = KeyFile.create(folder / "store", PASSPHRASES, audit, "boss", roles=roles, cost=cost)
    for number in range(KEYS):
        wish = Wish(f"DF01.K{number}.IRK", algorithm=algorithm)
        Custody(file, "gu", now).generate(wish)
        Custody(file, "shen", now).change("approve", wish.name)
    return guarded(file, Access(Passphrases(PASSPHRASES.__getitem__), now, "clerk", "benchmark"))


def derive(store: GuardedStore, names: Sequence[str], factors: Factors, threads: int) -> None:
    """Each of the keys for every card, by so many threads; the batches are dropped one by one."""

    def one(name: str) -> int:
        return len(store.derive_many(store.reference(name), factors))

    if threads == 1:
        done = sum(map(one, names))
    else:
        with ThreadPoolExecutor(threads) as pool:
            done = sum(pool.map(one, names))
    assert done == len(names) * factors.count


def window(store: GuardedStore, factors: Factors, threads: int) -> tuple[float, float]:
    """Bytes a second by the clock, and a second of processor time; over a second or more."""
    names = store.names()
    begin = time.perf_counter()
    derive(store, names, factors, threads)  # warm
    rounds = 1 + int(1 / (time.perf_counter() - begin))
    begin, cpu = time.perf_counter(), time.process_time()
    derive(store, names * rounds, factors, threads)
    done = rounds * BYTES
    return done / (time.perf_counter() - begin), done / (time.process_time() - cpu)


def openssl_speed(cipher: str, processes: int, *, cpu: bool = False) -> float:
    """Bytes a second of OpenSSL with blocks of 16 KiB: by the clock, or of processor time."""
    command = ["openssl", "speed", "-seconds", "1", "-bytes", "16384", "-evp", cipher]
    command += [] if cpu else ["-elapsed"]
    if processes > 1:
        command += ["-multi", str(processes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.findall(r"([\d.]+)k\s*$", done.stdout, re.MULTILINE)
    return float(found[-1]) * 1000


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Run on so many cores, as do the programs started meanwhile, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[-count:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def compare(algorithm: str, threads: int) -> None:
    """Turns of OpenSSL and the store on the same cores."""
    cipher = CIPHERS[algorithm]
    factors = Factors(ABOVE, os.urandom(8 * CARDS))
    with tempfile.TemporaryDirectory() as folder, on_cores(threads):
        store = make_store(Path(folder), algorithm)
        limits, rates, processor = [openssl_speed(cipher, threads)], [], []
        for _ in range(ROUNDS):
            found, of_processor = window(store, factors, threads)
            rates.append(found)
            limits.append(openssl_speed(cipher, threads))
            processor.append(of_processor / openssl_speed(cipher, 1, cpu=True))
        store.close()
    ratios = [2 * r / (a + b) for r, a, b in zip(rates, limits, limits[1:], strict=False)]
    rate, limit = statistics.median(rates), statistics.median(limits)
    print(
        f"{algorithm:<5} {threads} thread{'s' * (threads > 1)}: {rate / 1e6:7.1f} MB/s "
        f"= {rate / 16 / KEYS:9,.0f} cards/s; openssl {limit / 1e6:7.1f} MB/s; "
        f"{100 * statistics.median(ratios):5.1f} % "
        f"({100 * min(ratios):.0f} to {100 * max(ratios):.0f}), of processor time "
        f"{100 * statistics.median(processor):5.1f} %; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def single(algorithm: str) -> None:
    """One card a call, as a window does it: each derivation is an entry on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder), algorithm)
        ref = store.reference(store.names()[0])

        def derivation() -> None:
            store.derive_many(ref, Factors(ABOVE, bytes(8)))

        batch = store.derive_many(ref, Factors(ABOVE, bytes(8)))
        request = Internal(ref.name, bytes(8), bytes(8))
        rates = rate(derivation), rate(lambda: batch.internal(0, request))
        store.close()
    print(f"{algorithm:<5} single calls: {rates[0]:,.0f} derivations/s, {rates[1]:,.0f} answers/s")


def rate(call: Callable[[], object]) -> float:
    """Calls a second."""
    begin = time.perf_counter()
    for _ in range(SINGLE):
        call()
    return SINGLE / (time.perf_counter() - begin)


def memory(algorithm: str) -> None:
    """Peak memory for 1,000,000 cards × 12 keys, all batches kept; in this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder), algorithm)
        factors = Factors(ABOVE, os.urandom(8 * MANY))
        batches = [store.derive_many(store.reference(n), factors) for n in store.names()]
        assert sum(map(len, batches)) == MANY * KEYS
        store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{algorithm:<5} {MANY:,} cards × {KEYS} keys: peak {peak / 1024:.0f} MiB, "
        f"of which the keys {MANY * KEYS * 16 / 2**20:.0f} and the program {before / 1024:.0f}"
    )


def main() -> None:
    """Print the figures."""
    if sys.argv[-1] in ("memory-3des", "memory-sm4"):
        memory(sys.argv[-1].partition("-")[2])
        return
    for algorithm in CIPHERS:
        for threads in (1, 2):
            compare(algorithm, threads)
        single(algorithm)
        command = [sys.executable, "-m", "benchmarks.keys", f"memory-{algorithm}"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
