"""People with accounts; `office` is that of the lifecycle tests."""

from tests.registry.lifecycle.conftest import _database, _file, office, offices

__all__ = ["_database", "_file", "office", "offices"]
