"""Key custody with nothing but marked keys, components, passphrases and PINs: every command."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cardkit.crypto.bits import xor
from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.diversify import diversify
from cardkit.keys.reference import city_factor, province_factor
from tests.canary.markers import EVERYTHING_OF_A_CARD, KEY_HALF, PEOPLE, Kind, Marker
from tests.canary.materials import CITY, PROVINCE, Materials, card_keys, good_rows
from tests.canary.sandbox import Sandbox
from tests.canary.story import _BREAK
from tests.certificates import make_authority
from tests.tokens import Softhsm

PASSPHRASES = {"zhao": "marmalade kestrel obelisk zhao", "qian": "turquoise lantern quorum qian"}
NEW = {"zhao": "periwinkle gondola zhao again", "qian": "hexagonal thimble qian again"}
WRONG = "neither of the two sentences"
ABOVE = (province_factor(PROVINCE), city_factor(CITY))
FACTORS = (bytes.fromhex("8684639941000001"), bytes.fromhex("8684639941000002"))
CEREMONY = "ZONE.RK"
TOKEN_PIN = "86420975"  # of no other test: tools of theirs have the PIN among their arguments
CHEAP = (
    "import cardkit.keys.soft_file as m, cardkit.keys.soft_format as f\n"
    "m.Cost = lambda: f.Cost(64, 1, 1)"
)
WHO = {"generate": "gu", "import": "yi", "approve": "shen", "use": "clerk"}
COMPONENTS = {
    "sun": KEY_HALF + bytes.fromhex("31A2C4F85E6B97D0"),
    "li": bytes.fromhex("9B3D5F71E2C4A68857AD31BE6F92C40E"),
}

BELONGS: Mapping[str, Collection[Kind]] = {
    # What people bring.
    "file: in/*keys.toml": {Kind.KEY},
    "file: in/profile*.toml": {Kind.PIN},
    "file: in/*.pin": {Kind.PIN},
    "file: in/*.pass": {Kind.PIN},
    "file: in/*.component": {Kind.KEY},
    "file: in/roster*": PEOPLE,
    # A sheet of paper.
    "file: work/*.sheet": {Kind.KEY},
    # Whom it is about, and chips of a test.
    "file: work/*.db": PEOPLE,
    "file: work/*/return-*": PEOPLE,
    "file: work/*/virtual-cards/*": EVERYTHING_OF_A_CARD,
    "file: work/window.psam": {Kind.KEY, Kind.CARD_KEY},  # IRK is the ministry's in every PSAM
}
"""As `tests.canary.allowed.ALLOWED`; neither store, log, key block nor sealed file are here."""

BROKEN = (
    f"{_BREAK}\nimport cardkit.keys.bulk as m; m.descend = broken",
    f"{_BREAK}\nimport cardkit.keys.policy as m; m.newest = broken",
    f"{_BREAK}\nimport cardkit.keys.soft_content as m; m.KeyRecord.from_json = broken",
)


class KeyStory:
    """Tells it step by step.

    Parameters
    ----------
    box : Sandbox
        Where it happens.
    token : Softhsm
        In the sandbox; made before anybody watches, its tool takes PINs as arguments.
    """

    def __init__(self, box: Sandbox, token: Softhsm) -> None:
        self.box = box
        self.token = token
        self.brought = Materials(box)
        self.environment = {"SOFTHSM2_CONF": str(token.folder / "softhsm2.conf")}
        secrets = {**PASSPHRASES, "wrong": WRONG}
        for label, text in {**secrets, **{f"new-{k}": v for k, v in NEW.items()}}.items():
            self._secret(f"{label}.pass", text)
            box.markers.append(Marker(Kind.PIN, f"passphrase {label}", text))
        self._secret("token.pin", TOKEN_PIN)
        box.markers.append(Marker(Kind.PIN, "PIN of the token", TOKEN_PIN))
        self.way = self._way("zhao", "qian")

    def _secret(self, name: str, text: str) -> Path:
        path = self.brought.text(name, text + "\n")
        path.chmod(0o600)
        return path

    def _way(self, *names: str) -> tuple[object, ...]:
        files = [("--passphrase-file", self.box.given / f"{name}.pass") for name in names]
        return ("--store", "keys.store", *(word for pair in files for word in pair))

    def expect(self, code: int, who: str, *words: object, before: str = "") -> str:
        """Run a command as somebody; returns what it printed."""
        environment = {**self.environment, "CARDKIT_OPERATOR": who}
        done = self.box.run(*words, before=before, environment=environment)
        assert done.code == code, (words, done.code, done.err)
        return done.out

    def key(self, code: int, who: str, *words: object, before: str = "") -> str:
        """A key command that opens the store."""
        return self.expect(code, who, "key", *words, *self.way, before=before)

    # --- the store -------------------------------------------------------------------------------

    def store(self) -> None:
        """Init, import of known keys, approval, listing; wrong passphrases and wrong people."""
        roles = [word for role, who in WHO.items() for word in ("--role", f"{role}={who}")]
        people = ("--new-custodian", "zhao", "--new-custodian", "qian")
        self.key(0, "boss", "init", "--test", *people, *roles, before=CHEAP)
        keys = self.box.given / "keys.toml"
        self.key(4, "gu", "import", keys)
        self.key(0, "yi", "import", keys, "--json")
        self.key(0, "shen", "approve", *self.brought.keys)
        self.key(0, "clerk", "list")
        self.key(0, "clerk", "check", "--json")
        self.key(4, "clerk", "check", "SSSE.IRK", "--check-value", "010203")
        self.key(0, "boss", "roles")
        wrong = self._way("zhao", "wrong")
        self.expect(4, "clerk", "key", "list", *wrong)
        self.expect(4, "clerk", "key", "list", *self._way("wrong", "wrong"), "--json")

    def ceremony(self) -> None:
        """One component made here, two typed from files; one of them mistyped before."""
        holders = [word for who in (*COMPONENTS, "zhou") for word in ("--holder", who)]
        usage = [word for use in ("export", "derive", "external") for word in ("--usage", use)]
        self.key(0, "gu", "ceremony", "begin", CEREMONY, *holders, *usage)
        for who, component in COMPONENTS.items():
            self.box.markers.append(Marker(Kind.KEY, f"component of {who}", component))
            right = self._secret(f"{who}.component", component.hex())
            short = self._secret(f"{who}-mistyped.component", component.hex()[:-1])
            give = ("ceremony", "type", CEREMONY, "--component-file")
            self.key(2, who, *give, short)
            self.key(4, who, *give, right, "--check-value", "010203")
            self.key(0, who, *give, right, "--json")
        self.key(0, "zhou", "ceremony", "generate", CEREMONY, "--sheet", "zhou.sheet")
        sheet = (self.box.work / "zhou.sheet").read_text(encoding="utf-8")
        groups = next(line for line in sheet.splitlines() if line.startswith("    ")).split()
        last = bytes.fromhex("".join(groups))
        key = xor(xor(COMPONENTS["sun"], COMPONENTS["li"]), last)
        self._mark(Kind.KEY, "component of zhou", last)
        self._mark(Kind.KEY, "key of the ceremony", key)
        for factor in FACTORS:
            self._mark(Kind.CARD_KEY, "card key of the ceremony", diversify(key, *ABOVE, factor))
        made = self.key(0, "gu", "ceremony", "finish", CEREMONY)
        assert check_value_3des(key).hex().upper() in made
        self.key(4, "gu", "approve", CEREMONY)
        self.key(0, "shen", "approve", CEREMONY)

    def _mark(self, kind: Kind, label: str, value: bytes) -> None:
        halves = ((label, value[:8]), (f"{label}, second half", value[8:]))
        self.box.markers += [Marker(kind, *half) for half in halves]

    def out_and_in(self) -> None:
        """Generate, export in both forms, derive a batch, import what was exported."""
        self.key(0, "gu", "generate", "FACTORY.KEK", "--algorithm", "aes")
        self.key(0, "shen", "approve", "FACTORY.KEK")
        under = ("--under", "FACTORY.KEK")
        export = ("export", CEREMONY, *under)
        self.key(0, "yi", *export, "--out", "key.tr31")
        self.key(0, "yi", *export, "--format", "envelope", "--out", "key.envelope", "--json")
        self.key(4, "clerk", *export, "--out", "not.tr31")
        self.brought.text("cards.txt", "\n".join(factor.hex() for factor in FACTORS))
        cards = ("--cards", self.box.given / "cards.txt", "--province", PROVINCE, "--city", CITY)
        self.key(0, "clerk", "derive", CEREMONY, *cards, *under, "--out", "cards.sealed")
        self.key(4, "clerk", "derive", "SSSE.IRK", *cards, *under, "--out", "not.sealed")
        name = ("--name", "DF02.RK", "--version", 2, "--check-value", "010203")
        self.key(4, "yi", "import", "key.tr31", *under, *name)
        self.key(2, "yi", "import", "key.envelope", *under)  # there is such a version

    def damage(self) -> None:
        """A torn store, an older one, changed passphrases."""
        work = self.box.work
        for end in ("", ".counter", ".audit", ".audit.head"):
            shutil.copy(work / f"keys.store{end}", work / f"torn.store{end}")
        whole = (work / "keys.store").read_bytes()
        (work / "torn.store").write_bytes(whole[: len(whole) // 2])
        torn = tuple("torn.store" if word == "keys.store" else word for word in self.way)
        self.expect(2, "clerk", "key", "list", *torn)
        new = [
            word
            for who in NEW
            for word in (
                "--new-custodian", who, "--new-passphrase-file",
                self.box.given / f"new-{who}.pass",
            )
        ]  # fmt: skip
        self.key(0, "boss", "passphrase", *new)
        self.key(4, "clerk", "list")
        self.way = self._way("new-zhao", "new-qian")
        self.expect(0, "boss", "key", "audit", "--verify", "--store", "keys.store")

    def bugs(self) -> None:
        """Exceptions nobody foresaw, with keys in their texts."""
        words = ("derive", CEREMONY, "--cards", self.box.given / "cards.txt", "--under")
        above = ("--province", PROVINCE, "--city", CITY)
        derive = (*words, "FACTORY.KEK", *above, "--out", "b.sealed")
        for place in BROKEN:
            environment = {**self.environment, "CARDKIT_OPERATOR": "clerk"}
            done = self.box.run(
                "key", *derive, *self.way, "--json", before=place, environment=environment
            )
            assert done.code in (2, 70), done.err

    # --- cards -----------------------------------------------------------------------------------

    def cards(self) -> None:
        """Cards by an agent, a PSAM, a token, and a service over the token."""
        self.roster = self.brought.roster("roster.csv", good_rows(1, 1))
        profile = self.brought.profile
        self._make("test", profile, 0, *self._psam(profile))
        with self._agent():
            soft = self._profile("soft", f"soft:{self.box.work}/keys.store")
            self.expect(0, "clerk", "issue", self.roster, "--profile", soft, "--dry-run")
            self._make("soft", soft, 0, "--chips", "blank")
            self._make("nobody", soft, 4, who="gu")
        settings = self._token()
        token = self._profile("token", f"pkcs11:{settings}")
        self._make("token", token, 0, "--chips", "complete")
        with self._service(settings) as address:
            self._make("remote", self._profile("remote", f"remote:{address}"), 0)

    def _make(self, name: str, profile: Path, code: int, *more: object, who: str = "clerk") -> None:
        self.expect(
            code, who, "issue", self.roster, "--profile", profile, "--registry", f"{name}.db",
            "--reader", "virtual", "--out", f"out-{name}", *more,
        )  # fmt: skip

    def _profile(self, name: str, store: str) -> Path:
        text = self.brought.profile.read_text(encoding="utf-8")
        text = text.replace('store = "keys.toml"', f'store = "{store}"\nversion = 1')
        return self.brought.text(f"profile-{name}.toml", text)

    def _psam(self, profile: Path) -> tuple[object, ...]:
        for name, key in self.brought.keys.items():
            self._mark(Kind.CARD_KEY, f"{name} of the province", diversify(key, ABOVE[0]))
        make = ("key", "psam", "make", "--profile", profile, "--image", "window.psam")
        self.expect(0, "boss", *make)
        image = ("--psam-image", "window.psam")
        self.expect(0, "clerk", "key", "psam", "show", "--profile", profile, *image)
        return ("--chips", "complete", *image)

    @contextmanager
    def _agent(self) -> Iterator[None]:
        words = ("key", "agent", *self.way, "--socket", "agent.sock")
        agent = self.box.start(*words, environment=self.environment)
        assert agent.stdout is not None
        assert b"CARDKIT_KEY_AGENT" in agent.stdout.readline()
        self.environment["CARDKIT_KEY_AGENT"] = "agent.sock"
        try:
            yield
        finally:
            del self.environment["CARDKIT_KEY_AGENT"]
            self._end(agent, *words)

    def _token(self) -> Path:
        settings = self.brought.text(
            "token.toml",
            f'module = "{self.token.settings.module}"\ntoken = "cards"\ntest = true\n'
            'pin_file = "token.pin"\n',
        )
        on = ("--token", settings)
        roles = [word for role, who in WHO.items() for word in ("--role", f"{role}={who}")]
        self.expect(0, "boss", "key", "token", "roles", *on, *roles)
        self.key(4, "shen", "token", "load", *on, *self.brought.keys)
        self.key(0, "yi", "token", "load", *on, *self.brought.keys)
        self.expect(0, "clerk", "key", "token", "list", *on, "--json")
        self.expect(0, "gu", "key", "token", "generate", *on, "DF07.UK9")
        self.key(0, "yi", "token", "load", *on, CEREMONY, "FACTORY.KEK")
        cards = ("--cards", self.box.given / "cards.txt", "--province", PROVINCE, "--city", CITY)
        derive = ("key", "token", "derive", *on, CEREMONY, *cards, "--under", "FACTORY.KEK")
        self.expect(0, "clerk", *derive, "--out", "cards.wrapped", "--json")
        self.expect(4, "shen", *derive, "--out", "not.wrapped")
        wrong = ("--pin-file", self._secret("wrong-token.pin", "000000"))
        self.expect(4, "clerk", "key", "token", "list", *on, *wrong)
        return settings

    @contextmanager
    def _service(self, settings: Path) -> Iterator[Path]:
        authority = make_authority(self.box.given / "ca")
        service, client = authority.issue("service"), authority.issue("window-3")
        access = self.brought.text(
            "access.toml",
            '[clients."window-3"]\nkeys = ["*"]\n'
            'operations = ["external", "internal", "seal", "load", "load-plain"]\n',
        )
        words = (
            "key", "serve", "--store", f"pkcs11:{settings}", "--listen", "127.0.0.1:0", "--access",
            access, "--cert", service.certificate, "--key", service.key, "--ca", service.ca,
            "--plain-loading", "MK",
        )  # fmt: skip
        environment = {**self.environment, "CARDKIT_OPERATOR": "clerk"}
        program = self.box.start(*words, environment=environment)
        assert program.stdout is not None
        port = int(program.stdout.readline().decode().rpartition(":")[2])
        address = self.brought.text(
            "remote.toml",
            f'host = "127.0.0.1"\nport = {port}\nca = "{client.ca}"\n'
            f'certificate = "{client.certificate}"\nkey = "{client.key}"\n',
        )
        try:
            yield address
        finally:
            self._end(program, *words)

    def _end(self, program: subprocess.Popen[bytes], *words: object) -> None:
        program.send_signal(signal.SIGTERM)
        assert self.box.finish(program, *words).code == 0

    def finish(self) -> None:
        """The logs are whole; keys of the cards that were made are markers too."""
        for path in self.box.work.rglob("*.card"):
            atr = path.read_text(encoding="ascii").partition('"atr": "')[2].partition('"')[0]
            self.box.markers += card_keys(self.brought.keys, bytes.fromhex(atr)[-8:])
        for log in ("keys.store.audit", "window.psam.audit"):
            self.expect(0, "boss", "key", "audit", "--log", log, "--verify")
            self.expect(0, "boss", "key", "audit", "--log", log, "--json")
