"""The life of a key in a token, a token behind policy and audit, and the commands for both."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from cardkit.card.key_request import External, Internal
from cardkit.cli.common import operator
from cardkit.cli.main import cli
from cardkit.crypto import des
from cardkit.crypto.diversify import diversify
from cardkit.doctor.finding import State
from cardkit.doctor.stores import check_keys
from cardkit.doctor.tokens import check_key_service, check_token
from cardkit.errors import CardkitError, RefusedError, UnreachableError, UsageError
from cardkit.keys import Factors
from cardkit.keys.agent import listening
from cardkit.keys.agent import serve as agent_serves
from cardkit.keys.bulk import check_value
from cardkit.keys.custody import RoleError, Wish
from cardkit.keys.open_remote import Token, is_elsewhere, open_elsewhere, open_profile
from cardkit.keys.record import KeyRecord, KeyState, Operation, usual_usage
from cardkit.keys.reference import CheckValue, city_factor, province_factor
from cardkit.keys.remote_settings import ServiceAddress
from cardkit.keys.remote_tls import connect_to
from cardkit.keys.secret import Secret
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.store import KeyPolicyError
from cardkit.keys.token_custody import TokenCustody
from cardkit.keys.token_records import TokenRecords
from cardkit.keys.token_wrapped import WrappedBatch
from cardkit.profile import load
from tests.certificates import make_authority
from tests.keys.conftest import Vault
from tests.tokens import LABEL, PIN, make_token

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
MASTER = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
TRANSPORT = bytes(range(32))
CHECK_VALUE = SoftKeyStore({("K", 1): MASTER}, test=True).reference("K").check_value
FACTORS = Factors((province_factor("63"), city_factor("639900")), b"8684BF7C")
ROLES = {
    "generate": ("wang",),
    "import": ("yi",),
    "approve": ("li",),
    "use": ("window", operator()),
}
ACCESS = '[clients."window-3"]\nkeys = ["*"]\noperations = ["external"]\n'


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of a new token, its PIN file beside them."""
    made = make_token(tmp_path / "softhsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm" / "softhsm2.conf"))
    pin = tmp_path / "cards.pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    path = tmp_path / "token.toml"
    lines = [f'module = "{made.settings.module}"', f'token = "{LABEL}"', "test = true"]
    path.write_text("\n".join([*lines, 'pin_file = "cards.pin"']))
    opened = Token.open(path, lambda: NOW)
    opened.records.change_roles({}, ROLES, opened.audit, "boss")
    return path


def act(token: Token, actor: str) -> TokenCustody:
    return TokenCustody(token.store, token.records, token.audit, actor, test=True)


def record(state: KeyState = KeyState.ACTIVE, *, test: bool = True) -> KeyRecord:
    return KeyRecord(
        "SSSE.UKSSSE", 1, "3des", usual_usage("SSSE.UKSSSE"), 3, CHECK_VALUE, state=state, test=test
    )


# --- custody --------------------------------------------------------------------------------------


def test_a_key_is_made_by_one_and_approved_by_another(settings: Path) -> None:
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        made = act(opened, "wang").generate(Wish("SSSE.UKSSSE"))
        assert made.state is KeyState.PRE_ACTIVE
        with pytest.raises(KeyPolicyError, match="pre-active"):
            use(opened)
        act(opened, "li").change_roles({"generate": ("wang",)}, {"approve": ("wang",)})
        with pytest.raises(RefusedError, match=r"wang made .* and cannot approve it"):
            act(opened, "wang").change("approve", "SSSE.UKSSSE")
        act(opened, "li").change("approve", "SSSE.UKSSSE")
        assert len(use(opened)) == 8
        act(opened, "li").change("suspend", "SSSE.UKSSSE")
        with pytest.raises(KeyPolicyError, match="suspended"):
            use(opened)
        gone = act(opened, "li").change("destroy", "SSSE.UKSSSE")
        assert gone.state is KeyState.DESTROYED
        assert opened.store.names() == []
    assert opened.audit.verify().intact
    entries = [(line.entry.actor, line.entry.action) for line in opened.audit.lines()]
    assert ("wang", "generate") in entries
    assert ("window", "derive") in entries
    assert ("li", "destroy") in entries


def use(token: Token) -> bytes:
    guarded = token.guarded("window", "test")
    batch = guarded.derive_many(guarded.reference("SSSE.UKSSSE"), FACTORS)
    answer = batch.external(0, External("SSSE.UKSSSE", bytes(8), bytes(8)))
    guarded.flush()
    return answer


