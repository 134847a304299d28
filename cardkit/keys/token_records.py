"""What is on record of the keys in a token or a PSAM, and who may do what: a JSON file.

Neither knows anything of policy. The file holds no secret and is protected by nothing but its
permissions: whoever has the PIN, or the PSAM, can use the keys without this program anyway. A
record that does not fit its key (another check value) is refused by `cardkit.keys.guarded`.

``roles`` are those of an encrypted store (`cardkit.keys.soft_content.ROLES`). While nobody has one,
whoever can write the file gives the first ones; afterwards it takes the role approve.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardkit.errors import UsageError
from cardkit.keys.audit import AuditLog, Entry
from cardkit.keys.custody import RoleError, check_roles
from cardkit.keys.locking import locked, write_private
from cardkit.keys.record import KeyRecord
from cardkit.keys.record_book import RecordBook, Signature, Standing, signature
from cardkit.keys.soft_content import ROLES

FORMAT = "cardkit token records 1"

Records = dict[tuple[str, int], KeyRecord]
Roles = dict[str, tuple[str, ...]]


class TokenRecords:
    """The records of one token.

    Parameters
    ----------
    path : Path
        Need not exist: then there are none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Records:
        """All records, by name and version.

        Raises
        ------
        UsageError
            The file cannot be read or is something else.
        """
        return self._read()[0]

    def roles(self) -> Roles:
        """Role → people; errors as `load`."""
        return self._read()[1]

    def standing(self) -> Standing:
        """Records and users; errors as `load`."""
        records, roles = self._read()
        return Standing(records, roles.get("use", ()))

    def _read(self) -> tuple[Records, Roles]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise UsageError(f"{self.path}: not records of a token")
            records = [KeyRecord.from_json(fields) for fields in content["records"]]
            # Files of earlier versions name nobody: nobody may do anything then.
            roles = {role: _people(who) for role, who in content.get("roles", {}).items()}
        except FileNotFoundError:
            return {}, {}
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(f"{self.path}: not records of a token") from None
        check_roles(roles)
        return {record.place: record for record in records}, roles

    @contextmanager
    def edit(self) -> Iterator[Records]:
        """Change them: one writer at a time; written whole at the end, or not at all."""
        with locked(self.path):
            records, roles = self._read()
            yield records
            self._write(records, roles)

    def change_roles(self, take: Roles, give: Roles, audit: AuditLog, actor: str) -> Roles:
        """Take roles and give some, in one go and on record; returns who has which then.

        Raises
        ------
        RoleError
            There are roles, and the actor has not the role approve; a person would have two; or
            nobody would approve any more.
        """
        with locked(self.path):
            records, roles = self._read()
            if any(roles.values()):
                require_role(roles, "approve", audit, actor, "role")
            for role, people in take.items():
                roles[role] = tuple(p for p in roles.get(role, ()) if p not in people)
            for role, people in give.items():
                roles[role] = tuple(dict.fromkeys((*roles.get(role, ()), *people)))
            check_roles(roles)
            if not roles.get("approve"):
                raise RoleError(
                    "somebody has to have the role approve", hint="who gives roles otherwise?"
                )
            for verb, changed in (("loses", take), ("gets", give)):
                for person, role in ((p, r) for r, people in changed.items() for p in people):
                    audit.append(Entry(actor, "role", detail=f"{person} {verb} {role}"))
            self._write(records, roles)
        return roles

    def _write(self, records: Records, roles: Roles) -> None:
        fields = [records[place].to_json() for place in sorted(records)]
        content = {"format": FORMAT, "roles": roles, "records": fields}
        text = json.dumps(content, ensure_ascii=False, indent=1)
        write_private(self.path, text.encode())

    def book(self) -> RecordBook:
        """The records for a running store, which sees what others do to them."""
        return RecordBook(self.standing(), RecordsWatch(self))


def _people(listed: object) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(isinstance(person, str) for person in listed):
        raise TypeError("names of people are wanted")
    return tuple(listed)


def require_role(
    roles: Roles, role: str, audit: AuditLog, actor: str, action: str, key: str = ""
) -> None:
    """Raise, and record it, unless somebody has a role.

    Raises
    ------
    RoleError
    """
    if actor in roles.get(role, ()):
        return
    error = RoleError(
        f"{actor} may not {action}: that is for the role {role}",
        hint=f"{role}: {ROLES[role]}; `roles` of the same group of commands shows who has it",
    )
    audit.append(Entry(actor, action, key, result=f"refused: {error.message}"))
    raise error


class RecordsWatch:
    """Looks at a file of records; implements `cardkit.keys.record_book.Source`."""

    def __init__(self, records: TokenRecords) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._looked = False
        self._seen: Signature | None = None

    def look(self) -> Standing | None:
        """See `Source`.

        Raises
        ------
        UsageError
            The file cannot be read or is something else.
        """
        now = signature(self._records.path)
        if self._looked and now == self._seen:
            return None
        with self._lock:
            standing = self._records.standing()
            self._looked, self._seen = True, now
        return standing

    def close(self) -> None:
        """See `Source`; nothing is held."""
