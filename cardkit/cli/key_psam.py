"""``cardkit key psam``: make virtual PSAMs from the key hierarchy, and see what one holds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit.cli import common
from cardkit.cli.key_access import open_keys
from cardkit.cli.key_roles import REASON, ROLE, TAKE, roles_of, show_clock, show_roles
from cardkit.cli.key_text import HEADINGS, one_line, row
from cardkit.cli.output import Output, table
from cardkit.cli.psam_link import psam_log, psam_options, psam_reader, psam_store
from cardkit.errors import UsageError

if TYPE_CHECKING:
    from cardkit.card.psam import MapEntry
    from cardkit.keys.audit import AuditLog
    from cardkit.keys.token_records import TokenRecords
    from cardkit.profile import Profile


@click.group()
def psam() -> None:
    """PSAM 安全存取模块: issuer keys in a chip beside the card reader."""


@psam.command()
@common.profile_option(required=True)
@click.option(
    "--level",
    type=click.Choice(["province", "city"]),
    help="Whose keys it holds 级别. Default: psam.level of the profile.",
)
@click.option("--image", type=common.PATH, required=True, help="Where the PSAM is kept.")
@click.option(
    "--keys",
    metavar="NAME,NAME...",
    default="",
    help="Keys of the card by name, UKSSSE or DF01.UK1. Default: all of the key map.",
)
@click.option(
    "--number", type=click.IntRange(1, 999999), default=1, show_default=True,
    help="Running number 编号: end of its serial and terminal number.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a PSAM that is in the file already.")
@common.json_option()
def make(
    profile: str,
    level: str | None,
    image: Path,
    keys: str,
    number: int,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Make a virtual PSAM 虚拟 PSAM with TEST keys.

    Keys of the ministry, the province or the city are derived from the profile's master keys, and
    loaded under the PSAM's master key as into a real one. The image holds them in clear.
    """
    from cardkit.virtual.psam_factory import make_psam  # noqa: PLC0415

    if image.exists() and not force:
        raise UsageError(f"{image} is there already", hint="another file, or --force")
    names = [name.strip() for name in keys.split(",") if name.strip()]
    loaded = common.load_profile(profile)
    store = open_keys(loaded, "PSAM")
    made = make_psam(loaded, level=level or "", names=names, number=number, store=store)
    made.save(image)
    out = Output(as_json=as_json)
    terminal, count = made.chip.terminal.hex(), len(made.chip.keys)
    used = level or loaded.psam.level
    out.document(
        {"image": str(image), "level": used, "terminal_number": terminal,
         "atr": made.atr.hex().upper(), "keys": count}
    )  # fmt: skip
    out.line(f"{image}: {used} PSAM, terminal number 终端机编号 {terminal}, {count} keys")
    out.note("test keys in clear: for tests only")


@psam.command()
@common.profile_option(required=True)
@psam_options
@common.json_option()
def show(profile: str, psam: str | None, psam_image: Path | None, *, as_json: bool) -> None:
    """Show which keys of the profile's key map a PSAM holds 查看.

    Every key is asked for by usage byte and id; no value is shown, PSAMs do not give any. That is
    on record in the log of the PSAM, like every use of its keys.
    """
    from cardkit.keys.open_psam import environment_of, key_map  # noqa: PLC0415

    loaded = common.load_profile(profile)
    reader = psam_reader(psam, psam_image)
    with ExitStack() as stack:
        store = psam_store(stack, loaded, reader, psam_image, "show")
        if store is None:
            raise UsageError("no PSAM is named", hint="--psam NAME, or --psam-image FILE")
        terminal = store.terminal_number()
        held = store.held([entry.name for entry in key_map(loaded)])
    found = [(entry, entry.name in held) for entry in key_map(loaded)]
    environment = environment_of(loaded)
    out = Output(as_json=as_json)
    out.document(
        {
            "terminal_number": terminal,
            "environment": str(environment),
            "keys": {e.name: str(e.place) for e, there in found if there},
            "missing": [e.name for e, there in found if not there],
        }
    )
    out.line(f"terminal number 终端机编号 {terminal}, environment {environment}")
    out.lines(table(_rows(found)))


