"""Canary test: marked keys, PINs, names and numbers are found nowhere but where they belong.

A whole day at a window is run with marked data, by every command and with every mistake, and then
everything it has left is searched in every encoding: output, errors, files, traces, temporary
files, notes about bugs, command lines and environments of all processes. `tests.canary.allowed`
says, as data, what may be where.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardkit.cli.main import main
from tests.canary.allowed import ALLOWED, unneeded
from tests.canary.markers import Kind
from tests.canary.mirror import Mirror
from tests.canary.sandbox import Done, Sandbox
from tests.canary.search import Searcher
from tests.canary.story import Story


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path) as box:
        yield box


def test_a_day_at_the_window_leaks_nothing(box: Sandbox) -> None:
    story = Story(box)
    story.rosters()
    story.premade_cards()
    story.blank_chips()
    story.killed()
    story.wrong_keys()
    story.cards()
    story.pins()
    story.registries()
    story.damage()
    story.bugs()
    story.finish()
    box.__exit__()

    leaks = box.leaks()
    assert not leaks, "\n".join(leaks)
    assert {marker.kind for marker in box.markers} == set(Kind)
    assert unneeded(Searcher(box.markers), box.evidence()) == [], "allowed, but nothing is there"
    assert len(list((box.folder / "home/.local/state/cardkit").glob("bug-*"))) == 6


# --- str, repr, tracebacks -----------------------------------------------------------------------

HOLDS_SECRETS = {
    "cardkit.apdu.command.Command", "cardkit.apdu.mask.Pattern", "cardkit.apdu.response.Response",
    "cardkit.apdu.trace.Trace", "cardkit.card.key_request.Seal",
    "cardkit.card.key_request.WriteKey", "cardkit.card.procedures.identify.Identity",
    "cardkit.card.procedures.read.FileContent", "cardkit.card.procedures.read.Means",
    "cardkit.card.procedures.read.RawFile", "cardkit.card.procedures.verify.Verified",
    "cardkit.cli.pins.PinSource", "cardkit.cli.session.Session",
    "cardkit.issuance.batch.Tally", "cardkit.issuance.job.Job", "cardkit.issuance.plan.Plan",
    "cardkit.issuance.roster.checks.Checked", "cardkit.issuance.roster.remarks.Remark",
    "cardkit.issuance.roster.reasons.Problem", "cardkit.issuance.roster.roster.Roster",
    "cardkit.issuance.roster.table.Table", "cardkit.issuance.writer.Issued",
    "cardkit.keys.card_keys.CardKeySet", "cardkit.keys.answers.KeyArray",
    "cardkit.keys.soft.SoftKeyStore", "cardkit.profile.schema.Pin",
    "cardkit.profile.schema.Profile",
    "cardkit.registry.people.Applicant", "cardkit.registry.records.CardRecord",
    "cardkit.registry.records.CardStory", "cardkit.registry.records.Conflict",
    "cardkit.registry.records.Enrolment", "cardkit.virtual.card.card.VirtualCard",
    "cardkit.virtual.card.chip.Chip", "cardkit.virtual.card.context.Context",
    "cardkit.virtual.card.keys.Key", "cardkit.virtual.card.tpdu.Request",
    "cardkit.virtual.rehearsal.Rehearsal",
}  # fmt: skip
"""Classes that must have been seen, for the test to mean something."""

TEXT_OF_A_TRACE = "str of cardkit.apdu.mask.Pattern"
"""It *is* what a trace shows, and hides what was to be hidden."""


class InProcess(Sandbox):
    """Runs commands in this process, with a mirror in front of them."""

    mirror: Mirror

    def run(self, *arguments: object, stdin: str = "", **_: object) -> Done:
        out, err = io.StringIO(), io.StringIO()
        sys.stdin = io.StringIO(stdin)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), self.mirror:
            code = main([str(argument) for argument in arguments])
        return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def reflected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    box = InProcess(tmp_path)
    box.mirror = Mirror()
    for name, value in box.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(box.work)
    monkeypatch.setattr(sys, "stdin", sys.stdin)
    return box


def test_nothing_that_the_program_handles_shows_a_secret_by_itself(reflected: InProcess) -> None:
    umask = os.umask(0o077)
    story = Story(reflected, people=1)
    story.rosters()
    story.premade_cards()
    story.blank_chips()
    story.wrong_keys()
    story.cards()
    story.pins()
    story.registries()
    story.finish()
    os.umask(umask)

    mirror = reflected.mirror
    shown = {piece for piece in mirror.evidence if piece.place != TEXT_OF_A_TRACE}
    leaks = sorted(map(str, Searcher(reflected.markers).find(shown, {})))
    assert not leaks, "\n".join(leaks)
    seen = {f"{kind.__module__}.{kind.__qualname__}" for kind in mirror.classes}
    assert HOLDS_SECRETS - seen == set()
    raised = {kind.__name__ for kind in mirror.classes if issubclass(kind, BaseException)}
    assert raised >= {"UsageError", "AuthenticationFailedError", "WrongPinError", "StatusError"}


def test_the_mirror_sees_what_a_class_shows() -> None:
    from cardkit.codec.text import TextError  # noqa: PLC0415

    mirror = Mirror()
    mirror.show(TextError("character", "金丝雀", character="金"))
    places = {piece.place for piece in mirror.evidence if "金丝雀".encode() in piece.data}
    assert places == {
        "str of cardkit.codec.text.TextError", "repr of cardkit.codec.text.TextError",
        "traceback of TextError",
    }  # fmt: skip


def test_every_allowance_names_a_place_and_its_kinds() -> None:
    assert all(": " in place and kinds for place, kinds in ALLOWED.items())
