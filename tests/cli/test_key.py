"""``cardkit key``: a store from its making to cards, by several people; secrets never on argv."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from cardkit.cli import common
from cardkit.cli.virtual_cards import Stack
from cardkit.keys import soft_file, soft_format
from cardkit.profile import load
from tests.cli.conftest import Result, Run

KEYS = Path(__file__).parents[2] / "keys_test" / "masters-3des.toml"
PASSPHRASES = {"zhao": "six words that nobody guesses", "qian": "another sentence of hers"}
WAY = ("--store", "keys.store", "--passphrase-file", "zhao.pass", "--passphrase-file", "qian.pass")
ROLES = {"generate": "gu", "import": "yi", "approve": "shen", "use": "clerk"}
ROSTER = "姓名,身份证号码\n张三,639900199001010012\n"
As = Callable[..., Result]


@pytest.fixture
def as_(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> As:
    """Run a key command as somebody: ``as_("gu", "generate", "SSSE.IRK")``."""
    monkeypatch.setattr(soft_file, "Cost", lambda: soft_format.Cost(64, 1, 1))
    for name, passphrase in PASSPHRASES.items():
        (tmp_path / f"{name}.pass").write_text(passphrase + "\n")
        (tmp_path / f"{name}.pass").chmod(0o600)

    def it(who: str, command: str, *words: object) -> Result:
        monkeypatch.setenv("CARDKIT_OPERATOR", who)
        return run("key", *command.split(), *words, *WAY)

    roles = [word for role, who in ROLES.items() for word in ("--role", f"{role}={who}")]
    people = ("--new-custodian", "zhao", "--new-custodian", "qian")
    made = it("boss", "init", "--test", *people, *roles)
    assert made.code == 0, made.err
    return it


def _custodians_decide_in_person(run: Run) -> None:
    """An agent opens the store for use; it decides on no roles, passphrases or older states."""
    replaced = "passphrase", "--new-custodian", "me", "--new-custodian", "my-friend"
    for decision in (("roles", "--role", "use=me"), ("accept", "--yes"), replaced):
        decided = run("key", *decision, "--store", "keys.store")
        assert decided.code == 2
        assert "no terminal to ask at" in decided.err
    assert run("key", "roles", "--store", "keys.store").code == 0


def test_from_test_keys_to_a_card(
    as_: As, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Must: the same card as from the file of test keys (the commands are compared elsewhere)."""
    assert as_("yi", "import", KEYS).code == 0
    names = re.findall(r'^\[keys\."(.+)"\]$', KEYS.read_text(), re.MULTILINE)
    assert as_("shen", "approve", *names).code == 0
    (tmp_path / "place.toml").write_text(
        'test = true\n[region]\nprovince = "63"\ncity = "639900"\n[card]\n'
        'institution = "91560000026399006399006A"\n[keys]\nstore = "soft:keys.store"\n'
    )
    (tmp_path / "people.csv").write_text(ROSTER)
    common = ("--profile", "place.toml", "--registry", "people.db")
    refused = run("issue", "people.csv", *common, "--reader", "virtual")
    assert refused.code == 2
    assert "no terminal to ask at" in refused.err
    rehearsed = run("issue", "people.csv", *common, "--dry-run")
    assert rehearsed.code == 2
    assert rehearsed.err.count("\n") == 2, "one line, and what to do"
    assert "a passphrase or component is wanted" in rehearsed.err
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CARDKIT_KEY")}
    command = [sys.executable, "-m", "cardkit", "key", "agent", *WAY, "--socket", "agent.sock"]
    agent = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        assert b"CARDKIT_KEY_AGENT=agent.sock" in agent.stdout.readline()
        monkeypatch.setenv("CARDKIT_KEY_AGENT", "agent.sock")
        monkeypatch.setenv("CARDKIT_OPERATOR", "clerk")
        rehearsed = run("issue", "people.csv", *common, "--dry-run", "--json")
        assert rehearsed.code == 0, rehearsed.err
        assert rehearsed.document["cards"] == 1
        assert not Path("people.db").exists()
        with click.Context(click.Command("card")):  # `virtual card`, which runs until Ctrl-C
            stack = Stack(load("place.toml"), "premade", 1, 1, None)
            assert next(iter(stack)).card.atr.endswith(bytes.fromhex("639900000001"))
        issued = run("issue", "people.csv", *common, "--reader", "virtual", "--chips", "blank")
        assert issued.code == 0, issued.err
        _custodians_decide_in_person(run)
        (card,) = Path("people.issued/virtual-cards").iterdir()
        verified = run("card", "verify", "--image", card, "--profile", "test")
        assert verified.code == 0, verified.out
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.communicate(timeout=20)
        assert agent.returncode == 0
    audit = run("key", "audit", "--verify", "--json", "--store", "keys.store")
    assert audit.document["intact"]
    lines = run("key", "audit", "--json", "--store", "keys.store").document
    assert sum(line["count"] for line in lines if line["action"] == "use") > 50
    assert {"rehearsal", "virtual card", "issue"} <= {line["purpose"] for line in lines}
    assert audit.document["open"] == []
    assert {"reserve", "use", "agent-start", "agent-stop", "approve", "import"} <= {
        line["action"] for line in lines
    }
    assert not Path("agent.sock").exists()


