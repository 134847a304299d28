"""A day at a window with nothing but marked data: every command, every mistake."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from cardkit.profile import load
from cardkit.virtual.factory import CardFactory
from tests.canary.markers import CANARY, INITIAL_PIN, NEW_PIN, WRONG_PIN, personal_number
from tests.canary.materials import (
    HEADINGS,
    Materials,
    bad_rows,
    card_keys,
    good_rows,
    person,
)
from tests.canary.sandbox import Sandbox

SELECT_SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
READ_NAME = "00B2093020"


class Story:
    """Tells it step by step; nothing is asserted but that each step ended as it should.

    Parameters
    ----------
    box : Sandbox
        Where it happens.
    people : int
        How many have nothing wrong with their row.
    """

    def __init__(self, box: Sandbox, people: int = 3) -> None:
        self.box = box
        self.people = people
        self.brought = Materials(box)
        self.profile = ("--profile", self.brought.profile)
        self.registry = ("--registry", "registry.db")

    def expect(
        self,
        code: int,
        *arguments: object,
        stdin: str = "",
        before: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command that must end with an exit code."""
        done = self.box.run(*arguments, stdin=stdin, before=before, environment=environment)
        assert done.code == code, (arguments, done.code, done.err)

    # --- rosters ---------------------------------------------------------------------------------

    def rosters(self) -> None:
        """Samples, checks, and files that are no rosters."""
        box, brought = self.box, self.brought
        self.expect(0, "roster", "sample", 5, "--seed", 3, "--bad", 0.4, "--out", "sample.csv")
        self.expect(0, "roster", "sample", 2, "--seed", 4, "--out", "sample.xlsx")
        for line in (box.work / "sample.csv").read_text(encoding="utf-8").splitlines()[1:]:
            if len(number := line.split(",")[2]) == 18:
                box.markers.append(personal_number(number))
        rows = good_rows(1, self.people) + bad_rows(100)
        self.roster = brought.roster("roster.csv", rows, ragged=True)
        self.expect(1, "roster", "check", self.roster, *self.profile, "--out", "rejects.csv")
        self.expect(1, "roster", "check", self.roster, "--json", "--lang", "en")
        workbook = brought.roster("roster.xlsx", good_rows(50, 2) + bad_rows(300))
        self.expect(1, "roster", "check", workbook, "--out", "rejects.xlsx")
        self._useless_rosters(rows)

    def _useless_rosters(self, rows: list[tuple[str, ...]]) -> None:
        text = self.brought.text
        body = ",".join(rows[0]) + "\n" + ",".join(rows[1]) + "\n"
        heading = ",".join(HEADINGS) + "\n"
        useless: dict[str, str | bytes] = {
            "roster-headless.csv": body,
            "roster-headless-gbk.csv": body.encode("gb18030"),
            "roster-one-column.csv": "姓名\n" + body,
            "roster-twice.csv": "姓名,姓名,身份证号码\n" + body,
            "roster-quote.csv": f'{heading}"{rows[0][1]}{body}',
            "roster-broken.csv": heading.encode() + body.encode() * 2 + b"\xff\xfe\xff",
            "roster-binary.csv": heading.encode() + body.encode() + b"\0" * 9,
            "roster-long.csv": heading + CANARY * 400_000,
            "roster-damaged.xlsx": b"PK\x03\x04" + body.encode(),
        }
        for name, content in useless.items():
            self.expect(2, "roster", "check", text(name, content))
        headless = self.box.given / "roster-headless.csv"
        self.expect(2, "issue", headless, *self.profile, *self.registry, "--reader", "virtual")

    # --- issuing ---------------------------------------------------------------------------------

    def premade_cards(self) -> None:
        """Pre-made cards, rehearsed and made; then the same roster again."""
        issue = ("issue", self.roster, *self.profile)
        virtual = (*self.registry, "--reader", "virtual", "--out", "out")
        self.expect(0, *issue, "--dry-run")
        self.expect(1, *issue, *virtual)
        self.expect(1, *issue, *virtual, "--json")
        self._contradictions()
        self.card = self._card("out")

    def blank_chips(self) -> None:
        """A blank chip, rehearsed and made."""
        roster = self.brought.roster("roster-blank.xlsx", good_rows(70, 1))
        issue = ("issue", roster, *self.profile, "--chips", "blank")
        self.expect(0, *issue, "--dry-run", "--json")
        virtual = ("--registry", "blank.db", "--reader", "virtual", "--out", "blank")
        self.expect(0, *issue, *virtual, "--lang", "en")
        self.blank = self._card("blank")

    def killed(self) -> None:
        """A program that is killed while it makes cards, and the next one."""
        box = self.box
        roster = self.brought.roster("roster-killed.csv", good_rows(500, 5))
        issue = ("issue", roster, *self.profile, "--registry", "killed.db", "--out", "killed")
        program = box.start(*issue, "--reader", "virtual")
        assert program.stderr is not None
        while not program.stderr.readline().startswith(b"[2/5]"):
            assert program.poll() is None
        program.kill()
        box.finish(program, *issue)
        for path in (*box.work.glob("killed.db*"), *box.work.glob("killed/*/*.in-reader")):
            box.keep(f"file: work/{path.relative_to(box.work)}", path.read_bytes())
        self.expect(0, *issue, "--reader", "virtual")

    def _contradictions(self) -> None:
        known = good_rows(1, 2)
        rows = [
            person(1, f"{CANARY}己"),
            person(2, known[1][1], insurance=known[0][0]),
            person(61, f"{CANARY}庚", insurance=known[0][0]),
        ]
        roster = self.brought.roster("roster-known.csv", rows)
        options = (*self.profile, *self.registry, "--out", "out", "--reader", "virtual")
        self.expect(1, "issue", roster, *options)
        self.expect(1, "roster", "check", roster, *self.registry)

    def _card(self, out: str) -> Path:
        """A copy of a card that was made, to do as we like with."""
        path = self.box.work / f"{out}.card"
        shutil.copy(min((self.box.work / out / "virtual-cards").glob("*.card")), path)
        return path

    def wrong_keys(self) -> None:
        """Keys that the cards do not have, in the reader and in the profile."""
        factory = CardFactory(load(str(self.brought.profile)))
        for number, name in enumerate(("SSSE.UKSSSE", "SSSE.IRK", "T514.TRANSPORT"), start=1):
            profile = self.brought.wrong_profile(name)
            out = self.box.work / f"wrong-{number}"
            (out / "virtual-cards").mkdir(parents=True)
            make = factory.blank if name.startswith("T514") else factory.premade
            make(number.to_bytes(4, "big")).save(out / "virtual-cards" / f"{number:08X}.in-reader")
            self.expect(
                4, "issue", self.roster, "--profile", profile, "--registry", f"wrong-{number}.db",
                "--reader", "virtual", "--out", out,
            )  # fmt: skip
            code = 1 if name.endswith("IRK") else 0
            self.expect(code, "card", "verify", "--image", self.card, "--profile", profile)

    # --- cards -----------------------------------------------------------------------------------

    def cards(self) -> None:
        """Everything that can be read, checked and recorded of a card."""
        image = ("--image", self.card)
        keys = (*image, *self.profile, "--with-keys", "--pin-file", self.brought.initial)
        masked = ("--trace", "masked.trace")
        self.expect(0, "card", "read", *image)
        self.expect(0, "card", "read", *keys, "--all", "--json", *masked)
        self.expect(0, "card", "trace", "masked.trace", "--bytes")
        self.expect(0, "card", "read", *image, "--pin-stdin", stdin=INITIAL_PIN)
        self.expect(0, "card", "verify", *image, *self.profile, *self.registry, *masked)
        self.expect(1, "card", "verify", *image, *self.profile, "--registry", "blank.db", "--json")
        self.expect(0, "card", "dump", *keys, *masked)
        self.expect(
            0, "card", "dump", "--image", self.blank, *self.profile, "--with-keys", "--json"
        )
        verify = f"{SELECT_SSSE}\n0020000006{INITIAL_PIN}\n{READ_NAME}\n0020000006{WRONG_PIN}\n"
        self.expect(4, "card", "apdu", *image, "-", *masked, stdin=verify)
        self.expect(2, "card", "apdu", *image, "-", stdin=f"0020 {INITIAL_PIN}0\n")
        self._shell()
        self._replays()

    def _shell(self) -> None:
        lines = (
            "info", "tree", "verify", INITIAL_PIN, "select SSSE", "verify", INITIAL_PIN, "read",
            "verify", WRONG_PIN, "read SSSE.EF06.09", f"verify {INITIAL_PIN}", INITIAL_PIN,
            f"0020000006{WRONG_PIN}", "auth UKSSSE", READ_NAME, "auth IRK", "reset",
        )  # fmt: skip
        options = ("--image", self.card, *self.profile, "--trace", "masked-shell.trace")
        self.box.run("card", "shell", *options, stdin="\n".join(lines) + "\n")
        self.expect(0, "card", "trace", "masked-shell.trace", "--bytes", "--unmask")

    def _replays(self) -> None:
        """A trace that hides nothing, sent to its card and to another."""
        image, unmasked = ("--image", self.card), ("--trace", "unmasked.trace", "--unmask")
        commands = f"{SELECT_SSSE}\n{READ_NAME}\n0020000006{INITIAL_PIN}\n00B2083014\n"
        self.expect(0, "card", "apdu", *image, *unmasked, "-", stdin=commands)
        self.expect(0, "card", "trace", "unmasked.trace", "--bytes")
        self.expect(0, "card", "trace", "unmasked.trace", "--json")
        self.expect(0, "card", "trace", "unmasked.trace", "--json", "--unmask")
        self.expect(4, "card", "replay", "unmasked.trace", *image)
        self.expect(0, "card", "replay", "unmasked.trace", *image, "--dangerous")
        other = ("--image", self.blank, "--dangerous")
        self.expect(1, "card", "replay", "unmasked.trace", *other)
        self.expect(1, "card", "replay", "unmasked.trace", *other, "--json")
        self.expect(2, "card", "replay", "masked.trace", *image)

    def pins(self) -> None:
        """The holder's PIN: right, wrong, changed, no PIN at all, locked."""
        image, brought = ("--image", self.card), self.brought
        self.expect(0, "pin", "verify", *image, "--pin-file", brought.initial)
        self.expect(4, "pin", "verify", *image, "--pin-file", brought.wrong, "--json")
        self.expect(4, "pin", "verify", *image, "--pin-stdin", stdin=f"{INITIAL_PIN}x\n")
        trace = ("--trace", "masked-pin.trace")
        self.expect(0, "pin", "change", *image, "--pin-file", brought.change, *trace)
        self.expect(0, "pin", "verify", *image, "--pin-stdin", stdin=NEW_PIN)
        self.expect(4, "pin", "change", *image, "--pin-stdin", stdin=f"{WRONG_PIN}\n{NEW_PIN}")
        self.expect(2, "pin", "change", *image, "--pin-stdin", stdin=f"{INITIAL_PIN}\n")
        brought.changed.chmod(0o644)  # a complaint about the file, not with it
        self.expect(0, "card", "read", *image, "--pin-file", brought.changed)
        for _ in range(3):
            self.box.run(
                "pin", "verify", *image, "--pin-file", brought.wrong, "--directory", "DF01"
            )

    # --- registry --------------------------------------------------------------------------------

    def registries(self) -> None:
        """What was made, told in every way."""
        number = good_rows(1, 1)[0][2]
        self.expect(0, "registry", "list", *self.registry)
        self.expect(0, "registry", "list", *self.registry, "--full")
        self.expect(0, "registry", "list", *self.registry, "--json")
        self.expect(0, "registry", "show", 1, *self.registry)
        self.expect(0, "registry", "show", "-", *self.registry, "--full", stdin=number)
        self.expect(0, "registry", "show", "-", *self.registry, "--json", stdin=number)
        self.expect(2, "registry", "show", "-", *self.registry, stdin=f"{CANARY}{number}")
        for name in ("export.csv", "export.json"):
            self.expect(0, "registry", "export", name, *self.registry)
        self.expect(0, "registry", "audit", *self.registry, "--verify", "--json")
        self.box.run("registry", "spoil", 1, "--reason", "test", "--yes", *self.registry)

    # --- errors ----------------------------------------------------------------------------------

    def damage(self) -> None:
        """Files with marked content that cannot be used."""
        box, text = self.box, self.brought.text
        key = self.brought.keys["SSSE.IRK"].hex()
        entry = '[keys."SSSE.IRK"]\nversion = 1\nvalue = '
        profile = self.brought.profile.read_text(encoding="utf-8")
        for number, content in enumerate(
            (
                f'{entry}"{key}',
                f'format = "cardkit test keys 1"\n{entry}"{key}"\ncheck_value = "000000"\n',
                f'format = "cardkit test keys 1"\n{entry}"{key[:-1]}"\ncheck_value = "000000"\n',
            )
        ):
            text(f"damaged-{number}-keys.toml", content)
            broken = text(
                f"profile-{number}.toml",
                profile.replace("keys.toml", f"damaged-{number}-keys.toml"),
            )
            self.expect(2, "card", "verify", "--image", self.card, "--profile", broken)
        self.expect(3, "doctor", "--profile", broken, environment=NO_SERVICE)
        for number, content in enumerate(
            (
                profile.replace(f'"{INITIAL_PIN}"', INITIAL_PIN),
                profile.replace(f'"{INITIAL_PIN}"', f'"{INITIAL_PIN}'),
                profile.replace(INITIAL_PIN, f"{INITIAL_PIN}A"),
                profile.replace("initial", "initially"),
            )
        ):
            broken = text(f"profile-broken-{number}.toml", content)
            self.expect(2, "card", "verify", "--image", self.card, "--profile", broken)
        damaged = box.work / "damaged.card"
        damaged.write_text(self.card.read_text(encoding="ascii")[:-40], encoding="ascii")
        self.expect(2, "card", "read", "--image", damaged)
        self._damaged_registries()
        self.expect(3, "doctor", *self.profile, *self.registry, "--json", environment=NO_SERVICE)

    def _damaged_registries(self) -> None:
        work = self.box.work
        content = (work / "registry.db").read_bytes()
        (work / "torn.db").write_bytes(content[: len(content) // 2])
        (work / "text.db").write_bytes(b"no registry, but " + content[100:])
        shutil.copy(work / "registry.db", work / "changed.db")
        with sqlite3.connect(work / "changed.db") as database:
            database.execute("UPDATE cards SET state = 'planned' WHERE id = 1")
            database.execute("UPDATE people SET status = ?", (CANARY,))
        database.close()
        for name in ("torn.db", "text.db", "changed.db"):
            self.box.run("registry", "audit", "--verify", "--registry", name)
        options = ("--registry", "torn.db", "--reader", "virtual", "--out", "out")
        self.expect(2, "issue", self.roster, *self.profile, *options)

    def bugs(self) -> None:
        """Exceptions nobody foresaw, with the worst in their texts."""
        issue = ("issue", self.roster, *self.profile)
        for number, place in enumerate(BROKEN):
            registry = ("--registry", f"bugs-{number}.db", "--out", f"bugs-{number}")
            self.expect(70, *issue, *registry, "--reader", "virtual", "--json", before=place)
        self.expect(70, "card", "read", "--image", self.card, before=BROKEN[-1])

    def finish(self) -> None:
        """The keys of all cards that were made are markers too."""
        for path in {*self.box.work.rglob("*.card"), *self.box.work.rglob("*.in-reader")}:
            text = path.read_text(encoding="ascii")
            atr = text.partition('"atr": "')[2].partition('"')[0]
            self.box.markers += card_keys(self.brought.keys, bytes.fromhex(atr)[-8:])


NO_SERVICE = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"}

_BREAK = """
def broken(*arguments, **named):
    inner = ValueError(repr([vars(a) if hasattr(a, "__dict__") else a for a in arguments]))
    record = next((a for a in arguments if hasattr(a, "citizen_number")), None)
    texts = [str(getattr(record, name, "")) for name in ("name", "citizen_number")]
    raise RuntimeError(*texts, *arguments) from inner
"""

BROKEN = (
    f"{_BREAK}\nimport cardkit.issuance.writer as m; m.plan = broken",
    f"{_BREAK}\nimport cardkit.issuance.roster.checks as m; m.Applicant = broken",
    f"{_BREAK}\nimport cardkit.keys.answers as m; m.seal = broken",
    f"{_BREAK}\nimport cardkit.registry.enrolment as m; m._items = broken",
    f"{_BREAK}\nimport cardkit.card.card as m; m.Card.read_record = broken",
)
"""Functions that get names, numbers or keys, replaced by one that tells everything."""
