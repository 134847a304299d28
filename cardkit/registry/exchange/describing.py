"""Layouts as tables for people: docs/exchange.md is made with this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cardkit.registry.exchange.layout import LINE_ENDS, Field, Layout


def pages(layouts: Mapping[str, Layout]) -> str:
    """Every layout as Markdown, by name."""
    return "\n".join(line for name in sorted(layouts) for line in _page(layouts[name]))


def _page(layout: Layout) -> Iterator[str]:
    end = next(name for name, sign in LINE_ENDS.items() if sign == layout.line_end)
    yield f"### `{layout.name}` {layout.title}"
    yield ""
    named = f"named `{layout.file_name}`"
    if layout.answers:
        named += f"; answers `{layout.answers}`"
    yield f"{layout.direction}; {layout.encoding}, {_shape(layout)}, {end}; {named}"
    yield ""
    yield "| line | field | | kind | bytes | |"
    yield "|---|---|---|---|---|---|"
    parts = (("header", layout.header), ("row", layout.fields), ("trailer", layout.trailer))
    for part, fields in parts:
        for field in fields:
            cells = (part, f"`{field.name}`", field.title, kind(field), str(field.width))
            yield f"| {' | '.join(cells)} | {remarks(layout, field, quote='`')} |"
    yield ""
    if layout.results:
        yield "| result | means | |"
        yield "|---|---|---|"
        for result in layout.results.values():
            yield f"| {result.code} | {result.means} | {result.text} |"
        yield ""


def _shape(layout: Layout) -> str:
    if layout.xml:
        return f"XML, a `{'/'.join(layout.xml.rows)}` for each row"
    return f"`{layout.separator}` between fields" if layout.separator else "fixed columns"


def kind(field: Field) -> str:
    """Its kind, of money with the unit."""
    return f"{field.kind}, {field.unit}" if field.kind == "money" else field.kind


def remarks(layout: Layout, field: Field, quote: str = "") -> str:
    """What else a field is, in words; in XML its element first."""
    found = [f"{quote}<{field.element}>{quote}"] if layout.xml else []
    found += [word for word, on in (("required", field.required), ("key", field.key)) if on]
    found += [field.holds] if field.holds else []
    found += [f"always {field.constant}"] if field.constant else []
    found += [f"must be the {field.must_be}"] if field.must_be else []
    found += [f"check character of a {field.check}"] if field.check else []
    found += [f"one of {' '.join(field.values)}"] if field.values else []
    return ", ".join(found)
