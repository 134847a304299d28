"""Roles, approval, ceremonies, export: who may do what, and that it is on record."""

from __future__ import annotations

import datetime as dt
import json
import re
import stat
from pathlib import Path

import pytest

from cardkit.crypto import tr31
from cardkit.crypto.bits import xor
from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.diversify import diversify, diversify_sm4
from cardkit.errors import CardkitError, UsageError
from cardkit.keys import bulk, ceremony, export
from cardkit.keys.audit import AuditLog
from cardkit.keys.custody import RoleError, Wish, check_person, check_roles
from cardkit.keys.record import KeyRecord, KeyState, Operation, TransitionError
from cardkit.keys.reference import CheckValue, Factors, city_factor, province_factor
from cardkit.keys.sealed import SealedFileError, describe_sealed, read_sealed, write_sealed
from cardkit.keys.secret import Secret
from cardkit.keys.soft import CheckValueError
from cardkit.keys.soft_file import KeyFile
from cardkit.keys.store import KeyMissingError, KeyPolicyError
from tests.keys.conftest import CHEAP, PASSPHRASES, ROLES, Vault

ABOVE = (province_factor("63"), city_factor("639900"))
EVERYTHING = frozenset(Operation) - {Operation.WRAP}


def make(vault: Vault, wish: Wish) -> KeyRecord:
    """Generate and approve."""
    vault.as_("gu").generate(wish)
    return vault.as_("shen").change("approve", wish.name)


def value(vault: Vault, record: KeyRecord) -> bytes:
    return vault.open().content.keys[record.place].reveal()


def kek(vault: Vault) -> KeyRecord:
    return make(vault, Wish("FACTORY.KEK", algorithm="aes"))


# --- roles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", ["yi", "shen", "clerk", "nobody"])
def test_only_the_role_generates(vault: Vault, actor: str) -> None:
    with pytest.raises(RoleError, match=f"{actor} may not generate"):
        vault.as_(actor).generate(Wish("SSSE.IRK"))
    assert vault.open().content.records == {}
    who, action, result = vault.actions()[-1]
    assert (who, action) == (actor, "generate")
    assert result.startswith("refused: ")


@pytest.mark.parametrize("action", ["approve", "suspend", "resume", "retire", "destroy"])
@pytest.mark.parametrize("actor", ["gu", "yi", "clerk"])
def test_only_the_role_approves(vault: Vault, actor: str, action: str) -> None:
    vault.as_("gu").generate(Wish("SSSE.IRK"))
    with pytest.raises(RoleError):
        vault.as_(actor).change(action, "SSSE.IRK")


def test_nobody_has_two_roles_or_approves_an_own_key(vault: Vault) -> None:
    with pytest.raises(RoleError, match="cannot have the roles"):
        check_roles({"generate": ("a",), "approve": ("a",)})
    with pytest.raises(UsageError, match="no role"):
        check_roles({"boss": ("a",)})
    with pytest.raises(RoleError):
        vault.as_("boss").assign("approve", "gu")
    vault.as_("gu").generate(Wish("SSSE.IRK"))
    # The roles of a person may change; the key was made by them nevertheless.
    vault.as_("boss").assign("generate", "gu", give=False)
    vault.as_("boss").assign("approve", "gu")
    with pytest.raises(RoleError, match=r"made SSSE\.IRK v1 .* cannot approve"):
        vault.as_("gu").change("approve", "SSSE.IRK")
    assert vault.actions()[-1][2].startswith("refused: gu made")
    assert vault.as_("shen").change("approve", "SSSE.IRK").approved_by == "shen"


@pytest.mark.parametrize("name", ["", "yi,gu", "yi ", " yi", "y\ti"])
def test_a_name_that_looks_like_others_is_none(vault: Vault, name: str) -> None:
    """``--role approve=a,b`` would show two people where there is one who can never act."""
    with pytest.raises(UsageError, match="no name of one person"):
        check_person(name)
    with pytest.raises(UsageError, match="no name of one person"):
        ceremony.begin(vault.as_("gu"), Wish("K"), ("sun", name))


def test_a_role_that_does_not_change_hands_is_not_on_record(vault: Vault) -> None:
    before = len(vault.actions())
    vault.as_("boss").assign("approve", "yi", give=False)
    vault.as_("boss").assign("approve", "shen")
    assert len(vault.actions()) == before


