"""What is inside the encrypted file of a soft store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cardkit.keys.record import ALGORITHMS, KeyRecord, KeyState
from cardkit.keys.reference import CheckValue
from cardkit.keys.secret import Secret, Unpicklable

ROLES: Mapping[str, str] = {
    "generate": "make keys, lead ceremonies 生成",
    "import": "bring keys in from outside, take them out 导入导出",
    "approve": "approve, suspend, retire and destroy keys 审批",
    "use": "issue cards, derive 使用",
}
"""Role → what it may do. Nobody has two of them."""


@dataclass(slots=True)
class Ceremony(Unpicklable):
    """A key that is being put together. Holds the XOR so far, never two components.

    ``check_values`` are those of the components that were given, by holder 分量保管人. In the file
    the holders are called custodians.
    """

    record: KeyRecord
    holders: tuple[str, ...]
    check_values: dict[str, CheckValue] = field(default_factory=dict)
    total: Secret | None = field(default=None, repr=False)

    def wipe(self) -> None:
        """Overwrite what was summed up."""
        if self.total is not None:
            self.total.wipe()
            self.total = None

    @property
    def missing(self) -> list[str]:
        """Holders who have not given their component."""
        return [c for c in self.holders if c not in self.check_values]


@dataclass(slots=True)
class Content(Unpicklable):
    """Records, keys, ceremonies under way, who may do what, and the key that seals the log."""

    records: dict[tuple[str, int], KeyRecord] = field(default_factory=dict)
    keys: dict[tuple[str, int], Secret] = field(default_factory=dict, repr=False)
    ceremonies: dict[str, Ceremony] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    log_key: Secret | None = field(default=None, repr=False)

    def wipe(self) -> None:
        """Overwrite every key."""
        if self.log_key is not None:
            self.log_key.wipe()
        for secret in self.keys.values():
            secret.wipe()
        for ceremony in self.ceremonies.values():
            ceremony.wipe()
        self.keys.clear()

    def to_bytes(self) -> bytes:
        """JSON; clear text, so it lives as short as possible."""
        keys = [
            record.to_json()
            | ({"value": self.keys[place].reveal().hex()} if place in self.keys else {})
            for place, record in sorted(self.records.items())
        ]
        ceremonies = [
            {
                "record": c.record.to_json(),
                "custodians": list(c.holders),
                "check_values": {name: str(value) for name, value in c.check_values.items()},
                "total": c.total.reveal().hex() if c.total else None,
            }
            for c in self.ceremonies.values()
        ]
        roles = {role: list(people) for role, people in self.roles.items()}
        content: dict[str, Any] = {"keys": keys, "ceremonies": ceremonies, "roles": roles}
        if self.log_key is not None:
            content["log_key"] = self.log_key.reveal().hex()
        return json.dumps(content, ensure_ascii=True).encode("ascii")

    @classmethod
    def from_bytes(cls, raw: bytes) -> Content:
        """Inverse of `to_bytes`; ValueError, KeyError or TypeError for anything else."""
        fields = json.loads(raw)
        content = cls(roles={role: tuple(people) for role, people in fields["roles"].items()})
        if "log_key" in fields:  # stores of earlier versions have none
            content.log_key = Secret(bytes.fromhex(fields["log_key"]))
        for entry in fields["keys"]:
            value = entry.pop("value", None)
            record = KeyRecord.from_json(entry)
            content.records[record.place] = record
            if value is not None:
                content.keys[record.place] = _key(record, value)
            elif record.state is not KeyState.DESTROYED:
                raise ValueError("a key has no value")
        for entry in fields["ceremonies"]:
            ceremony = _ceremony(entry)
            content.ceremonies[ceremony.record.name] = ceremony
        return content


def _key(record: KeyRecord, value: str) -> Secret:
    key = bytes.fromhex(value)
    if len(key) != ALGORITHMS[record.algorithm]:
        raise ValueError("a key has another length than its algorithm")
    return Secret(key)


def _ceremony(entry: Mapping[str, Any]) -> Ceremony:
    values = {name: CheckValue.fromhex(v) for name, v in entry["check_values"].items()}
    total = Secret(bytes.fromhex(entry["total"])) if entry["total"] else None
    record = KeyRecord.from_json(entry["record"])
    return Ceremony(record, tuple(entry["custodians"]), values, total)
