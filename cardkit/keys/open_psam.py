"""The PSAM that a profile describes, as a key store behind policy and audit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cardkit.card.psam import Environment, KeyMap, PsamLevel, environment_for
from cardkit.crypto.algorithm import Algorithm
from cardkit.errors import UsageError
from cardkit.keys import psam_records
from cardkit.keys.audit import AuditLog, Clock
from cardkit.keys.gate import GATE
from cardkit.keys.open_store import check_test_mark
from cardkit.keys.psam import Connect, PsamStore, Wait
from cardkit.keys.psam_guard import GuardedPsam
from cardkit.keys.record_book import RecordBook, Standing
from cardkit.keys.token_records import TokenRecords
from cardkit.profile import Profile

WINDOW_KEYS = ("SSSE.IRK", "SSSE.UKSSSE")
"""What a window needs of a PSAM: the card proves itself, the environment is written."""


@dataclass(frozen=True, slots=True)
class PsamAccess:
    """Who uses a PSAM, and where that is written down.

    Parameters
    ----------
    audit : Path
        The log, unless the profile names one (`audit_path`).
    clock : callable
        Now, with a time zone.
    actor : str
        Operator.
    purpose : str
        What the keys are used for.
    """

    audit: Path
    clock: Clock
    actor: str
    purpose: str = ""


def key_map(profile: Profile, level: str = "") -> KeyMap:
    """The key map of section ``[psam]``.

    Parameters
    ----------
    level : str
        ``province`` or ``city`` instead of the profile's.

    Raises
    ------
    UsageError
        A line of ``psam.keys`` says no place of a key.
    """
    section = profile.psam
    return KeyMap(level=PsamLevel(level or section.level), corrections=section.keys)


def environment_of(profile: Profile) -> Environment:
    """The environment of the cards of a profile.

    Raises
    ------
    UsageError
        The profile names an algorithm that does not exist.
    """
    try:
        return environment_for(Algorithm.of_card(profile.card.algorithm))
    except ValueError as error:
        raise UsageError(f"profile {profile.name}: {error}", hint="see card.algorithm") from None


def audit_path(profile: Profile, otherwise: Path) -> Path:
    """The log of a profile's PSAMs: ``psam.audit``, ``keys.audit``, or the one given."""
    named = profile.psam.audit or profile.keys.audit
    return profile.folder / named if named else otherwise


def manifest_of(profile: Profile) -> TokenRecords | None:
    """The manifest that ``psam.records`` names; None without one.

    Raises
    ------
    UsageError
        It is not there: without it nobody knows what is suspended.
    """
    if not profile.psam.records:
        return None
    manifest = TokenRecords(profile.folder / profile.psam.records)
    if not manifest.path.exists():
        raise UsageError(
            f"the manifest {manifest.path} of the PSAM is not there",
            hint="psam.records of the profile names it; `cardkit key psam manifest` makes one",
        )
    return manifest


def open_psam(
    profile: Profile, connect: Connect, access: PsamAccess, *, wait: Wait | None = None
) -> GuardedPsam:
    """A store on the PSAM behind ``connect``, in the environment of the profile's cards.

    Raises
    ------
    UsageError
        The profile names an algorithm, a place of a key or a manifest that does not exist.
    RefusedError
        A manifest of test keys and a real profile, or the other way round.
    SelfTestFailedError
        An algorithm does not compute its known answers.
    """
    audit = AuditLog(audit_path(profile, access.audit), access.clock)
    GATE.open_store(audit)
    environment, keys = environment_of(profile), key_map(profile)
    psam = PsamStore(connect, keys, environment, test=profile.test, wait=wait)
    book = _book(profile, keys, environment)
    return GuardedPsam(
        psam, book, audit, access.clock, access.actor,
        purpose=access.purpose, pinned=profile.keys.version,
    )  # fmt: skip


def _book(profile: Profile, keys: KeyMap, environment: Environment) -> RecordBook:
    manifest = manifest_of(profile)
    if manifest is None:
        version = profile.psam.version
        records = psam_records.of_map(keys, environment, version, test=profile.test)
        return RecordBook(Standing(records))
    book = manifest.book()
    for record in book.records.values():
        check_test_mark(profile, test=record.test)
    return book
