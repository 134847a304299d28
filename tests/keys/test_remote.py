"""Keys behind a service: the same answers, who may ask what, and a service that goes and comes."""

from __future__ import annotations

import gc
import io
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.card.key_request import (
    External,
    Internal,
    KeyRequest,
    KeyUse,
    Seal,
    Sealing,
    WriteKey,
)
from cardkit.errors import CardkitError, RefusedError, UnreachableError, UsageError
from cardkit.keys import CardKeySet, Factors, KeyRef, KeyStore
from cardkit.keys.answers import KeyArray
from cardkit.keys.audit import AuditLog
from cardkit.keys.card_keys import derive
from cardkit.keys.guarded import GuardedStore
from cardkit.keys.record import KeyRecord, KeyState, Operation
from cardkit.keys.reference import CheckValue, city_factor, province_factor
from cardkit.keys.remote_access import EVERYTHING, AccessList
from cardkit.keys.remote_client import RemoteKeyStore
from cardkit.keys.remote_desk import Desk
from cardkit.keys.remote_frames import FrameError, read_frame, write_frame
from cardkit.keys.remote_messages import (
    KeyServiceError,
    KeyTimeoutError,
    request_from_json,
    request_to_json,
)
from cardkit.keys.remote_service import KeyService
from cardkit.keys.remote_settings import ServiceAddress
from cardkit.keys.remote_tls import connect_to, open_remote
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.store import KeyMissingError, KeyPolicyError
from tests.certificates import Authority, make_authority
from tests.keys.conftest import Clock

KEYS = {("SSSE.IRK", 1): bytes(range(16)), ("SSSE.MK", 1): bytes(range(16, 32))}
ABOVE = (province_factor("63"), city_factor("639900"))
CARDS = bytes.fromhex("8684639900BF7C7A8684639900BF7C7B")
CHALLENGE = bytes.fromhex("1122334455667788")
SOURCE = bytes.fromhex("0102030405060708")
EXTERNAL = External("SSSE.IRK", CHALLENGE, SOURCE)
WRITE = WriteKey("SSSE.MK", bytes.fromhex("84D401001C"), "SSSE.IRK", b"\x15head", CHALLENGE)
QUESTIONS: list[KeyRequest] = [
    EXTERNAL,
    External("SSSE.IRK", b"", SOURCE, KeyUse.DIRECT),
    Internal("SSSE.IRK", CHALLENGE, SOURCE),
    Seal("SSSE.IRK", b"", b"12345678", CHALLENGE, Sealing(key_use=KeyUse.DIRECT, always_pad=True)),
    WRITE,
]
ACCESS = """
[clients."window-3"]
keys = ["SSSE.*"]
operations = ["external", "internal", "seal", "load"]

[clients."reader"]
keys = ["SSSE.IRK"]
operations = ["internal"]
"""


def soft() -> SoftKeyStore:
    return SoftKeyStore(KEYS, test=True)


def answer(store: KeyStore, request: KeyRequest, place: int = 1) -> bytes:
    batches = derive(store, ["SSSE.IRK", "SSSE.MK"], ABOVE, CARDS)
    return request.put_to(CardKeySet.from_batches(batches, place))


class Surroundings:
    """A service on a port of its own that can be stopped and started again."""

    def __init__(self, folder: Path, store: KeyStore) -> None:
        self.authority: Authority = make_authority(folder / "ca")
        self.service_credentials = self.authority.issue("service")
        self.client_credentials = self.authority.issue("window-3")
        path = folder / "access.toml"
        path.write_text(ACCESS)
        self.access = AccessList.from_file(path)
        self.store = store
        self.store_for: Callable[[str], KeyStore] = lambda _: self.store
        self.notices: list[str] = []
        self.port = 0
        self.running: KeyService | None = None

    def start(self) -> None:
        service = KeyService(
            self.store_for, self.service_credentials, self.access,
            port=self.port, notice=self.notices.append,
        )  # fmt: skip
        self.running = service.__enter__()
        self.port = service.port

    def stop(self) -> None:
        if self.running is not None:
            self.running.__exit__()
            self.running = None

    def address(self, name: str = "", **changes: object) -> ServiceAddress:
        credentials = self.authority.issue(name) if name else self.client_credentials
        whole = ServiceAddress("127.0.0.1", self.port, credentials, 10.0)
        return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Surroundings]:
    made = Surroundings(tmp_path, soft())
    made.start()
    yield made
    made.stop()


