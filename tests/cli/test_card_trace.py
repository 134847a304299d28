"""``card trace`` and ``card replay``, and what ``--trace`` writes about a whole session."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cardkit.apdu.link import Link
from cardkit.apdu.trace import UNMASKED, VERSION, load
from cardkit.cli.card_trace import tracing
from cardkit.cli.main import cli
from cardkit.errors import RefusedError, UsageError
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.link import VirtualLink
from tests.golden.audit_rules import card_key, row
from tests.golden.audit_tables import ATR_HEAD, DIRECTORIES, SERIAL
from tests.golden.blank_session import FILE, ROW, blank_chip, golden, record_session

CARD_FACTOR = ATR_HEAD[-2:] + SERIAL


def run(command: str, *arguments: object) -> Result:
    # From the top, as people do: commands keep the help option of whoever called them first.
    words = ["card", command, *map(str, arguments)]
    return CliRunner().invoke(cli, words, catch_exceptions=True)


def write_session(folder: Path, *, unmask: bool = False) -> Path:
    """Issue the golden row with ``--trace``."""
    path = folder / "session.trace"
    with tracing(path, unmask=unmask, heading="in-process") as wrap:
        record_session(wrap(VirtualLink(blank_chip())), folder)
    return path


# --- what --trace writes -------------------------------------------------------------------------


def secrets() -> dict[str, bytes]:
    """Whatever must not be seen, as bytes on the wire."""
    keys = {
        f"{directory.label}.{slot.split()[0]}": card_key(
            f"{directory.label}.{slot.split()[0]}", CARD_FACTOR
        )
        for directory in DIRECTORIES
        for slot in directory.keys
        if not slot.startswith("PIN")
    }
    person = {
        "PIN": bytes.fromhex("123456"),
        "name": ROW.name[:15].encode("gb18030"),
        "rest of the name": ROW.name[15:].encode("gb18030"),
        "citizen number": ROW.citizen_number.encode(),
        "birth date": bytes.fromhex(ROW.birth_date),
        "phone": b"13999999999",
        "school": "测试大学".encode("gb18030"),
        "card number": row()["SSSE.EF05.07"].encode(),
    }
    return keys | person


def data_of_commands_that_hide() -> list[str]:
    """Cryptograms: sealed keys, proofs, transport key."""
    hiding = (0xD4, 0x82, 0x20)
    return [
        e.command.value[5:].hex()
        for e in golden().exchanges
        if e.command.value[1] in hiding or e.command.value[:3] == b"\x80\xe0\x03"
    ]


def test_no_key_no_pin_and_nothing_personal_is_in_a_masked_trace(tmp_path: Path) -> None:
    text = write_session(tmp_path).read_text(encoding="utf-8").replace(" ", "")

    assert len(secrets()) > 50
    for name, secret in secrets().items():
        assert secret.hex().upper() not in text, name
    for cryptogram in data_of_commands_that_hide():
        assert cryptogram.upper() not in text
    assert ROW.name not in text
    assert ROW.citizen_number not in text


def test_the_same_secrets_are_found_when_they_are_asked_for(tmp_path: Path) -> None:
    # Otherwise the test above would prove nothing.
    text = write_session(tmp_path, unmask=True).read_text(encoding="utf-8").replace(" ", "")

    in_clear = [name for name in secrets() if name.endswith(".MK")]
    for name in (*in_clear, "PIN", "name", "citizen number", "phone", "school"):
        assert secrets()[name].hex().upper() in text, name


def test_an_unmasked_trace_says_so_and_both_are_closed_to_others(tmp_path: Path) -> None:
    path = write_session(tmp_path, unmask=True)
    assert path.read_text(encoding="utf-8").split("\n")[1] == UNMASKED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_masked_lines_keep_their_length_and_tell_file_and_item(tmp_path: Path) -> None:
    path = write_session(tmp_path)
    lines = path.read_text(encoding="utf-8").split("\n")
    assert f"> 00200000 03 {'**' * 3}  # VERIFY DF03" in lines
    assert (
        "> 00DC0234 20 " + "**" * 32 + "  # UPDATE RECORD SSSE EF06 09 (record 2) name 姓名"
        in lines
    )
    assert any(line.startswith(f"< 091E{'**' * 30} 9000 +") for line in lines)
    assert [len(e.command) for e in load(path).exchanges] == [
        len(e.command) for e in golden().exchanges
    ]


def test_without_a_file_there_is_no_link_at_all() -> None:
    bare = VirtualLink(blank_chip())
    with tracing(None) as wrap:
        assert wrap(bare) is bare


def test_unmask_without_a_file_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--unmask"), tracing(None, unmask=True):
        pass


# --- card trace ----------------------------------------------------------------------------------


def test_a_session_is_told_in_words() -> None:
    told = run("trace", FILE).output
    for words in (
        "SELECT SSSE",
        "VERIFY TRANSPORT KEY",
        "CREATE FILE SSSE EF05",
        "CREATE FILE DF04 TF (purse)",
        "UPDATE RECORD SSSE EF06 09 (record 2) name 姓名",
        "UPDATE RECORD DIR 04",
        "EXTERNAL AUTHENTICATE DF03.RK1",
        "INTERNAL AUTHENTICATE SSSE.IRK",
        "READ RECORD SSSE EF05 07 card_number 卡号",
        "END OF PRE-ISSUE MF",
        "6A81 (function not supported, or card locked)",
        "369 commands",
    ):
        assert words in told, words


def test_values_are_hidden_even_when_the_file_has_them() -> None:
    name = ROW.name[:15].encode("gb18030").hex().upper()
    assert name not in run("trace", "--bytes", FILE).output
    assert name in run("trace", "--bytes", "--unmask", FILE).output


def test_json_is_one_document_with_every_event() -> None:
    told = json.loads(run("trace", "--json", FILE).stdout)
    assert (told["commands"], told["masked"], len(told["events"])) == (369, False, 371)
    assert told["events"][1] == {
        "line": 12,
        "command": "SELECT SSSE",
        "answer": "6A81 (function not supported, or card locked)",
        "bytes": "00A40400 0F 7378312E73682EC9E7BBE1B1A3D5CF → 6A81",
        "note": "no SSSE on a blank chip",
    }


def test_notes_of_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.trace"
    path.write_text(f"{VERSION}\n> 00840000 08  # \x1b[2J\n< 9000\n")
    assert "\x1b" not in run("trace", path).output


def test_a_file_that_is_no_trace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.trace"
    path.write_text("nonsense")
    assert isinstance(run("trace", path).exception, UsageError)


# --- card replay ---------------------------------------------------------------------------------


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Image of the card that the golden trace ends with."""
    card = blank_chip()
    record_session(VirtualLink(card), tmp_path)
    card.save(tmp_path / "card.image")
    return tmp_path / "card.image"


