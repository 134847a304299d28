"""What a clerk reads after a run at a window where cards were put aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit import wholefile
from cardkit.errors import UsageError
from cardkit.issuance import job as jobs
from cardkit.issuance.batch import Batch, Tally
from cardkit.issuance.standing import by_the_tally
from cardkit.virtual.card import VirtualCard
from tests.issuance.roster_samples import D1, TODAY, citizen, save
from tests.workshop import NOW, StackFeed, Workshop, applicant

PEOPLE = 2


def test_cards_that_were_refused_are_in_the_report_by_reason(tmp_path: Path) -> None:
    """The card of somebody who has one already, and two of another card maker."""
    shop = Workshop(tmp_path, [applicant(2)])
    mine, *others = (shop.factory.premade(bytes((0x40, 0, 0, n))) for n in range(1 + PEOPLE))
    shop.process(mine)
    foreign = bytes.fromhex("3B0F" + "00" * 15)
    strangers = [VirtualCard.blank(transport_key=bytes(8), atr=foreign) for _ in range(2)]
    report = run(shop, tmp_path, [mine, *strangers, *others])
    assert report.issued == 2
    text = report.text
    put_aside = text.split("被拒绝的卡")[1].split("\n\n")[0].splitlines()[1:]
    assert put_aside == [
        "  1 张：此卡已制（记录1）：请取出换新卡",
        "  2 张：这不是社会保障卡，也不是本配置的空白卡：请取出，核对卡片种类",
    ]


def test_without_such_cards_the_report_has_no_word_about_them(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [])
    cards = [shop.factory.premade(bytes((0x40, 0, 0, n))) for n in range(PEOPLE)]
    assert "被拒绝" not in run(shop, tmp_path, cards).text


def test_windows_that_end_in_the_same_second_keep_their_files_apart(tmp_path: Path) -> None:
    shop = Workshop(tmp_path, [])
    cards = [shop.factory.premade(bytes((0x40, 0, 0, n))) for n in range(PEOPLE)]
    first, second = run(shop, tmp_path, cards), run(shop, tmp_path, [])

    assert "       2  本次制卡" in first.text
    assert "       0  本次制卡" in second.text
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "report-20261121-100000-2.txt", "report-20261121-100000.txt",
        "return-20261121-100000-2.csv", "return-20261121-100000.csv",
    ]  # fmt: skip
    assert first.files.report.read_text(encoding="utf-8") == first.text


def test_a_run_whose_files_cannot_be_written_leaves_no_empty_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise UsageError("the disk is full")

    monkeypatch.setattr(wholefile, "write", full)
    with pytest.raises(UsageError):
        run(Workshop(tmp_path, []), tmp_path, [])
    assert not list((tmp_path / "out").glob("report-*"))


class Outcome:
    """A report, and how many cards were made."""

    def __init__(self, tally: Tally, files: jobs.Files) -> None:
        self.issued = len(tally.issued)
        self.files = files
        self.text = files.report.read_text(encoding="utf-8")


def run(shop: Workshop, folder: Path, cards: list[VirtualCard]) -> Outcome:
    lines = [D1, *(f"6399000000000{n},王测试,{citizen(n)},一号,13000000000" for n in (11, 12))]
    roster = jobs.read_roster(shop.profile, save(folder, "\n".join(lines)), TODAY)
    with shop.registry() as registry:
        job = jobs.enrol(shop.profile, registry, roster)
        tally = Batch(shop.writer(registry), [StackFeed("reader", cards)], set(job.wanted)).run()
        standing = by_the_tally(job.wanted, tally)
        out = folder / "out"
        jobs.prepare_folder(out)
        files = jobs.conclude(shop.profile, registry, job, tally, standing, out=out, now=NOW)
    return Outcome(tally, files)
