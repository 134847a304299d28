"""How keys are listed for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardkit.keys.record import KeyRecord

HEADINGS = (
    "KEY 密钥", "VER", "ALG", "STATE 状态", "CHECK 校验值", "LEVELS", "VALID 有效期", "USAGE 用途",
)  # fmt: skip


def row(record: KeyRecord) -> tuple[str, ...]:
    """One line of the table."""
    first = record.valid_from.isoformat() if record.valid_from else ""
    last = record.valid_until.isoformat() if record.valid_until else ""
    return (
        record.name,
        str(record.version),
        record.algorithm,
        record.state + (" TEST" if record.test else ""),
        str(record.check_value),
        str(record.levels),
        f"{first}..{last}" if first or last else "–",
        " ".join(sorted(record.usage)),
    )


def one_line(record: KeyRecord) -> str:
    """A key after something was done with it."""
    by = f", made by {record.made_by}" if record.made_by else ""
    by += f", approved by {record.approved_by}" if record.approved_by else ""
    return f"{record}: {record.state} ({record.origin}{by})"