def test_a_key_that_is_never_valid_is_not_made(vault: Vault) -> None:
    wish = Wish("K", valid_from=dt.date(2026, 12, 2), valid_until=dt.date(2026, 12, 1))
    with pytest.raises(UsageError, match="never be valid: 2026-12-02 until 2026-12-01"):
        vault.as_("gu").generate(wish)


def test_versions_stand_side_by_side(vault: Vault) -> None:
    first, second = make(vault, Wish("SSSE.IRK")), make(vault, Wish("SSSE.IRK"))
    assert (first.version, second.version) == (1, 2)
    with pytest.raises(UsageError, match=r"there is a key SSSE\.IRK v2"):
        vault.as_("gu").generate(Wish("SSSE.IRK", 2))
    with pytest.raises(KeyMissingError, match=r"no key SSSE\.IRK of version 3; there are v1, v2"):
        vault.as_("shen").change("suspend", "SSSE.IRK", 3)


def test_a_refused_transition_changes_nothing_and_is_on_record(vault: Vault) -> None:
    record = make(vault, Wish("SSSE.IRK"))
    with pytest.raises(TransitionError, match="is active, one cannot destroy it"):
        vault.as_("shen").change("destroy", "SSSE.IRK")
    assert vault.open().content.records[record.place].state is KeyState.ACTIVE
    assert "refused" in vault.actions()[-1][2]


@pytest.mark.parametrize("weak", [bytes(16), b"\x01" * 16, bytes(range(8)) * 2])
def test_weak_keys_are_refused(vault: Vault, weak: bytes) -> None:
    with pytest.raises(UsageError, match="is weak"):
        vault.as_("gu").generate(Wish("SSSE.IRK"), random=lambda _: weak)
    assert vault.open().content.keys == {}


# --- ceremony ------------------------------------------------------------------------------------

HOLDERS = ("one", "two", "three")
COMPONENTS = tuple(bytes(range(start, start + 16)) for start in (1, 50, 101))


def held(vault: Vault) -> list[bytes]:
    """Everything the store keeps of a ceremony."""
    totals = [c.total for c in vault.open().content.ceremonies.values()]
    return [t.reveal() for t in totals if t]


def test_a_ceremony_from_sheets(vault: Vault, tmp_path: Path) -> None:
    ceremony.begin(vault.as_("gu"), Wish("SSSE.IRK"), HOLDERS)
    found: list[bytes] = []
    for who in HOLDERS:
        sheet = tmp_path / f"{who}.txt"
        shown = ceremony.generate_component(vault.as_(who), "SSSE.IRK", sheet)
        text = sheet.read_text("utf-8")
        assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
        (groups,) = re.findall(r"^    ((?:[0-9A-F]{4}  ){7}[0-9A-F]{4})$", text, re.MULTILINE)
        component = bytes.fromhex(groups)
        assert shown == check_value_3des(component)
        assert str(shown) in text
        assert not any(other.hex().upper() in groups.replace(" ", "") for other in found)
        found.append(component)
        assert held(vault) == [xor(*found) if len(found) > 1 else component]
    record = ceremony.finish(vault.as_("gu"), "SSSE.IRK")
    key = xor(*found)
    assert value(vault, record) == key
    assert record.check_value == check_value_3des(key)
    assert (record.origin, record.state) == ("components", KeyState.PRE_ACTIVE)
    assert held(vault) == []
    assert vault.as_("shen").change("approve", "SSSE.IRK").state is KeyState.ACTIVE


@pytest.mark.parametrize("person", [*HOLDERS, "gu", "hu"])
def test_who_had_a_part_in_a_ceremony_cannot_approve_its_key(
    vault: Vault, tmp_path: Path, person: str
) -> None:
    """Holder of a component, leader, or whoever put it together: even with another role later."""
    vault.as_("boss").assign("generate", "hu")
    ceremony.begin(vault.as_("gu"), Wish("SSSE.IRK"), HOLDERS)
    for who in HOLDERS:
        ceremony.generate_component(vault.as_(who), "SSSE.IRK", tmp_path / f"{who}.txt")
    record = ceremony.finish(vault.as_("hu"), "SSSE.IRK")
    assert record.makers == {*HOLDERS, "gu", "hu"}
    for role in ("generate", "approve"):
        vault.as_("boss").assign(role, person, give=role == "approve")
    with pytest.raises(RoleError, match=rf"{person} (made|had a part in making) SSSE\.IRK"):
        vault.as_(person).change("approve", "SSSE.IRK")
    assert vault.actions()[-1][2].startswith("refused: ")
    assert vault.open().content.records["SSSE.IRK", 1].state is KeyState.PRE_ACTIVE
    assert vault.as_("shen").change("approve", "SSSE.IRK").state is KeyState.ACTIVE


