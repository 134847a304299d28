"""What may be said of a new key: options of ``generate``, ``import`` and ``ceremony begin``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import datetime as dt

    from cardkit.keys.custody import Wish

_DAY = click.DateTime(["%Y-%m-%d"])
USES = ("external", "internal", "seal", "load", "load-plain", "derive", "export", "wrap")
"""`cardkit.keys.record.Operation`, which is not imported for a help text."""

_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--version", type=click.IntRange(1, 99), metavar="N",
        help="Version 版本. Default: one more than the newest.",
    ),
    click.option(
        "--algorithm", type=click.Choice(["3des", "sm4", "aes", "ssf33"]), default="3des",
        show_default=True, help="Algorithm 算法; aes for transport keys; ssf33 is in PSAMs only.",
    ),
    click.option(
        "--usage", type=click.Choice(USES), multiple=True,
        help="What it may be used for 用途; repeat it. Default: what is usual for the name.",
    ),
    click.option(
        "--levels", type=click.IntRange(0, 3), metavar="N",
        help="Levels 分散级数 down to a card key: 3 ministry, 2 province, 1 city, 0 as it is.",
    ),
    click.option("--owner", default="", help="The body that answers for it 所有者."),
    click.option("--valid-from", type=_DAY, metavar="DAY", help="First day of validity 生效日."),
    click.option("--valid-until", type=_DAY, metavar="DAY", help="Last day of validity 失效日."),
)  # fmt: skip
_NAMES = ("version", "algorithm", "usage", "levels", "owner", "valid_from", "valid_until")


def wish_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Parameter ``wish``: a function from the name of the key to a `Wish`."""

    @functools.wraps(command)
    def collecting(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        said = {name: kwargs.pop(name) for name in _NAMES}
        return command(*args, wish=lambda name: _wish(name, **said), **kwargs)

    decorated: Callable[..., Any] = collecting
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


def _wish(
    name: str,
    *,
    version: int | None,
    algorithm: str,
    usage: tuple[str, ...],
    levels: int | None,
    owner: str,
    valid_from: dt.datetime | None,
    valid_until: dt.datetime | None,
) -> Wish:
    from cardkit.keys.custody import Wish  # noqa: PLC0415
    from cardkit.keys.record import Operation  # noqa: PLC0415

    return Wish(
        name, version, algorithm, frozenset(map(Operation, usage)) or None, levels, owner,
        valid_from.date() if valid_from else None, valid_until.date() if valid_until else None,
    )  # fmt: skip
