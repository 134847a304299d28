"""Cards with keys of SM4 from the command line: issue, read back, verify; over PC/SC too."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.profile import load
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.psam_factory import make_psam
from tests.bench import Insert
from tests.cli.conftest import Run

SM4 = ("--profile", "test-sm4")
SERIAL = bytes.fromhex("00000001")


@pytest.fixture
def roster(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    assert run("roster", "sample", 2, "--seed", 7, "--out", path).code == 0
    return path


@pytest.mark.parametrize("chips", ["premade", "complete", "blank"])
def test_issue_read_verify(run: Run, roster: Path, chips: str) -> None:
    issued = run(
        "issue", roster, *SM4, "--registry", "r.db", "--reader", "virtual", "--chips", chips,
        "--json",
    )  # fmt: skip
    assert issued.code == 0, issued.err
    assert issued.document["issued"] == 2
    card = ("--image", next(Path("roster.issued", "virtual-cards").glob("*.card")))
    verified = run("card", "verify", *card, *SM4, "--json")
    read = run("card", "read", *card, *SM4, "--with-keys", "--json").document
    plain = run("card", "read", *card, "--json").document
    assert verified.code == 0, verified.out
    assert {check["outcome"] for check in verified.document["checks"]} == {"ok"}
    assert read["SSSE"]["EF05"]["specification_version"] == "3.00"
    assert len(read["DF01"]) > len(plain.get("DF01", {})), "read keys opened more"


def test_a_psam_of_sm4(run: Run, roster: Path, tmp_path: Path) -> None:
    image = tmp_path / "window.psam"
    made = run("key", "psam", "make", *SM4, "--image", image, "--json")
    issued = run(
        "issue", roster, *SM4, "--registry", "r.db", "--reader", "virtual", "--chips", "complete",
        "--psam-image", image, "--json",
    )  # fmt: skip
    shown = run("key", "psam", "show", *SM4, "--psam-image", image, "--json").document
    assert made.code == 0, made.err
    assert issued.code == 0, issued.err
    assert issued.document["issued"] == 2
    assert shown["environment"] == "SM4"


def test_keys_of_3des_are_refused_before_anybody_is_enrolled(
    run: Run, roster: Path, tmp_path: Path
) -> None:
    profile = tmp_path / "mixed.toml"
    shipped = Path(__file__).parents[2] / "cardkit" / "profile" / "shipped" / "test-sm4.toml"
    text = shipped.read_text(encoding="utf-8").replace("masters-sm4", "masters-3des")
    profile.write_text(text, encoding="utf-8")
    refused = run("issue", roster, "--profile", profile, "--registry", "r.db", "--reader",
                  "virtual")  # fmt: skip
    assert refused.code == 4
    assert refused.err.count("\n") <= 2
    assert "3des" in refused.err
    assert not Path("r.db").exists()


def test_dry_run_counts_the_longer_commands(run: Run, roster: Path) -> None:
    shown = run("issue", roster, *SM4, "--dry-run")
    assert shown.code == 0, shown.err
    assert "0082000411" in shown.out.replace(" ", "").upper()


@pytest.mark.pcsc
@pytest.mark.parametrize("with_psam", [False, True], ids=["file", "psam"])
def test_over_pcsc(run: Run, insert: Insert, roster: Path, *, with_psam: bool) -> None:
    """Issue, read back and verify through pcscd; with a PSAM in a second reader."""
    options: tuple[object, ...] = ()
    if with_psam:
        options = ("--psam", insert(make_psam(load("test-sm4")), 5).reader)
    chip = CardFactory(load("test-sm4")).premade(SERIAL, complete=True)
    reader = insert(chip, 6).reader
    issued = run(
        "issue", roster, *SM4, "--registry", "r.db", "--reader", reader, *options, "--idle", "1",
        "--json",
    )  # fmt: skip
    assert issued.document["issued"] == 1, issued.err
    verified = run("card", "verify", "--reader", reader, *SM4, *options, "--json")
    read = run("card", "read", "--reader", reader, *SM4, *options, "--with-keys", "--json")
    assert verified.code == 0, verified.out
    assert read.document["SSSE"]["EF06"]["citizen_number"]
