"""Stores of keys in tests: cheap passphrases, a clock that can be set, people with roles."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cardkit.keys.audit import AuditLog
from cardkit.keys.custody import Custody
from cardkit.keys.soft_file import KeyFile, Passphrases
from cardkit.keys.soft_format import Cost

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSPHRASES = {"zhao": "correct horse battery", "qian": "staple of the custodian"}
ROLES: dict[str, tuple[str, ...]] = {
    "generate": ("gu",),
    "import": ("yi",),
    "approve": ("shen",),
    "use": ("clerk",),
}


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: dt.datetime = field(default=dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC))

    def __call__(self) -> dt.datetime:
        return self.now


@dataclass
class Vault:
    """A store, its log, and whoever acts on it."""

    path: Path
    clock: Clock
    audit: AuditLog

    def open(self, *, accept_older: bool = False) -> KeyFile:
        unlock = Passphrases(PASSPHRASES.__getitem__)
        return KeyFile.open(self.path, unlock, self.audit, accept_older=accept_older)

    def as_(self, actor: str) -> Custody:
        """Open the store and act as somebody."""
        return Custody(self.open(), actor, self.clock)

    def actions(self) -> list[tuple[str, str, str]]:
        """Who did what, and how it ended."""
        return [(e.actor, e.action, e.result) for e in (x.entry for x in self.audit.lines())]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Vault:
    path = tmp_path / "keys.store"
    audit = AuditLog(tmp_path / "keys.store.audit", clock)
    KeyFile.create(path, PASSPHRASES, audit, "boss", test=True, roles=ROLES, cost=CHEAP).close()
    return Vault(path, clock, audit)
