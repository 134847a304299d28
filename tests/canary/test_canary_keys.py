"""Canary test of key custody: marked keys, components, passphrases and PINs stay where they belong.

Looked for in all output, every file (the encrypted store, its log, key blocks and sealed files
among them), temporary files, notes about bugs, command lines and environments of all processes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.canary.allowed import unneeded
from tests.canary.key_story import BELONGS, COMPONENTS, PASSPHRASES, TOKEN_PIN, KeyStory
from tests.canary.sandbox import Sandbox
from tests.canary.search import Evidence, Searcher
from tests.tokens import make_token


def test_key_custody_leaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Sandbox(tmp_path)
    # its tool has the PIN as an argument: nobody watches yet
    token = make_token(box.given / "softhsm", TOKEN_PIN)
    monkeypatch.setenv("SOFTHSM2_CONF", str(token.folder / "softhsm2.conf"))
    with box:
        story = KeyStory(box, token)
        story.store()
        story.ceremony()
        story.out_and_in()
        story.damage()
        story.bugs()
        story.cards()
        story.finish()
    leaks = box.leaks(BELONGS)
    assert not leaks, "\n".join(leaks)
    evidence = box.evidence()
    assert unneeded(Searcher(box.markers), evidence, BELONGS) == []
    places = {piece.place.partition(":")[0] for piece in evidence}
    assert {"command line", "environment", "stdout", "stderr", "file", "started"} <= places


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("command line", f"cardkit key list --passphrase {PASSPHRASES['zhao']}"),
        ("file: work/keys.store.audit", COMPONENTS["li"].hex()),
        ("file: work/keys.store", COMPONENTS["sun"].hex().upper()),
        ("stderr: key list", repr(COMPONENTS["li"])),
    ],
)
def test_it_would_be_seen(tmp_path: Path, place: str, text: str) -> None:
    """The search finds each kind where it does not belong."""
    box = Sandbox(tmp_path)
    token = make_token(box.given / "softhsm")
    story = KeyStory(box, token)
    from tests.canary.markers import Kind, Marker  # noqa: PLC0415

    box.markers += [Marker(Kind.KEY, who, value) for who, value in COMPONENTS.items()]
    box.keep(place, text.encode())
    assert story.box is box
    assert any(leak.startswith(place) for leak in box.leaks(BELONGS))
    assert Evidence(place, text.encode()) in box.evidence()