def test_records_of_earlier_versions_name_no_contributors(vault: Vault) -> None:
    record = make(vault, Wish("SSSE.IRK"))
    old = {name: value for name, value in record.to_json().items() if name != "contributors"}
    assert KeyRecord.from_json(old) == record


def test_a_ceremony_typed_twice(vault: Vault) -> None:
    ceremony.begin(vault.as_("gu"), Wish("SSSE.IRK"), HOLDERS)
    for who, component in zip(HOLDERS, COMPONENTS, strict=True):
        text = component.hex(" ", 2)
        with pytest.raises(UsageError, match="differently the second time"):
            ceremony.type_component(vault.as_(who), "SSSE.IRK", text, text[:-1] + "e")
        with pytest.raises(CheckValueError):
            ceremony.type_component(
                vault.as_(who), "SSSE.IRK", text, text, CheckValue(b"\x01\x02\x03")
            )
        value_ = CheckValue(check_value_3des(component))
        assert ceremony.type_component(vault.as_(who), "SSSE.IRK", text, text, value_) == value_
    with pytest.raises(CheckValueError):
        ceremony.finish(vault.as_("gu"), "SSSE.IRK", CheckValue(b"\x01\x02\x03"))
    expected = CheckValue(check_value_3des(xor(*COMPONENTS)))
    record = ceremony.finish(vault.as_("gu"), "SSSE.IRK", expected)
    assert value(vault, record) == xor(*COMPONENTS)


@pytest.mark.parametrize("algorithm", ["3des", "sm4", "aes"])
def test_a_long_check_value_is_compared_to_its_end(vault: Vault, algorithm: str) -> None:
    """Terminals and HSMs write 4 or 8 bytes, a record keeps 3 (AES 5)."""
    key = bytes(range(32 if algorithm == "aes" else 16))
    wish = Wish("K.LONG", algorithm=algorithm)
    for length in (4, 8):
        right = CheckValue(bulk.check_value(algorithm, key, length))
        wrong = CheckValue(right[:-1] + bytes((right[-1] ^ 1,)))
        with pytest.raises(CheckValueError, match=r"was expected"):
            vault.as_("yi").import_keys({wish: Secret(key)}, {wish: wrong}, "a sheet")
        vault.as_("yi").import_keys({wish: Secret(key)}, {wish: right}, "a sheet")


def test_what_a_ceremony_refuses(vault: Vault, tmp_path: Path) -> None:
    for holders in (("one",), ("one", "one"), ("one", "ONE")):
        with pytest.raises(UsageError, match="different people"):
            ceremony.begin(vault.as_("gu"), Wish("K"), holders)
    with pytest.raises(RoleError):
        ceremony.begin(vault.as_("one"), Wish("K"), HOLDERS)
    ceremony.begin(vault.as_("gu"), Wish("K"), HOLDERS)
    with pytest.raises(UsageError, match="is open"):
        ceremony.begin(vault.as_("gu"), Wish("K"), HOLDERS)
    with pytest.raises(RoleError, match="no component holder 分量保管人"):
        ceremony.generate_component(vault.as_("gu"), "K", tmp_path / "s")
    sheet = tmp_path / "one"
    ceremony.generate_component(vault.as_("one"), "K", sheet)
    before = sheet.read_bytes()
    with pytest.raises(UsageError, match="already"):
        ceremony.generate_component(vault.as_("one"), "K", tmp_path / "again")
    with pytest.raises(UsageError, match="cannot be made"):  # a sheet is never overwritten
        ceremony.generate_component(vault.as_("two"), "K", sheet)
    assert sheet.read_bytes() == before
    same = held(vault)[0].hex()
    with pytest.raises(UsageError, match="the same component"):
        ceremony.type_component(vault.as_("two"), "K", same, same)
    with pytest.raises(UsageError, match="32 hexadecimal digits"):
        ceremony.type_component(vault.as_("two"), "K", "12", "12")
    with pytest.raises(CheckValueError):
        ceremony.type_component(vault.as_("two"), "K", "11" * 16, "11" * 16, CheckValue(b"abc"))
    with pytest.raises(UsageError, match="components are missing: two, three"):
        ceremony.finish(vault.as_("gu"), "K")
    refused = [(who, what) for who, what, result in vault.actions() if result != "ok"]
    assert refused == [
        ("one", "ceremony-begin"), ("gu", "component"), ("one", "component"), ("two", "component"),
        ("two", "component"), ("two", "component"), ("two", "component"), ("gu", "ceremony-finish"),
    ]  # fmt: skip
    assert (
        "check value of K"
        in [line.entry.result for line in vault.audit.lines() if line.entry.result != "ok"][-2]
    )
    ceremony.abandon(vault.as_("gu"), "K")
    assert held(vault) == []
    with pytest.raises(UsageError, match="no ceremony"):
        ceremony.finish(vault.as_("gu"), "K")


