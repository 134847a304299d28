"""How commands reach a key store: its file, two custodians or an agent, its audit log."""

from __future__ import annotations

import atexit
import functools
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardkit.cli import common
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.keys.audit import AuditLog
    from cardkit.keys.custody import Custody
    from cardkit.keys.open_store import OpenedStore
    from cardkit.keys.soft_file import KeyFile, Unlock
    from cardkit.profile import Profile

AGENT_VARIABLE = "CARDKIT_KEY_AGENT"
_LONGEST = 1024
_READABLE_BY_OTHERS = 0o077

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--store", type=common.PATH, envvar="CARDKIT_KEY_STORE", metavar="FILE",
        help="Encrypted key store 密钥库. Default: the one of --profile.",
    ),
    common.profile_option(text="Profile 配置 whose soft: store is meant."),
    click.option(
        "--log", "log", type=common.PATH, metavar="FILE",
        help="Audit log 审计日志. Default: beside the store, or where the profile says.",
    ),
)  # fmt: skip
_OPENING: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--custodian", "custodians", multiple=True, metavar="NAME",
        help="Which custodian 保管人 opens the store; twice. Default: its first two.",
    ),
    click.option(
        "--passphrase-file", "passphrase_files", type=common.PATH, multiple=True, metavar="FILE",
        help="Take a passphrase 口令 from the first line of this file; one a custodian.",
    ),
    click.option(
        "--passphrase-fd", "passphrase_fds", type=int, multiple=True, metavar="N",
        help="Take a passphrase 口令 from this open file descriptor; one a custodian.",
    ),
    click.option(
        "--agent", type=click.Path(path_type=Path), envvar=AGENT_VARIABLE, metavar="SOCKET",
        help="Have the store opened by a running key agent 密钥代理.",
    ),
)  # fmt: skip


@dataclass(slots=True)
class PassphraseSource:
    """Passphrases in the order in which they are asked for."""

    files: tuple[Path, ...] = ()
    descriptors: tuple[int, ...] = ()
    _lines: list[str] | None = field(default=None, repr=False)

    def ask(self, name: str) -> str:
        """The passphrase of a custodian."""
        if not self.files and not self.descriptors:
            return _prompted(f"Passphrase of custodian {name} 口令")
        if self._lines is None:
            self._lines = [_first_line(f) for f in self.files]
            self._lines += [_first_line(d) for d in self.descriptors]
        if not self._lines:
            raise UsageError(f"no passphrase is left for custodian {name}", hint="one for each")
        return self._lines.pop(0)

    def ask_new(self, name: str) -> str:
        """A new passphrase, typed twice at a terminal."""
        if self.files or self.descriptors:
            return self.ask(name)
        first = _prompted(f"New passphrase of custodian {name} 新口令")
        if _prompted(f"The same again, {name} 再输一次") != first:
            raise UsageError("the passphrases differ", hint="once more")
        return first


@dataclass(slots=True)
class KeyAccess:
    """The store that a command line means, and who opens it."""

    store: Path | None
    profile: str | None
    log: Path | None
    custodians: tuple[str, ...] = ()
    passphrase_files: tuple[Path, ...] = ()
    passphrase_fds: tuple[int, ...] = ()
    agent: Path | None = None

    @property
    def passphrases(self) -> PassphraseSource:
        """Where passphrases come from."""
        return PassphraseSource(self.passphrase_files, self.passphrase_fds)

    def path(self) -> Path:
        """The store.

        Raises
        ------
        UsageError
            None is named, or the profile's is of another kind.
        """
        if self.store is not None:
            return self.store
        if self.profile is not None:
            from cardkit.keys.open_store import is_soft, soft_path  # noqa: PLC0415

            profile = common.load_profile(self.profile)
            if is_soft(profile):
                return soft_path(profile)
            raise UsageError(
                f"profile {profile.name} has no encrypted store", hint='keys.store = "soft:FILE"'
            )
        raise UsageError("which store?", hint="name it with --store FILE or --profile")

    def audit(self) -> AuditLog:
        """The log of the store."""
        from cardkit.keys.audit import AuditLog  # noqa: PLC0415
        from cardkit.keys.open_store import audit_path  # noqa: PLC0415

        if self.log is not None:
            return AuditLog(self.log, common.now)
        if self.store is None and self.profile is not None:
            profile = common.load_profile(self.profile)
            place = audit_path(self.path(), profile.keys.audit, profile.folder)
            return AuditLog(place, common.now)
        return AuditLog(audit_path(self.path()), common.now)

    def unlock(self, *, in_person: bool = False) -> Unlock:
        """The agent, or two custodians; always these where they decide something in person."""
        from cardkit.keys.agent import AgentKey  # noqa: PLC0415
        from cardkit.keys.soft_file import Passphrases  # noqa: PLC0415

        given = self.passphrase_files or self.passphrase_fds
        if self.agent is not None and not given and not in_person:
            return AgentKey(self.agent)
        return Passphrases(self.passphrases.ask, self.custodians)

    @contextmanager
    def file(self, *, accept_older: bool = False, in_person: bool = False) -> Iterator[KeyFile]:
        """The open store; its keys are overwritten at the end."""
        from cardkit.keys.soft_file import KeyFile  # noqa: PLC0415

        unlock = self.unlock(in_person=in_person)
        opened = KeyFile.open(
            self.path(), unlock, self.audit(), accept_older=accept_older, actor=common.operator()
        )
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def custody(self, *, in_person: bool = False) -> Iterator[Custody]:
        """The open store and the operator who acts on it."""
        from cardkit.keys.custody import Custody  # noqa: PLC0415

        with self.file(in_person=in_person) as opened:
            yield Custody(opened, common.operator(), common.now)


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--store``, ``--profile``, ``--log``: parameter ``access``."""
    return _collected(command, _OPTIONS, ("store", "profile", "log"))


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and how the store is opened."""
    names = ("store", "profile", "log", "custodians", "passphrase_files", "passphrase_fds", "agent")
    return _collected(command, _OPTIONS + _OPENING, names)


