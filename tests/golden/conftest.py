"""Two chips with the same roster row on them: one was blank, one pre-made."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cardkit.apdu.link import chain
from cardkit.issuance import roster
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Issued, Writer
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink
from tests.golden.raw import master_key

SERIAL = bytes.fromhex("00A00139")
FACTORY_ATR = bytes.fromhex("3B6D00000087BF10028649000000000007")

# 07:30 in China; still the day before in UTC.
NOW = dt.datetime(2026, 11, 21, 7, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))

# The row of the hand-written dump by its headings: the list of an agency, 民族, and data items in
# the order in which they stand in the dump. Sex, birth date and birthplace come from the number.
ROW = {
    "养老保险号": "639900000001",
    "姓名": "买买提艾力·阿卜杜热合曼·吐尔逊江",
    "身份证号码": "63990019850317002X",
    "地址": "测试市新区花园路1号",
    "联系电话": "09710000000",
    "民族": "维吾尔族",
    "DF01.EF05.21": "测试市新区花园路1号",
    "DF01.EF05.0E": "639900",
    "DF01.EF06.28": "09710000000",
    "DF01.EF08.2B": "2",
    "DF01.EF09.2E": "测试䶮泉有限公司",
    "DF01.EF0A.39": "20200701",
    "DF01.EF15.40.2.57": "021",
    "DF01.EF15.40.2.58": "200807",
    "DF01.EF15.40.2.59": "测试大学",
    "DF02.EF05.43.1.5A": "6023002",
    "DF02.EF05.43.1.5B": "3",
    "DF02.EF05.43.1.5D": "20150620",
    "DF02.EF15.99.4.11": "20260101",
    "DF03.EF05.61": "201201",
    "DF03.EF06.4A.3.14": "1",
    "DF03.EF06.4A.3.16": "20251231",
    "DF03.EF19.79.4.1C": "123456",
    "DF04.EF05.8C": "5",
    "DF04.EF05.8A": "A1B2C3",
    "DF04.EF06.92": "10000000",
}


def fixed_random() -> Callable[[int], bytes]:
    """Bytes that are the same in every run and never repeat in one."""

    def endless() -> Iterator[int]:
        n = 0
        while True:
            n += 1
            yield from hashlib.sha256(n.to_bytes(4, "big")).digest()

    stream = endless()
    return lambda length: bytes(next(stream) for _ in range(length))


def _chip(kind: str) -> VirtualCard:
    if kind == "premade":
        return CardFactory(load("test"), fixed_random()).premade(SERIAL)
    transport_key = master_key("T514.TRANSPORT")
    return VirtualCard.blank(transport_key=transport_key, atr=FACTORY_ATR, random=fixed_random())


def _applicants(folder: Path) -> list[Applicant]:
    """The row as a roster file, read and checked."""
    file = folder / "roster.csv"
    file.write_text(f"{','.join(ROW)}\n{','.join(ROW.values())}\n", encoding="gb18030")
    read = roster.read(file, today=NOW.date())
    assert read.rejects == []
    return read.applicants


def _issue(chip: VirtualCard, folder: Path) -> None:
    profile = load("test")
    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))
    numbering = Numbering("T", 20261, int.from_bytes(SERIAL, "big"), "639900")
    url = f"sqlite:///{folder / 'registry.db'}"
    with Registry.open(url, clock=lambda: NOW, actor="test") as registry:
        registry.enrol(_applicants(folder), numbering, BatchInfo("golden", "00", 1))
        writer = Writer(profile, registry, registry.worklist(), keyring, fixed_random())
        outcome = writer.process(chain(VirtualLink(chip)), "in-process")
        assert isinstance(outcome, Issued), getattr(outcome, "error", None)


@pytest.fixture(scope="session", params=["blank", "premade"])
def issued(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VirtualCard:
    """The chip after issuing, without power; tests that use it only read."""
    chip = _chip(request.param)
    _issue(chip, tmp_path_factory.mktemp(f"golden-{request.param}"))
    chip.power_off()
    return chip
