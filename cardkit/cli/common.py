"""What the commands share: options, profile and registry, clock and operator.

Nothing heavy is imported before a function here is called.
"""

from __future__ import annotations

import datetime as dt
import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from cardkit.cli import places
from cardkit.cli.connect import Connection, open_reader
from cardkit.cli.output import Output
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.profile import Profile
    from cardkit.registry.registry import Registry

__all__ = [
    "Connection",
    "Output",
    "host_and_port",
    "image_option",
    "json_option",
    "lang_option",
    "load_profile",
    "now",
    "open_reader",
    "open_registry",
    "operator",
    "profile_option",
    "reader_option",
    "registry_option",
    "registry_url",
    "runtime_option",
    "today",
]

F = TypeVar("F", bound=Callable[..., Any])


class Decorator(Protocol):
    """Gives a command an option."""

    def __call__(self, command: F, /) -> F:
        """The same command, with the option."""


CHINA_HOURS = 8
"""Ahead of UTC: one time for the whole country, so the day on a card is known without a profile."""

PATH = click.Path(path_type=Path, dir_okay=False)
DIRECTORY = click.Path(path_type=Path, file_okay=False)


class ProfileName(click.types.StringParamType):
    """Name or path of a profile; whoever leaves it out is told which ones come with cardkit."""

    name = "NAME|FILE"

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002
        """What follows "Missing option '--profile'."."""
        from cardkit import profile  # noqa: PLC0415

        return f"Name a TOML file, or a shipped profile: {', '.join(profile.shipped())}"


class ReaderName(click.types.StringParamType):
    """Part of a reader's name; several in a variable are separated by semicolons."""

    name = "NAME"
    envvar_list_splitter = ";"


# --- options -------------------------------------------------------------------------------------


def profile_option(
    *, required: bool = False, default: str | None = None, text: str = ""
) -> Decorator:
    """``--profile`` (parameter ``profile``, a name or path; `load_profile` reads it)."""
    # click takes a default of None for a value: then nothing is missing any more.
    preset: dict[str, Any] = {} if default is None else {"default": default, "show_default": True}
    return click.option(
        "--profile",
        type=ProfileName(),
        metavar="NAME|FILE",
        envvar="CARDKIT_PROFILE",
        required=required,
        **preset,
        help=text or "Profile 配置: what differs by place and chip. A shipped one, or a TOML file.",
    )


def registry_option(*, text: str = "", default: bool = True) -> Decorator:
    """``--registry`` (parameter ``registry``; `open_registry` opens it).

    With ``default=False`` the help does not promise a default place.
    """
    place = " Default: registry.db in this user's data directory."
    return click.option(
        "--registry",
        metavar="URL|FILE",
        envvar="CARDKIT_REGISTRY",
        help=(text or "Registry 登记库: a file, or an SQLAlchemy URL.") + place * default,
    )


def reader_option(*, multiple: bool = False) -> Decorator:
    """``--reader`` (parameter ``reader``, or ``readers`` with ``multiple``)."""
    words = "Part of a PC/SC reader's name 读卡器, or 'virtual'."
    several = " Several: repeat it; in CARDKIT_READER, ';' between them."
    return click.option(
        "--reader",
        "readers" if multiple else "reader",
        type=ReaderName(),
        envvar="CARDKIT_READER",
        multiple=multiple,
        help=words + several * multiple,
    )


def image_option() -> Decorator:
    """``--image`` (parameter ``image``): a virtual card in this process instead of a reader."""
    return click.option(
        "--image",
        type=PATH,
        help="Work with the virtual card 虚拟卡 of this image file, without any reader.",
    )


def json_option() -> Decorator:
    """``--json`` (parameter ``as_json``)."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Exactly one JSON document on standard output."
    )


def lang_option(*, only_errors: bool = False) -> Decorator:
    """``--lang`` (parameter ``lang``): language of what operators read, errors included.

    With ``only_errors`` the command itself does not get the parameter.
    """
    return click.option(
        "--lang",
        type=click.Choice(["zh", "en"]),
        envvar="CARDKIT_LANG",
        default="zh",
        show_default=True,
        callback=_errors_in,
        expose_value=not only_errors,
        help="Language of what operators read 语言.",
    )


def _errors_in(ctx: click.Context, param: click.Parameter, lang: str) -> str:  # noqa: ARG001
    Output.language = lang
    return lang


def runtime_option() -> Decorator:
    """``--runtime-dir`` (parameter ``runtime_dir``): where the virtual reader service lives."""
    return click.option(
        "--runtime-dir",
        type=DIRECTORY,
        envvar="CARDKIT_RUNTIME_DIR",
        help="Where the virtual readers live. Default: /run/cardkit for root, else "
        "$XDG_RUNTIME_DIR/cardkit.",
    )


# --- profile, registry, clock -------------------------------------------------------------------


def load_profile(name: str) -> Profile:
    """The profile that ``--profile`` names; errors as `cardkit.profile.load`."""
    from cardkit import profile  # noqa: PLC0415

    return profile.load(name)


def now() -> dt.datetime:
    """The clock of this program, for everything that wants one passed in."""
    return dt.datetime.now(dt.UTC)


def today(profile: Profile | None = None) -> dt.date:
    """The calendar day at the profile's place; in China without one, wherever this machine is."""
    offset = CHINA_HOURS if profile is None else profile.region.utc_offset_hours
    return now().astimezone(dt.timezone(dt.timedelta(hours=offset))).date()