def test_ssf33_is_not_made_in_software(vault: Vault) -> None:
    with pytest.raises(UsageError, match="SSF33 is secret") as caught:
        vault.as_("gu").generate(Wish("K", algorithm="ssf33"))
    assert "PSAM or an HSM" in caught.value.hint


def test_a_clock_once_set_forward_is_accepted_by_whoever_approves(vault: Vault) -> None:
    vault.as_("gu").generate(Wish("K"))
    with pytest.raises(UsageError, match="no entry of the log is later"):
        vault.as_("shen").accept_clock("dead battery")
    right = vault.clock.now
    vault.clock.now += dt.timedelta(days=900)
    vault.as_("shen").change("approve", "K")
    vault.clock.now = right + dt.timedelta(hours=1)
    wrong = vault.audit.latest_instant()
    for who, words in (("clerk", "reason"), ("shen", " ")):
        with pytest.raises(CardkitError):
            vault.as_(who).accept_clock(words)
    assert vault.audit.latest_instant() == wrong
    vault.as_("shen").accept_clock("dead battery")
    assert vault.audit.latest_instant() == vault.clock.now
    entry = list(vault.audit.lines())[-1].entry
    assert (entry.actor, entry.action) == ("shen", "accept-clock")
    assert entry.detail == "2029-05-09T02:00:00.000Z was wrong: dead battery"
    assert [back.accepted for back in vault.audit.set_backs()] == [False, True]


def test_components_that_cancel_out(vault: Vault) -> None:
    ceremony.begin(vault.as_("gu"), Wish("K"), HOLDERS)
    for who, part in zip(HOLDERS, (*COMPONENTS[:2], xor(*COMPONENTS[:2])), strict=True):
        ceremony.type_component(vault.as_(who), "K", part.hex(), part.hex())
    with pytest.raises(UsageError, match="is weak"):
        ceremony.finish(vault.as_("gu"), "K")


# --- export and import ---------------------------------------------------------------------------


def other_store(vault: Vault, tmp_path: Path, transport: bytes) -> Vault:
    """Another place that has the same transport key, from a ceremony of its own."""
    audit = AuditLog(tmp_path / "log2", vault.clock)
    there = Vault(tmp_path / "there", vault.clock, audit)
    KeyFile.create(
        there.path, PASSPHRASES, there.audit, "boss", test=True, roles=ROLES, cost=CHEAP
    ).close()
    there.as_("gu").generate(Wish("FACTORY.KEK", algorithm="aes"), random=lambda _: transport)
    there.as_("shen").change("approve", "FACTORY.KEK")
    return there


def test_tr31_there_and_back(vault: Vault, tmp_path: Path) -> None:
    record, under = make(vault, Wish("SSSE.IRK", usage=EVERYTHING)), kek(vault)
    block = export.export_tr31(vault.as_("yi"), record, under)
    key = value(vault, record)
    assert block[0] == "D"
    assert key.hex().upper() not in block
    there = other_store(vault, tmp_path, value(vault, under))
    (kek_there,) = there.open().content.records.values()
    wish = Wish("SSSE.IRK")
    with pytest.raises(CheckValueError):
        export.import_tr31(there.as_("yi"), block, wish, CheckValue(b"\x01\x02\x03"), kek_there)
    changed = block[:-1] + ("0" if block[-1] != "0" else "1")
    with pytest.raises(export.EnvelopeError):
        export.import_tr31(there.as_("yi"), changed, wish, record.check_value, kek_there)
    made = export.import_tr31(there.as_("yi"), block, wish, record.check_value, kek_there)
    assert value(there, made) == key
    assert (made.state, made.origin) == (KeyState.PRE_ACTIVE, "imported")


