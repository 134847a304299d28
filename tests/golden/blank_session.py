"""The session of ``blank-session.trace``: one blank chip, one roster row, everything fixed.

Recorded next to the chip, inside the T=0 chain, so that 61xx and GET RESPONSE are seen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Callable
from pathlib import Path

from cardkit.apdu.link import Link, chain
from cardkit.apdu.trace import Trace, load
from cardkit.apdu.trace_link import Recorder, TraceLink
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import tree_of
from cardkit.issuance.writer import Issued, Writer
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import load as load_profile
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry
from cardkit.virtual.card import VirtualCard
from tests.golden.raw import master_key

FILE = Path(__file__).with_name("blank-session.trace")

FACTORY_ATR = bytes.fromhex("3B6D00000087BF10028649000000004711")
SERIAL = 0x00B1A57C
NOW = dt.datetime(2026, 11, 21, 2, 30, tzinfo=dt.UTC)

# Made up, of the unassigned district 639900; every coding of a record occurs among the items.
ROW = Applicant(
    row=2,
    name="热依汗古丽·阿卜杜外力·艾合买提江",
    citizen_number="639900199002280049",
    insurance_number="639900199002280049",
    sex="2",
    birth_date="19900228",
    birthplace="639900",
    nation="05",
    items={
        "DF01.EF05.20": "10",
        "DF01.EF06.28": "13999999999",
        "DF01.EF15.40.2.57": "021",
        "DF01.EF15.40.2.58": "201207",
        "DF01.EF15.40.2.59": "测试大学",
        "DF02.EF06.4C": "20150701",
        "DF02.EF15.99.4.11": "20260101",
        "DF03.EF05.61": "201201",
        "DF03.EF19.79.4.1C": "123456",
        "DF04.EF05.8C": "5",
        "DF04.EF06.92": "10000000",
    },
)


def fixed_random(seed: str) -> Callable[[int], bytes]:
    """``random(n)``: the same bytes in every run, other ones for every call and every seed."""
    calls = itertools.count()
    return lambda n: hashlib.sha256(f"{seed} {next(calls)}".encode()).digest()[:n]


def blank_chip() -> VirtualCard:
    """The chip as it came from its maker; hands out the challenges of the recording."""
    key = master_key("T514.TRANSPORT")
    return VirtualCard.blank(transport_key=key, atr=FACTORY_ATR, random=fixed_random("chip"))


def record_session(chip: Link, folder: Path) -> Trace:
    """Issue `ROW` onto a blank chip; returns what went over its contacts."""
    profile = load_profile("test")
    keyring = Keyring(open_store(profile), factors_above(profile), tree_of(profile))
    numbering = Numbering("G", 7, SERIAL, profile.region.city)
    recorder = Recorder()
    url = f"sqlite:///{folder / 'registry.db'}"
    with Registry.open(url, clock=lambda: NOW, actor="golden") as registry:
        registry.enrol([ROW], numbering, BatchInfo("golden", "00", 1))
        writer = Writer(profile, registry, registry.worklist(), keyring, fixed_random("window"))
        link = TraceLink(chip, recorder, lambda: 0.0)
        outcome = writer.process(chain(link), "in-process")
    assert isinstance(outcome, Issued), outcome
    return recorder.trace


def golden() -> Trace:
    """The reviewed recording."""
    return load(FILE)