def _rows(found: Sequence[tuple[MapEntry, bool]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("key", "KID", "usage id", "levels", "opens", "in the PSAM")]
    for entry, there in found:
        kid = "" if entry.kid is None else f"{entry.kid:02X}"
        rows.append(
            (entry.name, kid, str(entry.place), str(entry.place.levels), " ".join(entry.files),
             "yes" if there else "no")
        )  # fmt: skip
    return rows


# --- the manifest ---------------------------------------------------------------------------------


@psam.command()
@common.profile_option(required=True)
@ROLE
@common.json_option()
def manifest(profile: str, given: tuple[str, ...], *, as_json: bool) -> None:
    """Write the manifest 清单 of the PSAM that the profile names, or show it.

    It says state, validity and usage of every key of the key map, which a PSAM does not tell, and
    who has which role; psam.records of the profile says where it lies. Check values: a PSAM gives
    none. `psam roles` changes the roles of a manifest that is there.
    """
    from cardkit.keys import psam_records  # noqa: PLC0415
    from cardkit.keys.open_psam import environment_of, key_map  # noqa: PLC0415

    loaded = common.load_profile(profile)
    there = _manifest(loaded)
    if given and there.path.exists():
        raise UsageError(f"{there.path} is there already", hint="`key psam roles` gives roles")
    roles_of(given)
    if not there.path.exists():
        records = psam_records.of_map(
            key_map(loaded), environment_of(loaded), loaded.psam.version, test=loaded.test
        )
        psam_records.write_manifest(
            there, records, _log(loaded), common.operator(), roles_of(given)
        )
    out = Output(as_json=as_json)
    shown = [record for _, record in sorted(there.load().items())]
    out.document([record.to_json() for record in shown])
    out.lines(table([row(record) for record in shown], HEADINGS))


@psam.command()
@common.profile_option(required=True)
@ROLE
@TAKE
@common.json_option()
def roles(profile: str, given: tuple[str, ...], take: tuple[str, ...], *, as_json: bool) -> None:
    """Show who has which role 职责 in the manifest of a PSAM, give and take them.

    While nobody has one, whoever can write the manifest gives the first ones, approve among
    them; afterwards that is for the role approve.
    """
    loaded = common.load_profile(profile)
    there = _manifest(loaded, must_exist=True)
    if given or take:
        there.change_roles(roles_of(take), roles_of(given), _log(loaded), common.operator())
    show_roles(there.roles(), as_json=as_json)


@psam.command("accept-clock")
@common.profile_option(required=True)
@REASON
def accept_clock(profile: str, reason: str) -> None:
    """Say that the clock is right now, and was set forward before 认可时钟; role approve."""
    from cardkit.keys import psam_records  # noqa: PLC0415

    loaded = common.load_profile(profile)
    there = _manifest(loaded, must_exist=True)
    show_clock(psam_records.accept_clock(there, _log(loaded), common.operator(), reason))


def _change(action: str, summary: str) -> None:
    @psam.command(action, help=summary)
    @common.profile_option(required=True)
    @click.argument("name")
    @click.option("--version", type=click.IntRange(1, 99), metavar="N", help="Default: the newest.")
    @common.json_option()
    def change(profile: str, name: str, version: int | None, *, as_json: bool) -> None:
        from cardkit.keys import psam_records  # noqa: PLC0415

        loaded = common.load_profile(profile)
        changed = psam_records.change(
            _manifest(loaded), _log(loaded), common.operator(), action, name, version
        )
        out = Output(as_json=as_json)
        out.document(changed.to_json())
        out.line(one_line(changed))


for _action, _summary in (
    ("suspend", "Stop the use of a PSAM key for now 暂停, in the manifest of the profile."),
    ("resume", "Use a suspended PSAM key again 恢复."),
    ("retire", "Use a PSAM key for cards that exist only 停用."),
):
    _change(_action, _summary)


def _manifest(profile: Profile, *, must_exist: bool = False) -> TokenRecords:
    from cardkit.keys.open_psam import manifest_of  # noqa: PLC0415
    from cardkit.keys.token_records import TokenRecords  # noqa: PLC0415

    if not profile.psam.records:
        raise UsageError(
            f"profile {profile.name} names no manifest", hint='psam.records = "window.records"'
        )
    if must_exist:
        manifest_of(profile)
    return TokenRecords(profile.folder / profile.psam.records)


def _log(profile: Profile) -> AuditLog:
    from cardkit.keys.audit import AuditLog  # noqa: PLC0415
    from cardkit.keys.open_psam import audit_path  # noqa: PLC0415

    return AuditLog(audit_path(profile, psam_log(None)), common.now)
