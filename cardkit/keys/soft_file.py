"""A soft store on disk: opened by two custodians, written atomically, never rolled back unseen."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from cardkit.errors import CardkitError, RefusedError, UsageError
from cardkit.keys import bulk, soft_format
from cardkit.keys.audit import AuditLog, Entry
from cardkit.keys.audit_head import Sealer
from cardkit.keys.gate import GATE
from cardkit.keys.locking import create_private, locked, write_private
from cardkit.keys.secret import Secret, Unpicklable
from cardkit.keys.soft import CheckValueError
from cardkit.keys.soft_content import Content
from cardkit.keys.soft_format import Cost, Custodian, Header, PassphraseError, Sealed

SHORTEST_PASSPHRASE = 12
SAVED = "save"
OPEN = "open"
_LARGEST = 64 << 20
_LOG_KEY = 32  # bytes


class StoreDowngradeError(RefusedError):
    """An older state of the file was put in place of the newest."""


class Unlock(Protocol):
    """Whoever can give the file key: two custodians, or an agent they have spoken to."""

    def file_key(self, header: Header, name: str) -> Secret:
        """The key of the file with that header; ``name`` is for messages."""


class Passphrases:
    """Two custodians.

    Parameters
    ----------
    ask : callable
        Name of a custodian → passphrase.
    custodians : sequence of str
        Which two; default: the first two of the file.
    """

    def __init__(self, ask: Callable[[str], str], custodians: Sequence[str] = ()) -> None:
        self._ask = ask
        self._custodians = tuple(custodians)

    def file_key(self, header: Header, name: str) -> Secret:
        """See `Unlock`."""
        names = [c.name for c in header.custodians]
        chosen = self._custodians or tuple(names[:2])
        if len(set(chosen)) != 2 or not set(chosen) <= set(names):
            raise UsageError(
                f"two of the custodians of {name} are wanted", hint=f"they are {', '.join(names)}"
            )
        # Asked in the order of the file, so that passphrase files are not mixed up by mistake.
        secrets: dict[int, Secret] = {}
        for who in chosen:
            place = names.index(who)
            salt = header.custodians[place].salt
            secrets[place] = soft_format.stretch(self._ask(who), salt, header.cost)
        one, other = sorted(secrets)
        try:
            return soft_format.unwrap(header, (one, other), (secrets[one], secrets[other]), name)
        finally:
            for secret in secrets.values():
                secret.wipe()


class KeyFile(Unpicklable):
    """An open store file. Made by `create` or `open`.

    Writers take a lock and read the file again before they change it, so nothing that another
    process wrote is lost.
    """

    def __init__(self, path: Path, audit: AuditLog, file_key: Secret, sealed: Sealed) -> None:
        self.path = path
        self.audit = audit
        self._file_key = file_key
        self._random = os.urandom
        self.header = sealed.header
        self.content = self._read_content(sealed)

    def __repr__(self) -> str:
        return f"KeyFile({str(self.path)!r}, generation {self.header.generation})"

    @classmethod
    def create(
        cls,
        path: Path,
        passphrases: Mapping[str, str],
        audit: AuditLog,
        actor: str,
        *,
        test: bool = False,
        roles: Mapping[str, tuple[str, ...]] | None = None,
        cost: Cost | None = None,
    ) -> KeyFile:
        """Make a new file.

        Parameters
        ----------
        passphrases : mapping
            Custodian → passphrase; two at least. Any two of them open the file.

        Raises
        ------
        UsageError
            The file exists, or the passphrases are too short or alike.
        """
        path = path.resolve()
        file_key = Secret(os.urandom(32))
        header = _make_header(passphrases, file_key, test=test, cost=cost or Cost())
        content = Content(roles=dict(roles or {}), log_key=Secret(os.urandom(_LOG_KEY)))
        with locked(path):
            if path.exists() or _counter_path(path).exists():
                raise UsageError(f"{path} exists already", hint="choose another name")
            sealed = soft_format.seal(header, file_key, content.to_bytes(), os.urandom)
            _seal(audit, header, content, check=False)
            audit.append(Entry(actor, "init", detail=f"{path.name} {header.id.hex()}"))
            create_private(path, sealed)
            _write_counter(path, header, sealed)
            _note_saved(audit, actor, header)
        return cls(path, audit, file_key, soft_format.parse(sealed, path.name))

    @classmethod
    def open(
        cls,
        path: Path,
        unlock: Unlock,
        audit: AuditLog,
        *,
        accept_older: bool = False,
        actor: str = "",
    ) -> KeyFile:
        """Open a file; check values of all keys are computed and compared.

        Parameters
        ----------
        actor : str
            Who opens it, for the log: wrong passphrases are on record.
        accept_older : bool
            Take an older state, after a restored backup: the custodians know what they do.

        Raises
        ------
        StoreDamagedError, StoreFormatError, PassphraseError, StoreAlteredError
            See `cardkit.keys.soft_format`.
        StoreDowngradeError
        AuditError
            The log has no seal of this store, or another (not with `accept_older`).
        CheckValueError
        SelfTestFailedError
            An algorithm does not compute its known answers: no store is opened.
        """
        path = path.resolve()
        GATE.open_store(audit)
        sealed = soft_format.parse(read_file(path), path.name)
        if not accept_older:
            _refuse_older(path, sealed.header, audit)
        try:
            file_key = unlock.file_key(sealed.header, path.name)
        except PassphraseError as error:
            _note_refused(audit, actor, error)
            raise
        file = cls(path, audit, file_key, sealed)
        try:
            _seal(audit, file.header, file.content, check=not accept_older)
        except BaseException:
            file.close()
            raise
        return file

    @property
    def test(self) -> bool:
        """Whether it is for test keys."""
        return self.header.test

    def file_key(self) -> Secret:
        """For an agent, which opens the file for others."""
        return self._file_key

    def close(self) -> None:
        """Overwrite the keys in memory."""
        self.content.wipe()
        self._file_key.wipe()

    @contextmanager
    def edit(self, actor: str, *, erase_old: bool = False) -> Iterator[Content]:
        """Change the content: read again under the lock, changed by the block, then saved.

        If the block raises, nothing is saved and memory is as it was.

        Raises
        ------
        BusyError
            Another process writes.
        """
        with locked(self.path):
            sealed = soft_format.parse(read_file(self.path), self.path.name)
            _refuse_older(self.path, sealed.header, self.audit)
            if sealed.header.pairs != self.header.pairs:
                raise UsageError(
                    f"the custodians of {self.path.name} have changed their passphrases",
                    hint="open it again",
                )
            self.header, fresh = sealed.header, self._read_content(sealed)
            try:
                yield fresh
                self._save(fresh, actor, erase_old=erase_old)
            except BaseException:
                fresh.wipe()
                raise
            self.content.wipe()
            self.content = fresh

    def change_passphrases(self, passphrases: Mapping[str, str], actor: str) -> None:
        """New custodians or passphrases, and a new file key."""
        before = self.header, self._file_key
        fresh = Secret(os.urandom(32))
        made = _make_header(
            passphrases, fresh, test=self.test, cost=self.header.cost, id_=self.header.id
        )
        try:
            with self.edit(actor, erase_old=True):
                self.header = replace(made, generation=self.header.generation)
                self._file_key = fresh
                self.audit.append(Entry(actor, "custodians", detail=", ".join(passphrases)))
        except BaseException:
            self.header, self._file_key = before
            raise
        before[1].wipe()

    def accept(self, actor: str) -> None:
        """Make this older state the newest; two custodians have opened it with `accept_older`."""
        try:
            known = _counted(self.path) or 0
        except StoreDowngradeError:
            known = 0
        known = max(known, _logged(self.audit, self.header) or 0)
        with locked(self.path):
            detail = f"generation {self.header.generation} in place of {known}"
            self.audit.append(Entry(actor, "accept-older", detail=detail))
            self.header = replace(self.header, generation=max(known, self.header.generation))
            self._save(self.content, actor, erase_old=False)

    def _save(self, content: Content, actor: str, *, erase_old: bool) -> None:
        if content.log_key is None:  # a store of an earlier version
            content.log_key = Secret(os.urandom(_LOG_KEY))
            _seal(self.audit, self.header, content, check=False)
        header = replace(self.header, generation=self.header.generation + 1)
        sealed = soft_format.seal(header, self._file_key, content.to_bytes(), self._random)
        write_private(self.path, sealed, erase_old=erase_old)
        # The file first: a crash in between leaves a file newer than its counter, which is fine.
        _write_counter(self.path, header, sealed)
        self.header = header
        _note_saved(self.audit, actor, header)

    def _read_content(self, sealed: Sealed) -> Content:
        raw = soft_format.unseal(sealed, self._file_key, self.path.name)
        try:
            content = Content.from_bytes(raw)
        except (ValueError, KeyError, TypeError):
            raise soft_format.StoreFormatError(
                f"{self.path.name} was written by another version", hint="use a newer cardkit"
            ) from None
        for place, secret in content.keys.items():
            record = content.records[place]
            if bulk.check_value(record.algorithm, secret.reveal()) != record.check_value:
                raise CheckValueError(f"the check value of {record} does not fit its key")
        return content


def _seal(audit: AuditLog, header: Header, content: Content, *, check: bool) -> None:
    if content.log_key is not None:
        audit.seal_with(Sealer(header.id.hex(), content.log_key.reveal()), check=check)


def _note_refused(audit: AuditLog, actor: str, error: PassphraseError) -> None:
    """Wrong passphrases are on record; what they are told does not depend on the log."""
    if audit.path.exists():  # one that is missed is not begun anew
        with suppress(CardkitError):
            audit.append(Entry(actor, OPEN, result=f"refused: {error.message}"))


def inspect(path: Path, audit: AuditLog) -> Header:
    """What a file says of itself in clear; it has to be whole, and not an older state.

    Parameters
    ----------
    audit : AuditLog
        Its log, which knows the newest generation too.

    Raises
    ------
    StoreDamagedError, StoreFormatError, StoreDowngradeError
    """
    path = path.resolve()
    header = soft_format.parse(read_file(path), path.name).header
    _refuse_older(path, header, audit)
    return header


def check_passphrases(passphrases: Mapping[str, str]) -> None:
    """Refuse what protects nothing.

    Raises
    ------
    UsageError
    """
    if len(passphrases) < 2:
        raise UsageError("a store has two custodians at least")
    for name, passphrase in passphrases.items():
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise UsageError(
                f"the passphrase of {name} is too short",
                hint=f"{SHORTEST_PASSPHRASE} characters at least; six random words are good",
            )
    if any(a == b for a, b in itertools.combinations(passphrases.values(), 2)):
        raise UsageError("two custodians have the same passphrase")


def _make_header(
    passphrases: Mapping[str, str],
    file_key: Secret,
    *,
    test: bool,
    cost: Cost,
    id_: bytes | None = None,
) -> Header:
    check_passphrases(passphrases)
    custodians = tuple(Custodian(name, os.urandom(16)) for name in passphrases)
    header = Header(id_ or os.urandom(16), 1, test, cost, custodians, ())
    secrets = [soft_format.stretch(passphrases[c.name], c.salt, header.cost) for c in custodians]
    pairs = soft_format.wrap_pairs(header, secrets, file_key, os.urandom)
    for secret in secrets:
        secret.wipe()
    return replace(header, pairs=pairs)


def read_file(path: Path) -> bytes:
    """Everything in a store file.

    Raises
    ------
    UsageError
        It cannot be read.
    StoreFormatError
        It is far too long.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"key store {path}: {error.strerror}",
            hint="check the path; `cardkit key init` makes one",
        ) from None
    if len(data) > _LARGEST:
        raise soft_format.StoreFormatError(f"{path.name} is no key store")
    return data


