"""What people do with the keys in a token: make, bring in, approve, suspend, retire, destroy.

The same life and the same roles as in an encrypted store (`cardkit.keys.custody`). Who may open the
token is decided by its PIN; who may do what, and that whoever approves a key is not who made it,
here.
"""

from __future__ import annotations

from dataclasses import replace

from cardkit.errors import RefusedError, UsageError
from cardkit.keys.audit import ACCEPT_CLOCK, AuditLog, Entry
from cardkit.keys.custody import Wish, accept_clock, find, part_in
from cardkit.keys.pkcs11 import KeyAttributes, Pkcs11KeyStore
from cardkit.keys.record import KeyRecord, KeyState
from cardkit.keys.secret import Secret
from cardkit.keys.soft_content import Content
from cardkit.keys.token_records import Records, Roles, TokenRecords, require_role

ALGORITHMS = ("3des", "aes")


class TokenCustody:
    """A token, its records, and whoever acts on them.

    Parameters
    ----------
    store : Pkcs11KeyStore
    records : TokenRecords
    audit : AuditLog
    actor : str
        Operator.
    test : bool
        Whether the token holds test keys.
    """

    def __init__(
        self,
        store: Pkcs11KeyStore,
        records: TokenRecords,
        audit: AuditLog,
        actor: str,
        *,
        test: bool,
    ) -> None:
        self._store = store
        self._records = records
        self._audit = audit
        self._actor = actor
        self._test = test

    @property
    def name(self) -> str:
        """Label of the token, for people."""
        return self._store.token

    def keys(self) -> list[tuple[KeyRecord | None, str, KeyAttributes]]:
        """Record (None without), key and what the token vouches for, of every key."""
        records = self._records.load()
        return [
            (records.get((ref.name, ref.version)), str(ref), attributes)
            for ref, attributes in self._store.list_keys()
        ]

    def generate(self, wish: Wish) -> KeyRecord:
        """Make a key inside the token; it waits for approval. Role ``generate``."""
        self._demand("generate", "generate", wish.name)
        with self._records.edit() as records:
            record = self._record(wish, records, origin="generated")
            ref = self._store.generate_key(wish.name, record.version, algorithm=wish.algorithm)
            return self._added(records, replace(record, check_value=ref.check_value))

    def load(self, original: KeyRecord, key: Secret) -> KeyRecord:
        """Take a key over from an encrypted store, its record as it is there; role ``import``.

        Raises
        ------
        RoleError
            Not the role of whoever acts.
        RefusedError
            It is not active there, or test and real keys would be mixed.
        """
        self._demand("import", "load", str(original))
        with self._records.edit() as records:
            if original.state is not KeyState.ACTIVE or original.test != self._test:
                why = "is not active" if original.test == self._test else "is of the other kind"
                self._note("load", str(original), f"refused: {why}")
                raise RefusedError(
                    f"{original} {why}",
                    hint="a second person approves it first; test keys stay among themselves",
                )
            _check_algorithm(original.algorithm)
            self._store.import_key(
                original.name,
                original.version,
                key.reveal(),
                algorithm=original.algorithm,
                check_value=original.check_value if original.algorithm == "3des" else b"",
            )
            ref = self._store.reference(original.name, original.version)
            record = replace(original, origin="imported", check_value=ref.check_value)
            return self._added(records, record, "load")

    def change(self, action: str, name: str, version: int | None = None) -> KeyRecord:
        """Approve, suspend, resume, retire or destroy a key; role ``approve``.

        Raises
        ------
        RoleError
            Not the role of whoever acts.
        RefusedError
            Whoever approves has made it, or its state does not admit the action.
        """
        self._demand("approve", action, name)
        with self._records.edit() as records:
            record = find(records, name, version)
            if action == "approve":
                if self._actor in record.makers:
                    self._note(action, str(record), "refused: made by the same person")
                    raise RefusedError(
                        f"{self._actor} {part_in(record, self._actor)} {record} and cannot "
                        "approve it",
                        hint="somebody who had none has to",
                    )
                record = replace(record, approved_by=self._actor)
            record = record.after(action)
            self._note(action, str(record))
            if record.state is KeyState.DESTROYED:
                self._store.destroy_key(record.ref)
            records[record.place] = record
            return record

    def roles(self) -> Roles:
        """Role → people."""
        return self._records.roles()

    def change_roles(self, take: Roles, give: Roles) -> Roles:
        """See `TokenRecords.change_roles`."""
        return self._records.change_roles(take, give, self._audit, self._actor)

    def accept_clock(self, reason: str) -> str:
        """See `cardkit.keys.custody.accept_clock`; role ``approve``."""
        self._demand("approve", ACCEPT_CLOCK)
        return accept_clock(self._audit, self._actor, reason)

    def _demand(self, role: str, action: str, key: str = "") -> None:
        require_role(self._records.roles(), role, self._audit, self._actor, action, key)

    def _record(self, wish: Wish, records: Records, *, origin: str) -> KeyRecord:
        _check_algorithm(wish.algorithm)
        content = Content(records=records)
        return wish.record(content, test=self._test, origin=origin, actor=self._actor)

    def _added(self, records: Records, record: KeyRecord, action: str = "generate") -> KeyRecord:
        attributes = {(r.name, r.version): a for r, a in self._store.list_keys()}[record.place]
        vouched = (
            f"always-sensitive {attributes.always_sensitive}, "
            f"never-extractable {attributes.never_extractable}"
        )
        self._note(action, str(record), detail=vouched)
        records[record.place] = record
        return record

    def _note(self, action: str, key: str, result: str = "ok", detail: str = "") -> None:
        detail = f"token {detail}".strip()
        self._audit.append(Entry(self._actor, action, key, 1, result=result, detail=detail))


def _check_algorithm(algorithm: str) -> None:
    if algorithm not in ALGORITHMS:
        raise UsageError(
            f"a PKCS#11 token has no {algorithm}", hint=f"it has {' and '.join(ALGORITHMS)}"
        )
