"""Write the next step of the registry's tables: what the code has and the last step has not.

    python tools/migration.py "what changes"

Alembic compares. It does not see that a condition of an index has changed; those are found here by
their text. Read the file that comes out before you keep it; docs/database.md says what to look at.
"""  # noqa: INP001 - a program, no package

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, create_engine

from cardkit.registry import migrations
from cardkit.registry.migrating import run_steps
from cardkit.registry.schema import metadata

VERSIONS = Path(migrations.__file__).parent / "versions"
INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
TEMPLATE = '''"""Layout {number}: {what}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{number:04d}"
down_revision = {before}


def upgrade() -> None:
    """From layout {earlier} to {number}."""
    {code}
'''


def main() -> None:
    """Write the file and say which."""
    earlier = len(list(VERSIONS.glob("layout_*.py")))
    with tempfile.TemporaryDirectory() as name:
        made, fresh = (create_engine(f"sqlite:///{name}/{n}.db") for n in (1, 2))
        with made.begin() as connection:
            run_steps(connection, 0, earlier)
        code = compared(made, metadata)
        metadata.create_all(fresh)
        code = [*changed_indexes(made, fresh), *code]
    number = earlier + 1
    what = " ".join(sys.argv[1:]) or "..."
    path = VERSIONS / f"layout_{number}.py"
    before = f'"{earlier:04d}"' if earlier else None
    assert not path.exists()  # noqa: S101
    path.write_text(
        TEMPLATE.format(
            number=number, earlier=earlier, what=what, before=before, code="\n    ".join(code)
        ),
        encoding="utf-8",
    )
    print(path)  # noqa: T201


def compared(engine: Engine, wanted: MetaData) -> list[str]:
    """Alembic's operations, as lines of code."""
    with engine.connect() as connection:
        script = produce_migrations(MigrationContext.configure(connection), wanted)
    assert script.upgrade_ops is not None  # noqa: S101
    lines = render_python_code(script.upgrade_ops).splitlines()
    return [line.removeprefix("    ") for line in lines if "###" not in line]


def changed_indexes(made: Engine, fresh: Engine) -> list[str]:
    """Indexes that both have, with another condition."""
    with made.connect() as one, fresh.connect() as other:
        before, after = _indexes(one), _indexes(other)
    return [
        line
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
        for line in (f'op.drop_index("{name}")', f'op.execute("""{after[name]}""")')
    ]


def _indexes(connection: Connection) -> dict[str, str]:
    return {row[0]: row[1] for row in connection.exec_driver_sql(INDEXES)}


if __name__ == "__main__":
    main()