def test_a_key_block_that_forbids_export_is_obeyed(vault: Vault) -> None:
    under, key = kek(vault), bytes(range(16))
    header = tr31.Header("D", "E6", "T", "X", "01", "N")
    block = tr31.wrap(value(vault, under), header, key)
    check = CheckValue(check_value_3des(key))
    with pytest.raises(KeyPolicyError, match=r"SSSE\.IRK says that the key is not exported again"):
        export.import_tr31(vault.as_("yi"), block, Wish("SSSE.IRK", usage=EVERYTHING), check, under)
    assert vault.actions()[-1][2].startswith("refused: the key block")
    made = export.import_tr31(vault.as_("yi"), block, Wish("SSSE.IRK"), check, under)
    assert Operation.EXPORT not in made.usage


def test_envelope_there_and_back(vault: Vault, tmp_path: Path) -> None:
    record = make(vault, Wish("SSSE.IRK", 4, "sm4", usage=EVERYTHING, owner="639900"))
    under = kek(vault)
    with pytest.raises(UsageError, match="TR-31 has no code for sm4"):
        export.export_tr31(vault.as_("yi"), record, under)
    text = export.export_envelope(vault.as_("yi"), record, under)
    assert value(vault, record).hex() not in text.lower()
    there = other_store(vault, tmp_path, value(vault, under))
    (kek_there,) = there.open().content.records.values()
    content = json.loads(text)
    content["record"]["levels"] = 0
    for changed in (json.dumps(content), text.replace("639900", "639901"), "{}", "", "[]"):
        with pytest.raises(export.EnvelopeError):
            export.import_envelope(there.as_("yi"), changed, kek_there)
    made = export.import_envelope(there.as_("yi"), text, kek_there)
    assert value(there, made) == value(vault, record)
    assert (made.version, made.owner, made.usage) == (4, "639900", EVERYTHING)


def test_what_export_refuses(vault: Vault) -> None:
    plain, under = make(vault, Wish("SSSE.IRK")), kek(vault)
    exportable = make(vault, Wish("SSSE.MK", usage=EVERYTHING))
    with pytest.raises(KeyPolicyError, match="may not be used for export"):
        export.export_tr31(vault.as_("yi"), plain, under)
    assert "refused" in vault.actions()[-1][2]
    with pytest.raises(KeyPolicyError, match="may not be used for wrap"):
        export.export_tr31(vault.as_("yi"), exportable, plain)
    for actor in ("gu", "shen", "clerk"):
        with pytest.raises(RoleError):
            export.export_envelope(vault.as_(actor), exportable, under)
    vault.as_("shen").change("retire", "SSSE.MK")
    retired = vault.open().content.records[exportable.place]
    with pytest.raises(KeyPolicyError, match="retired"):
        export.export_tr31(vault.as_("yi"), retired, under)


def test_what_an_import_refuses_is_on_record(vault: Vault, tmp_path: Path) -> None:
    record, under = make(vault, Wish("SSSE.IRK", usage=EVERYTHING)), kek(vault)
    text = export.export_envelope(vault.as_("yi"), record, under)
    block = export.export_tr31(vault.as_("yi"), record, under)
    there = other_store(vault, tmp_path, value(vault, under))
    (place,) = there.open().content.records

    def refusal(text: str, block: str) -> str:
        """What both ways of bringing the key in leave in the log."""
        yi, transport = there.as_("yi"), there.open().content.records[place]
        with pytest.raises(CardkitError):
            export.import_envelope(yi, text, transport)
        with pytest.raises(CardkitError):
            export.import_tr31(yi, block, Wish("SSSE.IRK"), record.check_value, transport)
        first, second = (result for who, what, result in there.actions()[-2:] if what == "import")
        assert first.startswith("refused: ")
        assert second.startswith("refused: ")
        return first

    assert "the envelope is not under" in refusal("{}", block[:-2])
    there.as_("shen").change("suspend", place[0])
    assert "may not be used for wrap: it is suspended" in refusal(text, block)
    there.as_("shen").change("resume", place[0])
    there.clock.now -= dt.timedelta(days=1)  # an expired transport key would be good again
    assert "the clock says" in refusal(text, block)


