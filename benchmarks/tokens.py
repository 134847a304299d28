"""Keys in a SoftHSM2 token, and behind a service, against keys in this process.

Bulk: `KeyStore.derive_many` for all keys of many cards. Single: one card, one key, one answer at a
time, which is what a window does.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from cardkit.card.key_request import External
from cardkit.keys import Factors, KeyStore
from cardkit.keys.audit import AuditLog
from cardkit.keys.guarded import GuardedStore
from cardkit.keys.pkcs11 import Pkcs11KeyStore
from cardkit.keys.record import KeyRecord, KeyState, Operation
from cardkit.keys.reference import city_factor, province_factor
from cardkit.keys.remote_access import AccessList
from cardkit.keys.remote_client import RemoteKeyStore
from cardkit.keys.remote_service import KeyService
from cardkit.keys.remote_settings import Credentials, ServiceAddress
from cardkit.keys.remote_tls import connect_to
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.token_settings import TokenSettings
from tests.certificates import make_authority

CARDS, MASTERS, ROUNDS = 200_000, 12, 9
SINGLE = 2_000
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
ABOVE = (province_factor("63"), city_factor("639900"))
HERE, SOFTHSM, SERVICE = "store in this process", "SoftHSM2", "key service over TLS"
ACCESS = '[clients."window"]\nkeys = ["*"]\noperations = ["external"]\n'


def main() -> None:
    """Print rates; the bulk target is 90 % of the store in this process."""
    keys = {(f"K{n:02}", 1): os.urandom(16) for n in range(MASTERS)}
    soft = SoftKeyStore(keys, test=True)
    with tempfile.TemporaryDirectory() as folder, _token(Path(folder)) as token:
        for (name, version), value in keys.items():
            token.import_key(name, version, value)
        guarded = _guarded(soft, Path(folder))
        _bulk(guarded, _guarded(token, Path(folder)), SOFTHSM)
        with _service(Path(folder), keys) as remote:
            _bulk(guarded, remote, SERVICE)
            _single(HERE, soft)
            _single(SOFTHSM, token)
            _single(SERVICE, remote)
        _inside(token)


def _guarded(store: SoftKeyStore | Pkcs11KeyStore, folder: Path) -> GuardedStore:
    """With policy and audit on, as in use."""
    refs = [store.reference(f"K{number:02}") for number in range(MASTERS)]
    records = {
        (ref.name, ref.version): KeyRecord(
            ref.name, ref.version, "3des", frozenset({Operation.EXTERNAL}), 3, ref.check_value,
            state=KeyState.ACTIVE, test=True,
        )
        for ref in refs
    }  # fmt: skip
    log = AuditLog(folder / f"{type(store).__name__}.audit", lambda: dt.datetime.now(dt.UTC))
    return GuardedStore(store, records, log, log.clock, "benchmark")


def _bulk(here: KeyStore, other: KeyStore, what: str) -> None:
    cards = os.urandom(8 * CARDS)
    # Rounds take turns: the machine is shared, and both get the same of it.
    times: dict[str, list[float]] = {HERE: [], what: []}
    for _ in range(ROUNDS):
        for name, store in ((HERE, here), (what, other)):
            _derive(store, cards, 1)  # memory that has lain idle is slow the first time
            times[name].append(_seconds(lambda s=store: _derive(s, cards, MASTERS)))  # type: ignore[misc]
    print(f"{CARDS:,} cards x {MASTERS} keys, policy and audit on, medians of {ROUNDS} turns:")
    for name, measured in times.items():
        middle = statistics.median(measured)
        ratios = [base / spent for base, spent in zip(times[HERE], measured, strict=True)]
        rate = CARDS * MASTERS / middle
        print(
            f"  {name:<24} {middle:6.2f} s  {rate:>12,.0f} keys/s  {statistics.median(ratios):6.1%}"
            f" ({min(ratios):.0%} to {max(ratios):.0%})"
        )


def _derive(store: KeyStore, cards: bytes, masters: int) -> None:
    for number in range(masters):
        store.derive_many(store.reference(f"K{number:02}"), Factors(ABOVE, cards))


def _single(name: str, store: KeyStore) -> None:
    ref = store.reference("K00")
    request = External("K00", bytes(8), bytes(8))
    batch = store.derive_many(ref, Factors(ABOVE, os.urandom(8)))
    answers = _seconds(lambda: [batch.external(0, request) for _ in range(SINGLE)])
    cards = [os.urandom(8) for _ in range(SINGLE)]
    derived = _seconds(lambda: [store.derive_many(ref, Factors(ABOVE, card)) for card in cards])
    print(
        f"{name:<24} one at a time: {SINGLE / derived:>9,.0f} derivations/s, "
        f"{SINGLE / answers:>9,.0f} answers/s"
    )


def _inside(token: Pkcs11KeyStore) -> None:
    """Card keys that are in clear nowhere."""
    transport = token.generate_key("KEK", 1, algorithm="aes")
    factors = Factors(ABOVE, os.urandom(8 * SINGLE))
    seconds = _seconds(lambda: token.derive_wrapped(token.reference("K00"), factors, transport))
    print(f"SoftHSM2 derive and wrap, never in clear: {SINGLE / seconds:,.0f} keys/s")


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@contextmanager
def _service(folder: Path, keys: dict[tuple[str, int], bytes]) -> Iterator[RemoteKeyStore]:
    """The same keys behind policy and audit in another process, over TLS 1.3 on this machine."""
    authority = make_authority(folder / "ca")
    service, client = authority.issue("service"), authority.issue("window")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder, keys, service, theirs), daemon=True)
    process.start()
    try:
        with connect_to(ServiceAddress("127.0.0.1", ours.recv(), client)) as store:
            yield store
    finally:
        ours.send("end")
        process.join(10)


def _serve(
    folder: Path, keys: dict[tuple[str, int], bytes], service: Credentials, pipe: Connection
) -> None:
    (folder / "access.toml").write_text(ACCESS)
    access = AccessList.from_file(folder / "access.toml")
    (folder / "service").mkdir()
    guarded = _guarded(SoftKeyStore(keys, test=True), folder / "service")
    with KeyService(guarded.for_client, service, access) as running:
        pipe.send(running.port)
        pipe.recv()


@contextmanager
def _token(folder: Path) -> Iterator[Pkcs11KeyStore]:
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    command = ["softhsm2-util", "--init-token", "--free", "--label", "bench"]
    # A token of a moment; PINs of real ones are on no command line.
    subprocess.run([*command, "--pin", "4711", "--so-pin", "4711"], check=True, capture_output=True)
    with Pkcs11KeyStore(TokenSettings(MODULE, "bench", test=True), lambda: "4711") as store:
        yield store


if __name__ == "__main__":
    main()
