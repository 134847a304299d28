"""``cardkit key serve``: keys for other processes and other computers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.key_token import pin_of_settings, pin_of_token
from cardkit.cli.output import Output, printable
from cardkit.cli.virtual import stopped_by_signal
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.keys import KeyStore

_PURPOSE = "key service"


@click.command()
@click.option(
    "--store", metavar="NAME", required=True,
    help="pkcs11:FILE (settings of a token 密码机), or the store of a profile: profile:NAME.",
)  # fmt: skip
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:7411", show_default=True,
    help="Where to listen 监听地址.",
)  # fmt: skip
@click.option("--cert", type=common.PATH, required=True, help="Own certificate 证书, PEM.")
@click.option(
    "--key", "private", type=common.PATH, required=True, help="Its private key 私钥, PEM."
)
@click.option("--ca", type=common.PATH, required=True,
              help="Certificates that sign those of clients 客户端 CA, PEM.")  # fmt: skip
@click.option(
    "--access", type=common.PATH, required=True,
    help="Access file 权限: for each client (common name of its certificate) keys and operations.",
)  # fmt: skip
@click.option("--pin-file", type=common.PATH, help="PIN of the token, first line of a file.")
@click.option(
    "--pin-fd", "descriptor", type=int, metavar="N", help="The same from an open descriptor."
)
@click.option(
    "--plain-loading", multiple=True, metavar="ROLE",
    help="Role of a key that chips load in clear 明文装载, like MK; repeat it.",
)  # fmt: skip
@common.json_option()
def serve(
    store: str, listen: str, cert: Path, private: Path, ca: Path, access: Path,
    pin_file: Path | None, descriptor: int | None, plain_loading: tuple[str, ...],
    *, as_json: bool,
) -> None:  # fmt: skip
    """Answer key requests of other processes 密钥服务 over mutual TLS, until Ctrl-C.

    Keys stay here: clients get answers. Every use is in the audit log with the client's name, and
    whose service it went through; files of test keys have no log. The known answers of all
    algorithms are computed first; nothing is served if one is wrong.
    """
    from cardkit.keys.gate import GATE  # noqa: PLC0415
    from cardkit.keys.remote_access import AccessList  # noqa: PLC0415
    from cardkit.keys.remote_service import KeyService  # noqa: PLC0415
    from cardkit.keys.remote_settings import Credentials  # noqa: PLC0415

    GATE.require(full=True)
    host, port = common.host_and_port(listen, "127.0.0.1:7411")
    out = Output(as_json=as_json)
    clients = AccessList.from_file(access)
    pin = pin_of_token(pin_file, descriptor)
    if pin is None and store.startswith("pkcs11:"):
        pin = pin_of_settings(Path(store.removeprefix("pkcs11:")))
    stop = stopped_by_signal()
    store_for, close = _stores(store, pin, frozenset(plain_loading))
    try:
        with KeyService(
            store_for, Credentials(ca, cert, private), clients, host=host, port=port,
            notice=lambda line: out.note(printable(line)),
        ) as service:  # fmt: skip
            out.document({"host": host, "port": service.port})
            out.line(f"key service 密钥服务 on {host}:{service.port}")
            out.note("running; Ctrl-C stops")
            while not stop.wait(0.5):
                pass
    finally:
        close()
    out.note("key service stopped")


def _stores(
    name: str, pin: Callable[[], str] | None, plain_loading: frozenset[str]
) -> tuple[Callable[[str], KeyStore], Callable[[], None]]:
    """The store as each client sees it, and what closes it."""
    from cardkit.keys.open_remote import PKCS11, Token  # noqa: PLC0415

    if name.startswith(PKCS11):
        path = Path(name.removeprefix(PKCS11))
        token = Token.open(path, common.now, pin, plain_loading=plain_loading)
        token.store.names()  # a token that is not there, or a wrong PIN, is told now
        opened = token.guarded(common.operator(), _PURPOSE)
        return opened.for_client, opened.close
    if name.startswith("profile:"):
        from cardkit.cli.key_access import open_keys  # noqa: PLC0415
        from cardkit.keys.open_store import for_client  # noqa: PLC0415

        profile = common.load_profile(name.removeprefix("profile:"))
        store = open_keys(profile, _PURPOSE)
        return (lambda client: for_client(store, client)), lambda: None
    raise UsageError(f"--store {name!r}", hint="pkcs11:FILE, or profile:NAME")
