"""People with accounts; `office` is that of the lifecycle tests."""

from tests.registry.lifecycle.conftest import office

__all__ = ["office"]
