"""What is on record of the keys in a token: a JSON file beside its settings.

A token knows nothing of policy. Its records hold no secret and are protected by nothing but the
file's permissions: whoever has the PIN can use the keys without this program anyway. A record that
does not fit its key (another check value) is refused by `cardkit.keys.guarded`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardkit.errors import UsageError
from cardkit.keys.locking import locked, write_private
from cardkit.keys.record import KeyRecord
from cardkit.keys.record_book import RecordBook, Signature, Standing, signature

FORMAT = "cardkit token records 1"

Records = dict[tuple[str, int], KeyRecord]


class TokenRecords:
    """The records of one token.

    Parameters
    ----------
    path : Path
        Need not exist: then there are none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Records:
        """All records, by name and version.

        Raises
        ------
        UsageError
            The file cannot be read or is something else.
        """
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise UsageError(f"{self.path}: not records of a token")
            records = [KeyRecord.from_json(fields) for fields in content["records"]]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UsageError(f"{self.path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(f"{self.path}: not records of a token") from None
        return {record.place: record for record in records}

    @contextmanager
    def edit(self) -> Iterator[Records]:
        """Change them: one writer at a time; written whole at the end, or not at all."""
        with locked(self.path):
            records = self.load()
            yield records
            fields = [records[place].to_json() for place in sorted(records)]
            text = json.dumps({"format": FORMAT, "records": fields}, ensure_ascii=False, indent=1)
            write_private(self.path, text.encode())

    def book(self) -> RecordBook:
        """The records for a running store, which sees what others do to them."""
        return RecordBook(Standing(self.load()), RecordsWatch(self))


class RecordsWatch:
    """Looks at a file of records; implements `cardkit.keys.record_book.Source`."""

    def __init__(self, records: TokenRecords) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._looked = False
        self._seen: Signature | None = None

    def look(self) -> Standing | None:
        """See `Source`.

        Raises
        ------
        UsageError
            The file cannot be read or is something else.
        """
        now = signature(self._records.path)
        if self._looked and now == self._seen:
            return None
        with self._lock:
            standing = Standing(self._records.load())
            self._looked, self._seen = True, now
        return standing

    def close(self) -> None:
        """See `Source`; nothing is held."""
