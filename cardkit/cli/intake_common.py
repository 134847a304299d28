"""What the commands of ``cardkit intake`` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import desk
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.profile import Profile
    from cardkit.registry.books import Books
    from cardkit.registry.intake.applications import Applications
    from cardkit.registry.intake.photo import PhotoVerdict
    from cardkit.registry.operators import Operator
    from cardkit.registry.registry import Registry


def worker(
    registry: Registry, ctx: click.Context, action: str = "intake"
) -> tuple[Operator, Books]:
    """Who works here, and the books in this person's hands.

    Parameters
    ----------
    action : str
        What the history calls it when somebody without the role tries.

    Raises
    ------
    NotAllowedError
        Nobody is signed in, or somebody who only looks.
    """
    from cardkit.registry.attempts import attempted  # noqa: PLC0415
    from cardkit.registry.operators import NotAllowedError, Role  # noqa: PLC0415

    operator = desk.signed_in(registry, ctx)
    with attempted(registry.books, operator, action):
        if not operator.has(Role.WINDOW, Role.TOWNSHIP, Role.COUNTY):
            raise NotAllowedError(
                "role",
                "intake is for window, township and county",
                hint="sign in as somebody with one of these roles",
                zh="受理业务须由窗口、乡镇或县经办人员办理",
            )
    return operator, registry.books.by(operator.login)


def applications(registry: Registry, ctx: click.Context, profile: Profile) -> Applications:
    """The applications of a registry, for asking."""
    return working_on(registry.books, registry, ctx, profile)


def working_on(
    books: Books, registry: Registry, ctx: click.Context, profile: Profile
) -> Applications:
    """The applications of a registry in somebody's hands."""
    from cardkit.codec.text import TextRules  # noqa: PLC0415
    from cardkit.registry.intake.applications import Applications  # noqa: PLC0415

    life = desk.lifecycle_of(registry, ctx)
    text = TextRules(four_bytes=profile.text.four_byte_characters)
    return Applications(books, life, profile.intake, text, life.rules.kinds)


def looked_at(file: Path, profile: Profile) -> PhotoVerdict:
    """Check one photo file.

    Raises
    ------
    UsageError
        It cannot be read at all.
    """
    from cardkit.registry.intake.photo import check_photo  # noqa: PLC0415
    from cardkit.registry.intake.photo_file import read_photo  # noqa: PLC0415

    try:
        data = read_photo(file, profile.photo.most_bytes)
    except OSError as error:
        raise UsageError(
            f"a photo cannot be read: {error.strerror}",
            hint="name a file that is there",
            zh=f"照片文件不能读取：{error.strerror}",
        ) from None
    return check_photo(data, profile.photo) if isinstance(data, bytes) else data
