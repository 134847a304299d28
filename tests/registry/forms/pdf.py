"""Just enough of PDF to see what a paper says and which fonts it carries."""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(?m)^(\d+) 0 obj\b(.*?)\bendobj$", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*)\r?\nendstream", re.DOTALL)
_TOKEN = re.compile(rb"/(f\d+) [\d.]+ Tf|([][(])")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class Pdf:
    """A file as typst writes it: no object streams, glyphs of two bytes."""

    def __init__(self, data: bytes) -> None:
        self.objects = {int(found[1]): found[2] for found in _OBJECT.finditer(data)}

    @property
    def pages(self) -> list[str]:
        """What stands on each page, without spaces and line ends."""
        kids = next(o for o in self.objects.values() if b"/Type/Pages" in o)
        numbers = re.findall(rb"(\d+) 0 R", kids[kids.index(b"/Kids") :])
        return [self._page(self.objects[int(number)]) for number in numbers]

    @property
    def fonts(self) -> dict[str, bool]:
        """Names of fonts, and whether each is embedded."""
        found = {}
        for content in self.objects.values():
            if b"/Type/FontDescriptor" in content:
                name = re.search(rb"/FontName/([^/<>\s]+)", content)
                assert name is not None
                found[name[1].decode()] = b"/FontFile" in content
        return found

    def _page(self, page: bytes) -> str:
        resources = self._follow(page, rb"/Resources")
        names = re.findall(rb"/(f\d+) (\d+) 0 R", self._follow(resources, rb"/Font"))
        maps = {name: self._map(int(number)) for name, number in names}
        content = re.search(rb"/Contents (\d+) 0 R", page)
        assert content is not None
        stream = self._stream(int(content[1]))
        text, at, shown = "", 0, False
        current: dict[int, str] = {}
        while found := _TOKEN.search(stream, at):
            at = found.end()
            if found[1]:
                current = maps[found[1]]
                continue
            if found[2] != b"(":
                shown = found[2] == b"["
                continue
            raw, at = _string(stream, at)
            if not shown and not stream[at : at + 4].lstrip().startswith(
                b"Tj"
            ):  # a language or a title
                continue
            codes = _ESCAPE.sub(_unescaped, raw)
            glyphs = zip(codes[::2], codes[1::2], strict=True)
            text += "".join(current[high << 8 | low] for high, low in glyphs)
        return re.sub(r"\s", "", text)

    def _follow(self, content: bytes, name: bytes) -> bytes:
        found = re.search(name + rb"\s*(?:(\d+) 0 R|(<<.*))", content, re.DOTALL)
        assert found is not None
        return self.objects[int(found[1])] if found[1] else found[2]

    def _stream(self, number: int) -> bytes:
        content = self.objects[number]
        found = _STREAM.search(content)
        assert found is not None
        return zlib.decompress(found[1]) if b"/FlateDecode" in content else found[1]

    def _map(self, number: int) -> dict[int, str]:
        found = re.search(rb"/ToUnicode (\d+) 0 R", self.objects[number])
        assert found is not None
        text = self._stream(int(found[1]))
        glyphs = {}
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", text, re.DOTALL):
            for glyph, value in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>", block):
                glyphs[int(glyph, 16)] = bytes.fromhex(value.decode()).decode("utf-16-be")
        return glyphs


def _string(stream: bytes, at: int) -> tuple[bytes, int]:
    """A string that begins at `at`, parentheses in pairs included, and where it ends."""
    start, depth = at, 1
    while depth:
        char = stream[at : at + 1]
        depth += (char == b"(") - (char == b")")
        at += 2 if char == b"\\" else 1
    return stream[start : at - 1], at


def _unescaped(found: re.Match[bytes]) -> bytes:
    body: bytes = found[1]
    return bytes([int(body, 8)]) if body.isdigit() else _LETTERS.get(body, body)