def test_the_audit_says_what_the_token_vouches_for(settings: Path) -> None:
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "wang").generate(Wish("SSSE.IRK"))
        act(opened, "yi").load(record(), Secret(MASTER))
    details = {line.entry.action: line.entry.detail for line in opened.audit.lines()}
    assert details["generate"] == "token always-sensitive True, never-extractable True"
    assert details["load"] == "token always-sensitive False, never-extractable False"


def test_a_key_taken_over_keeps_its_record(settings: Path) -> None:
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "yi").load(record(), Secret(MASTER))
        soft = SoftKeyStore({("SSSE.UKSSSE", 1): MASTER}, test=True)
        expected = soft.derive_many(soft.reference("SSSE.UKSSSE"), FACTORS)
        assert use(opened) == expected.external(0, External("SSSE.UKSSSE", bytes(8), bytes(8)))
        guarded = opened.guarded("window")
        batch = guarded.derive_many(guarded.reference("SSSE.UKSSSE"), FACTORS)
        with pytest.raises(KeyPolicyError, match="may not be used for internal"):
            batch.internal(0, Internal("SSSE.UKSSSE", bytes(8), bytes(8)))


@pytest.mark.parametrize(
    ("original", "words"),
    [
        (record(KeyState.PRE_ACTIVE), "is not active"),
        (record(test=False), "is of the other kind"),
    ],
)
def test_what_is_not_taken_over(settings: Path, original: KeyRecord, words: str) -> None:
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        with pytest.raises(RefusedError, match=words):
            act(opened, "yi").load(original, Secret(MASTER))
        assert opened.store.names() == []
        with pytest.raises(UsageError, match="has no sm4"):
            act(opened, "wang").generate(Wish("SSSE.IRK", algorithm="sm4"))


def test_a_record_of_another_key_is_refused(settings: Path) -> None:
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "yi").load(record(), Secret(MASTER))
        text = opened.records.path.read_text().replace(str(CHECK_VALUE), str(CheckValue(b"abc")))
        opened.records.path.write_text(text)
        with pytest.raises(RefusedError, match="check value"):
            use(opened)


@pytest.mark.parametrize("text", [
    "", "[]", "{}", '{"format": "x", "records": []}',
    '{"format": "cardkit token records 1", "records": [], "roles": {"use": "clerk"}}',
    '{"format": "cardkit token records 1", "records": [], "roles": {"use": [["clerk"]]}}',
])  # fmt: skip
def test_records_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token.records"
    path.write_text(text)
    with pytest.raises(UsageError, match="not records of a token"):
        TokenRecords(path).load()


def test_a_profile_names_where_its_keys_are(settings: Path) -> None:
    assert is_elsewhere("pkcs11:token.toml")
    assert is_elsewhere("remote:service.toml")
    assert not is_elsewhere("soft:keys")
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "yi").load(record(), Secret(MASTER))
    store = open_elsewhere("pkcs11:token.toml", settings.parent, lambda: NOW, "window")
    assert store.names() == ["SSSE.UKSSSE"]
    assert store.reference("SSSE.UKSSSE").check_value == CHECK_VALUE
    store.close()


def test_test_keys_of_a_token_and_a_real_profile(settings: Path) -> None:
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "yi").load(record(), Secret(MASTER))
    path = settings.parent / "window.toml"
    text = '[region]\nprovince = "63"\ncity = "639900"\n[keys]\nstore = "pkcs11:token.toml"\n'
    path.write_text(f"test = true\n{text}")
    store = open_profile(load(str(path)), lambda: NOW, "window")
    assert store.names() == ["SSSE.UKSSSE"]
    getattr(store, "close")()  # noqa: B009
    assert check_keys(str(path))[0].message == f"token {LABEL}: 1 keys, for TEST only"
    path.write_text(text)
    with pytest.raises(RefusedError, match="not marked as a test"):
        open_profile(load(str(path)), lambda: NOW, "window")


# --- card keys that leave under a transport key ---------------------------------------------------


def factory(settings: Path) -> Token:
    """A token with a transport key that the factory has, too, and a key that may be derived."""
    opened = Token.open(settings, lambda: NOW)
    transport = CheckValue(check_value("aes", TRANSPORT))
    wrap, derive = frozenset({Operation.WRAP}), frozenset({Operation.DERIVE})
    for key, secret in (
        (
            replace(record(), name="KEK", algorithm="aes", usage=wrap, check_value=transport),
            TRANSPORT,
        ),
        (replace(record(), name="DF01.UK1", usage=derive), MASTER),
        (record(), MASTER),
    ):
        act(opened, "yi").load(key, Secret(secret))
    return opened