@pytest.fixture
def store(place: Surroundings) -> Iterator[RemoteKeyStore]:
    with connect_to(place.address()) as opened:
        yield opened


def one_line(error: CardkitError) -> str:
    assert "\n" not in error.line()
    return error.line()


# --- the same answers -----------------------------------------------------------------------------


@pytest.mark.parametrize("request_", QUESTIONS, ids=lambda r: type(r).__name__)
def test_answers_are_those_of_the_store_behind(store: RemoteKeyStore, request_: KeyRequest) -> None:
    assert answer(store, request_) == answer(soft(), request_)


def test_many_answers_for_one_journey(store: RemoteKeyStore) -> None:
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    expected = soft().derive_many(soft().reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    answers = store.ask([(batch, index, EXTERNAL, None) for index in (0, 1, 0)])
    assert answers == [expected.external(index, EXTERNAL) for index in (0, 1, 0)]


def test_references(store: RemoteKeyStore) -> None:
    assert store.reference("SSSE.IRK") == soft().reference("SSSE.IRK")
    with pytest.raises(KeyMissingError, match=r"no key SSSE\.BK"):
        store.reference("SSSE.BK")


def test_wrong_check_value(store: RemoteKeyStore) -> None:
    """The key was replaced behind the service, or the client looks at another."""
    other = KeyRef("SSSE.IRK", 1, CheckValue(b"\0\0\0"), test=True)
    with pytest.raises(KeyPolicyError, match="is another key here"):
        store.derive_many(other, Factors(ABOVE, CARDS))


def test_batches_are_released(store: RemoteKeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many batches come and go, the other side holds the ones in use."""
    monkeypatch.setattr("cardkit.keys.remote_desk.MOST_KEYS", 6)
    ref = store.reference("SSSE.IRK")
    for _ in range(10):
        batch = store.derive_many(ref, Factors(ABOVE, CARDS))
        assert batch.external(0, EXTERNAL)
        del batch
        gc.collect()
    kept = [store.derive_many(ref, Factors(ABOVE, CARDS)) for _ in range(2)]
    with pytest.raises(KeyPolicyError, match="card keys at once"):
        kept += [store.derive_many(ref, Factors(ABOVE, CARDS)) for _ in range(2)]


class Wire:
    """A desk without a wire; notes what is sent. Implements `Channel`."""

    def __init__(self, store: KeyStore, sent: list[bytes]) -> None:
        self._desk = Desk(store)
        self._sent = sent

    def exchange(
        self,
        message: dict[str, object],
        blob: bytes,
        waiting_for: str,  # noqa: ARG002
    ) -> tuple[dict[str, object], bytes]:
        self._sent.append(blob)
        return self._desk.answer(message, blob)

    def close(self) -> None:
        """Nothing is held."""


def test_the_same_cards_are_sent_once() -> None:
    """And anew after others, after a refusal and over a new connection: each gets its own keys."""
    sent: list[bytes] = []
    store = RemoteKeyStore(lambda: Wire(soft(), sent), "wire")
    irk, mk = store.reference("SSSE.IRK"), store.reference("SSSE.MK")
    foreign = replace(irk, check_value=CheckValue(b"\x00\x00\x00"))
    others = CARDS[::-1]
    sent.clear()

    def blob_of(ref: KeyRef, cards: bytes) -> bytes:
        batch = store.derive_many(ref, Factors(ABOVE, cards))
        expected = soft().derive_many(ref, Factors(ABOVE, cards))
        blob = sent[-1]
        assert batch.external(1, EXTERNAL) == expected.external(1, EXTERNAL)
        return blob

    assert [blob_of(irk, CARDS), blob_of(mk, CARDS)] == [CARDS, b""]
    assert [blob_of(irk, others), blob_of(mk, others)] == [others, b""]
    assert blob_of(irk, CARDS) == CARDS
    with pytest.raises(KeyPolicyError):
        store.derive_many(foreign, Factors(ABOVE, others))
    assert [blob_of(irk, CARDS), blob_of(mk, CARDS)] == [CARDS, b""]
    store.close()
    assert [blob_of(irk, CARDS), blob_of(mk, CARDS)] == [CARDS, b""]


def test_several_threads_take_turns(store: RemoteKeyStore) -> None:
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    expected = [answer(soft(), EXTERNAL, place) for place in (0, 1)]
    wrong: list[bytes] = []

    def work(index: int) -> None:
        for _ in range(50):
            got = batch.external(index, EXTERNAL)
            if got != expected[index]:
                wrong.append(got)

    threads = [threading.Thread(target=work, args=(n % 2,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- who may ask what -----------------------------------------------------------------------------


def test_a_client_gets_its_keys_and_its_operations_only(place: Surroundings) -> None:
    with connect_to(place.address("reader")) as reader:
        batch = reader.derive_many(reader.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
        assert batch.internal(0, Internal("SSSE.IRK", CHALLENGE, SOURCE))
        with pytest.raises(KeyPolicyError, match=r"reader may not use key SSSE\.IRK for external"):
            batch.external(0, EXTERNAL)
        with pytest.raises(KeyPolicyError, match=r"reader may not use key SSSE\.MK"):
            reader.reference("SSSE.MK")
        with pytest.raises(KeyPolicyError, match=r"reader may not use key SSSE\.MK"):
            reader.derive_many(soft().reference("SSSE.MK"), Factors(ABOVE, CARDS))
    with (
        connect_to(place.address()) as window,
        pytest.raises(KeyPolicyError, match="for load-plain"),
    ):
        answer(window, WriteKey(None, b"", "SSSE.MK", b"head"))
    assert any("may not use key SSSE.MK" in notice for notice in place.notices)


def test_a_client_that_is_not_listed(place: Surroundings) -> None:
    with (
        connect_to(place.address("stranger")) as store,
        pytest.raises(KeyPolicyError, match="client stranger is not known"),
    ):
        store.reference("SSSE.IRK")


def test_what_the_access_file_refuses_is_on_record(place: Surroundings, tmp_path: Path) -> None:
    """As what the policy of a key refuses: a client that tries its luck is found in the log."""
    irk = soft().reference("SSSE.IRK")
    record = KeyRecord(
        "SSSE.IRK", 1, "3des", frozenset(Operation), 3, irk.check_value, state=KeyState.ACTIVE,
        test=True,
    )  # fmt: skip
    audit = AuditLog(tmp_path / "log", Clock())
    records = {("SSSE.IRK", 1): record}
    guarded = GuardedStore(soft(), records, audit, audit.clock, "clerk", purpose="key service")
    place.stop()
    place.store_for = guarded.for_client
    place.start()
    with connect_to(place.address("reader")) as reader:
        for ask in (
            lambda: reader.reference("SSSE.MK"),
            lambda: answer(reader, EXTERNAL),
            lambda: reader.derive_many(replace(irk, name="SSSE.MK"), Factors(ABOVE, CARDS)),
        ):
            with pytest.raises(KeyPolicyError):
                ask()
        batch = reader.derive_many(irk, Factors(ABOVE, CARDS))
        with pytest.raises(KeyPolicyError, match="for external"):
            batch.external(0, EXTERNAL)
    with connect_to(place.address("stranger")) as stranger, pytest.raises(KeyPolicyError):
        stranger.names()
    refused = [
        (e.actor, e.action, e.key, e.purpose, e.result)
        for e in (line.entry for line in audit.lines()) if e.result != "ok"
    ]  # fmt: skip
    service = "key service of clerk"
    not_mk = "refused: client reader may not use key SSSE.MK"
    assert refused == [
        ("reader", "reference", "SSSE.MK", service, not_mk),
        ("reader", "reference", "SSSE.MK", service, not_mk),
        ("reader", "derive", f"SSSE.MK v1 ({irk.check_value})", service, not_mk),
        ("reader", "external", str(record), service,
         "refused: client reader may not use key SSSE.IRK for external"),
        ("stranger", "connect", "", service,
         "refused: client stranger is not known to the key service"),
    ]  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_private_key_that_others_can_read_is_refused(place: Surroundings) -> None:
    """Who has it is the client, or the service."""
    place.client_credentials.key.chmod(0o644)
    with pytest.raises(UsageError, match="others can read the private key"):
        connect_to(place.address())


def test_certificates_of_nobody(place: Surroundings, tmp_path: Path) -> None:
    """Another authority's client, an expired one, and a service that is somebody else."""
    theirs = make_authority(tmp_path / "theirs").issue("window-3")
    ours = place.client_credentials
    foreign = replace(ours, certificate=theirs.certificate, key=theirs.key)
    expired = place.authority.issue("expired", days=-1)
    for credentials in (foreign, expired):
        with (
            connect_to(place.address(credentials=credentials)) as store,
            pytest.raises(RefusedError, match="refuses this client's certificate"),
        ):
            store.reference("SSSE.IRK")
    with (
        connect_to(place.address(credentials=replace(ours, ca=theirs.ca))) as store,
        pytest.raises(RefusedError, match="is not who it should be"),
    ):
        store.reference("SSSE.IRK")
    with (
        connect_to(place.address(host="localhost")) as store,
        pytest.raises(RefusedError, match="is not who it should be"),
    ):
        store.reference("SSSE.IRK")


def test_no_tls_and_no_sense(place: Surroundings) -> None:
    """Whoever comes without TLS, or with nonsense, disturbs nobody."""
    with socket.create_connection(("127.0.0.1", place.port)) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
    with connect_to(place.address()) as store:
        for message in ({"do": "open the vault"}, {}, {"do": "derive"}, {"do": "ask"}):
            with pytest.raises(KeyServiceError, match="cannot make sense"):
                store.call(message, waiting_for="nonsense")
        with pytest.raises(KeyPolicyError, match="protocol"):
            store.call({"do": "hello", "protocol": 99}, waiting_for="nonsense")
        assert answer(store, EXTERNAL) == answer(soft(), EXTERNAL)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "][",
        "[clients]",
        '[clients.a]\nkeys = ["*"]',
        '[clients.a]\nkeys = ["*"]\noperations = ["export"]',
        '[clients.a]\nkeys = "*"\noperations = ["seal"]',
        'other = 1\n[clients.a]\nkeys = ["*"]\noperations = ["seal"]',
    ],
)
def test_access_files_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    path = tmp_path / "access.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        AccessList.from_file(path)
    assert str(path) in one_line(caught.value)


