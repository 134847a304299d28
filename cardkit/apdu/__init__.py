"""Commands and responses (ISO 7816-4), the links that carry them, PC/SC readers, traces."""

from cardkit.apdu.command import Command
from cardkit.apdu.link import Link
from cardkit.apdu.response import Response, StatusError, StatusWord

__all__ = ["Command", "Link", "Response", "StatusError", "StatusWord"]