def test_generate_approve_list_and_destroy(as_: As) -> None:
    made = as_("gu", "generate", "SSSE.IRK", "--json").document[0]
    assert (made["state"], made["made_by"]) == ("pre-active", "gu")
    refused = as_("gu", "approve", "SSSE.IRK")
    assert refused.code == 4
    assert "gu may not approve" in refused.err
    assert as_("shen", "approve", "SSSE.IRK", "--json").document[0]["approved_by"] == "shen"
    assert as_("gu", "generate", "SSSE.IRK", "--owner", "639900").code == 0
    assert [k["version"] for k in as_("x", "list", "--json").document] == [1, 2]
    shown = as_("x", "list").out
    assert made["check_value"] in shown
    for action in ("suspend", "resume", "retire"):
        assert as_("shen", action, "SSSE.IRK", "--version", 1).code == 0
    assert as_("shen", "destroy", "SSSE.IRK", "--version", 1, "--yes").code == 0
    assert as_("x", "list", "--json").document[0]["state"] == "destroyed"


def test_several_keys_are_made_and_approved_at_once(as_: As) -> None:
    names = ("SSSE.IRK", "SSSE.UKSSSE", "SSSE.PUK")
    made = as_("gu", "generate", *names, names[0], "--json")
    assert ([key["name"] for key in made.document], made.err) == (list(names), "")
    assert [key["version"] for key in made.document] == [1, 1, 1], "a name given twice counts once"
    approved = as_("shen", "approve", *names).out.splitlines()
    assert [line.split()[0] for line in approved] == list(names)


def test_what_was_done_before_a_refusal_is_told(as_: As) -> None:
    as_("gu", "generate", "SSSE.IRK", "SSSE.PUK")
    done = as_("shen", "approve", "SSSE.IRK", "SSSE.STK", "SSSE.PUK")
    assert done.code != 0
    assert [line.split()[0] for line in done.out.splitlines()] == ["SSSE.IRK"]
    assert "SSSE.STK" in done.err
    states = {key["name"]: key["state"] for key in as_("x", "list", "--json").document}
    assert states == {"SSSE.IRK": "active", "SSSE.PUK": "pre-active"}


