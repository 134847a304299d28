"""Files leave sealed, in somebody's name, and the history knows which bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import stat
from pathlib import Path

import pyrage
import pytest

from cardkit.errors import UsageError
from cardkit.registry.exchange import sealing
from cardkit.registry.exchange.custody import Custody
from cardkit.registry.exchange.errors import ExchangeError, ExchangeRefusedError
from cardkit.registry.exchange.exchange import Exchange
from cardkit.registry.registry import Registry
from tests.registry.exchange.desk import CLERK, DAY, LAYOUTS, WINDOW, Desk, write_identity
from tests.registry.support import crowd, enrol


@pytest.fixture
def desk(registry: Registry) -> Desk:
    enrol(registry, crowd(3))
    return Desk(registry)


def test_a_file_leaves_sealed_and_named_after_its_carrier(desk: Desk, tmp_path: Path) -> None:
    sent = desk.send("bank-opening", "bank")
    path = desk.custody.hand_over(sent.batch.id, "original", tmp_path, carrier="li", operator=CLERK)
    assert path.name == "KK_bank_000001.li.txt.age"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    sealed = path.read_bytes()
    assert sealing.is_sealed(sealed)
    assert "张测试".encode("gb18030") not in sealed
    opened = sealing.open_sealed(sealed, write_identity(tmp_path / "bank.key", desk))
    assert opened == desk.file(sent, "original")
    note = json.loads(desk.events("exchange-custody")[0])
    assert (note["carrier"], note["partner"], note["left_as"]) == ("li", "bank", "sealed")
    assert note["left_digest"] == hashlib.sha256(sealed).hexdigest()
    assert note["digest"] == sent.batch.digest


def test_nothing_leaves_in_clear_unless_the_profile_says_so(desk: Desk, tmp_path: Path) -> None:
    sent = desk.send("bank-opening", "bank")
    give = {"carrier": "li", "operator": CLERK, "plain": True}
    with pytest.raises(ExchangeRefusedError, match="do not leave in clear"):
        desk.custody.hand_over(sent.batch.id, "original", tmp_path, **give)  # type: ignore[arg-type]
    assert desk.refusals() == ["clear"]
    lax = Custody(desk.registry.books, desk.exchange, plain_allowed=True)
    path = lax.hand_over(sent.batch.id, "original", tmp_path, **give)  # type: ignore[arg-type]
    assert path.name == "KK_bank_000001.li.txt"
    assert path.read_bytes() == desk.file(sent, "original")
    assert json.loads(desk.events("exchange-custody")[0])["left_as"] == "clear"


@pytest.mark.parametrize("carrier", ["nobody", "old"])
def test_who_carries_a_file_has_an_account_in_use(desk: Desk, tmp_path: Path, carrier: str) -> None:
    sent = desk.send("bank-opening", "bank")
    with pytest.raises(ExchangeRefusedError, match="no account"):
        desk.custody.hand_over(sent.batch.id, "original", tmp_path, carrier=carrier, operator=CLERK)
    assert list(tmp_path.glob("KK*")) == []
    assert desk.events("exchange-custody") == []
    assert desk.refusals() == ["carrier"]


def test_a_partner_without_a_key_gets_nothing(desk: Desk, tmp_path: Path) -> None:
    sent = desk.send("bank-opening", "bank")
    desk.exchange.partners.set("bank", layouts=["bank-opening"])
    with pytest.raises(ExchangeRefusedError, match="no public key"):
        desk.custody.hand_over(sent.batch.id, "original", tmp_path, carrier="li", operator=CLERK)
    with pytest.raises(ExchangeRefusedError, match="no public key"):
        desk.custody.check("bank", carrier="li", operator=CLERK)
    assert desk.refusals() == ["key", "key"]
    with pytest.raises(UsageError, match="no public age key"):
        desk.exchange.partners.set("bank", recipient="age1nonsense")


def test_a_file_for_somebody_else_or_damaged_is_not_opened(desk: Desk, tmp_path: Path) -> None:
    key = write_identity(tmp_path / "bank.key", desk)
    sealed = sealing.seal(b"data" * 100, str(desk.identity.to_public()))
    assert sealing.open_sealed(sealed, key) == b"data" * 100
    with pytest.raises(ExchangeRefusedError):
        sealing.open_sealed(sealed[:-1] + bytes([sealed[-1] ^ 1]), key)
    other = tmp_path / "other.key"
    other.write_text("not a key\n", "ascii")
    with pytest.raises(UsageError, match="no identity"):
        sealing.open_sealed(sealed, other)


def test_a_file_that_was_sealed_as_text_for_a_mail_is_opened_too(
    desk: Desk, tmp_path: Path
) -> None:
    key = write_identity(tmp_path / "bank.key", desk)
    sealed = pyrage.encrypt(b"data", [desk.identity.to_public()], armored=True)
    assert sealing.is_sealed(sealed)
    assert sealing.open_sealed(sealed, key) == b"data"


def test_what_was_done_and_what_was_not_leaves_sealed_too(desk: Desk, tmp_path: Path) -> None:
    sent = desk.send("bank-opening", "bank")
    receipt = desk.take("bank-opening-return", desk.bank_answers(sent, failing=(2,)), "bank")
    key = write_identity(tmp_path / "bank.key", desk)
    give = {"carrier": "li", "operator": CLERK}
    for role in ("success", "failure"):
        path = desk.custody.hand_over(receipt.batch.id, role, tmp_path, **give)  # type: ignore[arg-type]
        assert path.name == f"in.bank-opening-return.{role}.li.txt.age"
        assert sealing.open_sealed(path.read_bytes(), key) == desk.file(receipt, role)
    with pytest.raises(ExchangeError, match="does not go back"):
        desk.custody.hand_over(receipt.batch.id, "original", tmp_path, **give)  # type: ignore[arg-type]
    with pytest.raises(ExchangeError, match="no reply file"):
        desk.custody.hand_over(receipt.batch.id, "reply", tmp_path, **give)  # type: ignore[arg-type]


def test_the_clerk_sees_on_the_screen_which_rows_failed(desk: Desk) -> None:
    sent = desk.send("bank-opening", "bank")
    receipt = desk.take("bank-opening-return", desk.bank_answers(sent, failing=(2,)), "bank")
    lines = desk.custody.look(receipt.batch.id, "failure", operator=CLERK)
    assert len(lines) == 2
    assert lines[1].endswith("|姓名不符|与登记不符")
    assert json.loads(desk.events("exchange-look")[0])["role"] == "failure"
    with pytest.raises(ExchangeRefusedError, match="no right"):
        desk.custody.look(receipt.batch.id, "failure", operator=WINDOW)
    assert desk.refusals() == ["role"]


def test_an_answer_is_shown_in_its_own_encoding(desk: Desk) -> None:
    asked = dataclasses.replace(LAYOUTS["state-inquiry"], name="ours", encoding="utf-8")
    room = Exchange(desk.registry.books, layouts={**LAYOUTS, "ours": asked})
    room.partners.set("bank", layouts=["ours"])
    data = f"1|{DAY}|1\n1|{'1' * 18}|某\n".encode()
    receipt = room.receive("ours", data, partner="bank", operator=CLERK, name="in.txt")
    custody = Custody(desk.registry.books, room)
    assert custody.look(receipt.batch.id, "reply", operator=CLERK)[1].endswith("|01|无此人")
    assert custody.look(receipt.batch.id, "failure", operator=CLERK)[1].endswith("|某|无此人")


def test_a_folder_that_is_not_there_leaves_the_batch_as_it_is(desk: Desk, tmp_path: Path) -> None:
    sent = desk.send("bank-opening", "bank")
    with pytest.raises(UsageError, match="cannot be written"):
        desk.custody.hand_over(
            sent.batch.id, "original", tmp_path / "none", carrier="li", operator=CLERK
        )
    assert desk.custody.hand_over(
        sent.batch.id, "original", tmp_path, carrier="li", operator=CLERK
    ).exists()
