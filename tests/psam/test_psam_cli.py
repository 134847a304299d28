"""PSAMs from the command line: make, look into, issue with; over files and over PC/SC."""

from __future__ import annotations

import datetime as dt
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardkit.apdu import pcsc
from cardkit.cli.virtual_cards import ImageCard
from cardkit.profile import load
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.virtual.card import Fault, FaultKind, VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.psam import VirtualPsam
from cardkit.virtual.psam_factory import make_psam
from cardkit.virtual.service import SOCKET_VARIABLE, Service
from cardkit.virtual.vpcd import ReaderThread, feed
from tests.bench import SOON, Insert, eventually
from tests.cli.conftest import Run

OPTIONS = ("--profile", "test")


@pytest.fixture
def psam_image(tmp_path: Path) -> Path:
    path = tmp_path / "window.psam"
    make_psam(load("test")).save(path)
    return path


@pytest.fixture
def roster(run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    assert run("roster", "sample", 3, "--seed", 7, "--out", path).code == 0
    return path


def test_make_and_show(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "city.psam"
    make = ("key", "psam", "make", *OPTIONS, "--image", path)

    made = run(*make, "--level", "city", "--keys", "UKSSSE,RKSSSE,DF01.UK1", "--json")
    again = run(*make)

    assert made.document == {
        "image": str(path), "level": "city", "terminal_number": "639900000001",
        "atr": "3B6D00000081544C008684639900000001", "keys": 3,
    }  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert again.code == 2
    assert "is there already" in again.err
    places = {(key.usage, key.id) for key in VirtualPsam.load(path).chip.keys}
    assert places == {(0x28, 0x12), (0x27, 0x0A), (0x28, 0x42)}


def test_show_tells_what_is_in_and_what_is_not(run: Run, psam_image: Path) -> None:
    shown = run("key", "psam", "show", *OPTIONS, "--psam-image", psam_image, "--json").document
    assert shown["terminal_number"] == "639900000001"
    assert shown["environment"] == "DES"
    assert shown["keys"]["SSSE.UKSSSE"] == "48 12"
    assert "SSSE.RKEF0C" in shown["missing"]
    text = run("key", "psam", "show", *OPTIONS, "--psam-image", psam_image).out
    assert "EF05 EF06 EF07 EF08" in text


def test_an_unknown_key_is_named(run: Run, tmp_path: Path) -> None:
    image = tmp_path / "x.psam"
    refused = run("key", "psam", "make", *OPTIONS, "--image", image, "--keys", "UKXXX")
    assert refused.code == 2
    assert "no key UKXXX" in refused.err
    assert not image.exists()


def test_a_profile_of_real_cards_makes_no_virtual_psam(run: Run, tmp_path: Path) -> None:
    profile = tmp_path / "real.toml"
    profile.write_text('[region]\nprovince = "63"\ncity = "639900"\n')
    image = tmp_path / "x.psam"
    refused = run("key", "psam", "make", "--profile", profile, "--image", image)
    assert refused.code == 4
    assert "not marked as a test" in refused.err


def test_issue_with_a_psam_of_a_file(run: Run, roster: Path, psam_image: Path) -> None:
    issued = run(
        "issue", roster, *OPTIONS, "--registry", "r.db", "--reader", "virtual", "--chips",
        "complete", "--psam-image", psam_image, "--json",
    )  # fmt: skip
    assert issued.code == 0, issued.err
    assert issued.document["issued"] == 3
    card = next(Path("roster.issued", "virtual-cards").glob("*.card"))
    assert run("card", "verify", "--image", card, *OPTIONS).code == 0


@pytest.mark.parametrize(("profile", "algorithm"), [("test", 1), ("test-sm4", 3)])
def test_the_plan_of_a_window_that_has_a_psam_and_no_store(
    run: Run, roster: Path, psam_image: Path, tmp_path: Path, profile: str, algorithm: int
) -> None:
    window = tmp_path / "window.toml"
    window.write_text(
        '[region]\nprovince = "63"\ncity = "639900"\n[keys]\nstore = "soft:elsewhere.store"\n'
        f'[card]\nalgorithm = {algorithm}\ninstitution = "91560000026399006399006A"\n'
        f'version = "{load(profile).card.version}"\natr_head = "{load(profile).card.atr_head}"\n'
    )
    rehearsal = ("--dry-run", "--chips", "complete", "--json")
    with_psam = run("issue", roster, "--profile", window, "--psam-image", psam_image, *rehearsal)
    assert with_psam.code == 0, with_psam.err
    assert with_psam.document == run("issue", roster, "--profile", profile, *rehearsal).document
    for chips in ("blank", "premade"):  # what it cannot do, it does not plan
        words = ("--dry-run", "--chips", chips, "--psam-image", psam_image)
        refused = run("issue", roster, "--profile", profile, *words)
        assert (refused.code, "--chips complete" in refused.err) == (2, True)


def test_a_card_is_read_and_verified_with_the_keys_of_a_psam(
    run: Run, images: Path, psam_image: Path
) -> None:
    """Read keys open the same files; the MAC of the id code is not a PSAM's to compute."""
    card = ("--image", images / "issued.card", *OPTIONS)
    psam = ("--psam-image", psam_image)

    with_psam = run("card", "read", *card, *psam, "--with-keys", "--json")
    verified = run("card", "verify", *card, *psam, "--json")
    nameless = run("card", "read", "--image", images / "issued.card", *psam)

    assert with_psam.document == run("card", "read", *card, "--with-keys", "--json").document
    assert with_psam.document != run("card", "read", *card, "--json").document
    assert verified.code == 0, verified.err
    checks = {check["name"]: check["outcome"] for check in verified.document["checks"]}
    assert checks["internal_authentication"] == "ok"
    assert checks["id_code_mac"] == "skipped"
    assert nameless.code == 2


def test_issue_refuses_what_the_psam_cannot_do_before_anything_happens(
    run: Run,
    roster: Path,
    psam_image: Path,
    tmp_path: Path,
) -> None:
    issue = ("issue", roster, *OPTIONS, "--registry", "r.db", "--reader", "virtual")
    poor = tmp_path / "poor.psam"
    make_psam(load("test"), names=["UKSSSE"]).save(poor)

    for chips in ("blank", "premade"):
        refused = run(*issue, "--chips", chips, "--psam-image", psam_image)
        assert refused.code == 2
        assert "--chips complete" in refused.err
    lacking = run(*issue, "--chips", "complete", "--psam-image", poor)
    both = run(*issue, "--chips", "complete", "--psam-image", psam_image, "--psam", "x")

    assert lacking.code == 4
    assert "没有密钥 SSSE.IRK (67 08)" in lacking.err
    assert both.code == 2
    assert not Path("r.db").exists()


# --- over PC/SC, two readers ----------------------------------------------------------------------


@pytest.fixture
def cards(pcsc_service: Service) -> Iterator[tuple[str, list[VirtualCard], ReaderThread]]:
    """A reader with a stack of complete pre-made cards; the next comes when one has a holder."""
    factory = CardFactory(load("test"))
    stack = [factory.premade(n.to_bytes(4), complete=True) for n in (0x41, 0x42, 0x43)]
    reader = pcsc_service.readers[6]
    pcsc.wait_for_removal(reader, SOON)
    thread = feed(
        (ImageCard(card, None) for card in stack),
        lambda: pcsc_service.attach(6),
        used_up=_is_written,
    )
    yield reader, stack, thread
    thread.remove()


def _is_written(card: object) -> bool:
    return isinstance(card, ImageCard) and 0xDC in card.card.counters.per_ins


@pytest.mark.pcsc
def test_issue_over_two_readers_while_the_psam_is_pulled(
    run: Run,
    insert: Insert,
    roster: Path,
    cards: tuple[str, list[VirtualCard], ReaderThread],
) -> None:
    """The PSAM leaves while the second card is identified; the same card is finished later."""
    reader, stack, _ = cards
    psam = make_psam(load("test"))
    there = insert(psam, 5)
    # 2 commands select and probe for each of two keys at the start; then 4 a card.
    psam.arm(Fault(FaultKind.REMOVED, at=1 + 2 + 4 + 3))

    def put_back() -> None:
        try:
            assert eventually(lambda: not psam.inserted, 30)
            assert there.thread.wait(SOON)
            psam.insert()
            insert(psam, 5)
        except BaseException:
            signal.raise_signal(signal.SIGTERM)  # nobody waits for a PSAM that does not come
            raise

    clerk = threading.Thread(target=put_back)
    clerk.start()
    issued = run(
        "issue", roster, *OPTIONS, "--registry", "r.db", "--reader", reader, "--psam",
        there.reader, "--idle", "20", "--json",
    )  # fmt: skip
    clerk.join()

    assert issued.code == 0, issued.err
    assert issued.document["issued"] == 3
    assert issued.err.count("等待：PSAM 卡没有应答") == 1
    with Registry.open(sqlite_url(Path("r.db")), clock=_no_clock, actor="test") as registry:
        assert registry.verify_history().intact
        codes = {record.id_code for record in registry.list()}
    assert len(codes) == 3
    assert [0x82 in card.counters.per_ins for card in stack] == [True] * 3
    assert all(card.counters.per_ins[0x82] == 1 for card in stack), "no try was spent in vain"


def _no_clock() -> dt.datetime:
    return dt.datetime(2000, 1, 1, tzinfo=dt.UTC)  # nothing is written by it


@pytest.mark.pcsc
def test_a_virtual_psam_stays_in_its_reader_until_it_is_stopped(
    run: Run,
    pcsc_service: Service,
    psam_image: Path,
) -> None:
    runtime = Path(os.environ[SOCKET_VARIABLE]).parents[1]
    slot = len(pcsc_service.readers) - 1
    reader = pcsc_service.readers[slot]
    pcsc.wait_for_removal(reader, SOON)
    command = ["virtual", "psam", "--slot", str(slot), "--image", str(psam_image)]
    with subprocess.Popen(
        [sys.executable, "-m", "cardkit", *command, "--runtime-dir", str(runtime)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        pcsc.wait_for_card(reader, SOON)
        shown = run("key", "psam", "show", *OPTIONS, "--psam", reader, "--json")
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=SOON)
    assert shown.document["terminal_number"] == "639900000001"
    assert process.returncode == 0
    assert "PSAM taken out" in told


@pytest.mark.pcsc
def test_the_card_over_pcsc_is_the_card_of_the_soft_store(
    run: Run,
    insert: Insert,
    roster: Path,
) -> None:
    """One card each: the PSAM in a second reader, and the key file; the images agree."""
    images = []
    psam = insert(make_psam(load("test")), 5)
    for folder, options in (("soft", ()), ("psam", ("--psam", psam.reader))):
        chip = CardFactory(load("test")).premade(bytes(4), complete=True)
        there = insert(chip, 6)
        run(
            "issue", roster, *OPTIONS, "--registry", f"{folder}.db", "--reader", there.reader,
            *options, "--idle", "1",
        )  # fmt: skip
        there.remove()
        images.append(chip.snapshot())
    assert images[0] == images[1]
