"""PSAM keys behind policy and audit: records, versions, manifests, and the commands for them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest

from cardkit.apdu import Link
from cardkit.apdu.link import chain
from cardkit.card.key_request import External, Seal
from cardkit.card.procedures.identify import WrongCardError
from cardkit.errors import UsageError
from cardkit.keys import Factors
from cardkit.keys.audit import AuditLog
from cardkit.keys.open_psam import PsamAccess, open_psam
from cardkit.keys.open_store import factors_above
from cardkit.keys.psam import PsamCannotError, PsamGoneError, PsamLacksKeyError
from cardkit.keys.psam_guard import GuardedPsam
from cardkit.keys.record import KeyState, Operation
from cardkit.keys.store import KeyMissingError, KeyPolicyError
from cardkit.profile import Profile, load
from cardkit.profile.schema import Psam
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam import VirtualPsam
from cardkit.virtual.psam_factory import make_psam
from tests.cli.conftest import Run

PROFILE = load("test")
FACTORS = Factors(factors_above(PROFILE), bytes(range(16)))
NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
UKSSSE = External("SSSE.UKSSSE", bytes(8), bytes(8))


@pytest.fixture
def access(tmp_path: Path) -> PsamAccess:
    return PsamAccess(tmp_path / "psam.audit", lambda: NOW, "clerk", "issue")


def opened(
    chip: VirtualPsam, access: PsamAccess, profile: Profile = PROFILE, **section: object
) -> GuardedPsam:
    def connect() -> Link:
        chip.power_on()
        return chain(VirtualLink(chip))

    psam = dataclasses.replace(profile.psam, **section)  # type: ignore[arg-type]
    return open_psam(dataclasses.replace(profile, psam=psam), connect, access)


def entries(access: PsamAccess) -> list[tuple[str, str, int, str]]:
    lines = [line.entry for line in AuditLog(access.audit, access.clock).lines()]
    return [(e.action, e.key, e.count, e.result) for e in lines]


@pytest.mark.parametrize("level", ["province", "city"])
def test_levels_are_those_the_psam_resolves(access: PsamAccess, level: str) -> None:
    """A city PSAM is diversified by the card only, whatever the factors above it are."""
    store = opened(make_psam(PROFILE, level=level), access, level=level)
    batch = store.derive_many(store.reference("SSSE.UKSSSE"), FACTORS)
    assert len(batch.external(1, UKSSSE)) == 8
    store.close()
    assert entries(access)[-1] == ("use", "SSSE.UKSSSE v1 (no check value)", 1, "ok")


def test_factors_of_another_source_are_refused(access: PsamAccess) -> None:
    store = opened(make_psam(PROFILE), access)
    strange = Factors((b"630000sh", b"whatever"), bytes(8))
    with pytest.raises(KeyPolicyError, match="not by other factors"):
        store.derive_many(store.reference("SSSE.UKSSSE"), strange)
    assert entries(access)[-1][3].startswith("refused: ")


def test_asking_whether_it_has_its_keys_is_a_use(access: PsamAccess) -> None:
    store = opened(make_psam(PROFILE, names=["UKSSSE"]), access)
    store.check(["SSSE.UKSSSE"])
    assert entries(access) == [("probe", "SSSE.UKSSSE", 1, "ok")]
    with pytest.raises(PsamLacksKeyError):
        store.check(["SSSE.UKSSSE", "SSSE.IRK"])
    assert entries(access)[-1][:3] == ("probe", "SSSE.UKSSSE, SSSE.IRK", 2)
    assert entries(access)[-1][3].startswith("refused: the PSAM has no key SSSE.IRK (67 08)")


def test_what_it_cannot_do_is_on_record_and_puts_the_card_aside(access: PsamAccess) -> None:
    store = opened(make_psam(PROFILE), access)
    batch = store.derive_many(store.reference("SSSE.IRK"), FACTORS)
    with pytest.raises(PsamCannotError, match="for authentication only") as caught:
        batch.seal(0, Seal("SSSE.IRK", bytes(12), b"", bytes(8)))
    assert isinstance(caught.value, WrongCardError)
    assert entries(access)[-1][3].startswith("refused: SSSE.IRK: a PSAM has that key for auth")


def test_pulled_is_on_record(access: PsamAccess) -> None:
    chip = make_psam(PROFILE)
    store = opened(chip, access)
    batch = store.derive_many(store.reference("SSSE.UKSSSE"), FACTORS)
    chip.remove()
    with pytest.raises(PsamGoneError) as caught:
        batch.external(0, UKSSSE)
    assert "\n" not in str(caught.value)
    assert entries(access)[-1][3].startswith("failed: the PSAM does not answer")
    store.close()
    assert entries(access)[-1][2] == 0, "no answer was given"


@pytest.mark.parametrize(("psam", "pinned", "asked"), [(1, 2, None), (1, 0, 2), (2, 0, 1)])
def test_another_version_is_refused(
    access: PsamAccess, psam: int, pinned: int, asked: int | None
) -> None:
    keys = dataclasses.replace(PROFILE.keys, version=pinned)
    profile = dataclasses.replace(PROFILE, keys=keys)
    store = opened(make_psam(PROFILE), access, profile, version=psam)
    with pytest.raises(KeyMissingError, match=f"no key SSSE.UKSSSE of version {asked or pinned}"):
        store.reference("SSSE.UKSSSE", asked)


def test_the_pinned_version_is_taken_where_the_psam_has_it(access: PsamAccess) -> None:
    keys = dataclasses.replace(PROFILE.keys, version=2)
    profile = dataclasses.replace(PROFILE, keys=keys)
    assert opened(make_psam(PROFILE), access, profile, version=2).reference("SSSE.IRK").version == 2


def test_a_manifest_that_is_named_has_to_be_there(access: PsamAccess, tmp_path: Path) -> None:
    profile = dataclasses.replace(PROFILE, folder=tmp_path)
    with pytest.raises(UsageError, match=r"the manifest .*w\.records of the PSAM is not there"):
        opened(make_psam(PROFILE), access, profile, records="w.records")


# --- commands ------------------------------------------------------------------------------------


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "place.toml"
    path.write_text(
        'test = true\n[region]\nprovince = "63"\ncity = "639900"\n'
        '[psam]\nrecords = "window.records"\naudit = "window.audit"\n'
    )
    return path


def audit(run: Run, path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = run("key", "audit", "--log", path, "--json").document
    return found


def test_issue_with_a_psam_leaves_its_uses_in_the_log(
    run: Run, profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDKIT_OPERATOR", "clerk")
    image, log = tmp_path / "window.psam", tmp_path / "window.audit"
    make_psam(load("test")).save(image)
    named = ("--profile", profile)
    roles = ("--role", "use=clerk", "--role", "approve=shen")
    shown = run("key", "psam", "manifest", *named, *roles, "--json").document
    assert {record["state"] for record in shown} == {"active"}
    assert {record["check_value"] for record in shown} == {""}
    run("roster", "sample", 2, "--seed", 7, "--out", "people.csv")
    issue = (
        "issue", "people.csv", *named, "--registry", "r.db", "--reader", "virtual", "--chips",
        "complete", "--psam-image", image,
    )  # fmt: skip

    not_hers = run("key", "psam", "suspend", *named, "SSSE.UKSSSE")
    assert not_hers.code == 4
    assert "clerk may not suspend: that is for the role approve" in not_hers.err
    monkeypatch.setenv("CARDKIT_OPERATOR", "shen")
    suspended = run("key", "psam", "suspend", *named, "SSSE.UKSSSE")
    assert suspended.code == 0, suspended.err
    assert "shen may not use keys" in run(*issue).err
    monkeypatch.setenv("CARDKIT_OPERATOR", "clerk")
    refused = run(*issue)
    assert refused.code == 4
    assert "SSSE.UKSSSE v1 (no check value) is suspended" in refused.err
    assert not Path("r.db").exists()
    monkeypatch.setenv("CARDKIT_OPERATOR", "shen")
    assert run("key", "psam", "resume", *named, "SSSE.UKSSSE").code == 0
    monkeypatch.setenv("CARDKIT_OPERATOR", "clerk")
    done = run(*issue)
    assert done.code == 0, done.err

    lines = audit(run, log)
    settled = [e for e in lines if e["action"] == "use"]
    for answers in (True, False):
        some = [e for e in settled if str(e["detail"]).startswith("derive") is not answers]
        used = {str(e["key"]).split()[0]: e["count"] for e in some}
        assert used == {"SSSE.IRK": 2, "SSSE.UKSSSE": 2}
    assert {e["actor"] for e in settled} == {"clerk"}
    assert {e["purpose"] for e in lines if e["action"] == "use"} == {"issue"}
    changes = [e for e in lines if e["action"] in ("suspend", "resume")]
    assert [(e["actor"], e["action"], e["result"] == "ok") for e in changes] == [
        ("clerk", "suspend", False), ("shen", "suspend", True), ("shen", "resume", True),
    ]  # fmt: skip
    verified = run("key", "audit", "--log", log, "--verify", "--json").document
    assert verified["intact"]
    assert verified["open"] == []


def test_without_a_word_in_the_profile_the_log_lies_beside_the_image(
    run: Run, tmp_path: Path
) -> None:
    image = tmp_path / "window.psam"
    make_psam(load("test")).save(image)
    assert run("key", "psam", "show", "--profile", "test", "--psam-image", image).code == 0
    (entry,) = audit(run, tmp_path / "window.psam.audit")
    assert (entry["action"], entry["purpose"]) == ("probe", "show")
    assert entry["count"] == len(VirtualPsam.load(image).chip.keys)


def test_a_manifest_of_real_keys_is_refused_under_a_test_profile(
    run: Run, profile: Path, tmp_path: Path
) -> None:
    image = tmp_path / "window.psam"
    make_psam(load("test")).save(image)
    assert run("key", "psam", "manifest", "--profile", profile).code == 0
    path = tmp_path / "window.records"
    content = json.loads(path.read_text())
    content["records"][0]["test"] = False
    path.write_text(json.dumps(content))
    refused = run("key", "psam", "show", "--profile", profile, "--psam-image", image)
    assert refused.code == 4
    assert "real keys" in refused.err


def test_commands_of_a_manifest_need_a_profile_that_names_one(run: Run) -> None:
    for words in (("manifest",), ("suspend", "SSSE.IRK")):
        refused = run("key", "psam", *words, "--profile", "test")
        assert refused.code == 2
        assert "names no manifest" in refused.err


def test_records_of_the_map_are_honest() -> None:
    """Nothing is said that nobody knows; loading is not what a PSAM key is for."""
    from cardkit.card.psam import DES, KeyMap  # noqa: PLC0415
    from cardkit.keys.psam_records import of_map  # noqa: PLC0415

    for record in of_map(KeyMap(), DES, Psam().version, test=True).values():
        assert record.state is KeyState.ACTIVE
        assert record.origin == "psam"
        assert not record.usage & {Operation.LOAD, Operation.LOAD_PLAIN, Operation.EXPORT}
        assert record.check_value == b""
