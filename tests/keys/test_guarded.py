"""Policy before, audit after, for every use of a key; and the stores a profile may name."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cardkit.card.files import GENERATION_2
from cardkit.card.key_request import External, Internal, KeyUse, Seal, Sealing, WriteKey
from cardkit.crypto import ssc
from cardkit.crypto.diversify import diversify, diversify_sm4
from cardkit.doctor import State
from cardkit.doctor.stores import check_keys
from cardkit.errors import CardkitError, RefusedError, UsageError
from cardkit.issuance.keyring import Keyring
from cardkit.keys import CardKeySet, Factors
from cardkit.keys.agent import AgentError, AgentKey, listening, serve
from cardkit.keys.audit import AuditError, AuditLog, Entry, settles
from cardkit.keys.card_keys import derive
from cardkit.keys.custody import Wish
from cardkit.keys.guarded import GuardedStore
from cardkit.keys.open_store import Access, guarded, open_store
from cardkit.keys.policy import ClockError
from cardkit.keys.reference import CheckValue, KeyRef, city_factor, province_factor
from cardkit.keys.soft import CheckValueError, SoftKeyStore
from cardkit.keys.soft_file import KeyFile, Passphrases, Unlock
from cardkit.keys.store import KeyMissingError, KeyPolicyError
from cardkit.keys.tally import RESERVED
from cardkit.profile import load
from tests.keys.conftest import CHEAP, PASSPHRASES, ROLES, Clock, Vault

ABOVE = (province_factor("63"), city_factor("639900"))
CARDS = bytes(range(80))
INTERNAL = Internal("SSSE.IRK", bytes(8), bytes(8))
UNLOCK = Passphrases(PASSPHRASES.__getitem__)


def opened(vault: Vault, actor: str = "clerk", **more: frozenset[str]) -> GuardedStore:
    return guarded(vault.open(), Access(UNLOCK, vault.clock, actor, "test"), **more)


@pytest.fixture
def used(vault: Vault) -> Vault:
    """IRK and MK are active; version 2 of IRK waits for approval."""
    for wish in (Wish("SSSE.IRK"), Wish("SSSE.MK"), Wish("SSSE.UKSSSE", algorithm="sm4")):
        vault.as_("gu").generate(wish)
        vault.as_("shen").change("approve", wish.name)
    vault.as_("gu").generate(Wish("SSSE.IRK"))
    return vault


def value(vault: Vault, name: str) -> bytes:
    return vault.open().content.keys[name, 1].reveal()


def last(vault: Vault) -> tuple[str, str, int, str]:
    entry = list(vault.audit.lines())[-1].entry
    return entry.actor, entry.action, entry.count, entry.result


def test_a_derivation_of_100_000_is_one_entry(used: Vault) -> None:
    store = opened(used)
    before = len(list(used.audit.lines()))
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, bytes(800_000)))
    assert len(batch) == 100_000
    assert len(list(used.audit.lines())) == before + 1
    assert last(used) == ("clerk", "derive", 100_000, "ok")
    assert "630000sh/639900sx" in list(used.audit.lines())[-1].entry.detail


def test_answers_are_those_of_the_store_below(used: Vault) -> None:
    store = opened(used)
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    key = diversify(value(used, "SSSE.IRK"), *ABOVE, CARDS[8:16])
    assert batch.internal(1, INTERNAL) == ssc.authentication_data(key, bytes(8), bytes(8))
    keys = CardKeySet.from_batches(derive(store, ["SSSE.MK"], ABOVE, CARDS), 3)
    assert len(keys.external(External("SSSE.MK", bytes(8), bytes(8)))) == 8
    under = store.derive_many(store.reference("SSSE.MK"), Factors(ABOVE, CARDS))
    sealed = batch.write_key(0, WriteKey("SSSE.MK", b"head", "SSSE.IRK", b"h", bytes(8)), under)
    assert len(sealed) == 24 + 4


def test_sm4_answers(used: Vault) -> None:
    store = opened(used)
    ref = store.reference("SSSE.UKSSSE")
    assert ref.algorithm == "sm4"
    batch = store.derive_many(ref, Factors(ABOVE, CARDS))
    key = diversify_sm4(value(used, "SSSE.UKSSSE"), *ABOVE, CARDS[:8])
    proof = batch.external(0, External(ref.name, bytes(range(8)), bytes(range(8))))
    assert proof == ssc.authentication_data_sm4(key, bytes(range(8)), bytes(range(8)))


def written(vault: Vault, since: int = 0) -> list[tuple[str, int, str]]:
    entries = [line.entry for line in vault.audit.lines()][since:]
    return [(entry.action, entry.count, entry.detail) for entry in entries]


def test_answers_are_reserved_counted_and_settled(used: Vault) -> None:
    """What was reserved is on the disk before the first answer; how many it were, at the end."""
    store = opened(used)
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    first = len(written(used)) + 1
    for _ in range(RESERVED):
        batch.internal(0, INTERNAL)
    assert written(used, first - 1) == [("reserve", RESERVED, "internal")]
    batch.internal(0, INTERNAL)
    batch.seal(0, Seal("SSSE.IRK", b"", b"x", sealing=Sealing(encrypt=False)))
    assert [line.sequence for line in used.audit.reservations()] == [first + 2, first + 3]
    store.close()
    assert written(used, first - 1) == [
        ("reserve", RESERVED, "internal"),
        ("use", RESERVED, f"internal, of entry {first}"),
        ("reserve", RESERVED, "internal"),
        ("reserve", RESERVED, "seal"),
        ("use", 1, f"internal, of entry {first + 2}"),
        ("use", 1, f"seal, of entry {first + 3}"),
    ]
    assert used.audit.reservations() == []
    assert used.audit.verify().intact


def test_derivations_for_one_card_are_counted_like_answers(used: Vault) -> None:
    """A window that derives for one card at a time leaves two entries a key, not one a card."""
    store = opened(used)
    ref, before = store.reference("SSSE.IRK"), len(written(used))
    for card in range(30):
        store.derive_many(ref, Factors(ABOVE, bytes([card] * 8)))
    with pytest.raises(KeyPolicyError):
        store.derive_many(ref, Factors(ABOVE[:1], CARDS[:8]))
    store.close()
    reserve, refused, use = written(used, before)
    assert reserve == ("reserve", RESERVED, "derive 630000sh/639900sx")
    assert refused[0] == "derive"
    assert use == ("use", 30, f"derive 630000sh/639900sx, of entry {before + 1}")
    assert used.audit.reservations() == []


def test_the_newest_version_is_the_newest_that_can_be_used_now(used: Vault) -> None:
    """A version staged for next year, or one that has run out, does not stop issuing."""
    next_year, last_year = dt.date(2027, 1, 1), dt.date(2025, 12, 31)
    used.as_("gu").generate(Wish("SSSE.MK", valid_from=next_year))
    used.as_("gu").generate(Wish("SSSE.MK", valid_until=last_year))
    for version in (2, 3):
        used.as_("shen").change("approve", "SSSE.MK", version)
    store = opened(used)
    assert store.reference("SSSE.MK").version == 1
    assert used.as_("clerk").record("SSSE.MK").version == 1
    assert len(store.derive_many(store.reference("SSSE.MK"), Factors(ABOVE, CARDS))) == 10
    used.clock.now = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    assert store.reference("SSSE.MK").version == 2
    used.as_("shen").change("suspend", "SSSE.MK", 2)
    assert store.reference("SSSE.MK").version == 1


def test_a_run_does_not_go_on_with_another_version(used: Vault) -> None:
    """Half a batch with the version before, and nobody told: the run stops instead."""
    used.as_("shen").change("approve", "SSSE.IRK", 2)
    store = opened(used)
    keyring = Keyring(store, ABOVE, GENERATION_2)
    keyring.check(["SSSE.IRK"])
    assert len(keyring.for_card(CARDS[:8]).internal(INTERNAL)) == 8
    used.as_("shen").change("suspend", "SSSE.IRK", 2)
    assert store.reference("SSSE.IRK").version == 1  # which the next run takes
    with pytest.raises(KeyPolicyError, match=r"SSSE\.IRK v2 .* is suspended"):
        keyring.for_card(CARDS[8:16]).internal(INTERNAL)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.keys import test_guarded as t
from tests.keys.conftest import Clock, Vault
from cardkit.keys.audit import AuditLog
path, clock = Path(sys.argv[1]), Clock()
store = t.opened(Vault(path, clock, AuditLog(path.with_name(path.name + ".audit"), clock)))
batch = store.derive_many(store.reference("SSSE.IRK"), t.Factors(t.ABOVE, t.CARDS))
for _ in range(3):
    batch.internal(0, t.INTERNAL)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_uses_are_on_record_even_of_a_program_that_was_killed(used: Vault) -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(used.path)], check=False, capture_output=True,
        env={**os.environ, "PYTHONPATH": root}, cwd=root,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert written(used)[-2:][0][:2] == ("derive", 10)
    (left,) = used.audit.reservations()
    assert (left.entry.actor, left.entry.count, left.entry.detail) == ("clerk", 1000, "internal")
    assert left.entry.key.startswith("SSSE.IRK v1 (")
    assert used.audit.verify().intact


def test_an_answer_that_was_refused_is_no_use(used: Vault) -> None:
    """A refusal by the store below is on record as one, and counts as no answer."""
    store = opened(used)
    batch = store.derive_many(store.reference("SSSE.MK"), Factors(ABOVE, CARDS))
    with pytest.raises(KeyPolicyError, match="may not leave the store in clear"):
        batch.write_key(0, WriteKey(None, b"", "SSSE.MK", b""), None)
    assert last(used)[3].startswith("refused: ")
    store.close()
    assert last(used)[1:3] == ("use", 0)


def test_no_answer_without_the_log(used: Vault) -> None:
    store = opened(used)
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    used.audit.path.write_bytes(used.audit.path.read_bytes()[:-200])
    with pytest.raises(AuditError):
        batch.internal(0, INTERNAL)


@pytest.mark.parametrize("count", [1001, 3])
def test_more_settled_than_reserved_is_found(used: Vault, count: int) -> None:
    number = used.audit.append(Entry("clerk", "reserve", "K", 1000, detail="seal")).sequence
    operation = "seal" if count > 1000 else "internal"
    used.audit.append(Entry("clerk", "use", "K", count, detail=settles(operation, number)))
    with pytest.raises(AuditError, match="settles answers that were not reserved"):
        used.audit.reservations()


def test_threads_count_right(used: Vault) -> None:
    store = opened(used)
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))

    def work() -> None:
        for _ in range(700):
            batch.internal(0, INTERNAL)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert sum(x.entry.count for x in used.audit.lines() if x.entry.action == "use") == 2800


def test_use_outside_the_policy_is_refused_and_on_record(used: Vault) -> None:
    store = opened(used)
    ref = store.reference("SSSE.IRK")
    batch = store.derive_many(ref, Factors(ABOVE, CARDS))
    with pytest.raises(KeyPolicyError, match="may not be used for external"):
        batch.external(0, External("SSSE.IRK", bytes(8), bytes(8), KeyUse.DIRECT))
    assert last(used)[3].startswith("refused: ")
    with pytest.raises(KeyPolicyError, match="may not be used for load-plain"):
        batch.write_key(0, WriteKey(None, b"", "SSSE.IRK", b""), None)
    with pytest.raises(KeyPolicyError, match="3 levels, 0 were asked"):
        store.derive_many(ref, Factors())
    assert last(used)[1] == "derive"
    assert last(used)[3].startswith("refused: ")


def test_plain_loading_needs_profile_and_record(used: Vault) -> None:
    request = WriteKey(None, b"", "SSSE.MK", b"")
    for allowed in (False, True):
        store = opened(used, plain_loading=frozenset({"MK"} if allowed else ()))
        batch = store.derive_many(store.reference("SSSE.MK"), Factors(ABOVE, CARDS))
        if allowed:
            assert batch.write_key(0, request, None) == diversify(
                value(used, "SSSE.MK"), *ABOVE, CARDS[:8]
            )
        else:
            with pytest.raises(KeyPolicyError, match="may not leave the store in clear"):
                batch.write_key(0, request, None)


@pytest.mark.parametrize("actor", ["gu", "shen", "boss"])
def test_only_users_use(used: Vault, actor: str) -> None:
    store = opened(used, actor)
    with pytest.raises(KeyPolicyError, match=f"{actor} may not use keys"):
        store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    assert last(used)[0] == actor


def test_versions_and_states(used: Vault) -> None:
    factors = Factors(ABOVE, CARDS)
    store = opened(used)
    assert store.names() == ["SSSE.IRK", "SSSE.MK", "SSSE.UKSSSE"]
    assert store.reference("SSSE.IRK").version == 1  # 2 is not active yet
    with pytest.raises(KeyPolicyError, match=r"v2 .* is pre-active"):
        store.derive_many(store.reference("SSSE.IRK", 2), factors)
    with pytest.raises(KeyMissingError, match="version 7"):
        store.reference("SSSE.IRK", 7)
    used.as_("shen").change("approve", "SSSE.IRK", 2)
    used.as_("shen").change("retire", "SSSE.IRK", 1)
    store = opened(used)
    assert store.reference("SSSE.IRK").version == 2
    old = store.derive_many(store.reference("SSSE.IRK", 1), factors)  # old cards stay usable
    assert len(old.internal(0, INTERNAL)) == 8
    with pytest.raises(KeyPolicyError, match="may not be used for load: it is retired"):
        old.write_key(0, WriteKey("SSSE.MK", b"", "SSSE.IRK", b""), old)
    used.as_("shen").change("suspend", "SSSE.IRK", 2)
    with pytest.raises(KeyPolicyError, match="is suspended"):
        opened(used).derive_many(store.reference("SSSE.IRK", 2), factors)


def test_wrong_version_and_wrong_check_value(used: Vault) -> None:
    store = opened(used)
    ref = store.reference("SSSE.IRK")
    wrong = KeyRef(ref.name, ref.version, CheckValue(b"\x01\x02\x03"), test=True)
    with pytest.raises(KeyPolicyError, match="check value 010203 does not fit"):
        store.derive_many(wrong, Factors(ABOVE, CARDS))
    assert last(used)[3].startswith("refused")
    with pytest.raises(KeyMissingError, match="version 9"):
        store.derive_many(KeyRef(ref.name, 9, ref.check_value), Factors(ABOVE, CARDS))
    plain = SoftKeyStore({("K", 1): bytes(range(16))}, test=True)
    with pytest.raises(CheckValueError):
        plain.derive_many(KeyRef("K", 1, CheckValue(b"\x01\x02\x03")), Factors())
    plain._keys["K", 1] = type(plain._keys["K", 1])(bytes(range(1, 17)))
    with pytest.raises(CheckValueError):  # damaged in memory
        plain.derive_many(plain.reference("K"), Factors())


def test_a_store_that_holds_another_key_of_the_name(used: Vault) -> None:
    file = used.open()
    other = SoftKeyStore({("SSSE.IRK", 1): bytes(range(16))}, test=True)
    store = GuardedStore(other, file.content.records, used.audit, used.clock, "clerk")
    with pytest.raises(KeyPolicyError, match="is DDADA1 in the store"):
        store.reference("SSSE.IRK")


def test_the_clock_set_back_past_validity(vault: Vault) -> None:
    """The key has run out; setting the clock back does not bring it back."""
    vault.as_("gu").generate(Wish("SSSE.IRK", valid_until=dt.date(2026, 11, 30)))
    vault.as_("shen").change("approve", "SSSE.IRK")
    store = opened(vault)
    ref, factors = store.reference("SSSE.IRK"), Factors(ABOVE, CARDS)
    batch = store.derive_many(ref, factors)
    vault.clock.now += dt.timedelta(days=20)
    with pytest.raises(KeyPolicyError, match="was valid until 2026-11-30"):
        store.derive_many(ref, factors)
    with pytest.raises(KeyPolicyError, match="was valid until"):
        batch.internal(0, INTERNAL)
    vault.clock.now -= dt.timedelta(days=15)
    with pytest.raises(ClockError, match="the clock says 2026-11-26 02:00, the latest entry"):
        store.derive_many(ref, factors)
    vault.clock.now -= dt.timedelta(seconds=1)
    fresh = opened(vault)  # another process, which knows only the log
    vault.clock.now = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
    with pytest.raises(ClockError):
        fresh.derive_many(ref, factors)
    assert vault.audit.verify().intact


def test_no_use_without_the_log(used: Vault) -> None:
    store = opened(used)
    used.audit.path.write_bytes(used.audit.path.read_bytes()[:-200])
    with pytest.raises(AuditError):
        store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    with pytest.raises(AuditError):
        opened(used)


def test_nothing_secret_in_repr_or_pickle(used: Vault) -> None:
    store = opened(used)
    batch = store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    card_key = diversify(value(used, "SSSE.IRK"), *ABOVE, CARDS[:8])
    for thing in (store, batch):
        assert value(used, "SSSE.IRK").hex() not in repr(thing).lower()
        assert card_key.hex() not in repr(thing).lower()
        with pytest.raises(TypeError):
            pickle.dumps(thing)


# --- which store a profile names -----------------------------------------------------------------


def profile_for(vault: Vault, folder: Path, *, test: bool = True, more: str = "") -> Path:
    path = folder / "place.toml"
    path.write_text(
        f'test = {str(test).lower()}\n[region]\nprovince = "63"\ncity = "639900"\n'
        f'[keys]\nstore = "soft:{vault.path.name}"\n{more}'
    )
    return path


def access(vault: Vault, unlock: Unlock = UNLOCK) -> Access:
    return Access(unlock, vault.clock, "clerk", "issue")


def test_profile_with_a_soft_store(used: Vault, tmp_path: Path) -> None:
    profile = load(str(profile_for(used, tmp_path)))
    store = open_store(profile, access(used))
    assert store.names() == ["SSSE.IRK", "SSSE.MK", "SSSE.UKSSSE"]
    with pytest.raises(UsageError, match="opened by two custodians"):
        open_store(profile)
    pinned = load(str(profile_for(used, tmp_path, more="version = 2\n")))
    assert open_store(pinned, access(used)).reference("SSSE.IRK").version == 2


def test_cards_made_between_two_replacements_of_a_key_stay_usable(
    used: Vault, tmp_path: Path
) -> None:
    """SSSE.IRK was replaced twice, the others never: no version fits all keys of such a card."""
    used.as_("gu").generate(Wish("SSSE.IRK"))
    newest = used.as_("shen").change("approve", "SSSE.IRK").version
    more = f'versions = ["SSSE.IRK {newest - 1}"]\n'
    profile = load(str(profile_for(used, tmp_path, more=more)))
    store = open_store(profile, access(used))
    assert store.reference("SSSE.IRK").version == newest - 1
    assert store.reference("SSSE.IRK", newest).version == newest
    assert store.reference("SSSE.UKSSSE").version == 1


def test_doctor_judges_store_and_log_without_the_custodians(used: Vault, tmp_path: Path) -> None:
    name = str(profile_for(used, tmp_path))
    entries = len(used.actions())
    assert [finding.state for finding in check_keys(name)] == [State.OK, State.OK]
    assert check_keys(name)[1].message == f"the log keys.store.audit is intact, {entries} entries"

    counter = used.path.with_name("keys.store.counter")
    then = used.path.read_bytes(), counter.read_bytes()
    used.as_("shen").change("suspend", "SSSE.IRK", 1)
    used.path.write_bytes(then[0])
    counter.write_bytes(then[1])
    (older,) = check_keys(name)
    assert older.state is State.FAIL
    assert "is an older state" in older.message
    used.open(accept_older=True).accept("boss")

    used.audit.path.with_name("keys.store.audit.head").unlink()
    whole, log = check_keys(name)
    assert (whole.state, log.state) == (State.OK, State.FAIL)
    assert "keys.store.audit.head is gone" in log.message


def test_test_keys_and_real_keys_are_kept_apart(used: Vault, tmp_path: Path) -> None:
    profile = load(str(profile_for(used, tmp_path, test=False)))
    with pytest.raises(RefusedError, match="not marked as a test"):
        open_store(profile, access(used))
    real = Vault(tmp_path / "real", used.clock, AuditLog(tmp_path / "real.audit", used.clock))
    KeyFile.create(real.path, PASSPHRASES, real.audit, "boss", roles=ROLES, cost=CHEAP).close()
    store = open_store(load(str(profile_for(real, tmp_path, test=False))), access(real))
    assert store.names() == []
    with pytest.raises(RefusedError, match="names a store of real keys"):
        open_store(load(str(profile_for(real, tmp_path))), access(real))


def test_an_agent_opens_the_store(used: Vault, tmp_path: Path) -> None:
    stop, path = threading.Event(), tmp_path / "agent"
    with pytest.raises(AgentError, match="does not answer"):
        AgentKey(path).file_key(used.open().header, "x")
    with listening(path) as line:
        assert path.stat().st_mode & 0o777 == 0o600
        server = threading.Thread(target=serve, args=(line, used.open(), stop))
        server.start()
        try:
            with pytest.raises(UsageError, match="agent socket"), listening(path):
                pass
            profile = load(str(profile_for(used, tmp_path)))
            assert open_store(profile, access(used, AgentKey(path))).names()
            other = Vault(tmp_path / "o", used.clock, AuditLog(tmp_path / "o.audit", used.clock))
            KeyFile.create(other.path, PASSPHRASES, other.audit, "b", cost=CHEAP).close()
            with pytest.raises(RefusedError, match="does not open"):
                KeyFile.open(other.path, AgentKey(path), other.audit)
            used.open().change_passphrases(PASSPHRASES, "boss")
            with pytest.raises(RefusedError, match="have changed their passphrases"):
                KeyFile.open(used.path, AgentKey(path), used.audit)
        finally:
            stop.set()
            server.join()
    assert not path.exists()


def test_every_refusal_is_one_line(used: Vault) -> None:
    store = opened(used, "nobody")
    with pytest.raises(CardkitError) as caught:
        store.derive_many(store.reference("SSSE.IRK"), Factors(ABOVE, CARDS))
    assert "\n" not in caught.value.line()
    assert isinstance(used.clock, Clock)


def test_what_may_not_leave_in_clear_says_where_that_is_allowed() -> None:
    """A client of a key service reads the same line: the option is the service's."""
    store = SoftKeyStore({("SSSE.MK", 1): bytes(range(16))}, test=True)
    batch = store.derive_many(store.reference("SSSE.MK"), Factors(ABOVE, CARDS))
    with pytest.raises(KeyPolicyError) as caught:
        batch.write_key(0, WriteKey(None, b"h", "SSSE.MK", b"h", bytes(8)), None)
    assert "--plain-loading of `key serve`" in caught.value.hint
