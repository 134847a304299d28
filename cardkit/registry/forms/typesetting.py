"""Typst, in one place: a template and data → a finished document.

Only the fonts of `cardkit.registry.fonts` are used, no network package is ever loaded, and no clock
is read: the same template and data give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardkit.errors import CardkitError
from cardkit.registry.errors import RegistryError
from cardkit.registry.fonts import (
    DIRECTORIES,
    FAMILIES,
    Style,
    Weight,
    face_index,
    find_font,
    missing_characters,
)

if TYPE_CHECKING:
    import typst

Form = Literal["pdf", "png", "svg"]
_LONG = 20_000  # characters of data: a list, whose PDF tags would be ten times the rest of it
TEMPLATES = Path(__file__).parent / "templates"

_STYLES: tuple[tuple[Style, Weight], ...] = (
    ("serif", "regular"),
    ("serif", "bold"),
    ("sans", "regular"),
    ("sans", "bold"),
)


class TypesettingError(CardkitError):
    """A template and its data do not fit: a bug of the template, no personal data in the text."""


class MissingGlyphError(RegistryError):
    """A name has a character no font on this computer can print."""

    code = "missing-glyph"

    def __init__(self, characters: str) -> None:
        self.characters = tuple(characters)
        named = "、".join(f"{char} U+{ord(char):04X}" for char in characters)
        super().__init__(
            f"no font here has {named}: nothing was printed",
            hint="install a font with them (Debian: fonts-noto-cjk of a newer release) "
            "or write the name by hand on an empty form",
            zh=f"本机字体没有这些字：{named}，未打印；请安装更新的字体，或在空白表上手写",
        )

    def details(self) -> dict[str, object]:
        """The code points."""
        return {"missing": [f"U+{ord(char):04X}" for char in self.characters]}


def require_characters(text: str, folders: Sequence[Path] = ()) -> None:
    """Refuse a text that would come out with holes, before anything is recorded or printed.

    Raises
    ------
    MissingGlyphError
        It names the characters.
    """
    file = find_font("serif", "regular", (*folders, *DIRECTORIES))
    visible = "".join(char for char in text if char >= " ")
    if missing := missing_characters(visible, file, face_index(file, FAMILIES["serif"])):
        raise MissingGlyphError(missing)


def typeset(
    template: str | Path,
    data: Mapping[str, Any],
    form: Form = "pdf",
    *,
    ppi: int = 150,
    page: int = 1,
    folders: Sequence[Path] = (),
) -> bytes:
    """Set a template with data.

    The template reads its data as ``#let data = json(bytes(sys.inputs.data))`` and the families of
    the fonts as ``sys.inputs.serif`` and ``sys.inputs.sans``, and sets
    ``#set text(font: (sys.inputs.serif, sys.inputs.sans), fallback: false)``.

    Parameters
    ----------
    template : str or Path
        Name of a shipped template (``receipt``), or the path of a ``.typ`` file, which sees the
        files of its own folder only.
    data : mapping
        What JSON can carry. Text is text: nothing in it is taken for markup.
    form : {'pdf', 'png', 'svg'}
        ``png`` and ``svg`` hold one page.
    ppi : int
        Dots an inch of a ``png``.
    page : int
        Which page of a ``png`` or ``svg`` that has several, from 1.
    folders : sequence of Path
        Where fonts are looked for first.

    Raises
    ------
    MissingGlyphError
        A character of the data is in no font; nothing was made.
    FontError
        The fonts are not installed.
    TypesettingError
        The template does not work with these data.

    Examples
    --------
    >>> typeset("blank", {"text": "王𠮷"})[:5]
    b'%PDF-'
    """
    import typst  # noqa: PLC0415 - 60 ms that only papers need

    path = template if isinstance(template, Path) else TEMPLATES / f"{template}.typ"
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    files = tuple(find_font(*style, (*folders, *DIRECTORIES)) for style in _STYLES)
    require_characters(text, folders)
    try:
        # one a document: a compiler in common would mix the data of two threads
        compiler = typst.Compiler(
            path,
            root=path.parent,
            font_paths=_fonts(files),
            sys_inputs={"data": text} | FAMILIES,
        )
        made = compiler.compile(
            format=form,
            ppi=ppi if form == "png" else None,
            timestamp=0,
            pdf_tags=len(text) < _LONG,
        )
    except typst.TypstError as error:
        # the message of typst may quote a value; the place in the template never does
        raise TypesettingError(
            f"the template {path.name} does not work with these data",
            hint=_place(error) or "please report this with the name of the form",
            zh=f"表单模板 {path.name} 与数据不符：请报告",
        ) from None
    if len(text) >= _LONG:
        _forget()
    if isinstance(made, list):
        return made[page - 1]
    return made or b""


def _place(error: typst.TypstError) -> str:
    """Line and column in the template, from a diagnostic."""
    arrow = next((line for line in error.diagnostic.splitlines() if "┌─" in line), "")
    return arrow.split("┌─")[-1].strip()


def _forget() -> None:
    """Let typst drop what it keeps of a long document.

    It keeps the work of its last ten compilations to do the next one faster: 80 MB for each list
    of 1,200 people. Nothing in its interface says to forget, but empty compilations push it out.
    """
    import typst  # noqa: PLC0415

    nothing = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False)
    for _ in range(11):
        typst.Compiler(b"", font_paths=nothing).compile(format="pdf")


@cache
def _fonts(files: tuple[Path, ...]) -> typst.Fonts:
    """Those fonts, and none that happen to be installed besides."""
    import typst  # noqa: PLC0415

    folders = list(dict.fromkeys(file.parent for file in files))
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
