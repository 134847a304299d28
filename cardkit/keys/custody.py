"""What people do with keys: make, bring in, approve, suspend, retire, destroy - each in their role.

Every action is checked against the role of whoever acts, written to the audit log, and only then to
the store; a refusal is written too. An entry without a ``save`` after it did not come about.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cardkit.errors import RefusedError, UsageError
from cardkit.keys import bulk, policy
from cardkit.keys.audit import ACCEPT_CLOCK, AuditLog, Clock, Entry
from cardkit.keys.audit_entry import instant_text
from cardkit.keys.record import (
    ALGORITHMS,
    UNPUBLISHED,
    KeyRecord,
    KeyState,
    Operation,
    usual_levels,
    usual_usage,
)
from cardkit.keys.reference import CheckValue
from cardkit.keys.secret import Secret
from cardkit.keys.soft import CheckValueError
from cardkit.keys.soft_content import ROLES, Content
from cardkit.keys.soft_file import KeyFile
from cardkit.keys.store import KeyMissingError


class RoleError(RefusedError):
    """Not the role of whoever acts."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be on record of a new key; None takes what is usual for the name."""

    name: str
    version: int | None = None
    algorithm: str = "3des"
    usage: frozenset[Operation] | None = None
    levels: int | None = None
    owner: str = ""
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None

    def record(self, content: Content, *, test: bool, origin: str, actor: str) -> KeyRecord:
        """The record of the new key, its check value still empty.

        Raises
        ------
        UsageError
            There is such a version, or a field is impossible.
        """
        if self.algorithm == UNPUBLISHED:
            raise UsageError(
                "SSF33 is secret: there is no software for it",
                hint="only a PSAM or an HSM that has the cipher makes and keeps such keys",
            )
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise UsageError(
                f"{self.name} would never be valid: {self.valid_from} until {self.valid_until}",
                hint="which of the two days is wrong?",
            )
        versions = [v for n, v in content.records if n == self.name]
        version = self.version or max(versions, default=0) + 1
        if version in versions:
            raise UsageError(
                f"there is a key {self.name} v{version}", hint="versions stand side by side"
            )
        try:
            return KeyRecord(
                self.name, version, self.algorithm,
                usual_usage(self.name) if self.usage is None else self.usage,
                usual_levels(self.name) if self.levels is None else self.levels,
                CheckValue(), self.owner, self.valid_from, self.valid_until,
                test=test, origin=origin, made_by=actor,
            )  # fmt: skip
        except ValueError as error:
            raise UsageError(str(error)) from None


class Custody:
    """An open store and whoever acts on it.

    Parameters
    ----------
    file : KeyFile
        Opened by two custodians.
    actor : str
        Operator.
    clock : callable
        Now, with a time zone.
    """

    def __init__(self, file: KeyFile, actor: str, clock: Clock) -> None:
        self.file = file
        self.actor = actor
        self.clock = clock

    def record(self, name: str, version: int | None = None) -> KeyRecord:
        """A record by name; without a version the newest that can be used now (`policy.newest`).

        Raises
        ------
        KeyMissingError
        """
        records = self.file.content.records
        known = [record for (n, _), record in records.items() if n == name]
        if version is None and known:
            return policy.newest(known, self.clock())
        return find(records, name, version)

    def generate(self, wish: Wish, random: Callable[[int], bytes] = os.urandom) -> KeyRecord:
        """Make a key; it waits for approval."""
        with self.acting("generate", "generate", wish.name) as content:
            key = Secret(random(ALGORITHMS.get(wish.algorithm, 16)))
            return self.add(content, wish, key, origin="generated")

    def import_keys(
        self, keys: Mapping[Wish, Secret], check_values: Mapping[Wish, CheckValue], source: str
    ) -> list[KeyRecord]:
        """Bring keys in; all of them or none. Their check values are compared with those given."""
        with self.acting("import", "import", f"{len(keys)} keys", source) as content:
            made = []
            for wish, key in keys.items():
                record = self.add(content, wish, key, origin="imported")
                compare(record, check_values[wish], key)
                made.append(record)
            return made

    def change(self, action: str, name: str, version: int | None = None) -> KeyRecord:
        """Approve, suspend, resume, retire or destroy a key (`TRANSITIONS`).

        Raises
        ------
        RoleError
            Also for a key that whoever approves has made, or had a part in making.
        TransitionError
        """
        erase = action == "destroy"
        with self.acting("approve", action, name, erase_old=erase) as content:
            record = find(content.records, name, version)
            if action == "approve":
                if self.actor in record.makers:
                    raise RoleError(
                        f"{self.actor} {part_in(record, self.actor)} {record} and cannot "
                        "approve it",
                        hint="somebody who had no part in making it has to",
                    )
                record = replace(record, approved_by=self.actor)
            record = record.after(action)
            content.records[record.place] = record
            if record.state is KeyState.DESTROYED:
                content.keys.pop(record.place).wipe()
            return record

    def accept_clock(self, reason: str) -> str:
        """See `accept_clock`; role ``approve``."""
        self.demand("approve", ACCEPT_CLOCK)
        return accept_clock(self.file.audit, self.actor, reason)

    def assign(self, role: str, person: str, *, give: bool = True) -> None:
        """Give or take a role; the two custodians who opened the store decide that.

        Raises
        ------
        RoleError
            The person has another role.
        """
        if give == (person in self.file.content.roles.get(role, ())):
            return  # nothing changes, so nothing is on record
        with self.file.edit(self.actor) as content:
            people = [p for p in content.roles.get(role, ()) if p != person]
            if give:
                check_roles({**content.roles, role: (*people, person)})
                people.append(person)
            verb = "gets" if give else "loses"
            self.file.audit.append(Entry(self.actor, "role", detail=f"{person} {verb} {role}"))
            content.roles[role] = tuple(people)

    def add(self, content: Content, wish: Wish, key: Secret, *, origin: str) -> KeyRecord:
        """Put a new key into a content that is being edited; refuses weak ones."""
        record = wish.record(content, test=self.file.test, origin=origin, actor=self.actor)
        value = key.reveal()
        if len(value) != ALGORITHMS[record.algorithm]:
            raise UsageError(
                f"a key of {record.algorithm} has {ALGORITHMS[record.algorithm]} bytes"
            )
        if not any(value) or (record.algorithm == "3des" and value[:8] == value[8:]):
            raise UsageError(
                f"the key {record.name} is weak: all zero, or its halves are equal",
                hint="make another one",
            )
        made = replace(record, check_value=CheckValue(bulk.check_value(wish.algorithm, value)))
        content.records[made.place] = made
        content.keys[made.place] = key
        return made

    def demand(self, role: str, action: str, key: str = "", content: Content | None = None) -> None:
        """Raise, and record it, unless whoever acts has a role (in ``content``, or the file's).

        Raises
        ------
        RoleError
        """
        roles = (content or self.file.content).roles
        if self.actor not in roles.get(role, ()):
            error = RoleError(
                f"{self.actor} may not {action}: that is for the role {role}",
                hint=f"{role}: {ROLES[role]}; `cardkit key roles` shows who has it",
            )
            self.note(action, key, result=f"refused: {error.message}")
            raise error

    def note(
        self, action: str, key: str, *, result: str = "ok", detail: str = "", count: int = 0
    ) -> None:
        """An entry of the audit log."""
        self.file.audit.append(Entry(self.actor, action, key, count, result=result, detail=detail))

    @contextmanager
    def acting(
        self, role: str, action: str, key: str, detail: str = "", *, erase_old: bool = False
    ) -> Iterator[Content]:
        """Role, then the change in memory, then the log, then the file."""
        with self.file.edit(self.actor, erase_old=erase_old) as content:
            self.demand(role, action, key, content)
            before = dict(content.records)
            try:
                yield content
            except RefusedError as error:
                self.note(action, key, result=f"refused: {error.message}")
                raise
            changed = [r for p, r in content.records.items() if before.get(p) != r]
            for record in changed:
                self.note(action, str(record), detail=detail, count=1)