def open_keys(profile: Profile, purpose: str) -> OpenedStore:
    """The store of a profile for a command that uses keys; counted uses are written at its end.

    An encrypted store is opened by the agent of CARDKIT_KEY_AGENT, or else by two custodians at the
    terminal.
    """
    from cardkit.keys.open_store import Access, is_soft, open_store, soft_path  # noqa: PLC0415

    if profile.keys.store.startswith(("pkcs11:", "remote:")):
        return _open_elsewhere(profile, purpose)
    if not is_soft(profile):
        return open_store(profile)
    path = soft_path(profile).resolve()
    if path in _opened:  # custodians are asked once
        return _opened[path]
    agent = os.environ.get(AGENT_VARIABLE)
    way = KeyAccess(None, None, None, agent=Path(agent) if agent else None)
    store = open_store(profile, Access(way.unlock(), common.now, common.operator(), purpose))
    _opened[path] = store
    _close_at_end(path, store)
    return store


def _close_at_end(path: Path, store: OpenedStore) -> None:
    """With the command, where what goes wrong is still told in one line; else with the process."""

    def close() -> None:
        _opened.pop(path, None)
        getattr(store, "close", lambda: None)()

    context = click.get_current_context(silent=True)
    if context is None:
        atexit.register(close)
    else:
        context.call_on_close(close)


_opened: dict[Path, OpenedStore] = {}


def _open_elsewhere(profile: Profile, purpose: str) -> OpenedStore:
    """A token or a key service; opened once."""
    from cardkit.cli.key_token import pin_of_settings  # noqa: PLC0415
    from cardkit.keys.open_remote import PKCS11, open_profile, settings_path  # noqa: PLC0415

    path = settings_path(profile).resolve()
    if path not in _opened:
        pin = pin_of_settings(path) if profile.keys.store.startswith(PKCS11) else None
        store = open_profile(profile, common.now, common.operator(), purpose=purpose, pin=pin)
        atexit.register(getattr(store, "close"))  # noqa: B009 - not part of `OpenedStore`
        _opened[path] = store
    return _opened[path]


def _collected(
    command: Callable[..., Any], options: tuple[Callable[[Any], Any], ...], names: tuple[str, ...]
) -> Callable[..., Any]:
    @functools.wraps(command)
    def collecting(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        access = KeyAccess(**{name: kwargs.pop(name) for name in names})
        return command(*args, access=access, **kwargs)

    decorated: Callable[..., Any] = collecting
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def hidden(prompt: str, source: Path | None = None) -> str:
    """A secret that is typed without echo, or the first line of a file."""
    return _first_line(source) if source is not None else _prompted(prompt)


def _prompted(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(
            "a passphrase or component is wanted and there is no terminal to ask at",
            hint="use a file, a file descriptor or an agent, never the command line",
        )
    answer: str = click.prompt(prompt, hide_input=True, err=True)
    return answer


def _first_line(source: Path | int) -> str:
    name = f"file descriptor {source}" if isinstance(source, int) else str(source)
    try:
        with open(source, encoding="utf-8") as file:  # noqa: PTH123 - or a descriptor
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & _READABLE_BY_OTHERS and os.name == "posix":
                click.echo(f"cardkit: others can read {name}; chmod 600 it", err=True)
            line = file.readline(_LONGEST).strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UsageError(f"{name}: {reason}") from None
    if not line:
        raise UsageError(f"{name}: its first line is empty")
    return line
