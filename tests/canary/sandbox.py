"""A place of its own for a run of the program, and everything that the run leaves in it.

::

    in/       what the operator brings: profile, keys, rosters, files with a PIN
    work/     where commands are run: registry, cards, reports
    home/     settings and state of the user
    tmp/      temporary files
    witness/  what `witness/sitecustomize.py` took down
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cardkit
from tests.canary.allowed import ALLOWED, allowed_at
from tests.canary.markers import SECRETS, Kind, Marker
from tests.canary.search import Evidence, Searcher
from tests.canary.watch import Watch

_HOME = Path(cardkit.__file__).parents[1]
"""The program under test is the one that the tests import."""

WITNESS = Path(__file__).parent / "witness"
_KEPT = ("PATH", "PCSCLITE_CSOCK_NAME", "LANG")
_ELSEWHERE = ("/dev/", "/proc/")
_LONGEST_RUN = 60  # seconds


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class Sandbox:
    """Runs the program and keeps the evidence."""

    def __init__(self, folder: Path, markers: Iterable[Marker] = SECRETS) -> None:
        self.folder = folder
        self.markers = list(markers)
        self._evidence: list[Evidence] = []
        for name in ("in", "work", "home", "tmp", "witness"):
            (folder / name).mkdir()
        self.given, self.work, self.temporary = (folder / name for name in ("in", "work", "tmp"))
        self._witness = folder / "witness"
        self._watch = Watch(self.temporary)

    def __enter__(self) -> Self:
        self._watch.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.__exit__(*error)

    # --- running ---------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """What a program sees."""
        return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.temporary),
            "CANARY_WITNESS": str(self._witness),
            "PYTHONPATH": os.pathsep.join([str(WITNESS), str(_HOME)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
        }

    def start(
        self, *arguments: object, before: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start the program; ``before`` runs in it first."""
        start = ["-c", _AFTER.format(before)] if before else ["-m", "cardkit"]
        return self.python(*start, *arguments, environment=environment)

    def python(
        self, *arguments: object, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start any program in Python."""
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=self.work, env={**self.environment, **(environment or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def finish(self, program: subprocess.Popen[bytes], *arguments: object, stdin: str = "") -> Done:
        """Wait for its end and keep what it said."""
        try:
            out, err = program.communicate(stdin.encode(), timeout=_LONGEST_RUN)
        except subprocess.TimeoutExpired:
            program.kill()
            out, err = program.communicate()
            raise AssertionError(f"no end of {called(arguments)}: {err.decode()}") from None
        self.keep(f"stdout: {called(arguments)}", out)
        self.keep(f"stderr: {called(arguments)}", err)
        return Done(program.returncode, out.decode(), err.decode())

    def run(
        self,
        *arguments: object,
        stdin: str = "",
        before: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        """Run the program to its end."""
        program = self.start(*arguments, before=before, environment=environment)
        return self.finish(program, *arguments, stdin=stdin)

    # --- evidence --------------------------------------------------------------------------------

    def keep(self, place: str, data: bytes) -> None:
        """Take something down as evidence."""
        self._evidence.append(Evidence(place, data))

    def leaks(self, belongs: Mapping[str, Collection[Kind]] = ALLOWED) -> list[str]:
        """Every marker where it does not belong; also every file written outside the sandbox."""
        evidence = self.evidence()
        allowed = {piece.place: allowed_at(piece.place, belongs) for piece in evidence}
        found = Searcher(self.markers).find(evidence, allowed)
        return [str(leak) for leak in sorted(found)] + sorted(self._strays())

    def evidence(self) -> set[Evidence]:
        """Everything that was kept, seen, noted, or is there now."""
        return {*self._evidence, *self._watch.evidence, *self._files(), *self._noted()}

    def _files(self) -> Iterator[Evidence]:
        for folder in ("in", "work", "home", "tmp"):
            for path in (self.folder / folder).rglob("*"):
                if path.is_file():
                    yield Evidence(f"file: {path.relative_to(self.folder)}", path.read_bytes())

    def _notes(self) -> Iterator[tuple[str, str, bytes]]:
        for path in self._witness.iterdir():
            head, _, content = path.read_bytes().partition(b"\n")
            note = json.loads(head)
            yield note["what"], note["path"], content

    def _noted(self) -> Iterator[Evidence]:
        for what, path, content in self._notes():
            if content:
                yield Evidence(f"{what}: {self._inside(path)}", content)

    def _inside(self, path: str) -> str:
        return path.removeprefix(f"{self.folder}/")

    def _strays(self) -> Iterator[str]:
        for what, path, _ in self._notes():
            home = path.startswith((f"{self.folder}/", *_ELSEWHERE))
            if what == "opened" and path and not home:
                yield f"a file outside the sandbox was written: {path}"


_AFTER = """
import sys
{}
from cardkit.cli.main import main
sys.exit(main())
"""


def called(arguments: Iterable[object]) -> str:
    """A command by its words: two of them, and its flags without their values.

    Examples
    --------
    >>> called(["card", "read", "--image", "/x/y.card", "--json"])
    'card read --image --json'
    """
    words = [str(argument) for argument in arguments]
    flags = [word for word in words[1:] if word.startswith("--")]
    verb = [word for word in words[1:2] if word.isalpha()]
    return " ".join([*words[:1], *verb, *flags])
