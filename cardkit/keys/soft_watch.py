"""Looks at the file of an open soft store: whether somebody has written it, and what stands there.

For that the file key stays in memory as long as the keys do.
"""

from __future__ import annotations

import threading
from pathlib import Path

from cardkit.errors import RefusedError
from cardkit.keys import soft_format
from cardkit.keys.record_book import Signature, Standing, signature
from cardkit.keys.secret import Secret, Unpicklable
from cardkit.keys.soft_content import Content
from cardkit.keys.soft_file import KeyFile, StoreDowngradeError, read_file

USE = "use"


class SoftWatch(Unpicklable):
    """Implements `cardkit.keys.record_book.Source`.

    Parameters
    ----------
    file : KeyFile
        Open; may be closed afterwards.
    """

    def __init__(self, file: KeyFile) -> None:
        self._path: Path = file.path
        self._header = file.header
        self._file_key = Secret(file.file_key().reveal())
        self._lock = threading.Lock()
        self._seen: Signature | None = None  # the first look reads the file

    def __repr__(self) -> str:
        return f"SoftWatch({self._path.name})"

    def look(self) -> Standing | None:
        """See `Source`.

        Raises
        ------
        StoreDamagedError, StoreAlteredError, UsageError
            The file is not what it was.
        StoreDowngradeError
            An older state was put in its place.
        """
        now = signature(self._path)
        if now is not None and now == self._seen:
            return None
        with self._lock:
            standing = self._read()
            self._seen = now
        return standing

    def close(self) -> None:
        """Overwrite the file key."""
        self._file_key.wipe()

    def _read(self) -> Standing:
        sealed = soft_format.parse(read_file(self._path), self._path.name)
        header = sealed.header
        if header.id != self._header.id or header.generation < self._header.generation:
            raise StoreDowngradeError(
                f"{self._path.name} was replaced by an older or another store",
                hint="no key is used; put the newest back and start again",
            )
        if header.pairs != self._header.pairs:
            raise RefusedError(
                f"the custodians of {self._path.name} have changed their passphrases",
                hint="start again, and open it with the new ones",
            )
        raw = soft_format.unseal(sealed, self._file_key, self._path.name)
        try:
            content = Content.from_bytes(raw)
        except (ValueError, KeyError, TypeError):
            raise soft_format.StoreFormatError(
                f"{self._path.name} was written by another version", hint="use a newer cardkit"
            ) from None
        content.wipe()
        self._header = header
        return Standing(content.records, content.roles.get(USE, ()))