# --- sealed batches ------------------------------------------------------------------------------


def test_sealed_batch(vault: Vault, tmp_path: Path) -> None:
    irk = make(vault, Wish("SSSE.IRK", usage=EVERYTHING))
    sm4 = make(vault, Wish("SSSE.UKSSSE", algorithm="sm4", usage=EVERYTHING))
    under = kek(vault)
    cards = [bytes((1, 2, 3, 4, *n.to_bytes(4))) for n in range(9000)]
    path = tmp_path / "batch.sealed"
    factors = Factors(ABOVE, b"".join(cards))
    write_sealed(vault.as_("clerk"), [irk, sm4], factors, under, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    transport = vault.open().content.keys[under.place]
    found = list(read_sealed(path, transport))
    assert [card for card, _ in found] == cards
    for place in (0, 4095, 4096, 8999):
        card, keys = found[place]
        assert keys == [
            diversify(value(vault, irk), *ABOVE, card),
            diversify_sm4(value(vault, sm4), *ABOVE, card),
        ]
    assert describe_sealed(path)["count"] == 9000
    last = list(vault.audit.lines())[-1].entry
    assert (last.actor, last.action, last.count) == ("clerk", "derive-file", 9000)
    whole = path.read_bytes()
    for broken in (whole[:-1], whole + b"x", whole[:500] + b"x" + whole[501:],
                   whole.replace(b'"count":9000', b'"count":4096')[: -300_000]):  # fmt: skip
        path.write_bytes(broken)
        with pytest.raises(SealedFileError):
            list(read_sealed(path, transport))
    path.write_bytes(whole)
    with pytest.raises(SealedFileError):
        list(read_sealed(path, Secret(bytes(32))))


def test_what_a_sealed_batch_refuses(vault: Vault, tmp_path: Path) -> None:
    irk, under = make(vault, Wish("SSSE.IRK")), kek(vault)
    factors = Factors(ABOVE, bytes(8))
    with pytest.raises(KeyPolicyError, match="may not be used for derive"):
        write_sealed(vault.as_("clerk"), [irk], factors, under, tmp_path / "x")
    last = list(vault.audit.lines())[-1].entry
    assert (last.action, last.key) == ("derive-file", str(irk))
    assert last.result.startswith("refused: ")
    with pytest.raises(RoleError):
        write_sealed(vault.as_("shen"), [irk], factors, under, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_sealed_batch_that_was_not_made_is_not_on_record_as_made(
    vault: Vault, tmp_path: Path
) -> None:
    irk, under = make(vault, Wish("SSSE.IRK", usage=EVERYTHING)), kek(vault)
    factors, taken = Factors(ABOVE, bytes(8)), tmp_path / "taken"
    taken.touch()
    with pytest.raises(UsageError, match="exists already"):
        write_sealed(vault.as_("clerk"), [irk], factors, under, taken)
    assert "derive-file" not in {action for _, action, _ in vault.actions()}
    with pytest.raises(UsageError, match="cannot be written"):
        write_sealed(vault.as_("clerk"), [irk], factors, under, tmp_path / "no" / "folder")
    assert vault.actions()[-1][2].startswith("failed: ")


# --- importing test keys -------------------------------------------------------------------------


def test_imports_are_all_or_nothing(vault: Vault) -> None:
    good, bad = Wish("A.IRK"), Wish("B.IRK")
    keys = {good: Secret(COMPONENTS[0]), bad: Secret(COMPONENTS[1])}
    check = CheckValue(check_value_3des(COMPONENTS[0]))
    with pytest.raises(CheckValueError, match="was expected"):
        vault.as_("yi").import_keys(keys, {good: check, bad: check}, "test")
    assert vault.open().content.records == {}
    with pytest.raises(RoleError):
        vault.as_("gu").import_keys(keys, {good: check, bad: check}, "test")


def test_errors_never_show_a_key(vault: Vault) -> None:
    secret = COMPONENTS[0]
    ceremony.begin(vault.as_("gu"), Wish("K"), HOLDERS)
    text = secret.hex()
    for first, second in ((text, text[:-2] + "00"), (text + "00", text), ("zz" + text, text)):
        with pytest.raises(CardkitError) as caught:
            ceremony.type_component(vault.as_("one"), "K", first, second)
        chain: BaseException | None = caught.value
        while chain is not None:
            assert text[:16] not in str(chain).lower()
            chain = chain.__context__
