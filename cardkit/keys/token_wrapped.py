"""The card keys of a whole batch under a transport key of a token, for a card factory.

They are derived and wrapped inside the token and in clear nowhere, not even in the process that
owns it. Layout of version 1, numbers big-endian:

=========  =====================================================================================
8 bytes    ``CARDWRAP``
2          format version, 1
4          length of the header
n          header: canonical JSON in ASCII
...        a card: its factor (8 bytes), then 24 bytes a key, AES key wrap (RFC 3394)
=========  =====================================================================================

Header: ``made``, ``under``, ``keys``, ``above`` and ``count`` as in `cardkit.keys.sealed`. Each key
vouches for itself; which card and which master key it belongs to is vouched for by the SHA-256 of
the file, as far as that comes by another road: it is in the audit log of the token.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cardkit import wholefile
from cardkit.crypto.diversify import FACTOR_LENGTH
from cardkit.errors import CardkitError, RefusedError, UsageError
from cardkit.keys import policy
from cardkit.keys.audit import Entry
from cardkit.keys.custody import find
from cardkit.keys.open_remote import Token
from cardkit.keys.record import KeyRecord, Operation
from cardkit.keys.reference import Factors
from cardkit.keys.store import KeyPolicyError
from cardkit.keys.token_records import Records, require_role

MAGIC = b"CARDWRAP"
VERSION = 1
WRAPPED = 24
ACTION = "derive-file"

_PREFIX = struct.Struct(">8sHI")
_AT_ONCE = 1024  # cards a message to the token: a slow one is to answer in time, too


class WrappedBatch:
    """Which keys for which cards, by whom; what may not be done is refused when it is made.

    Parameters
    ----------
    token : Token
    actor : str
        Operator; role ``use``.
    names : sequence of str
        Master keys, in the order of the file; their usage has ``derive``.
    factors : Factors
    under : str
        AES transport key of the token; its usage has ``wrap``.
    version : int, optional
        Of the master keys; default: of each the newest that can be used now.

    Raises
    ------
    RefusedError
        Role, clock or policy do not admit it; that is on record.
    UsageError
        There is no such key.
    """

    def __init__(
        self,
        token: Token,
        actor: str,
        names: Sequence[str],
        factors: Factors,
        under: str,
        version: int | None = None,
    ) -> None:
        self._token = token
        self._actor = actor
        self._factors = factors
        wanted = ", ".join(names)
        require_role(token.records.roles(), "use", token.audit, actor, ACTION, wanted)
        known, now = token.records.load(), token.audit.clock()
        self.records = [_record(known, name, version, now) for name in names]
        self.under = _record(known, under, None, now)
        try:
            self._check(now)
        except RefusedError as error:
            self._note(wanted, f"refused: {error.message}")
            raise

    def _check(self, now: dt.datetime) -> None:
        policy.check_clock(now, self._token.audit.latest_instant(fresh=True))
        policy.check(self.under, Operation.WRAP, None, now)
        if self.under.algorithm != "aes":
            raise KeyPolicyError(f"{self.under} is no AES key; keys travel under AES only")
        for record in self.records:
            policy.check(record, Operation.DERIVE, self._factors, now)

    def write(self, path: Path) -> str:
        """Derive and wrap into a file, one entry a key; returns its SHA-256 in hex.

        The file appears complete or not at all; its mode is 0600.

        Raises
        ------
        UsageError
            It exists or cannot be written.
        CardkitError
            What the token says.
        """
        if path.exists():  # nothing was tried, nothing is on record
            raise UsageError(f"{path} exists already", hint="choose another name")
        digest, count = hashlib.sha256(), self._factors.count
        try:
            with wholefile.appearing(path, overwrite=False) as file:
                for record in self.records:
                    self._note(str(record), detail=f"under {self.under}", count=count)
                for part in self._parts():
                    digest.update(part)
                    file.write(part)
        except CardkitError as error:
            word = "refused" if isinstance(error, RefusedError) else "failed"
            self._note("", f"{word}: {error.message}", f"under {self.under}")
            raise
        self._note("", detail=f"wrote {path.name}, sha256 {digest.hexdigest()}")
        return digest.hexdigest()

    def _parts(self) -> Iterator[bytes]:
        header = json.dumps(self._header(), separators=(",", ":"), sort_keys=True).encode("ascii")
        yield _PREFIX.pack(MAGIC, VERSION, len(header)) + header
        step = _AT_ONCE * FACTOR_LENGTH
        for first in range(0, len(self._factors.cards), step):
            cards = self._factors.cards[first : first + step]
            some = Factors(self._factors.above, cards)
            store, under = self._token.store, self.under.ref
            columns = [(cards, FACTOR_LENGTH)]
            columns += [(store.derive_wrapped(r.ref, some, under), WRAPPED) for r in self.records]
            yield b"".join(
                column[width * place : width * (place + 1)]
                for place in range(some.count)
                for column, width in columns
            )

    def _header(self) -> dict[str, Any]:
        under = self.under
        return {
            "made": self._token.audit.clock().astimezone(dt.UTC).isoformat(timespec="seconds"),
            "under": [under.name, under.version, str(under.check_value)],
            "keys": [[r.name, r.version, str(r.check_value), r.algorithm] for r in self.records],
            "above": [factor.hex() for factor in self._factors.above],
            "count": self._factors.count,
        }

    def _note(self, key: str, result: str = "ok", detail: str = "", count: int = 0) -> None:
        detail = f"token {detail}".strip()
        self._token.audit.append(
            Entry(self._actor, ACTION, key, count, result=result, detail=detail)
        )


def _record(known: Records, name: str, version: int | None, now: dt.datetime) -> KeyRecord:
    versions = [record for (n, _), record in known.items() if n == name]
    if version is None and versions:
        return policy.newest(versions, now)
    return find(known, name, version)
