"""``cardkit registry serve``: answers of the registry for other systems."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.output import Output
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.registry.inquiry.server import Tls

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@common.registry_option()
@common.profile_option(text="Profile 配置: which region this registry is of.", required=True)
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:8443", show_default=True,
    help="Where to listen 监听地址.",
)  # fmt: skip
@click.option("--cert", type=common.PATH, help="Own certificate 证书, PEM.")
@click.option("--key", "private", type=common.PATH, help="Its private key 私钥, PEM.")
@click.option(
    "--client-ca", type=common.PATH,
    help="Certificates that sign those of clients 客户端 CA, PEM; without, tokens only.",
)  # fmt: skip
@click.option(
    "--regions",
    type=common.PATH,
    help="TOML file of other regions 其他地区: questions about their cards are passed on.",
)
@click.option(
    "--plain-loopback", is_flag=True,
    help="HTTP without TLS, on a loopback address only: behind a proxy on this machine.",
)  # fmt: skip
@common.json_option()
def serve(
    registry: str | None, profile: str, listen: str, cert: Path | None, private: Path | None,
    client_ca: Path | None, regions: Path | None, *, plain_loopback: bool, as_json: bool,
) -> None:  # fmt: skip
    """Answer questions of other systems 信息查询接口 over HTTP, until Ctrl-C.

    Only clients of `cardkit registry client` get answers, and only the fields they have a right to.
    The OpenAPI document is at /openapi.json.
    """
    host, port = common.host_and_port(listen, "127.0.0.1:8443")
    tls = _tls(cert, private, client_ca)
    if tls is None and not (plain_loopback and host in _LOOPBACK):
        raise UsageError(
            "personal data do not go over a network in clear: --cert and --key are missing",
            hint="on 127.0.0.1, for trying out, --plain-loopback does without",
        )
    out = Output(as_json=as_json)
    own = common.load_profile(profile).region.city
    try:
        from cardkit.registry.inquiry import server  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            f"the inquiry interface needs {error.name}, which is not installed",
            hint="pip install 'cardkit[server]'",
        ) from None
    from cardkit.registry.inquiry.office import open_office  # noqa: PLC0415
    from cardkit.registry.inquiry.regions import Regions, load  # noqa: PLC0415

    known = Regions(own) if regions is None else load(own, regions)
    with common.open_registry(registry) as opened:
        taken = server.listen(host, port)
        url = f"http{'s' * (tls is not None)}://{host}:{taken.getsockname()[1]}"

        def started() -> None:
            out.document({"url": url, "region": own})
            out.line(f"inquiry interface 信息查询接口 of region {own}: {url}")
            out.note("running; Ctrl-C stops")

        server.serve(open_office(opened.books, known, time.monotonic), taken, tls, started)
    out.note("inquiry interface stopped")


def _tls(cert: Path | None, private: Path | None, client_ca: Path | None) -> Tls | None:
    if cert is None and private is None and client_ca is None:
        return None
    if cert is None or private is None:
        raise UsageError("--cert and --key belong together")
    for path in (cert, private, client_ca):
        if path is not None and not path.is_file():
            raise UsageError(f"{path}: no such file")
    from cardkit.registry.inquiry.server import Tls  # noqa: PLC0415

    return Tls(cert, private, client_ca)