def test_a_name_that_no_card_asks_for_is_said_and_allowed(as_: As) -> None:
    """A key that is misspelt is found missing when the first card comes; a transport key is not."""
    made = as_("gu", "generate", "SSSE.IKR", "OURS.WORK", "T514.TRANSPORT", "DF01.UK1", "--json")
    first, second = made.err.splitlines()
    assert len(made.document) == 4
    assert first.startswith("no file of the card has a key SSSE.IKR")
    assert "is SSSE.IRK meant?" in first
    assert "OURS.WORK" in second
    assert "meant" not in second
    assert as_("gu", "generate", "FACTORY.KEK", "--algorithm", "aes").err == ""


def test_check(as_: As) -> None:
    value = as_("gu", "generate", "SSSE.IRK", "--json").document[0]["check_value"]
    assert as_("x", "check").out == f"ok  SSSE.IRK v1 ({value})\n"
    assert as_("x", "check", "SSSE.IRK", "--check-value", value).code == 0
    wrong = as_("x", "check", "SSSE.IRK", "--check-value", "010203")
    assert wrong.code == 4
    assert "was expected" in wrong.err
    slip = as_("x", "check", "SSSE.IRK", "--check-value", value + "0000000000")
    assert (slip.code, f"is {value}…" in slip.err) == (4, True)  # its last five bytes are others
    assert as_("x", "check", "SSSE.IRK", "--check-value", "0102").code == 2
    missing = as_("x", "check", "SSSE.IRK", "--version", 4)
    assert (missing.code, "there are v1" in missing.err) == (2, True)


def test_a_ceremony_shows_one_component_to_one_person(as_: As, tmp_path: Path) -> None:
    holders = [w for who in ("sun", "li", "zhou") for w in ("--holder", who)]
    assert as_("gu", "ceremony begin", "SSSE.IRK", *holders).code == 0
    components = []
    for who in ("sun", "li"):
        shown = as_(who, "ceremony generate", "SSSE.IRK", "--sheet", f"{who}.txt")
        sheet = tmp_path / f"{who}.txt"
        assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
        (groups,) = re.findall(r"^    ((?:[0-9A-F]{4}  ){7}[0-9A-F]{4})$",
                               sheet.read_text("utf-8"), re.MULTILINE)  # fmt: skip
        component = groups.replace(" ", "")
        components.append(component)
        assert component not in (shown.out + shown.err).upper()
    assert "zhou" in as_("x", "list").err
    typed = tmp_path / "zhou.component"
    typed.write_text("00112233445566778899AABBCCDDEEFF\n")
    typed.chmod(0o600)
    assert as_("zhou", "ceremony type", "SSSE.IRK", "--component-file", typed).code == 0
    finished = as_("gu", "ceremony finish", "SSSE.IRK", "--json").document[0]
    key = 0x00112233445566778899AABBCCDDEEFF
    for component in components:
        key ^= int(component, 16)
    from cardkit.crypto.check_value import check_value_3des  # noqa: PLC0415

    assert finished["check_value"] == check_value_3des(key.to_bytes(16)).hex().upper()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes().upper().replace(b" ", b"")
            assert sum(c.encode() in content for c in components) <= 1, path
            assert f"{key:032X}".encode() not in content


