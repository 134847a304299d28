"""A PSAM's keys behind policy and audit, like those of every other store."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from cardkit.errors import CardkitError, RefusedError
from cardkit.keys import policy
from cardkit.keys.audit import AuditLog, Clock, Entry
from cardkit.keys.gate import GATE
from cardkit.keys.guarded import GuardedStore
from cardkit.keys.psam import PsamStore, Wait
from cardkit.keys.psam_errors import NotForPsamError
from cardkit.keys.record import KeyRecord
from cardkit.keys.record_book import RecordBook
from cardkit.keys.reference import Factors, KeyRef
from cardkit.keys.store import KeyMissingError

PROBE = "probe"


class GuardedPsam(GuardedStore):
    """A PSAM whose every use is checked and on record.

    Parameters
    ----------
    psam : PsamStore
        Asked for nothing but through here.
    book : RecordBook
        Of its manifest, or of the key map.
    pinned : int
        Version that is meant when none is asked for; 0 takes the PSAM's.

    The others are those of `GuardedStore`.
    """

    def __init__(
        self,
        psam: PsamStore,
        book: RecordBook,
        audit: AuditLog,
        clock: Clock,
        actor: str,
        *,
        purpose: str = "",
        pinned: int = 0,
    ) -> None:
        super().__init__(psam, book, audit, clock, actor, purpose=purpose)
        self._psam = psam
        self._pinned = pinned

    def __repr__(self) -> str:
        return f"GuardedPsam({self._psam!r})"

    @property
    def wait(self) -> Wait | None:
        """See `PsamStore`."""
        return self._psam.wait

    @wait.setter
    def wait(self, wait: Wait) -> None:
        self._psam.wait = wait

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`.

        Raises
        ------
        NotForPsamError
            PSAMs have no such key.
        KeyMissingError
            There is no record of it, or not of that version.
        """
        if not self._psam.maps(name):
            raise NotForPsamError(name)
        return super().reference(name, version or self._pinned or None)

    def terminal_number(self) -> str:
        """See `PsamStore`; no key is used."""
        return self._psam.terminal_number()

    def check(self, names: Iterable[str]) -> None:
        """See `PsamStore`; a derivation for a card that does not exist is a use, and on record."""
        wanted = list(names)
        GATE.check()
        self._book.refresh()
        for name in wanted:
            self._admit_probe(name)
        try:
            self._psam.check(wanted)
        except CardkitError as error:
            word = "refused" if isinstance(error, RefusedError) else "failed"
            self._probed(wanted, f"{word}: {error.message}")
            raise
        self._probed(wanted)

    def held(self, names: Collection[str]) -> set[str]:
        """Which of some keys this PSAM has, one entry in the log for all.

        Raises
        ------
        KeyPolicyError
            Not the role of whoever asks.
        PsamGoneError, PsamRefusedError
        """
        self._book.refresh()
        try:
            self._check_user()
        except CardkitError as error:
            self._probed(names, f"refused: {error.message}")
            raise
        found = {name for name in names if self._psam.has(name)}
        self._probed(sorted(found))
        return found

    def _admit_probe(self, name: str) -> None:
        ref = self.reference(name)
        record = self._record(ref.name, ref.version)
        try:
            self._check_user()
            policy.check(record, None, None, self._now())
        except CardkitError as error:
            self._refuse(record, PROBE, error)

    def _record(self, name: str, version: int) -> KeyRecord:
        try:
            return super()._record(name, version)
        except KeyMissingError:
            raise KeyMissingError(
                f"the PSAM has no key {name} of version {version}",
                hint="its keys have one version: psam.version of the profile, or its manifest",
            ) from None

    def _used(self, record: KeyRecord, factors: Factors) -> Factors:
        """A key of a province or city is diversified with the last factors only."""
        kept = max(record.levels - 1, 0)
        above = factors.above[len(factors.above) - kept :] if kept else ()
        return replace(factors, above=above) if len(factors.above) >= kept else factors

    def _probed(self, names: Collection[str], result: str = "ok") -> None:
        key = ", ".join(names) if len(names) <= 3 else f"{len(names)} keys"
        self._audit.append(Entry(self._actor, PROBE, key, len(names), self._purpose, result))