def accept_clock(audit: AuditLog, actor: str, reason: str) -> str:
    """Put on record that the clock is right now, and was set forward before; returns what it says.

    Whoever calls this has checked the role of the actor.

    Raises
    ------
    UsageError
        No reason, or the log has no later instant.
    """
    now, latest = audit.clock(), audit.latest_instant(fresh=True)
    if not reason.strip():
        raise UsageError("why is the clock right now?", hint="--reason TEXT")
    if latest is None or now >= latest:
        raise UsageError(
            "no entry of the log is later than the clock", hint="there is nothing to accept"
        )
    said = f"{instant_text(latest)} was wrong: {reason.strip()}"
    audit.append(Entry(actor, ACCEPT_CLOCK, detail=said))
    return said


def part_in(record: KeyRecord, person: str) -> str:
    """What somebody did to make a key, for messages."""
    return "made" if record.made_by == person else "had a part in making"


def find(records: Mapping[tuple[str, int], KeyRecord], name: str, version: int | None) -> KeyRecord:
    """A record by name and version, the newest without a version.

    Raises
    ------
    KeyMissingError
    """
    versions = [v for n, v in records if n == name]
    chosen = version or max(versions, default=0)
    if chosen not in versions:
        known = f"; there are {', '.join(f'v{v}' for v in sorted(versions))}" if versions else ""
        raise KeyMissingError(
            f"no key {name}" + (f" of version {version}" if version else "") + known,
            hint="`cardkit key list` shows the keys",
        )
    return records[name, chosen]


def compare(record: KeyRecord, wanted: CheckValue, key: Secret) -> None:
    """Compare the check value of a key with the one that came with it, all bytes of that.

    Terminals and HSMs write 4 or 8 bytes where records have 3: a slip of the pen in the fourth is
    one, too.

    Raises
    ------
    CheckValueError
    """
    whole = 3 <= len(wanted) <= 8
    if not whole or bulk.check_value(record.algorithm, key.reveal(), len(wanted)) != wanted:
        more = "…" if len(wanted) > len(record.check_value) else ""
        raise CheckValueError(
            f"the check value of {record.name} is {record.check_value}{more}, "
            f"{wanted} was expected",
            hint="the key was copied wrongly, or is another one; nothing was imported",
        )


def check_person(name: str) -> str:
    """The name of somebody who acts, as it was given.

    Raises
    ------
    UsageError
        It would look like another one, or like two, in a list.
    """
    if not name or name != name.strip() or "," in name or not name.isprintable():
        raise UsageError(
            f"{name!r} is no name of one person",
            hint="the login name of one; for several people repeat the option",
        )
    return name


def check_roles(roles: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse roles that are unknown, and people with two of them.

    Raises
    ------
    UsageError, RoleError
    """
    taken: dict[str, str] = {}
    for role, people in roles.items():
        if role not in ROLES:
            raise UsageError(f"no role {role}", hint=f"there are {', '.join(ROLES)}")
        for person in people:
            if taken.setdefault(person, role) != role:
                raise RoleError(
                    f"{person} cannot have the roles {taken[person]} and {role}",
                    hint="generate, import, approve and use are different people",
                )
