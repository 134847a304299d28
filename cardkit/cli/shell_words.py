"""Access conditions in words."""

from __future__ import annotations

from cardkit.card.files.model import Access, DirectoryFile, File, Level


def access_words(directory: DirectoryFile, file: File) -> str:
    """What opens a file for reading and for updating.

    Examples
    --------
    >>> from cardkit.card.files import GENERATION_2
    >>> df03 = GENERATION_2.directory("DF03")
    >>> access_words(df03, df03.file("EF05"))
    'read PIN and RK1, update UK1'
    """
    reading, updating = _words(directory, file.read), _words(directory, file.update)
    return f"read {reading}, update {updating}"


def _words(directory: DirectoryFile, access: Access) -> str:
    if access.free:
        return "free"
    parent = "PIN" if access.parent == Level.PIN else ""
    own = next((slot.name for slot in directory.keys if slot.level == access.own), "")
    words = [word for word in (parent, own) if word]
    return (" and " if access.both else " or ").join(words) or "never"