# --- going away -----------------------------------------------------------------------------------


def test_service_gone_in_the_middle_of_a_batch_and_back(
    place: Surroundings, store: RemoteKeyStore
) -> None:
    batches = derive(store, ["SSSE.IRK", "SSSE.MK"], ABOVE, CARDS)
    keys = CardKeySet.from_batches(batches, 1)
    assert keys.external(EXTERNAL) == answer(soft(), EXTERNAL)
    place.stop()
    for _ in range(2):
        with pytest.raises(UnreachableError, match="cannot be reached") as caught:
            keys.external(EXTERNAL)
        assert f"127.0.0.1:{place.port}" in one_line(caught.value)
    place.start()
    assert keys.write_key(WRITE) == answer(soft(), WRITE)


def test_service_restarted_between_two_questions(
    place: Surroundings, store: RemoteKeyStore
) -> None:
    """Not even noticed: the batches are derived anew."""
    keys = CardKeySet.from_batches(derive(store, ["SSSE.IRK", "SSSE.MK"], ABOVE, CARDS), 0)
    place.stop()
    place.start()
    assert keys.external(EXTERNAL) == answer(soft(), EXTERNAL, 0)


def test_another_key_after_the_restart_is_noticed(
    place: Surroundings, store: RemoteKeyStore
) -> None:
    keys = CardKeySet.from_batches(derive(store, ["SSSE.IRK"], ABOVE, CARDS), 0)
    place.stop()
    place.store = SoftKeyStore({("SSSE.IRK", 1): bytes(16)}, test=True)
    place.start()
    with pytest.raises(KeyPolicyError, match="is another key here"):
        keys.external(EXTERNAL)


