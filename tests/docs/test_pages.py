"""What the pages show and promise is there: commands, options, links, make targets, examples."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cardkit.cli.main import cli
from cardkit.registry.exchange.services import loss
from cardkit.registry.exchange.services.blacklist import REASONS
from tests.docs.sessions import ROOT, agrees, exchanges, run, session

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
WITH_SESSIONS = [page for page in PAGES if session(page.read_text(encoding="utf-8"))]
WITH_EXAMPLES = [page for page in PAGES if "\n>>> " in page.read_text(encoding="utf-8")]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


# --- commands and options ------------------------------------------------------------------------


def shown_commands(text: str) -> Iterator[list[str]]:
    """Every ``cardkit …`` in a fenced block or in `quotes`, as words.

    Where output is shown, only what follows a ``$``: readers and files begin with the word, too.
    """
    program = r"(?:sudo )?(?:\.venv/bin/)?cardkit ([^\n]*)"
    for language, block in FENCE.findall(text):
        begin = r"^\$ " if language in ("console", "text") else r"^(?:\$ )?"
        if language in ("", "console", "sh", "text"):
            for words in re.findall(begin + program, block, re.MULTILINE):
                yield shlex.split(words, comments=True)
    for words in re.findall(f"`{program.replace('*', '*?')}`", FENCE.sub("", text)):
        if not words.startswith(("trace 1", "test keys 1")):  # names of file formats
            yield shlex.split(words)


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words name, and the rest of them."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(click.Context(command), words[0])
        assert inner is not None, f"no command {words[0]!r}"
        command, words = inner, words[1:]
    return command, words


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_shown_exists_with_its_options(page: Path) -> None:
    for words in shown_commands(text_of(page)):
        command, rest = resolve(words)
        known = {flag for option in command.params for flag in option.opts} | {"--help", "-h"}
        used = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert used <= known, (words, used - known)


def test_a_wrong_option_would_be_noticed() -> None:
    (words,) = shown_commands("```sh\ncardkit issue FILE --profil test\n```")
    command, rest = resolve(words)
    assert "--profil" in rest
    assert not any("--profil" in option.opts for option in command.params)
    with pytest.raises(AssertionError, match="no command"):
        resolve(["rooster", "check"])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_shown_is_in_the_makefile(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    shown = set(re.findall(r"(?:^|`)make ([a-z]+)", text_of(page), re.MULTILINE))
    assert shown <= targets


def test_the_readme_has_its_two_commands_in_one_block() -> None:
    blocks = [block for _, block in FENCE.findall(text_of(ROOT / "README.md"))]
    assert any("make demo" in block and "make test" in block for block in blocks)


# --- links ---------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Anchors of the headings of a page, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path) if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(text_of(other)), target


def test_the_index_names_every_page() -> None:
    index = text_of(ROOT / "docs" / "README.md")
    missing = [p.name for p in (ROOT / "docs").glob("*.md") if f"({p.name})" not in index]
    assert missing == ["README.md"]


# --- sessions and examples -----------------------------------------------------------------------


@pytest.mark.parametrize("page", WITH_SESSIONS, ids=name_of)
def test_sessions_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    for exchange in session(text_of(page)):
        printed = run(exchange.command, tmp_path)
        assert agrees(exchange.shown, printed), (
            f"$ {exchange.command}\n{printed}\n\n"
            f"write it anew: python -m tests.docs.sessions {name_of(page)}"
        )


def test_a_session_that_differs_would_be_noticed() -> None:
    (one,) = exchanges("$ cardkit registry list\n1       A00000011    issued\n")
    assert one.command == "cardkit registry list"
    assert agrees(one.shown, "1       A00000011    issued")
    assert not agrees(one.shown, "1       A00000012    issued")
    assert agrees("a\n…\nc", "a\nb\nb\nc")
    assert not agrees("a\n…\nc", "a\nb\nb\nd")
    assert agrees("报告：o/report-20261122-061047.txt", "报告：o/report-20300101-000000.txt")


def test_readme_and_guide_have_sessions() -> None:
    names = {name_of(page) for page in WITH_SESSIONS}
    assert {"README.md", "README.zh-CN.md", "docs/getting-started.md"} <= names


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_examples_in_python_work(page: Path) -> None:
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted
    assert not result.failed


# --- codes ---------------------------------------------------------------------------------------


def test_every_code_that_a_service_writes_or_reads_is_explained() -> None:
    """A bank that gets `reason` 04 or sends `kind` 2 finds on the page what that is."""
    page = text_of(ROOT / "docs" / "exchange.md")
    told = r"^\| `([a-z-]+)`[^|]* \| `(?:kind|reason)` \| (.*) \|$"
    rows = dict(re.findall(told, page, re.MULTILINE))
    for name, codes in {"loss-report": loss.ACTIONS, "blacklist-full": REASONS.values()}.items():
        assert re.findall(r"`(\d+)`", rows[name]) == sorted(set(codes))