def test_the_factory_gets_the_card_keys_of_a_batch(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrapped inside the token; what a factory reads is read here by the layout alone."""
    factory(settings).store.close()
    cards = [number.to_bytes(8) for number in range(2500)]
    (tmp_path / "cards.txt").write_text("".join(f"{card.hex()}\n" for card in cards))
    words = ["derive", "DF01.UK1", "--token", str(settings), "--under", "KEK", "--province", "63"]
    words += ["--city", "639900", "--cards", str(tmp_path / "cards.txt")]
    words += ["--out", str(tmp_path / "cards.wrapped"), "--json"]
    told = json.loads(cardkit(words, "window", monkeypatch).stdout)

    content = (tmp_path / "cards.wrapped").read_bytes()
    assert told["sha256"] == hashlib.sha256(content).hexdigest()
    assert content[:10] == b"CARDWRAP\0\1"
    body = content[14 + int.from_bytes(content[10:14]) :]
    assert len(body) == 2500 * (8 + 24)
    for place in (0, 1023, 1024, 2499):
        entry = body[32 * place : 32 * place + 32]
        assert entry[:8] == cards[place]
        key = aes_key_unwrap(TRANSPORT, entry[8:])
        assert des.same_key(key, diversify(MASTER, *FACTORS.above, cards[place]))  # odd parity

    last = [line.entry for line in Token.open(settings, lambda: NOW).audit.lines()][-2:]
    assert [(e.actor, e.action, e.count, e.result) for e in last] == [
        ("window", "derive-file", 2500, "ok"),
        ("window", "derive-file", 0, "ok"),
    ]
    assert told["sha256"] in last[1].detail


@pytest.mark.parametrize(
    ("actor", "name", "under", "factors", "words"),
    [
        ("li", "DF01.UK1", "KEK", FACTORS, "li may not derive-file"),
        ("window", "SSSE.UKSSSE", "KEK", FACTORS, "may not be used for derive"),
        ("window", "DF01.UK1", "SSSE.UKSSSE", FACTORS, "may not be used for wrap"),
        ("window", "DF01.UK1", "KEK", Factors((), b"8684BF7C"), "diversified in 3 levels"),
    ],
)
def test_no_card_keys_leave_a_token_against_its_records(
    settings: Path, actor: str, name: str, under: str, factors: Factors, words: str
) -> None:
    opened = factory(settings)
    with opened.store, pytest.raises(RefusedError, match=words):
        WrappedBatch(opened, actor, [name], factors, under)
    *_, last = (line.entry for line in opened.audit.lines())
    assert (last.actor, last.action, last.key, last.count) == (actor, "derive-file", name, 0)
    assert last.result.startswith("refused: ")


def test_a_token_that_goes_away_leaves_no_file_of_card_keys(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = factory(settings)
    path = tmp_path / "cards.wrapped"
    with opened.store:
        batch = WrappedBatch(opened, "window", ["DF01.UK1"], FACTORS, "KEK")
        monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "nowhere"))
        opened.store.close()  # as if it had ended; the next question opens the token anew
        with pytest.raises(UnreachableError):
            batch.write(path)
        monkeypatch.undo()
    assert not path.exists()
    *_, last = (line.entry for line in opened.audit.lines())
    assert last.result.startswith("failed: ")


# --- roles ----------------------------------------------------------------------------------------


def test_nobody_does_anything_outside_their_role(settings: Path) -> None:
    """Not in the commands, and not in the use of keys; the PIN alone is not enough."""
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "yi").load(record(), Secret(MASTER))
        for forbidden in (
            lambda: act(opened, "window").generate(Wish("SSSE.IRK")),
            lambda: act(opened, "li").load(record(), Secret(MASTER)),
            lambda: act(opened, "wang").change("suspend", "SSSE.UKSSSE"),
            lambda: act(opened, "eve").change("resume", "SSSE.UKSSSE"),
            lambda: act(opened, "eve").change_roles({}, {"approve": ("eve",)}),
            lambda: act(opened, "eve").accept_clock("because"),
        ):
            with pytest.raises(RoleError, match="that is for the role"):
                forbidden()
            assert list(opened.audit.lines())[-1].entry.result.startswith("refused: ")
        guarded = opened.guarded("eve", "test")
        ref = guarded.reference("SSSE.UKSSSE")
        with pytest.raises(KeyPolicyError, match="eve may not use keys"):
            guarded.derive_many(ref, FACTORS)
        assert list(opened.audit.lines())[-1].entry.actor == "eve"


def test_a_role_taken_away_counts_for_programs_that_run(settings: Path) -> None:
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "yi").load(record(), Secret(MASTER))
        guarded = opened.guarded("window", "test")
        batch = guarded.derive_many(guarded.reference("SSSE.UKSSSE"), FACTORS)
        request = External("SSSE.UKSSSE", bytes(8), bytes(8))
        assert len(batch.external(0, request)) == 8
        act(opened, "li").change_roles({"use": ("window",)}, {})
        with pytest.raises(KeyPolicyError, match="window may not use keys"):
            batch.external(0, request)


def test_roles_of_a_token_that_never_had_any(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may do anything until they are given, all at once, approve among them."""
    settings.with_name("token.toml.records").unlink()
    where = ["--token", str(settings)]
    refused = cardkit(["generate", *where, "SSSE.IRK"], "wang", monkeypatch)
    assert isinstance(refused.exception, RoleError)
    alone = cardkit(["roles", *where, "--role", "use=window"], "boss", monkeypatch)
    assert isinstance(alone.exception, RoleError)
    two = ["--role", "use=li", "--role", "approve=li"]
    assert isinstance(cardkit(["roles", *where, *two], "boss", monkeypatch).exception, RoleError)
    given = ["--role", "approve=li", "--role", "generate=wang"]
    assert cardkit(["roles", *where, *given], "boss", monkeypatch).exit_code == 0
    later = cardkit(["roles", *where, "--role", "use=boss"], "boss", monkeypatch)
    assert isinstance(later.exception, RoleError)
    now = cardkit(["roles", *where, "--role", "use=window", "--json"], "li", monkeypatch)
    assert json.loads(now.stdout) == {
        "generate": ["wang"], "import": [], "approve": ["li"], "use": ["window"],
    }  # fmt: skip
    assert cardkit(["generate", *where, "SSSE.IRK"], "wang", monkeypatch).exit_code == 0


# --- doctor ---------------------------------------------------------------------------------------


def test_doctor_says_what_the_token_can_and_cannot_do(settings: Path) -> None:
    findings = check_token(settings)
    texts = {finding.message: finding.state for finding in findings}
    assert texts[f"token {LABEL}: 0 keys, for TEST only"] is State.OK
    assert any("can: 3DES-ECB encryption" in text for text in texts)
    assert texts[f"token {LABEL} cannot: SM4"] is State.WARN
    (settings.parent / "cards.pin").unlink()
    assert check_token(settings)[0].state is State.FAIL
    settings.write_text("\n".join(settings.read_text().splitlines()[:-1]))
    assert check_token(settings)[0].state is State.WARN  # nobody to ask for the PIN


# --- commands -------------------------------------------------------------------------------------


def cardkit(arguments: list[str], operator: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("CARDKIT_OPERATOR", operator)
    # From the top, as people do: commands keep the help option of whoever called them first.
    result = CliRunner().invoke(cli, ["key", "token", *arguments])
    assert PIN not in result.output
    return result


def test_commands_for_a_token(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = ["--token", str(settings)]
    made = cardkit(["generate", *where, "SSSE.UKSSSE", "--json"], "wang", monkeypatch)
    assert json.loads(made.stdout)["state"] == "pre-active"
    own = cardkit(["approve", *where, "SSSE.UKSSSE"], "wang", monkeypatch)
    assert isinstance(own.exception, RoleError)
    cardkit(["approve", *where, "SSSE.UKSSSE"], "li", monkeypatch)
    listed = cardkit(["list", *where, "--json"], "li", monkeypatch)
    (key,) = json.loads(listed.stdout)
    assert key["record"]["state"] == "active"
    assert (key["extractable"], key["always_sensitive"]) == (False, True)
    assert "generated" in cardkit(["list", *where], "li", monkeypatch).output


def test_several_keys_of_a_token_are_approved_at_once(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, names = ["--token", str(settings)], ["SSSE.UKSSSE", "SSSE.IRK"]
    for name in names:
        cardkit(["generate", *where, name], "wang", monkeypatch)
    done = cardkit(["approve", *where, *names, "--json"], "li", monkeypatch)
    told = [(key["name"], key["state"]) for key in json.loads(done.stdout)]
    assert told == [(name, "active") for name in names]


def test_a_pin_is_asked_for_at_a_terminal_only(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.write_text("\n".join(settings.read_text().splitlines()[:-1]))
    result = cardkit(["list", "--token", str(settings)], "wang", monkeypatch)
    assert isinstance(result.exception, CardkitError)
    assert "no terminal" in result.exception.message


def test_a_service_over_the_encrypted_store_of_a_profile(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every client is named, with the operator of the service, whose role counts, beside it."""
    vault.clock.now = dt.datetime.now(dt.UTC)
    vault.as_("gu").generate(Wish("SSSE.UKSSSE"))
    vault.as_("shen").change("approve", "SSSE.UKSSSE")
    (tmp_path / "place.toml").write_text(
        'test = true\n[region]\nprovince = "63"\ncity = "639900"\n'
        f'[keys]\nstore = "soft:{vault.path}"\nversion = 1\n'
    )
    authority = make_authority(tmp_path / "ca")
    service = authority.issue("service")
    access = tmp_path / "access.toml"
    access.write_text(ACCESS + ACCESS.replace("window-3", "window-4"))
    words = [
        "--store", f"profile:{tmp_path}/place.toml", "--listen", "127.0.0.1:0",
        "--access", str(access), "--cert", str(service.certificate), "--key", str(service.key),
        "--ca", str(service.ca), "--json",
    ]  # fmt: skip
    stop = threading.Event()
    with listening(tmp_path / "agent") as line:
        agent = threading.Thread(target=agent_serves, args=(line, vault.open(), stop))
        agent.start()
        monkeypatch.setenv("CARDKIT_KEY_AGENT", str(tmp_path / "agent"))
        monkeypatch.setenv("CARDKIT_OPERATOR", "clerk")
        try:
            with serving(words) as (process, port):
                for client in ("window-3", "window-4", "window-3"):
                    address = ServiceAddress("127.0.0.1", port, authority.issue(client), 10.0)
                    with connect_to(address) as store:
                        ref = store.reference("SSSE.UKSSSE")
                        batch = store.derive_many(ref, FACTORS)
                        batch.external(0, External("SSSE.UKSSSE", bytes(8), bytes(8)))
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
        finally:
            stop.set()
            agent.join()
    used = [x.entry for x in vault.audit.lines() if x.entry.action == "use"]
    assert [(e.actor, e.purpose, e.count) for e in used] == [  # a derivation and an answer each
        (client, "key service of clerk", 1)
        for client in ("window-3", "window-4", "window-3") for _ in range(2)
    ]  # fmt: skip
    assert not vault.audit.reservations()


def test_a_service_over_a_token(settings: Path, tmp_path: Path) -> None:
    """`cardkit key serve`, as a process of its own; the client's name is in the audit log."""
    opened = Token.open(settings, lambda: NOW)
    with opened.store:
        act(opened, "yi").load(record(), Secret(MASTER))
    authority = make_authority(tmp_path / "ca")
    service, client = authority.issue("service"), authority.issue("window-3")
    access = tmp_path / "access.toml"
    access.write_text(ACCESS)
    words = [
        "--store", f"pkcs11:{settings}", "--listen", "127.0.0.1:0", "--access", str(access),
        "--cert", str(service.certificate), "--key", str(service.key), "--ca", str(service.ca),
        "--json",
    ]  # fmt: skip
    with serving(words) as (process, port):
        remote = tmp_path / "remote.toml"
        remote.write_text(
            f'host = "127.0.0.1"\nport = {port}\nca = "{client.ca}"\n'
            f'certificate = "{client.certificate}"\nkey = "{client.key}"\n'
        )
        (finding,) = check_key_service(remote)
        assert (finding.state, finding.message) == (State.OK, "answers client window-3")
        store = open_elsewhere("remote:remote.toml", tmp_path, lambda: NOW, "window")
        assert store.names() == ["SSSE.UKSSSE"]
        batch = store.derive_many(store.reference("SSSE.UKSSSE"), FACTORS)
        assert len(batch.external(0, External("SSSE.UKSSSE", bytes(8), bytes(8)))) == 8
        store.close()
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "window-3 is here" in told.decode()
    assert PIN not in told.decode()
    assert check_key_service(remote)[0].state is State.FAIL
    used = [line.entry for line in opened.audit.lines() if line.entry.actor == "window-3"]
    assert {(entry.action, entry.count) for entry in used} == {
        ("reserve", 1000), ("use", 1),
    }  # fmt: skip
    assert {entry.purpose for entry in used} == {f"key service of {operator()}"}
    assert opened.audit.verify().intact


@contextmanager
def serving(words: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The service as a process, and its port."""
    code = "import sys; from cardkit.cli.key_serve import serve; serve(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        document = b""
        while not document.endswith(b"}\n"):
            document += (line := process.stdout.readline())
            assert line, "the service did not start"
        yield process, json.loads(document)["port"]
    finally:
        process.kill()
        process.communicate()