class SlowStore(SoftKeyStore):
    delay = 0.0

    def derive_many(self, ref: KeyRef, factors: Factors) -> KeyArray:
        time.sleep(self.delay)
        return super().derive_many(ref, factors)


def test_time_out_says_what_was_waited_for(place: Surroundings) -> None:
    slow = SlowStore(KEYS, test=True)
    place.store = slow
    with connect_to(place.address(timeout=0.5)) as store:
        ref = store.reference("SSSE.IRK")
        slow.delay = 1.0
        with pytest.raises(KeyTimeoutError, match=r"2 keys of SSSE\.IRK in 0\.5 s"):
            store.derive_many(ref, Factors(ABOVE, CARDS))
        slow.delay = 0.0
        assert answer(store, EXTERNAL) == answer(soft(), EXTERNAL)


def test_nobody_listens_with_tls(place: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = place.address(port=mute.getsockname()[1], timeout=0.3)
        with (
            connect_to(address) as store,
            pytest.raises(KeyTimeoutError, match="TLS handshake"),
        ):
            store.reference("SSSE.IRK")


def test_more_cards_than_a_message_holds_are_told_as_that(store: RemoteKeyStore) -> None:
    """And not as a service that went away."""
    ref = store.reference("SSSE.IRK")
    with pytest.raises(KeyPolicyError, match="more than 8,388,608 cards at once"):
        store.derive_many(ref, Factors(ABOVE, bytes(8 * 8_388_609)))


def test_settings_file(place: Surroundings, tmp_path: Path) -> None:
    ours = place.client_credentials
    path = tmp_path / "remote.toml"
    text = (
        f'host = "127.0.0.1"\nport = {place.port}\nca = "{ours.ca}"\n'
        f'certificate = "{ours.certificate}"\nkey = "{ours.key}"\n'
    )
    path.write_text(text)
    with open_remote(path) as store:
        assert store.reference("SSSE.IRK") == soft().reference("SSSE.IRK")
    for wrong in ("][", "colour = 1", 'timeout = "x"', "timeout = -1", "timeout = inf"):
        path.write_text(text + wrong)
        with pytest.raises(UsageError) as caught:
            open_remote(path)
        assert str(path) in one_line(caught.value)
    for name, wrong in (("port", "inf"), ("port", "99999"), ("ca", "5"), ("host", '""')):
        path.write_text(re.sub(f"^{name} = .*$", f"{name} = {wrong}", text, flags=re.MULTILINE))
        with pytest.raises(UsageError, match=f"remote.toml: {name} is a"):
            open_remote(path)
    path.write_text(text.replace(str(ours.key), "missing.key"))
    with pytest.raises(UsageError, match="no such file"):
        open_remote(path)
    path.write_text(text.replace(str(ours.key), str(place.service_credentials.key)))
    with pytest.raises(UsageError, match="cannot be used"):
        open_remote(path)


# --- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", QUESTIONS, ids=lambda r: type(r).__name__)
def test_requests_survive_the_journey(request_: KeyRequest) -> None:
    assert request_from_json(request_to_json(request_)) == request_


@given(cut=st.integers(min_value=1, max_value=23))
def test_a_cut_frame_is_no_frame(cut: int) -> None:
    pipe = io.BytesIO()
    write_frame(pipe, {"do": "x"}, b"blob!")
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(pipe.getvalue()[:-cut][: len(pipe.getvalue()) - 1] or b"\0"))


def test_a_frame_that_is_nested_too_deep_is_no_frame() -> None:
    """A client must not end its thread of the service with a traceback."""
    header = b"[" * 100_000
    with pytest.raises(FrameError, match="not JSON"):
        read_frame(io.BytesIO(len(header).to_bytes(4) + bytes(4) + header))


@given(noise=st.binary(min_size=1, max_size=64))
def test_noise_is_no_frame(noise: bytes) -> None:
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(b"\xff" + noise))


@given(
    message=st.dictionaries(
        st.sampled_from(["do", "batch", "ref", "above", "questions", "release", "name", "version"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=9) | st.sampled_from(["derive", "ask"]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    )
)
def test_a_desk_answers_whatever_comes(message: dict[str, object]) -> None:
    reply, _ = Desk(soft(), EVERYTHING).answer(message, b"")
    assert set(reply) <= {"error", "protocol", "client", "lengths", "ref", "count"}