# --- the rollback counter ------------------------------------------------------------------------


def _counter_path(path: Path) -> Path:
    return path.with_name(path.name + ".counter")


def _write_counter(path: Path, header: Header, sealed: bytes) -> None:
    digest = hashlib.sha256(sealed).hexdigest()
    content = {"id": header.id.hex(), "generation": header.generation, "sha256": digest}
    write_private(_counter_path(path), json.dumps(content).encode("ascii") + b"\n")


def _note_saved(audit: AuditLog, actor: str, header: Header) -> None:
    audit.append(Entry(actor, SAVED, count=header.generation, detail=_saved(header)))


def _saved(header: Header) -> str:
    return f"{header.id.hex()} generation {header.generation}"


def _counted(path: Path) -> int | None:
    try:
        return int(json.loads(_counter_path(path).read_bytes())["generation"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        raise StoreDowngradeError(
            f"the rollback counter {_counter_path(path).name} is damaged",
            hint="restore it, or `cardkit key accept` if the store itself is the newest",
        ) from None


def _logged(audit: AuditLog, header: Header) -> int | None:
    """The newest generation of that store on record; others may write to the same log."""
    own = _saved(header).partition(" ")[0] + " "
    saved = (x.entry for x in audit.lines(SAVED) if x.entry.detail.startswith(own))
    return max((entry.count for entry in saved), default=None)


def _refuse_older(path: Path, header: Header, audit: AuditLog) -> None:
    # Both are asked: an older counter is as easily put back as an older store.
    known = max((_counted(path) or 0, _logged(audit, header) or 0))
    if not known:
        raise StoreDowngradeError(
            f"nothing tells whether {path.name} is its newest state: counter and log are gone",
            hint="restore them, or `cardkit key accept` if the custodians are sure",
        )
    if header.generation < known:
        raise _older(path, header, known)


def _older(path: Path, header: Header, known: int) -> StoreDowngradeError:
    return StoreDowngradeError(
        f"{path.name} is an older state (generation {header.generation} of {known})",
        hint="restore the newest; `cardkit key accept` takes the older one if that is lost",
    )
