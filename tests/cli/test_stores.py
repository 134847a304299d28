"""The same card from the command line, wherever the keys are: file, store, token, service, PSAM.

A token is filled with `cardkit key token load` from an encrypted store, as after a ceremony. Images
of the cards are compared byte by byte: nothing random is left on a card.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardkit.keys import soft_file, soft_format
from tests.certificates import make_authority
from tests.cli.conftest import Result, Run
from tests.tokens import LABEL, MODULE, PIN, configure, make_token

TEST_KEYS = Path(__file__).parents[2] / "keys_test"
PASSPHRASES = {"zhao": "six words that nobody guesses", "qian": "another sentence of hers"}
WAY = ("--store", "keys.store", "--passphrase-file", "zhao.pass", "--passphrase-file", "qian.pass")
ROLES = {"generate": "gu", "import": "yi", "approve": "shen", "use": "clerk"}
TOKEN = ("--token", "token.toml")
TOKEN_LINES = (f'module = "{MODULE}"', f'token = "{LABEL}"', "test = true")
PLACE = """test = true
[region]
province = "63"
city = "639900"
[card]
institution = "91560000026399006399006A"
[keys]
store = "{store}"
"""
ACCESS = """[clients."window-3"]
keys = ["*"]
operations = ["external", "internal", "seal", "load", "load-plain"]
"""

As = Callable[..., Result]


def names_of(file: Path) -> list[str]:
    return re.findall(r'^\[keys\."(.+)"\]$', file.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def as_(run: Run, monkeypatch: pytest.MonkeyPatch) -> As:
    """Run a key command as somebody: ``as_("shen", "approve", "SSSE.IRK")``."""
    monkeypatch.setattr(soft_file, "Cost", lambda: soft_format.Cost(64, 1, 1))
    for name, passphrase in PASSPHRASES.items():
        _secret_file(f"{name}.pass", passphrase)

    def it(who: str, command: str, *words: object) -> Result:
        monkeypatch.setenv("CARDKIT_OPERATOR", who)
        done = run("key", *command.split(), *words)
        monkeypatch.setenv("CARDKIT_OPERATOR", "clerk")
        return done

    return it


@pytest.fixture(scope="session")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves its token, which takes seconds to fill, for the others."""
    return tmp_path_factory.mktemp("filled") / "token"


