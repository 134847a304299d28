"""The loop behind ``cardkit card shell``: one line, one command, one answer."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from cardkit.apdu import Command, Response
from cardkit.apdu.link import LinkLostError
from cardkit.card.files.model import DirectoryFile, File, InternalFile
from cardkit.card.procedures.read import FileContent, read_content
from cardkit.cli.card_apdu import exit_code, parse_hex
from cardkit.cli.card_text import file_title, for_people, rows_of
from cardkit.cli.output import printable, table
from cardkit.cli.pins import PinSource
from cardkit.cli.session import NoKeys, Session
from cardkit.cli.shell_words import access_words
from cardkit.errors import CardkitError, ExitCode, UsageError

_SELECT = 0xA4
_HEX = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class Word:
    """A command of the shell: what it takes, what it does, and the method that does it."""

    arguments: str
    text: str
    act: Callable[[Shell, list[str]], None]


class Shell:
    """A conversation with one card.

    Parameters
    ----------
    session : Session
        The card.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._card = session.card
        self._worst = int(ExitCode.DONE)

    def run(self, source: Callable[[str], Iterator[str]]) -> int:
        """Obey until the end of the input; returns the worst exit code of all commands.

        Parameters
        ----------
        source : callable
            Gives lines for a prompt.

        Raises
        ------
        LinkLostError
            The card has gone.
        """
        while True:
            line = next(source(self._prompt()), None)
            words = _split(line) if line is not None else ["quit"]
            if words and words[0] in ("quit", "exit"):
                return self._worst
            if words:
                self._obey(words)

    def _prompt(self) -> str:
        return f"cardkit {self._card.selected.label}> " if self._card.selected else "cardkit> "

    def _obey(self, words: list[str]) -> None:
        try:
            self._dispatch(words)
        except LinkLostError:
            raise
        except CardkitError as error:
            self._worst = max(self._worst, int(error.exit_code))
            click.echo(f"  {printable(error.message)}")
            if error.hint:
                click.echo(f"  → {printable(error.hint)}")

    def _dispatch(self, words: list[str]) -> None:
        word = WORDS.get(words[0].lower())
        if word is not None:
            word.act(self, words[1:])
        elif _HEX.issuperset("".join(words)):
            self.apdu(words)
        else:
            raise UsageError(f"no such command: {words[0]}", hint="`help` lists them")

    # --- what can be said ------------------------------------------------------------------------

    def help(self, arguments: list[str]) -> None:  # noqa: ARG002
        """List the commands."""
        rows = [(f"{name} {word.arguments}".rstrip(), word.text) for name, word in WORDS.items()]
        _show(table([*rows, ("quit", "end; so does the end of input")]))

    def info(self, arguments: list[str]) -> None:  # noqa: ARG002
        """Tell what is known of the card."""
        card = self._card
        selected = card.selected
        levels = sorted(card.levels(selected)) if selected else []
        profile = self._session.profile
        rows = [
            ("reader 读卡器", self._session.reader),
            ("ATR", card.atr.hex().upper()),
            ("profile 配置", profile.name if profile else "none: no keys"),
            ("selected 当前", f"{selected.label} {selected.chinese}" if selected else "unknown"),
            ("opened levels 已认证", ", ".join(f"{level:02X}" for level in levels) or "none"),
        ]
        _show(table(rows))

    def tree(self, arguments: list[str]) -> None:  # noqa: ARG002
        """Show directories, files and what opens them; * where it is open now."""
        for directory in self._card.tree.directories:
            click.echo(f"{directory.label} {directory.chinese}  {directory.aid.hex().upper()}")
            rows = [
                (self._mark(directory, file), file_title(file), access_words(directory, file))
                for file in directory.files
                if not isinstance(file, InternalFile)
            ]
            _show(table(rows))

    def _mark(self, directory: DirectoryFile, file: File) -> str:
        return "*" if self._card.may(file.read, directory) else ""

    def select(self, arguments: list[str]) -> None:
        """Select a directory by label or name, or a file by label or identifier."""
        self._send(self._selection(_only(arguments, "SSSE, EF05, DF01, or hex")))

    def _selection(self, what: str) -> bytes:
        label = what.upper()
        for directory in self._card.tree.directories:
            if directory.label == label:
                return Command(0x00, _SELECT, 0x04, 0x00, directory.aid, 256).to_bytes()
        data = _identifier(what)
        if len(data) > 2:
            return Command(0x00, _SELECT, 0x04, 0x00, data, 256).to_bytes()
        under = 0x02 if label.startswith("EF") else 0x00
        return Command(0x00, _SELECT, under, 0x00, data, 256).to_bytes()

    def read(self, arguments: list[str]) -> None:
        """Read files or items of the selected directory, or of the one that is named."""
        directory = self._card.selected
        if not arguments:
            if directory is None:
                raise UsageError("nothing is selected", hint="select SSSE, or: read SSSE.EF05")
            arguments = [f.label for f in directory.files if self._card.may(f.read, directory)]
        for address in arguments:
            self._read_one(address.upper())

    def _read_one(self, address: str) -> None:
        tree = self._card.tree
        known = {d.label for d in tree.directories}
        if address.partition(".")[0] not in known and self._card.selected is not None:
            address = f"{self._card.selected.label}.{address}"
        label, _, rest = address.partition(".")
        if address in tree.addresses:
            field = tree.find(address)
            value = self._session.run(self._card.read(field))
            _show(table([(address, field.target.chinese, for_people(field.target, value))]))
            return
        directory = tree.directory(label) if label in known else None
        file = next((f for f in directory.files if f.label == rest), None) if directory else None
        if directory is None or file is None:
            raise UsageError(f"no {printable(address)}", hint="`tree` lists directories and files")
        self._read_file(directory, file)

    def _read_file(self, directory: DirectoryFile, file: File) -> None:
        self._session.run(self._card.select(directory))
        content = self._session.run(read_content(self._card, directory, file))
        click.echo(f"{directory.label} {file_title(file)}")
        rows = table(rows_of(FileContent(directory, file, content)), indent="  ")
        _show(rows or ["  no record 无记录"])

    def verify(self, arguments: list[str]) -> None:  # noqa: ARG002
        """Present the PIN in the selected directory."""
        if sys.stdin.isatty():
            directory = self._selected()
            code = PinSource(ask=True).read("PIN 密码")
        else:  # the PIN is taken off the input whatever happens, or it would be the next command
            code = sys.stdin.readline().strip()
            directory = self._selected()
        self._session.run(self._card.verify_pin(directory, code))
        click.echo("  the PIN is right 密码正确")

    def auth(self, arguments: list[str]) -> None:
        """EXTERNAL AUTHENTICATE with a key of the selected directory."""
        directory = self._selected()
        if isinstance(self._session.keys, NoKeys):
            raise UsageError("there are no keys", hint="start the shell with --profile")
        names = [slot.name for slot in directory.keys if slot.level]
        there = ", ".join(names)
        name = _only(arguments, f"a key of {directory.label}: {there}").upper()
        if name not in names:
            raise UsageError(f"no key {printable(name)} in {directory.label}", hint=there)
        self._session.run(self._card.external_authenticate(directory, directory.key(name)))
        click.echo(f"  {directory.label}.{name} accepted 认证通过")

    def _selected(self) -> DirectoryFile:
        if self._card.selected is None:
            raise UsageError("nothing is selected", hint="select SSSE first")
        return self._card.selected

    def apdu(self, arguments: list[str]) -> None:
        """Send a command in hex."""
        self._send(parse_hex(" ".join(arguments)))

    def reset(self, arguments: list[str]) -> None:  # noqa: ARG002
        """Reset the chip; nothing is selected or open then."""
        click.echo(f"  ATR {self._session.reset().hex().upper()}")

    # --- sending ---------------------------------------------------------------------------------

    def _send(self, command: bytes) -> None:
        answer = Response.parse(self._session.link.transmit(command))
        self._follow(command, answer)
        self._worst = max(self._worst, int(exit_code([answer.sw])))
        click.echo(f"  {answer.to_bytes().hex().upper()}  {answer.sw.meaning}")

    def _follow(self, command: bytes, answer: Response) -> None:
        """Keep in mind what a SELECT has changed; nothing else moves the card to another place."""
        if command[1] != _SELECT or not answer.sw.ok:
            return
        data = Command.parse(command).data
        for directory in self._card.tree.directories:
            if data in (directory.aid, directory.fid.to_bytes(2, "big")):
                self._card.entered(directory)
                return
        if data[:1] != b"\xef":  # a directory the tree does not know
            self._card.forget()


