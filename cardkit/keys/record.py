"""What is on record of a key: everything but the key.

States and what leads from one to the next are data (after NIST SP 800-57 part 1, section 7).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cardkit.errors import RefusedError
from cardkit.keys.reference import CheckValue, KeyRef


class KeyState(StrEnum):
    """State of a key 密钥状态."""

    PRE_ACTIVE = "pre-active"  # made or imported, nobody has approved it
    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"  # for cards that exist, not for new ones
    DESTROYED = "destroyed"  # its value is gone, the record stays


class Operation(StrEnum):
    """What a key may be used for (its usage 用途)."""

    EXTERNAL = "external"  # proof for EXTERNAL AUTHENTICATE
    INTERNAL = "internal"  # expected answer of INTERNAL AUTHENTICATE
    SEAL = "seal"  # encrypt and MAC the data field of a command
    LOAD = "load"  # go into a card, sealed under another key of the card
    LOAD_PLAIN = "load-plain"  # go into a chip in clear
    DERIVE = "derive"  # card keys into a sealed file
    EXPORT = "export"  # the master key itself, as a key block
    WRAP = "wrap"  # seal other keys: a key-encryption or transport key


TRANSITIONS: Mapping[tuple[KeyState, str], KeyState] = {
    (KeyState.PRE_ACTIVE, "approve"): KeyState.ACTIVE,
    (KeyState.ACTIVE, "suspend"): KeyState.SUSPENDED,
    (KeyState.SUSPENDED, "resume"): KeyState.ACTIVE,
    (KeyState.ACTIVE, "retire"): KeyState.RETIRED,
    (KeyState.SUSPENDED, "retire"): KeyState.RETIRED,
    (KeyState.PRE_ACTIVE, "destroy"): KeyState.DESTROYED,
    (KeyState.SUSPENDED, "destroy"): KeyState.DESTROYED,
    (KeyState.RETIRED, "destroy"): KeyState.DESTROYED,
}
"""(state, action) → state. What is not here is refused; no active key is destroyed at once."""

USABLE: Mapping[KeyState, frozenset[Operation]] = {
    KeyState.ACTIVE: frozenset(Operation),
    KeyState.RETIRED: frozenset({Operation.EXTERNAL, Operation.INTERNAL, Operation.SEAL}),
}
"""What a state admits: a retired key still works with the cards that have it."""

ALGORITHMS: Mapping[str, int] = {"3des": 16, "sm4": 16, "aes": 32}
"""Algorithm → length of its keys in bytes; AES is for transport keys only."""


UNPUBLISHED = "ssf33"
"""Only PSAMs have keys of it."""


class TransitionError(RefusedError):
    """The state of a key does not admit what was asked."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """Metadata of one version of a key.

    Parameters
    ----------
    name, version, algorithm, check_value, test
        As in `cardkit.keys.KeyRef`.
    usage : frozenset of Operation
        What it may be used for.
    levels : int
        Diversification levels from this key to a card key: 3 ministry (province, city, card), 2
        province, 1 city, 0 used as it is. It fixes the source of the factors too (`policy`).
    owner : str
        The body that answers for it.
    valid_from, valid_until : date or None
        First and last day of its validity (UTC).
    origin : str
        ``generated``, ``components`` or ``imported``.
    made_by, approved_by : str
        Operators; two people.
    contributors : tuple of str
        Who else had a part in making it: leaders of its ceremony, holders of components. None of
        them approves it.
    """

    name: str
    version: int
    algorithm: str
    usage: frozenset[Operation]
    levels: int
    check_value: CheckValue
    owner: str = ""
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    state: KeyState = KeyState.PRE_ACTIVE
    test: bool = False
    origin: str = "generated"
    made_by: str = ""
    approved_by: str = ""
    contributors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or not self.name.isprintable() or len(self.name) > 64:
            raise ValueError("the name of a key has 1 to 64 printable characters")
        if self.algorithm not in ALGORITHMS and self.algorithm != UNPUBLISHED:
            raise ValueError(f"no algorithm {self.algorithm}; there are {', '.join(ALGORITHMS)}")
        if not 1 <= self.version <= 99 or not 0 <= self.levels <= 3:
            raise ValueError("a version is 1 to 99, levels are 0 to 3")

    @property
    def place(self) -> tuple[str, int]:
        """Name and version, which make a key unique in a store."""
        return self.name, self.version

    @property
    def ref(self) -> KeyRef:
        """What callers of a store get."""
        return KeyRef(self.name, self.version, self.check_value, self.test, self.algorithm)

    def __str__(self) -> str:
        return str(self.ref)

    def after(self, action: str) -> KeyRecord:
        """The record after an action of `TRANSITIONS`.

        Raises
        ------
        TransitionError
            The state does not admit it.
        """
        try:
            state = TRANSITIONS[self.state, action]
        except KeyError:
            legal = [a for s, a in TRANSITIONS if s is self.state]
            raise TransitionError(
                f"{self.name} v{self.version} is {self.state}, one cannot {action} it",
                hint=f"possible now: {', '.join(legal)}" if legal else "this state is final",
            ) from None
        return dataclasses.replace(self, state=state)

    @property
    def makers(self) -> frozenset[str]:
        """Everybody who had a part in making it."""
        return frozenset({self.made_by, *self.contributors} - {""})

    def to_json(self) -> dict[str, Any]:
        """Plain fields, for files and programs."""
        return {
            "name": self.name,
            "version": self.version,
            "algorithm": self.algorithm,
            "usage": sorted(self.usage),
            "levels": self.levels,
            "check_value": str(self.check_value),
            "owner": self.owner,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
            "state": str(self.state),
            "test": self.test,
            "origin": self.origin,
            "made_by": self.made_by,
            "approved_by": self.approved_by,
            "contributors": list(self.contributors),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> KeyRecord:
        """Inverse of `to_json`.

        Raises
        ------
        ValueError, KeyError, TypeError
            Not such fields.
        """
        values = {"contributors": ()} | dict(fields)  # records of earlier versions name none
        values["contributors"] = tuple(map(str, values["contributors"]))
        for day in ("valid_from", "valid_until"):
            values[day] = dt.date.fromisoformat(values[day]) if values[day] else None
        values["usage"] = frozenset(Operation(word) for word in values["usage"])
        values["state"] = KeyState(values["state"])
        values["check_value"] = CheckValue.fromhex(values["check_value"])
        return cls(**values)


_ROLES: tuple[tuple[str, frozenset[Operation]], ...] = (
    ("IRK", frozenset({Operation.INTERNAL, Operation.SEAL, Operation.LOAD})),
    (
        "MK",
        frozenset({Operation.EXTERNAL, Operation.SEAL, Operation.LOAD, Operation.LOAD_PLAIN}),
    ),
    ("STK", frozenset({Operation.SEAL, Operation.LOAD})),
    ("TRANSPORT", frozenset({Operation.EXTERNAL})),
    ("KEK", frozenset({Operation.WRAP})),
)
_OTHERS = frozenset({Operation.EXTERNAL, Operation.LOAD})


def usual_usage(name: str) -> frozenset[Operation]:
    """What the key of a role on the card is for, by the last part of its name.

    Examples
    --------
    >>> sorted(usual_usage("DF01.UK1"))
    [<Operation.EXTERNAL: 'external'>, <Operation.LOAD: 'load'>]
    """
    return dict(_ROLES).get(name.rpartition(".")[2], _OTHERS)


def usual_levels(name: str) -> int:
    """3 for keys of cards, 0 for what is used as it is.

    Examples
    --------
    >>> usual_levels("SSSE.IRK"), usual_levels("T514.TRANSPORT")
    (3, 0)
    """
    return 0 if name.rpartition(".")[2] in {"TRANSPORT", "KEK"} else 3