@pytest.fixture
def token(as_: As, _filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``token.toml`` beside the test: a token with the master keys of 3DES; its PIN in a file."""
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm" / "softhsm2.conf"))
    if _filled.exists():
        shutil.copytree(_filled, tmp_path, dirs_exist_ok=True)
        configure(tmp_path / "softhsm")
        monkeypatch.setenv("CARDKIT_OPERATOR", "clerk")
        return
    make_token(tmp_path / "softhsm")
    _secret_file("cards.pin", PIN)
    Path("token.toml").write_text("\n".join([*TOKEN_LINES, 'pin_file = "cards.pin"']))
    make_store(as_, TEST_KEYS / "masters-3des.toml")
    assert as_("boss", "token roles", *_roles(), *TOKEN).code == 0
    loaded = as_("yi", "token load", *names_of(TEST_KEYS / "masters-3des.toml"), *TOKEN, *WAY)
    assert loaded.code == 0, loaded.err
    shutil.copytree(tmp_path, _filled)


def make_store(as_: As, keys: Path) -> None:
    """``keys.store``: an encrypted store with approved test keys."""
    people = ("--new-custodian", "zhao", "--new-custodian", "qian")
    assert as_("boss", "init", "--test", *people, *_roles(), *WAY).code == 0
    assert as_("yi", "import", keys, *WAY).code == 0
    assert as_("shen", "approve", *names_of(keys), *WAY).code == 0


def _roles() -> list[str]:
    return [word for role, who in ROLES.items() for word in ("--role", f"{role}={who}")]


def _secret_file(name: str, secret: str) -> None:
    Path(name).write_text(secret + "\n")
    Path(name).chmod(0o600)


def _profile(name: str, store: str) -> Path:
    path = Path(f"{name}.toml")
    path.write_text(PLACE.format(store=store), encoding="utf-8")
    return path


@pytest.fixture
def roster(run: Run) -> Path:
    path = Path("roster.csv")
    assert run("roster", "sample", 2, "--seed", 7, "--out", path).code == 0
    return path


def words_of_issue(name: str, roster: Path, profile: Path, chips: str) -> list[object]:
    return [
        "issue", roster, "--profile", profile, "--registry", f"{name}.db", "--reader", "virtual",
        "--chips", chips, "--out", f"{name}.out", "--json",
    ]  # fmt: skip


def images(name: str) -> dict[str, str]:
    """Serial → image of the card."""
    folder = Path(f"{name}.out", "virtual-cards")
    return {card.name: card.read_text() for card in sorted(folder.glob("*.card"))}


def issue(run: Run, name: str, roster: Path, profile: Path, chips: str, *more: object) -> object:
    """Issue with the keys of a profile; the images of the cards."""
    done = run(*words_of_issue(name, roster, profile, chips), *more)
    assert done.code == 0, done.err
    assert done.document["issued"] == 2
    assert PIN not in done.out + done.err
    return images(name)


@pytest.mark.parametrize("chips", ["premade", "blank"])
@pytest.mark.usefixtures("token")
def test_file_and_token_make_the_same_cards(run: Run, roster: Path, chips: str) -> None:
    """PIN from a file; every use of a key in the token is on record."""
    soft = issue(run, "soft", roster, _profile("file", "package:masters-3des.toml"), chips)
    hard = issue(run, "hard", roster, _profile("hard", "pkcs11:token.toml"), chips)
    assert soft
    assert hard == soft
    audit = run("key", "audit", "--verify", "--json", "--log", "token.toml.audit", "--store", "x")
    assert audit.document["intact"], audit.err


@pytest.mark.usefixtures("token")
def test_the_pin_is_typed_without_echo_and_stands_in_no_command_line(
    run: Run, roster: Path
) -> None:
    Path("token.toml").write_text("\n".join(TOKEN_LINES))  # no pin_file
    soft = issue(run, "soft", roster, _profile("file", "package:masters-3des.toml"), "premade")
    words = words_of_issue("hard", roster, _profile("hard", "pkcs11:token.toml"), "premade")
    refused = run(*words)
    assert (refused.code, images("hard") if Path("hard.out/virtual-cards").exists() else {}) == (
        2, {},
    )  # fmt: skip
    assert "no terminal" in refused.err
    shown, arguments, code = typed([str(word) for word in words], PIN)
    assert code == 0, shown
    assert images("hard") == soft
    assert PIN not in shown
    assert PIN not in arguments


def typed(words: list[str], secret: str) -> tuple[str, str, int]:
    """Run at a terminal and type what is asked for.

    Returns what stood on the terminal, the arguments of the program and of its children while it
    ran, and its exit code.
    """
    ours, theirs = os.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "cardkit", *words],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, arguments, answered = b"", "", False
    while program.poll() is None or select.select([ours], [], [], 0)[0]:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the terminal has gone with its last program
            break
        arguments += _command_lines(program.pid)
        if not answered and "设备口令".encode() in shown and shown.rstrip(b" ").endswith(b":"):
            os.write(ours, secret.encode() + b"\n")
            answered = True
    os.close(ours)
    return shown.decode(errors="replace"), arguments, program.wait(60)


def _command_lines(pid: int) -> str:
    """Arguments of a process and of those it has started."""
    found = ""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if pid in {parent, int(folder.name)}:
                found += (folder / "cmdline").read_text()
        except OSError:
            continue
    return found


@pytest.mark.usefixtures("token")
def test_a_wrong_pin_is_one_line_and_is_presented_once(run: Run, roster: Path) -> None:
    _secret_file("cards.pin", "000000")
    words = words_of_issue("hard", roster, _profile("hard", "pkcs11:token.toml"), "premade")
    refused = run(*words)
    assert refused.code == 4
    assert "refuses the PIN" in refused.err
    assert not Path("hard.db").exists()
    _secret_file("cards.pin", PIN)
    assert run(*words).code == 0, "the token is not locked"


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("source", ["pkcs11:token.toml", "profile:file.toml"])
def test_a_service_in_another_process_makes_the_same_cards(
    run: Run, roster: Path, tmp_path: Path, source: str
) -> None:
    soft = issue(run, "soft", roster, _profile("file", "package:masters-3des.toml"), "blank")
    authority = make_authority(tmp_path / "ca")
    client = authority.issue("window-3")
    authority.issue("service")
    with serving(tmp_path, source) as port:
        Path("service.toml").write_text(
            f'host = "127.0.0.1"\nport = {port}\nca = "{client.ca}"\n'
            f'certificate = "{client.certificate}"\nkey = "{client.key}"\n'
        )
        far = issue(run, "far", roster, _profile("far", "remote:service.toml"), "blank")
    assert far == soft
    if source.startswith("pkcs11:"):
        lines = [json.loads(line) for line in Path("token.toml.audit").read_text().splitlines()]
        assert any("window-3" in line for line in lines), "the client is the actor"


@contextmanager
def serving(folder: Path, source: str) -> Iterator[int]:
    """`cardkit key serve` as a process of its own; its port."""
    (folder / "access.toml").write_text(ACCESS)
    certificate = folder / "ca" / "service.pem"
    command = [
        sys.executable, "-m", "cardkit", "key", "serve", "--store", source,
        "--listen", "127.0.0.1:0", "--access", str(folder / "access.toml"),
        "--cert", str(certificate), "--key", str(certificate.with_suffix(".key")),
        "--ca", str(folder / "ca" / "ca.pem"), "--plain-loading", "MK", "--json",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        document = b""
        while not document.endswith(b"}\n"):
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read().decode()
            document += line
        yield json.loads(document)["port"]
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 0, told.decode()
        assert PIN.encode() not in told
    finally:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("token")
def test_a_psam_makes_the_same_cards(run: Run, roster: Path) -> None:
    """What a window writes: complete pre-made cards."""
    profile = _profile("file", "package:masters-3des.toml")
    assert run("key", "psam", "make", "--profile", profile, "--image", "w.psam").code == 0
    soft = issue(run, "soft", roster, profile, "complete")
    hard = issue(run, "hard", roster, _profile("hard", "pkcs11:token.toml"), "complete")
    sam = issue(run, "sam", roster, profile, "complete", "--psam-image", "w.psam")
    assert sam == hard == soft


@pytest.mark.usefixtures("token")
def test_doctor_shows_what_the_token_can_and_cannot_do(run: Run) -> None:
    shown = run("doctor", "--profile", _profile("hard", "pkcs11:token.toml"))
    keys = len(names_of(TEST_KEYS / "masters-3des.toml"))
    assert f"token {LABEL}: {keys} keys, for TEST only" in shown.out
    assert "can: 3DES-ECB encryption" in shown.out
    assert "cannot: SM4" in shown.out
    assert PIN not in shown.out + shown.err


@pytest.mark.usefixtures("token")
def test_load_tells_what_it_took_over_and_takes_nothing_twice(as_: As) -> None:
    listed = as_("clerk", "token list", *TOKEN, "--json").document
    irk = next(each for each in listed if each["record"]["name"] == "SSSE.IRK")
    assert (irk["sensitive"], irk["extractable"]) == (True, False)
    assert irk["record"]["origin"] == "imported"
    again = as_("yi", "token load", "SSSE.IRK", *TOKEN, *WAY)
    assert again.code == 4
    assert "SSSE.IRK v1 is in token" in again.err


@pytest.mark.usefixtures("token")
def test_a_key_leaves_the_store_for_a_token_on_record_and_for_the_role_import_of_the_store(
    as_: As,
) -> None:
    """Whoever brings a token along has given out its roles: the store has its own say."""
    given = "--token", "own.toml"
    Path("own.toml").write_text(Path("token.toml").read_text())
    mine = ("--role", "import=mallory", "--role", "approve=friend")
    assert as_("mallory", "token roles", *mine, *given).code == 0
    refused = as_("mallory", "token load", "SSSE.IRK", *given, *WAY)
    assert refused.code == 4
    assert "mallory may not hand-over: that is for the role import" in refused.err
    log = as_("clerk", "audit", "--store", "keys.store", "--json").document
    told = [(e["actor"], e["result"], e["detail"]) for e in log if e["action"] == "hand-over"]
    assert ("yi", "ok", "to token cards") in told
    assert told[-1][:2] == ("mallory", f"refused: {refused.err.splitlines()[0][9:]}")

    assert as_("shen", "destroy", "SSSE.BK", "--version", 1, *WAY).code == 4  # active
    for action in ("suspend", "destroy"):
        assert as_("shen", action, "SSSE.BK", "--version", 1, *WAY).code == 0
    gone = as_("yi", "token load", "SSSE.BK", *TOKEN, *WAY)
    assert gone.code == 4
    assert "is destroyed" in gone.err


def test_a_token_takes_no_key_of_sm4_and_says_so(
    as_: As, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_token(tmp_path / "softhsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm" / "softhsm2.conf"))
    _secret_file("cards.pin", PIN)
    Path("token.toml").write_text("\n".join([*TOKEN_LINES, 'pin_file = "cards.pin"']))
    make_store(as_, TEST_KEYS / "masters-sm4.toml")
    assert as_("boss", "token roles", *_roles(), *TOKEN).code == 0
    refused = as_("yi", "token load", "SSSE.IRK", *TOKEN, *WAY)
    made = as_("gu", "token generate", "SSSE.IRK", "--algorithm", "sm4", *TOKEN)
    for told in (refused, made):
        assert told.code in {2, 4}
        assert "has no sm4" in told.err
        assert "Traceback" not in told.err
    assert as_("clerk", "token list", *TOKEN, "--json").document == []


@pytest.mark.usefixtures("token")
def test_a_profile_of_sm4_refuses_the_3des_keys_of_a_token(run: Run, roster: Path) -> None:
    profile = _profile("sm4", "pkcs11:token.toml")
    text = profile.read_text(encoding="utf-8")
    profile.write_text(text.replace("[card]", "[card]\nalgorithm = 3"), encoding="utf-8")
    refused = run(*words_of_issue("sm4", roster, profile, "premade"))
    assert refused.code == 4
    assert "3des" in refused.err
    assert not Path("sm4.db").exists()
