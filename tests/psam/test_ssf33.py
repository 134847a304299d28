"""Cards with SSF33: the cipher is secret, a PSAM has it and nobody else.

No double can compute it. SM4 stands in: it has the same block and, as far as is known, the same
commands; the environment of the PSAM and the byte by which the card names it are those of SSF33.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cardkit.apdu import Link
from cardkit.apdu.link import chain
from cardkit.errors import UsageError
from cardkit.issuance.writer import Issued
from cardkit.keys.open_psam import PsamAccess, open_psam
from cardkit.profile import Profile, load
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam import VirtualPsam
from cardkit.virtual.psam_factory import make_psam
from tests.cli.conftest import Run
from tests.workshop import Workshop, applicant

SM4 = load("test-sm4")
SSF33 = replace(SM4, card=replace(SM4.card, algorithm=2))


class StandIn:
    """A link to a double of SM4 that passes for one of SSF33: some bytes are others."""

    def __init__(self, link: Link, asked: tuple[str, str], told: tuple[str, str]) -> None:
        self._link = link
        self._asked, self._asked_below = map(bytes.fromhex, asked)
        self._told_below, self._told = map(bytes.fromhex, told)
        self.commands: list[bytes] = []

    @property
    def atr(self) -> bytes:
        return self._link.atr

    def transmit(self, apdu: bytes) -> bytes:
        self.commands.append(apdu)
        answer = self._link.transmit(apdu.replace(self._asked, self._asked_below))
        return answer.replace(self._told_below, self._told)

    def reset(self) -> bytes:
        return self._link.reset()


def card_link(card: VirtualCard) -> StandIn:
    """It says 02 in the answer to SELECT of SSSE."""
    return StandIn(VirtualLink(card), ("FF", "FF"), ("9F0C03860103", "9F0C03860102"))


def psam_link(chip: VirtualPsam) -> StandIn:
    """Its environment is sx2.sh. instead of sx3.sh."""
    chip.power_on()
    return StandIn(VirtualLink(chip), ("7378322E73682E", "7378332E73682E"), ("FF", "FF"))


def access(folder: Path) -> PsamAccess:
    return PsamAccess(folder / "psam.audit", lambda: dt.datetime.now(dt.UTC), "window", "issue")


def test_a_complete_card_is_issued_with_a_psam(tmp_path: Path) -> None:
    psam: list[StandIn] = []

    def connect() -> Link:
        psam.append(psam_link(make_psam(SM4)))
        return chain(psam[-1])

    store = open_psam(SSF33, connect, access(tmp_path))
    shop = Workshop(tmp_path, [applicant(2)], profile="test-sm4")
    shop.profile = SSF33
    link = card_link(CardFactory(SM4).premade(bytes.fromhex("40000001"), complete=True))
    with shop.registry() as registry:
        outcome = shop.writer(registry, store).process(chain(link), "virtual")
    assert isinstance(outcome, Issued)
    (external,) = [c for c in link.commands if c[1] == 0x82]
    assert external[4] == 0x11  # proof, data, version of the key (card.md 5.5)
    assert psam[0].commands[0][5:12] == b"sx2.sh."
    derived = [c for c in psam[0].commands if c[:2] == b"\xbf\xde"]
    assert [(c[2], c[4]) for c in derived] == [(0x67, 0x28), (0x48, 0x20)]  # factor of 16 bytes


@pytest.mark.parametrize("make", [CardFactory, make_psam])
def test_no_double_computes_it(make: Callable[[Profile], object]) -> None:
    with pytest.raises(UsageError, match=r"SSF33 is a secret cipher|computes ssf33"):
        make(SSF33)


@pytest.mark.parametrize(
    "words",
    [
        ("issue", "people.csv", "--profile", "window.toml", "--reader", "virtual"),
        ("issue", "people.csv", "--profile", "window.toml", "--dry-run", "--chips", "complete"),
        (
            "issue",
            "people.csv",
            "--profile",
            "window.toml",
            "--dry-run",
            "--chips",
            "complete",
            "--psam-image",
            "some.psam",
        ),
        ("virtual", "card", "--profile", "window.toml"),
    ],
)
def test_a_store_of_keys_says_so_in_one_line(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "window.toml").write_text(
        'test = true\n[region]\nprovince = "63"\ncity = "639900"\n[card]\nalgorithm = 2\n'
    )
    run("roster", "sample", 2, "--seed", 1, "--out", "people.csv")
    refused = run(*words)
    assert (refused.code, refused.out) == (2, "")
    assert "SSF33" in refused.err
    assert "PSAM" in refused.err
    assert "Traceback" not in refused.err


def test_a_card_is_not_verified_by_a_store(run: Run, images: Path, tmp_path: Path) -> None:
    (tmp_path / "window.toml").write_text(
        'test = true\n[region]\nprovince = "63"\ncity = "639900"\n[card]\nalgorithm = 2\n'
    )
    card = ("--image", images / "issued.card", "--profile", "window.toml")
    refused = run("card", "read", *card, "--with-keys")
    assert (refused.code, "SSF33" in refused.err) == (2, True)
