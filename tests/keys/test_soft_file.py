"""The encrypted store: opened by two, whole or told what is wrong, never rolled back unseen."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pickle
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.errors import CardkitError, UsageError
from cardkit.history import Head
from cardkit.keys import soft_format
from cardkit.keys.audit import AuditError, AuditLog
from cardkit.keys.custody import Custody, Wish
from cardkit.keys.locking import BusyError, locked
from cardkit.keys.secret import Secret
from cardkit.keys.soft import CheckValueError
from cardkit.keys.soft_file import KeyFile, Passphrases, StoreDowngradeError
from cardkit.keys.soft_format import (
    PassphraseError,
    StoreAlteredError,
    StoreDamagedError,
    StoreFormatError,
)
from tests.keys.conftest import CHEAP, PASSPHRASES, ROLES, Clock, Vault


@pytest.fixture
def filled(vault: Vault) -> Vault:
    vault.as_("gu").generate(Wish("SSSE.IRK"))
    return vault


def failure(vault: Vault, **answers: str) -> CardkitError:
    """Why the store does not open: one line."""

    def ask(name: str) -> str:
        return (PASSPHRASES | answers).get(name, "of a custodian who is none")

    with pytest.raises(CardkitError) as caught:
        KeyFile.open(vault.path, Passphrases(ask), vault.audit)
    assert caught.value.message
    assert "\n" not in caught.value.line()
    return caught.value


def test_what_was_saved_is_there_again(filled: Vault) -> None:
    file = filled.open()
    assert [str(r.state) for r in file.content.records.values()] == ["pre-active"]
    assert file.test
    assert file.header.generation == 2
    assert stat.S_IMODE(filled.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("who", ["zhao", "qian", "both"])
def test_both_passphrases_are_needed(filled: Vault, who: str) -> None:
    wrong = {name: "not the passphrase" for name in PASSPHRASES if who in (name, "both")}
    assert isinstance(failure(filled, **wrong), PassphraseError)


def test_the_same_custodian_twice_or_a_stranger(filled: Vault) -> None:
    for names in (("zhao", "zhao"), ("zhao", "sun"), ("zhao",)):
        with pytest.raises(UsageError, match="two of the custodians"):
            KeyFile.open(filled.path, Passphrases(PASSPHRASES.__getitem__, names), filled.audit)


def test_the_order_of_custodians_does_not_matter(filled: Vault) -> None:
    unlock = Passphrases(PASSPHRASES.__getitem__, ("qian", "zhao"))
    assert KeyFile.open(filled.path, unlock, filled.audit).content.records


def test_any_two_of_three(tmp_path: Path, clock: Clock) -> None:
    three = {"a": "passphrase of a", "b": "passphrase of b", "c": "passphrase of c"}
    audit = AuditLog(tmp_path / "log", clock)
    KeyFile.create(tmp_path / "s", three, audit, "boss", cost=CHEAP).close()
    for pair in (("a", "b"), ("a", "c"), ("c", "b")):
        KeyFile.open(tmp_path / "s", Passphrases(three.__getitem__, pair), audit).close()


@pytest.mark.parametrize("bad", [{"a": "long enough 123"}, {"a": "x" * 11, "b": "y" * 12},
                                 {"a": "the same for all", "b": "the same for all"}])  # fmt: skip
def test_custodians_that_protect_nothing(tmp_path: Path, clock: Clock, bad: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        KeyFile.create(tmp_path / "s", bad, AuditLog(tmp_path / "log", clock), "x", cost=CHEAP)
    assert not (tmp_path / "s").exists()


def test_truncated_at_every_byte(filled: Vault) -> None:
    whole = filled.path.read_bytes()
    for length in range(len(whole)):
        filled.path.write_bytes(whole[:length])
        assert isinstance(failure(filled), StoreDamagedError), length
    filled.path.write_bytes(whole)
    assert filled.open().content.records


def test_every_flipped_byte_is_damage_or_another_format(filled: Vault) -> None:
    whole = filled.path.read_bytes()
    for at in range(len(whole)):
        filled.path.write_bytes(whole[:at] + bytes((whole[at] ^ 0x20,)) + whole[at + 1 :])
        error = failure(filled)
        assert isinstance(error, StoreFormatError if at < 10 else StoreDamagedError), at


def test_changes_with_a_new_checksum_are_told_from_damage(filled: Vault) -> None:
    """Whoever computes the checksum again means it."""
    body = filled.path.read_bytes()[:-32]
    places = [*range(14, 40), *range(40, len(body), 7)]
    for at in places:
        changed = body[:at] + bytes((body[at] ^ 0x01,)) + body[at + 1 :]
        filled.path.write_bytes(changed + hashlib.sha256(changed).digest())
        # A changed salt or check value cannot be told from a wrong passphrase.
        error = failure(filled)
        assert isinstance(error, StoreAlteredError | PassphraseError | StoreDowngradeError), at


def test_raised_generation_is_authenticated(filled: Vault) -> None:
    body = filled.path.read_bytes()[:-32].replace(b'"generation":2', b'"generation":9')
    filled.path.write_bytes(body + hashlib.sha256(body).digest())
    assert isinstance(failure(filled), StoreAlteredError)


@settings(max_examples=200)
@given(junk=st.binary(max_size=400))
def test_junk_is_no_store(junk: bytes) -> None:
    for data in (junk, soft_format.MAGIC + b"\0\1" + junk):
        body = data + hashlib.sha256(data).digest()
        for content in (data, body):
            with pytest.raises(CardkitError):
                soft_format.parse(content, "junk")


def test_a_later_version_is_told(filled: Vault) -> None:
    whole = bytearray(filled.path.read_bytes())
    whole[9] = 2
    filled.path.write_bytes(whole)
    error = failure(filled)
    assert isinstance(error, StoreFormatError)
    assert "another format version" in error.message


def test_wrong_passphrases_are_on_record(filled: Vault) -> None:
    """Who tries them at the place of the store is found; a copy elsewhere has no such log."""
    wrong = Passphrases(lambda name: PASSPHRASES[name] + "?")
    with pytest.raises(PassphraseError):
        KeyFile.open(filled.path, wrong, filled.audit, actor="mallory")
    told = f"refused: the two passphrases do not open {filled.path.name}"
    assert filled.actions()[-1] == ("mallory", "open", told)
    filled.open().close()  # the seal of the log is still that of the store

    filled.audit.path.unlink()
    with pytest.raises(PassphraseError):
        KeyFile.open(filled.path, wrong, filled.audit, actor="mallory")
    assert not filled.audit.path.exists()


def test_an_older_state_is_refused_and_accepted_on_purpose(filled: Vault) -> None:
    older = filled.path.read_bytes()
    filled.as_("shen").change("approve", "SSSE.IRK")
    newer = filled.path.read_bytes()
    filled.path.write_bytes(older)
    error = failure(filled)
    assert isinstance(error, StoreDowngradeError)
    assert "generation 2 of 3" in error.message
    with pytest.raises(StoreDowngradeError):
        filled.as_("shen")
    filled.open(accept_older=True).accept("boss")
    assert filled.open().header.generation == 4
    assert ("boss", "accept-older", "ok") in filled.actions()
    filled.path.write_bytes(newer)  # and now that one is the older
    assert isinstance(failure(filled), StoreDowngradeError)


def test_without_counter_the_log_tells(filled: Vault) -> None:
    older = filled.path.read_bytes()
    filled.as_("shen").change("approve", "SSSE.IRK")
    counter = filled.path.with_name("keys.store.counter")
    counter.unlink()
    assert filled.open().header.generation == 3
    filled.path.write_bytes(older)
    assert isinstance(failure(filled), StoreDowngradeError)
    filled.audit.path.unlink()
    filled.audit.path.with_name("keys.store.audit.head").unlink()
    assert "nothing tells" in failure(filled).message
    for text in ("{", '{"generation": Infinity}'):
        counter.write_text(text)
        assert "damaged" in failure(filled).message
    filled.open(accept_older=True).accept("boss")
    assert filled.open().content.records


def test_an_older_counter_put_back_with_its_store_is_found_by_the_log(filled: Vault) -> None:
    """Otherwise whoever may write the files revives a key that was suspended or retired."""
    counter = filled.path.with_name("keys.store.counter")
    filled.as_("shen").change("approve", "SSSE.IRK")
    store_then, counter_then = filled.path.read_bytes(), counter.read_bytes()
    filled.as_("shen").change("suspend", "SSSE.IRK")
    filled.path.write_bytes(store_then)
    counter.write_bytes(counter_then)
    error = failure(filled)
    assert isinstance(error, StoreDowngradeError)
    assert "generation 3 of 4" in error.message
    filled.open(accept_older=True).accept("boss")
    assert filled.open().header.generation == 5


def test_a_log_of_two_stores_keeps_their_generations_apart(filled: Vault, tmp_path: Path) -> None:
    for action in ("approve", "suspend", "resume"):
        filled.as_("shen").change(action, "SSSE.IRK")
    other = tmp_path / "other.store"
    KeyFile.create(other, PASSPHRASES, filled.audit, "boss", roles=ROLES, cost=CHEAP).close()
    KeyFile.open(other, Passphrases(PASSPHRASES.__getitem__), filled.audit).close()


def test_a_crash_between_file_and_counter_opens(filled: Vault) -> None:
    counter = filled.path.with_name("keys.store.counter")
    before = counter.read_bytes()
    filled.as_("shen").change("approve", "SSSE.IRK")
    counter.write_bytes(before)
    assert filled.open().header.generation == 3


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(
    filled: Vault, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    custody = filled.as_("gu")
    before = filled.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    real_fsync = os.fsync

    def sync(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink().name == "keys.store.new":
            full()
        real_fsync(handle)

    if call == "fsync":
        monkeypatch.setattr("os.fsync", sync)
    else:
        real_replace = Path.replace

        def replace(source: Path, target: Path) -> Path:
            if source.name == "keys.store.new":
                full()
            return real_replace(source, target)

        monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(UsageError, match="No space left"):
        custody.generate(Wish("SSSE.MK"))
    monkeypatch.undo()
    assert filled.path.read_bytes() == before
    assert not filled.path.with_name("keys.store.new").exists()
    assert custody.generate(Wish("SSSE.MK")).version == 1


class Crash(BaseException):
    """The machine stops here."""


def test_a_crash_at_any_step_of_a_change_leaves_the_old_or_the_new_state(
    filled: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: dict[str, Any] = {"fsync": os.fsync, "write": os.write, "replace": Path.replace}
    files = sorted(filled.path.parent.iterdir())
    before = {path: path.read_bytes() for path in files}
    ended = set()
    for steps in range(100):
        for path in filled.path.parent.iterdir():
            path.unlink()
        for path, content in before.items():
            path.write_bytes(content)
        left = iter(range(steps))

        def step(name: str, *arguments: Any, left: Iterator[int] = left) -> Any:
            if next(left, None) is None:
                raise Crash
            return real[name](*arguments)

        custody = filled.as_("gu")
        with monkeypatch.context() as patched:
            patched.setattr("os.fsync", partial(step, "fsync"))
            patched.setattr("os.write", partial(step, "write"))
            patched.setattr(Path, "replace", lambda s, t, step=step: step("replace", s, t))
            try:
                custody.generate(Wish("SSSE.MK"))
            except Crash:
                finished = False
            else:
                finished = True
        names = {name for name, _ in filled.open().content.records}
        ended.add("SSSE.MK" in names)
        assert names in ({"SSSE.IRK"}, {"SSSE.IRK", "SSSE.MK"})
        assert filled.audit.verify().intact
        assert filled.as_("gu").generate(Wish("SSSE.IRK")).version == 2  # and work goes on
        assert filled.audit.verify().intact
        if finished:
            break
    assert finished
    assert steps > 5
    assert ended == {False, True}


def test_new_passphrases(filled: Vault) -> None:
    old = filled.path.read_bytes()
    file, stale = filled.open(), filled.as_("gu")
    file.change_passphrases({"sun": "a new passphrase", "li": "another new one"}, "boss")
    assert old[40:] not in filled.path.read_bytes()
    with pytest.raises(UsageError, match="two of the custodians"):
        KeyFile.open(filled.path, Passphrases(str, ("zhao", "qian")), filled.audit)
    assert isinstance(failure(filled, sun="the old one", li="the old one"), PassphraseError)
    unlock = Passphrases({"sun": "a new passphrase", "li": "another new one"}.__getitem__)
    assert KeyFile.open(filled.path, unlock, filled.audit).content.records
    with pytest.raises(UsageError, match="have changed their passphrases"):
        stale.generate(Wish("SSSE.MK"))


def test_a_wrong_check_value_inside_is_found(vault: Vault) -> None:
    file = vault.open()
    with file.edit("gu") as content:
        custody = Custody(file, "gu", vault.clock)
        record = custody.add(content, Wish("SSSE.IRK"), Secret(bytes(range(16))), origin="x")
        content.keys[record.place] = Secret(bytes(range(1, 17)))
    with pytest.raises(CheckValueError, match="does not fit"):
        vault.open()


def _generate(path: Path, count: int) -> None:
    clock = Clock()
    audit = AuditLog(path.with_name("keys.store.audit"), clock)
    file = KeyFile.open(path, Passphrases(PASSPHRASES.__getitem__), audit)
    for _ in range(count):
        Custody(file, "gu", clock).generate(Wish("SSSE.IRK"))


def test_two_processes_writing_at_once_lose_nothing(vault: Vault) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_generate, args=(vault.path, 10)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert sorted(v for _, v in vault.open().content.records) == list(range(1, 21))
    assert vault.audit.verify().intact


def test_a_writer_that_waits_too_long_says_so(vault: Vault) -> None:
    with (
        locked(vault.path),
        pytest.raises(BusyError, match="another process is writing"),
        locked(vault.path, wait=0.1),
    ):
        pass


def test_a_destroyed_key_is_gone_from_file_and_old_blocks(filled: Vault) -> None:
    shen = filled.as_("shen")
    shen.change("approve", "SSSE.IRK")
    shen.change("retire", "SSSE.IRK")
    with filled.path.open("rb", buffering=0) as old:
        assert old.read(8) == b"CARDKEYS"
        record = shen.change("destroy", "SSSE.IRK")
        old.seek(0)
        assert not any(old.read())
    assert str(record.state) == "destroyed"
    assert filled.open().content.keys == {}
    assert filled.open().content.records[record.place] == record


def test_nothing_shows_pickles_or_copies_a_key(filled: Vault) -> None:
    file = filled.open()
    (secret,) = file.content.keys.values()
    value = secret.reveal()
    for thing in (file, file.content, secret, file.file_key(), file.header):
        shown = repr(thing).lower()
        assert value.hex() not in shown
        assert repr(value)[2:-1] not in shown
    for thing in (file, file.content, secret):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.copy(thing)
    assert value.hex().encode() not in filled.path.read_bytes()
    file.close()
    with pytest.raises(TypeError):
        hash(secret)
    assert secret.reveal() == b""


def test_there_is_one_store_of_a_name(vault: Vault) -> None:
    with pytest.raises(UsageError, match="exists already"):
        KeyFile.create(vault.path, PASSPHRASES, vault.audit, "x", cost=CHEAP, roles=ROLES)


def test_counter_is_readable(filled: Vault) -> None:
    content = json.loads(filled.path.with_name("keys.store.counter").read_text())
    assert content["generation"] == 2
    assert content["sha256"] == hashlib.sha256(filled.path.read_bytes()).hexdigest()


# --- the log, sealed ------------------------------------------------------------------------------


def forge(vault: Vault) -> None:
    """Rewrite the whole log, and its head, as somebody who cannot open the store."""
    lines, head = list(vault.audit.lines()), Head()
    vault.path.with_name("keys.store.audit").unlink()
    vault.path.with_name("keys.store.audit.head").unlink()
    log = AuditLog(vault.audit.path, vault.clock)
    for line in lines:
        head = log.append(dataclasses.replace(line.entry, actor="somebody else"))
    assert log.verify(head).intact


def test_a_log_rewritten_by_somebody_who_cannot_open_the_store_is_found(filled: Vault) -> None:
    filled.open().close()
    forge(filled)
    log = AuditLog(filled.audit.path, filled.clock)
    with pytest.raises(AuditError, match="has no seal of the store"):
        KeyFile.open(filled.path, Passphrases(PASSPHRASES.__getitem__), log)
    taken = KeyFile.open(filled.path, Passphrases(PASSPHRASES.__getitem__), log, accept_older=True)
    taken.accept("boss")
    taken.close()
    filled.open().close()


def test_a_store_of_an_earlier_version_begins_to_seal(filled: Vault) -> None:
    file = filled.open()
    with file.edit("boss") as content:
        content.log_key = None  # `edit` makes a new one, as it does where there never was one
    assert file.content.log_key is not None
    assert filled.audit.sealed() == filled.audit.verify().head.sequence
    filled.open().close()
