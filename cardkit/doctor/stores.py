"""Whether the keys are there, and whether the registry can be used."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from cardkit.doctor.finding import Finding, fail, ok, warn
from cardkit.doctor.tokens import check_key_service, check_token
from cardkit.errors import CardkitError
from cardkit.keys.audit import AuditLog
from cardkit.keys.open_remote import PKCS11, is_elsewhere, settings_path
from cardkit.keys.open_store import audit_path, is_soft, open_store, soft_path
from cardkit.keys.soft_file import inspect
from cardkit.profile import Profile, load

KEYS: Final = "keys"
REGISTRY: Final = "registry"

_LEAST_FREE: Final = 64 << 20  # bytes: some ten thousand cards with their history
_POSTGRES_PORT: Final = 5432
_TIMEOUT: Final = 3.0


def check_keys(profile: str) -> list[Finding]:
    """Open the key store of a profile (name or path); what it holds is named, never shown."""
    try:
        settings = load(profile)
        if is_elsewhere(settings.keys.store):
            local = settings.keys.store.startswith(PKCS11)
            return (check_token if local else check_key_service)(settings_path(settings))
        if is_soft(settings):
            return _soft(settings)
        names = open_store(settings).names()
    except CardkitError as error:
        return [fail(KEYS, error.message, error.hint)]
    if not names:
        return [fail(KEYS, f"profile {settings.name}: the store holds no key", "import keys")]
    message = f"profile {settings.name}: {len(names)} master keys"
    if settings.test:
        return [ok(KEYS, f"{message}, for TEST only")]
    return [ok(KEYS, message)]


def _soft(settings: Profile) -> list[Finding]:
    """An encrypted store and its log, as far as they can be judged without its custodians."""
    path = soft_path(settings)
    log = AuditLog(audit_path(path, settings.keys.audit, settings.folder), _no_clock)
    header = inspect(path, log)
    custodians = ", ".join(c.name for c in header.custodians)
    test = ", for TEST only" if header.test else ""
    whole = f"{path.name} is whole, generation {header.generation}, custodians {custodians}{test}"
    findings = [ok(KEYS, f"profile {settings.name}: {whole}")]
    verdict = log.verify()
    if verdict.intact:
        findings.append(
            ok(KEYS, f"the log {log.path.name} is intact, {verdict.head.sequence} entries")
        )
    else:
        remedy = "`cardkit key audit --verify`; restore the log before using keys"
        findings.append(fail(KEYS, f"the log {log.path.name}: {verdict.problem}", remedy))
    return findings


def _no_clock() -> dt.datetime:
    raise AssertionError("a log that is only read needs no clock")


def check_registry(url: str) -> list[Finding]:
    """See whether a registry can be reached and written, without making or changing one.

    Parameters
    ----------
    url : str
        SQLAlchemy URL. Password and user are never shown.
    """
    parts = urlsplit(url)
    kind = parts.scheme.partition("+")[0]
    if kind == "sqlite":
        return [_sqlite(Path(unquote(parts.path)[1:]) if parts.path else Path())]
    if kind == "postgresql":
        return [_server(parts.hostname or "localhost", parts.port or _POSTGRES_PORT)]
    return [fail(REGISTRY, f"registries of kind {kind!r} are not known", "name an SQLite file")]


def _sqlite(path: Path) -> Finding:
    if path == Path() or str(path) == ":memory:":
        return warn(REGISTRY, "the registry is in memory only", "give --registry a file")
    folder = _nearest_folder(path)
    if not os.access(folder, os.W_OK | os.X_OK):
        return fail(REGISTRY, f"{folder} cannot be written", "choose another place: --registry")
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE:
        return fail(REGISTRY, f"only {free >> 20} MiB are free in {folder}", "make room there")
    if not path.exists():
        return ok(REGISTRY, f"{path} will be made with the first card")
    return _file(path)


def _file(path: Path) -> Finding:
    if not os.access(path, os.R_OK | os.W_OK):
        return fail(REGISTRY, f"{path} cannot be written", f"who owns it? ls -l {path}")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return fail(REGISTRY, f"{path} is no registry: {error}", "choose another: --registry")
    return ok(REGISTRY, f"{path} can be read and written")


def _nearest_folder(path: Path) -> Path:
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    return folder


def _server(host: str, port: int) -> Finding:
    if find_spec("psycopg") is None:
        return fail(
            REGISTRY,
            "registries on PostgreSQL need psycopg, which cardkit does not bring",
            "pip install psycopg, or name an SQLite file with --registry",
        )
    try:
        socket.create_connection((host, port), _TIMEOUT).close()
    except OSError as error:
        reason = error.strerror or str(error)
        return fail(
            REGISTRY,
            f"the database server {host}:{port} cannot be reached: {reason}",
            "does it run, does the network let through?",
        )
    return ok(REGISTRY, f"the database server {host}:{port} answers")
