"""One key, in each kind of store, with its log, its clock, and somebody else who changes it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cardkit.apdu import Link
from cardkit.apdu.link import chain
from cardkit.card.key_request import External
from cardkit.card.psam import DES
from cardkit.keys import Factors, KeyStore, psam_records
from cardkit.keys.audit import AuditLog
from cardkit.keys.custody import Wish
from cardkit.keys.open_psam import PsamAccess, key_map, open_psam
from cardkit.keys.open_remote import Token
from cardkit.keys.open_store import Access, factors_above, guarded
from cardkit.keys.remote_access import AccessList
from cardkit.keys.remote_service import KeyService
from cardkit.keys.remote_settings import ServiceAddress
from cardkit.keys.remote_tls import connect_to
from cardkit.keys.soft_file import Passphrases
from cardkit.keys.token_custody import TokenCustody
from cardkit.keys.token_records import TokenRecords
from cardkit.profile import load
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam_factory import make_psam
from tests.certificates import make_authority
from tests.keys.conftest import PASSPHRASES, ROLES, Clock, Vault
from tests.tokens import PIN, make_token

NAME = "SSSE.UKSSSE"
LAST_DAY = dt.date(2026, 11, 30)
PROFILE = load("test")
FACTORS = Factors(factors_above(PROFILE), bytes(range(16)))
REQUEST = External(NAME, bytes(8), bytes(8))
ACCESS = f'[clients."window-3"]\nkeys = ["{NAME}"]\noperations = ["external", "internal"]\n'


@dataclass
class Place:
    """A store with the key, valid to `LAST_DAY`, in use.

    Parameters
    ----------
    store : KeyStore
    clock : Clock
        Its.
    audit : AuditLog
        Where its uses are on record.
    actor, purpose : str
        Who and what for, in the log.
    change : callable
        Has another process change the state of the key.
    leave, come_back : callable
        The device, the service or the file goes away, and comes back.
    """

    store: KeyStore
    clock: Clock
    audit: AuditLog
    actor: str
    purpose: str
    change: Callable[[str], object]
    leave: Callable[[], object]
    come_back: Callable[[], object]

    def entries(self) -> list[tuple[str, int, str]]:
        """What is on record: action, count, result."""
        lines = [line.entry for line in self.audit.lines()]
        return [(e.action, e.count, e.result) for e in lines if e.actor == self.actor]


@contextmanager
def soft(vault: Vault, folder: Path) -> Iterator[Place]:  # noqa: ARG001
    """An encrypted file."""
    vault.as_("gu").generate(Wish(NAME, valid_until=LAST_DAY))
    vault.as_("shen").change("approve", NAME)
    access = Access(Passphrases(PASSPHRASES.__getitem__), vault.clock, "clerk", "issue")
    aside = vault.path.with_name("aside")
    with guarded(vault.open(), access) as store:
        yield Place(
            store, vault.clock, vault.audit, "clerk", "issue",
            lambda action: vault.as_("shen").change(action, NAME),
            lambda: vault.path.rename(aside), lambda: aside.rename(vault.path),
        )  # fmt: skip


@contextmanager
def token(vault: Vault, folder: Path) -> Iterator[Place]:
    """A PKCS#11 token."""
    made = make_token(folder / "softhsm")
    settings = folder / "token.toml"
    settings.write_text(f'module = "{made.settings.module}"\ntoken = "cards"\ntest = true\n')
    opened = Token.open(settings, vault.clock, lambda: PIN)

    def act(actor: str) -> TokenCustody:
        return TokenCustody(opened.store, opened.records, opened.audit, actor, test=True)

    act("boss").change_roles({}, ROLES)
    act("gu").generate(Wish(NAME, valid_until=LAST_DAY))
    act("shen").change("approve", NAME)
    with opened.guarded("clerk", "issue") as store:
        yield Place(
            store, vault.clock, opened.audit, "clerk", "issue",
            lambda action: act("shen").change(action, NAME), made.pull, made.put_back,
        )  # fmt: skip


@contextmanager
def psam(vault: Vault, folder: Path) -> Iterator[Place]:
    """A PSAM with a manifest."""
    chip = make_psam(PROFILE)

    def connect() -> Link:
        chip.power_on()
        return chain(VirtualLink(chip))

    section = dataclasses.replace(PROFILE.psam, records="window.records")
    profile = dataclasses.replace(PROFILE, psam=section, folder=folder)
    access = PsamAccess(folder / "psam.audit", vault.clock, "clerk", "issue")
    audit = AuditLog(access.audit, vault.clock)
    manifest = TokenRecords(folder / "window.records")
    all_keys = psam_records.of_map(key_map(profile), DES, 1, test=True)
    records = {p: dataclasses.replace(r, valid_until=LAST_DAY) for p, r in all_keys.items()}
    psam_records.write_manifest(manifest, records, audit, "boss", ROLES)
    with open_psam(profile, connect, access) as store:
        yield Place(
            store, vault.clock, audit, "clerk", "issue",
            lambda action: psam_records.change(manifest, audit, "shen", action, NAME),
            chip.remove, chip.insert,
        )  # fmt: skip


@contextmanager
def remote(vault: Vault, folder: Path) -> Iterator[Place]:
    """An encrypted file behind a key service."""
    authority = make_authority(folder / "ca")
    (folder / "access.toml").write_text(ACCESS)
    access = AccessList.from_file(folder / "access.toml")
    running: list[KeyService] = []
    with soft(vault, folder) as behind:

        def start(port: int = 0) -> int:
            service = KeyService(
                behind.store.for_client,  # type: ignore[attr-defined]
                authority.issue("service"), access, port=port,
            )  # fmt: skip
            running.append(service.__enter__())
            return service.port

        port = start()
        client = ServiceAddress("127.0.0.1", port, authority.issue("window-3"), 10.0)
        try:
            with connect_to(client) as store:
                yield Place(
                    store, behind.clock, behind.audit, "window-3", "issue of clerk", behind.change,
                    lambda: running.pop().__exit__(), lambda: start(port),
                )  # fmt: skip
        finally:
            for service in running:
                service.__exit__()


STORES = {"soft": soft, "pkcs11": token, "psam": psam, "remote": remote}
