"""What is on record of the keys in a PSAM: from a manifest, or else from the key map.

A PSAM tells neither state nor validity nor check value of a key. A manifest (the file format of
`cardkit.keys.token_records`) says them, and who may do what; without one every key of the map is
active, for what keys of its role are for, without a check value, and for whoever has the PSAM.
"""

from __future__ import annotations

from dataclasses import replace

from cardkit.card.psam import Environment, KeyMap, MapEntry
from cardkit.keys.audit import ACCEPT_CLOCK, AuditLog, Entry
from cardkit.keys.custody import accept_clock as accept
from cardkit.keys.custody import find
from cardkit.keys.record import KeyRecord, KeyState, Operation, usual_usage
from cardkit.keys.reference import CheckValue
from cardkit.keys.token_records import Records, Roles, TokenRecords, require_role

ORIGIN = "psam"
CHANGES = ("suspend", "resume", "retire")

_NEVER = frozenset({Operation.LOAD, Operation.LOAD_PLAIN})
"""Keys do not leave a PSAM, not even sealed."""


def of_map(keys: KeyMap, environment: Environment, version: int, *, test: bool) -> Records:
    """A record for every line of a key map.

    Parameters
    ----------
    version : int
        Of all keys in the PSAM.
    test : bool
        Whether they are test keys.
    """
    records = (_of_entry(entry, environment, version, test=test) for entry in keys)
    return {record.place: record for record in records}


def _of_entry(entry: MapEntry, environment: Environment, version: int, *, test: bool) -> KeyRecord:
    return KeyRecord(
        entry.name, version, environment.algorithm.value, usual_usage(entry.name) - _NEVER,
        entry.place.levels, CheckValue(), state=KeyState.ACTIVE, test=test, origin=ORIGIN,
    )  # fmt: skip


def write_manifest(
    manifest: TokenRecords,
    records: Records,
    audit: AuditLog,
    actor: str,
    roles: Roles | None = None,
) -> None:
    """Make a manifest of records, on record in the log.

    Parameters
    ----------
    roles : mapping, optional
        Role → people: who gets which from the beginning; approve among them.
    """
    with manifest.edit() as there:
        for record in records.values():
            audit.append(Entry(actor, "manifest", str(record), 1, detail=ORIGIN))
            there[record.place] = replace(record, made_by=actor)
    if roles:
        manifest.change_roles({}, roles, audit, actor)


def change(
    manifest: TokenRecords,
    audit: AuditLog,
    actor: str,
    action: str,
    name: str,
    version: int | None = None,
) -> KeyRecord:
    """Suspend, resume or retire a key of a manifest; role ``approve``. Programs that run see it.

    Parameters
    ----------
    action : str
        One of `CHANGES`.

    Raises
    ------
    RoleError
        Not the role of whoever acts.
    KeyMissingError
        The manifest has no such key.
    TransitionError
        Its state does not admit the action.
    """
    require_role(manifest.roles(), "approve", audit, actor, action, name)
    with manifest.edit() as records:
        record = find(records, name, version).after(action)
        audit.append(Entry(actor, action, str(record), 1, detail=ORIGIN))
        records[record.place] = record
        return record


def accept_clock(manifest: TokenRecords, audit: AuditLog, actor: str, reason: str) -> str:
    """See `cardkit.keys.custody.accept_clock`; role ``approve`` of the manifest."""
    require_role(manifest.roles(), "approve", audit, actor, ACCEPT_CLOCK)
    return accept(audit, actor, reason)