def test_derive_and_export(as_: As, tmp_path: Path) -> None:
    uses = [w for use in ("load", "internal", "derive", "export") for w in ("--usage", use)]
    as_("gu", "generate", "SSSE.IRK", *uses)
    as_("gu", "generate", "FACTORY.KEK", "--algorithm", "aes")
    as_("shen", "approve", "SSSE.IRK", "FACTORY.KEK")
    (tmp_path / "cards.txt").write_text("8684639900000001\n8684639900000002\n")
    words = ("SSSE.IRK", "--cards", "cards.txt", "--province", "63", "--city", "639900",
             "--under", "FACTORY.KEK", "--out", "batch.sealed")  # fmt: skip
    assert as_("gu", "derive", *words).code == 4
    assert as_("clerk", "derive", *words, "--json").document["cards"] == 2
    assert as_("clerk", "derive", *words).code == 2  # it exists
    later = ("SSSE.IRK", *words[1:-1], "later.sealed")
    as_("gu", "generate", "SSSE.IRK", *uses, "--valid-from", "2099-01-01")
    as_("shen", "approve", "SSSE.IRK")
    staged = as_("clerk", "derive", *later, "--json").document["keys"]
    assert [key.split()[1] for key in staged] == ["v1"]  # version 2 is for another time
    early = as_("clerk", "derive", *later[:-1], "early.sealed", "--version", 2)
    assert (early.code, "valid from 2099-01-01 only" in early.err) == (4, True)
    as_("shen", "suspend", "SSSE.IRK", "--version", 2)
    for form in ("tr31", "envelope"):
        out = as_("yi", "export", "SSSE.IRK", "--under", "FACTORY.KEK", "--format", form,
                  "--out", f"irk.{form}")  # fmt: skip
        assert out.code == 0, out.err
    again = as_("yi", "import", "irk.tr31", "--under", "FACTORY.KEK", "--name", "COPY.IRK",
                "--check-value", as_("x", "list", "--json").document[1]["check_value"])  # fmt: skip
    assert again.code == 0, again.err
    assert as_("gu", "generate", "X", "--algorithm", "ssf33").code == 2
    double = as_("yi", "import", "irk.envelope", "--under", "FACTORY.KEK")
    assert (double.code, "there is a key SSSE.IRK v1" in double.err) == (2, True)
    bad = tmp_path / "bad.txt"
    bad.write_text("86846399\n")
    assert as_("clerk", "derive", "SSSE.IRK", "--cards", bad, *words[3:]).code == 2


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("--province", "62", "--city", "639900"), "does not lie in province 62"),
        (("--province", "6", "--city", "639900"), "--province has 2 digits"),
        (("--province", "63", "--city", "6399"), "--city has 6 digits"),
        (("--province", "63", "--city", "63990x"), "--city has 6 digits"),
    ],
)
def test_keys_of_no_place_are_not_derived(
    as_: As, tmp_path: Path, place: tuple[str, ...], words: str
) -> None:
    (tmp_path / "cards.txt").write_text("8684639900000001\n")
    batch = ("SSSE.IRK", "--cards", "cards.txt", "--under", "FACTORY.KEK", "--out", "batch.sealed")
    refused = as_("clerk", "derive", *batch, *place)
    assert (refused.code, words in refused.err) == (2, True)
    assert not (tmp_path / "batch.sealed").exists()


def test_wrong_passphrase_torn_file_and_downgrade_end_in_one_line(as_: As, tmp_path: Path) -> None:
    store = tmp_path / "keys.store"
    older = store.read_bytes()
    as_("gu", "generate", "SSSE.IRK")
    newest = store.read_bytes()
    for content, code, words in (
        (newest[:-1], 2, "cut short or damaged"),
        (older, 4, "older state (generation 1 of 2)"),
        (b"no store", 2, "no key store"),
    ):
        store.write_bytes(content)
        told = as_("x", "list")
        assert (told.code, words in told.err) == (code, True), told.err
        assert len(told.err.splitlines()) == 2  # what happened, what to do
    store.write_bytes(newest)
    (tmp_path / "qian.pass").write_text("not her passphrase\n")
    told = as_("x", "list")
    assert (told.code, "do not open" in told.err) == (4, True)