def operator() -> str:
    """Who is accountable 操作员: CARDKIT_OPERATOR, who called sudo, or the user's login name.

    Key files are their owner's alone (mode 0600), so people with logins of their own share them
    with `sudo -u OWNER`, which says by whom it was called and sets the login name to the owner's.
    """
    try:
        environ = os.environ
        return environ.get("CARDKIT_OPERATOR") or environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a user id without an entry
        return "unknown"


def registry_url(registry: str | None) -> str:
    """URL of the registry that ``--registry`` names; a plain path is a file of SQLite.

    Examples
    --------
    >>> registry_url("postgresql://window3@db/cards")
    'postgresql://window3@db/cards'
    >>> registry_url("/srv/cards/registry.db")
    'sqlite:////srv/cards/registry.db'

    Raises
    ------
    UsageError
        There is a password in it.
    """
    if registry is None:
        registry = str(places.data_directory() / "registry.db")
    if "://" in registry:
        _refuse_password(registry)
        return registry
    return f"sqlite:///{Path(registry).expanduser().absolute().as_posix()}"


def _refuse_password(url: str) -> None:
    """Refuse what every user of this computer could read in the list of processes."""
    server, _, question = url.partition("://")[2].partition("?")
    user = server.rpartition("@")[0].rpartition("/")[2]
    if ":" in user or any(part.startswith("password=") for part in question.split("&")):
        raise UsageError(
            "the password does not belong into the URL of a registry: other users can see it",
            hint="put it into PGPASSWORD or the password file of libpq (~/.pgpass)",
            zh="登记库地址中不能写密码，其他用户可以看到：请放入 PGPASSWORD 或密码文件 ~/.pgpass",
        )


def open_registry(
    registry: str | None, *, begins: bool = False, only_look: bool = False
) -> Registry:
    """Open the registry that ``--registry`` names; close it, or use it as a context manager.

    Parameters
    ----------
    registry : str or None
        URL, path, or None for the default place.
    begins : bool
        Make a new one where there is none, for the commands with which a registry begins. Any other
        would work in an empty one, and say nothing, when a path is wrong or the folder is another.
    only_look : bool
        One that cannot be written opens too.

    Raises
    ------
    UsageError
        There is none.
    RegistryError
        It cannot be used.
    """
    url = registry_url(registry)
    if not begins:
        refuse_missing(url)
    elif registry is None:
        places.make_private(places.data_directory())
    from cardkit.registry.registry import Registry  # noqa: PLC0415

    return Registry.open(url, clock=now, actor=operator(), only_look=only_look)


def refuse_missing(url: str) -> None:
    """Refuse the URL of a file that is not there.

    Raises
    ------
    UsageError
        It is not; a registry on a server says so itself.
    """
    file = _sqlite_file(url)
    if file is not None and _is_missing(file):
        raise UsageError(
            f"there is no registry at {file}",
            hint="another folder? name it with --registry; a new one begins with `cardkit issue`, "
            "`cardkit roster enrol` or `cardkit operator init`",
            zh=f"{file} 没有登记库：请核对所在目录，或用 --registry 指明；"
            "新登记库由 cardkit issue、cardkit roster enrol 或 cardkit operator init 建立",
        )


def _is_missing(file: Path) -> bool:
    try:
        return not file.exists()
    except PermissionError:
        return False  # opening it says what is in the way


def host_and_port(text: str, example: str) -> tuple[str, int]:
    """What ``--listen`` names.

    Raises
    ------
    UsageError
        It names no host and port; the hint is `example`.

    Examples
    --------
    >>> host_and_port("[::1]:8443", "127.0.0.1:8443")
    ('::1', 8443)
    """
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--listen {text!r}: HOST:PORT wanted", hint=example)
    return host.removeprefix("[").removesuffix("]"), int(port)


def _sqlite_file(url: str) -> Path | None:
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None
