"""The command line's fixtures, for PSAMs."""

from tests.cli.conftest import _delivered, _own_place, images, run

__all__ = ["_delivered", "_own_place", "images", "run"]