def read_session(folder: Path, image: Path) -> Path:
    """A trace of reading, unmasked."""
    path = folder / "read.trace"
    with tracing(path, unmask=True) as wrap:
        link: Link = wrap(VirtualLink(VirtualCard.load(image)))
        for command in ("00A404000F7378312E73682EC9E7BBE1B1A3D5CF", "00C000001E", "00B2092020"):
            link.transmit(bytes.fromhex(command))
        link.transmit(bytes.fromhex("00B2093020"))
    return path


def test_the_same_card_answers_the_same(tmp_path: Path, image: Path) -> None:
    result = run("replay", read_session(tmp_path, image), "--image", image)
    assert (result.exit_code, result.output) == (
        0, "4 commands in virtual: every answer as recorded\n",
    )  # fmt: skip


def test_another_card_answers_differently_and_no_value_is_shown(
    tmp_path: Path, image: Path
) -> None:
    recorded = read_session(tmp_path, image)
    other = recorded.read_text(encoding="utf-8").replace("091EC8C8", "091EC8C9")
    recorded.write_text(other, encoding="utf-8")

    result = run("replay", "--json", recorded, "--image", image)

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [d["command"] for d in told["differences"]] == ["READ RECORD"]
    assert told["differences"][0]["byte"] == 4
    assert "C8C8" not in result.stdout


def test_a_session_that_writes_is_refused_before_a_card_is_looked_for() -> None:
    result = run("replay", FILE, "--reader", "no such reader")
    assert isinstance(result.exception, RefusedError)
    assert "line 21: VERIFY TRANSPORT KEY" in str(result.exception)


def test_with_dangerous_it_goes_as_far_as_the_first_refused_key(tmp_path: Path) -> None:
    blank = tmp_path / "blank.image"
    blank_chip().save(blank)

    # The challenges of this chip are other ones than the recorded.
    result = run("replay", FILE, "--image", blank, "--dangerous")

    assert result.exit_code == 1
    assert result.output.endswith("1 different; stopped there, a key or a write was refused\n")
    assert "EXTERNAL AUTHENTICATE: 63C2 (wrong, 2 tries left), recorded 9000" in result.output


def test_a_masked_trace_is_refused(tmp_path: Path) -> None:
    result = run("replay", write_session(tmp_path), "--dangerous")
    assert isinstance(result.exception, UsageError)
    assert "masked" in str(result.exception)
