"""``cardkit intake photo ...``: photos checked, taken for an application, or imported in bulk."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardkit import wholefile
from cardkit.cli import common, desk
from cardkit.cli.intake_common import looked_at, worker, working_on
from cardkit.cli.output import Output, printable
from cardkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from cardkit.cli.roster_text import Language
    from cardkit.registry.intake.import_report import ImportReport

_SHOWN = 20


@click.group()
def photo() -> None:
    """Photos 照片 of the identity-card standard."""


@photo.command()
@click.argument("files", metavar="FILE...", type=common.PATH, nargs=-1, required=True)
@common.profile_option(required=True)
@click.option(
    "--chip-out", type=common.DIRECTORY, help="Write the photos for the chip into this folder."
)
@common.lang_option()
@common.json_option()
@click.pass_context
def check(
    ctx: click.Context,
    files: tuple[Path, ...],
    profile: str,
    chip_out: Path | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """Check photos 照片检查 against the standard; nothing is kept.

    Exit code 1 when one is not taken.
    """
    loaded = common.load_profile(profile)
    out = Output(as_json=as_json)
    results = []
    if chip_out is not None:
        _make_folder(chip_out)
    for file in files:
        verdict = looked_at(file, loaded)
        results.append({"file": str(file), **verdict.as_json()})
        name = printable(file.name)
        if verdict.prepared is not None:
            out.line(f"{name}: ok 合格 ({len(verdict.prepared.chip)} bytes for the chip 芯片)")
            if chip_out is not None:
                wholefile.write(chip_out / f"{file.stem}.chip.jpg", verdict.prepared.chip)
        for finding in verdict.findings:
            out.line(f"{name}: {finding.code}  {finding.text(lang)}")
    out.document(results)
    if not all(one["ok"] for one in results):
        ctx.exit(ExitCode.PARTIAL)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder {path} cannot be made: {error.strerror}", hint="name another place"
        ) from None


@click.command("add-photo")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@click.argument("file", type=common.PATH)
@common.profile_option(required=True)
@common.registry_option()
@desk.operator_option()
@common.lang_option()
@common.json_option()
@click.pass_context
def add_photo(
    ctx: click.Context,
    number: int,
    file: Path,
    profile: str,
    registry: str | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """Give application N the photo in FILE 采集照片; a photo it had before stays in the books."""
    loaded = common.load_profile(profile)
    out = Output(as_json=as_json)
    verdict = looked_at(file, loaded)
    if verdict.prepared is None:
        out.document({"application": number, **verdict.as_json()})
        for finding in verdict.findings:
            out.line(f"{finding.code}  {finding.text(lang)}")
        ctx.exit(ExitCode.PARTIAL)
    with common.open_registry(registry, only_look=True) as opened:
        _, books = worker(opened, ctx)
        taken = working_on(books, opened, ctx, loaded).add_photo(number, verdict.prepared)
    out.document({"application": number, "photo": taken, **verdict.as_json()})
    out.line(f"application 申请 {number}: photo 照片 {taken}")


@click.command("import-photos")
@click.argument("source", metavar="FOLDER|MANIFEST", type=click.Path(path_type=Path))
@common.profile_option(required=True)
@common.registry_option()
@desk.operator_option()
@click.option("--report", type=common.PATH, help="Write what became of each file 导入报告 (CSV).")
@common.lang_option()
@common.json_option()
@click.pass_context
def import_photos(
    ctx: click.Context,
    source: Path,
    profile: str,
    registry: str | None,
    report: Path | None,
    *,
    lang: Language,
    as_json: bool,
) -> None:
    """Take over many photos 批量导入照片.

    Files of a FOLDER are named after the citizen number, alone or with the name; a MANIFEST is a
    CSV file with the headings citizen_number and file. The same import again changes nothing.
    Exit code 1 when a file was not taken.
    """
    from cardkit.registry.intake import importing  # noqa: PLC0415
    from cardkit.registry.intake.photo import check_photo  # noqa: PLC0415

    loaded = common.load_profile(profile)
    files = importing.of_folder(source) if source.is_dir() else importing.of_manifest(source)
    out = Output(as_json=as_json)
    with common.open_registry(registry, only_look=True) as opened:
        _, books = worker(opened, ctx)
        room = importing.PhotoImport(
            books, partial(check_photo, rules=loaded.photo), most_bytes=loaded.photo.most_bytes
        )
        found = room.run(files, lambda done: out.note(f"{done} / {len(files)}"))
        missing = room.photos.missing()
    if report is not None:
        _make_folder(report.parent)
        wholefile.write(report, found.csv())
    _tell(out, found, missing, lang)
    if found.rejected:
        ctx.exit(ExitCode.PARTIAL)


def _tell(out: Output, found: ImportReport, missing: int, lang: Language) -> None:
    out.document(
        {
            "taken": found.taken,
            "same": found.same,
            "rejected": found.rejected,
            "counts": found.counts(),
            "without_photo": missing,
        }
    )
    bad = [line for line in found.lines if line.code not in ("taken", "same")]
    for line in bad[:_SHOWN]:
        out.line(f"{printable(line.file)}: {line.zh if lang == 'zh' else line.en}")
    if len(bad) > _SHOWN:
        out.line(f"... {len(bad) - _SHOWN} more 其余见报告 (--report)")
    out.line(
        f"{found.taken} taken 导入, {found.same} there already 已有, {found.rejected} not 未导入; "
        f"{missing} people without a photo 无照片"
    )