def test_accept_roles_and_passphrase(as_: As, tmp_path: Path) -> None:
    store = tmp_path / "keys.store"
    older = store.read_bytes()
    as_("gu", "generate", "SSSE.IRK")
    store.write_bytes(older)
    assert as_("boss", "accept", "--yes").code == 0
    assert as_("x", "list", "--json").document == []
    assert as_("boss", "roles", "--role", "use=wang", "--take", "use=clerk", "--json").document[
        "use"
    ] == ["wang"]
    assert as_("boss", "roles", "--role", "approve=wang").code == 4
    new = tmp_path / "new.pass"
    new.write_text("a passphrase that is new\n")
    new.chmod(0o600)
    words = ("--new-custodian", "zhao", "--new-custodian", "sun", "--new-passphrase-file", new,
             "--new-passphrase-file", "zhao.pass")  # fmt: skip
    assert as_("boss", "passphrase", *words).code == 0
    assert as_("x", "list").code == 4
    (tmp_path / "qian.pass").write_text(PASSPHRASES["zhao"] + "\n")
    (tmp_path / "zhao.pass").write_text("a passphrase that is new\n")
    assert as_("x", "list").code == 0


def test_passphrases_from_descriptors(as_: As) -> None:
    as_("gu", "generate", "SSSE.IRK")
    command = (
        f"{sys.executable} -m cardkit key list --store keys.store --passphrase-fd 3 "
        "--passphrase-fd 4 3<zhao.pass 4<qian.pass"
    )
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "SSSE.IRK" in done.stdout


def test_passphrases_are_typed_without_echo(as_: As) -> None:
    as_("gu", "generate", "SSSE.IRK")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "cardkit", "key", "list", "--store", "keys.store"]
    program = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    for name in ("zhao", "qian"):
        while f"custodian {name}".encode() not in shown:
            shown += os.read(ours, 1000)
        while b": " not in shown.partition(name.encode())[2]:
            shown += os.read(ours, 1000)
        os.write(ours, PASSPHRASES[name].encode() + b"\n")
    out, _ = program.communicate(timeout=20)
    shown += os.read(ours, 1000)
    os.close(ours)
    assert program.returncode == 0
    assert b"SSSE.IRK" in out
    for passphrase in PASSPHRASES.values():
        assert passphrase.encode() not in shown


def test_a_sealed_log_and_a_clock_that_is_accepted(
    as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_("gu", "generate", "K")
    told = as_("boss", "audit --verify", "--seal", "--json").document
    assert (told["intact"], told["sealed"], told["set_back"]) == (True, told["last"], [])
    now = common.now()
    monkeypatch.setattr(common, "now", lambda: now + dt.timedelta(days=400))
    assert as_("shen", "approve", "K").code == 0
    monkeypatch.setattr(common, "now", lambda: now)
    assert as_("gu", "accept-clock", "--reason", "battery").code == 4
    accepted = as_("shen", "accept-clock", "--reason", "battery")
    assert "clock 时钟 accepted" in accepted.out
    shown = as_("boss", "audit --verify").out
    assert "clock set back 时钟倒退" in shown
    assert "(accepted 已认可)" in shown
    assert "sealed 封签" in shown


def test_a_cut_log_is_found(as_: As, run: Run, tmp_path: Path) -> None:
    as_("gu", "generate", "SSSE.IRK")
    noted = run("key", "audit", "--verify", "--json", "--store", "keys.store").document
    known = f"{noted['last']}:{noted['digest']}"
    assert run("key", "audit", "--verify", "--known", known, "--store", "keys.store").code == 0
    log = tmp_path / "keys.store.audit"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    told = run("key", "audit", "--verify", "--store", "keys.store")
    assert (told.code, "cut off at the end" in told.out) == (1, True)
    assert as_("gu", "generate", "SSSE.MK").code == 2
    assert run("key", "audit", "--verify", "--known", "x", "--store", "keys.store").code == 2


def test_store_is_named_or_told_to_be(run: Run) -> None:
    for words, told in (
        (("list",), "which store?"),
        (("list", "--profile", "test"), "no encrypted"),
        (("list", "--store", "nowhere"), "No such file"),
    ):
        done = run("key", *words)
        assert (done.code, told in done.err) == (2, True), done.err


def test_help_is_quick() -> None:
    code = (
        "import sys; from cardkit.cli.main import main; main(['key', '--help']);"
        "print([m for m in sys.modules if 'cryptography' in m or m == 'numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