WORDS = {
    "info": Word("", "what is known of the card 卡片信息", Shell.info),
    "tree": Word("", "directories, files and what opens them 文件结构", Shell.tree),
    "select": Word("SSSE|EF05|DF01|HEX", "select a directory or file 选择", Shell.select),
    "read": Word("[EF05] [SSSE.EF06.09]", "files or items; alone, all that is open 读", Shell.read),
    "verify": Word("", "present the PIN, asked for without echo 校验密码", Shell.verify),
    "auth": Word("KEY", "open with a key of the profile 外部认证", Shell.auth),
    "apdu": Word("HEX", "send a command; hex alone does the same 指令", Shell.apdu),
    "reset": Word("", "reset the chip 复位", Shell.reset),
    "help": Word("", "this list 帮助", Shell.help),
}


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # an open quotation mark
        return line.split()


def _only(arguments: list[str], wanted: str) -> str:
    if len(arguments) != 1:
        raise UsageError(f"one thing wanted: {wanted}")
    return arguments[0]


def _identifier(text: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) < 2:
        raise UsageError(f"nothing is called {printable(text)}", hint="`tree` shows names; or hex")
    return data


def _show(shown: list[str]) -> None:
    for line in shown:
        click.echo(f"  {line}")


def lines() -> Callable[[str], Iterator[str]]:
    """Lines of standard input: edited at a terminal, plain from a pipe."""
    if not sys.stdin.isatty():
        return lambda _prompt: iter(sys.stdin.readline, "")
    with contextlib.suppress(ImportError):  # editing and history where Python has it
        import readline  # noqa: F401, PLC0415
    return _asked


def _asked(prompt: str) -> Iterator[str]:
    try:
        yield input(prompt)
    except EOFError:
        click.echo()
    except KeyboardInterrupt:  # gives up the line, not the conversation
        click.echo()
        yield ""
