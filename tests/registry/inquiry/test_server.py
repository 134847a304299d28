"""Real servers on loopback ports: TLS, certificates of clients, other regions, and stopping."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import httpx2
import pytest

from cardkit.codec.numbers import citizen_check
from cardkit.keys.remote_settings import Credentials
from cardkit.registry.inquiry.bodies import MOST_QUESTIONS
from cardkit.registry.inquiry.clients import Clients
from cardkit.registry.inquiry.questions import By, Question
from cardkit.registry.inquiry.record import Record
from cardkit.registry.inquiry.rights import Right
from cardkit.registry.inquiry.server import listen
from cardkit.registry.numbering import Numbering
from cardkit.registry.registry import Registry, sqlite_url
from tests.certificates import Authority, make_authority
from tests.registry.inquiry.conftest import EVERYTHING, PEOPLE, bearer, number_of
from tests.registry.support import applicant, batch, open_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@dataclass
class Running:
    """A server of ``cardkit registry serve``."""

    url: str
    process: subprocess.Popen[str]

    def stop(self) -> tuple[int, str]:
        """Ask it to end; exit code and what it said."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


_IMPATIENT = """
import sys
from cardkit.cli.main import main
from cardkit.registry.inquiry import server
server._PATIENCE = server._HANDSHAKE = 4.0
sys.exit(main())
"""


@contextmanager
def serving(
    folder: Path,
    *options: str,
    profile: str = "test",
    program: Sequence[str] = (sys.executable, "-m", "cardkit"),
) -> Iterator[Running]:
    command = [
        *program, "registry", "serve", "--registry",
        str(folder / "registry.db"), "--profile", profile, "--listen", "127.0.0.1:0", "--json",
        *options,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        text = ""
        while "}" not in text:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line
        yield Running(json.loads(text)["url"], process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "ca")


def client_of(ca: Path, shown: Credentials | None = None) -> httpx2.Client:
    context = ssl.create_default_context(cafile=str(ca))
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return httpx2.Client(verify=context, trust_env=False)


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def test_a_client_is_known_by_its_certificate(
    opened: Registry, clients: Clients, authority: Authority, tmp_path: Path
) -> None:
    own, known, stranger = (authority.issue(name) for name in ("server", "bank", "stranger"))
    clients.add("bank", EVERYTHING, certificate=der(known.certificate))
    question = {"by": "card_number", "key": number_of(opened, 1)}
    options = ["--cert", own.certificate, "--key", own.key, "--client-ca", own.ca]
    with serving(tmp_path, *map(str, options)) as server:
        assert server.url.startswith("https://")
        for shown, status in ((known, 200), (stranger, 401), (None, 401)):
            with client_of(own.ca, shown) as http:
                answer = http.post(f"{server.url}/v1/inquiry", json=question)
                assert answer.status_code == status, answer.text


def test_a_certificate_of_another_authority_gets_no_connection(
    opened: Registry, authority: Authority, tmp_path: Path
) -> None:
    assert opened is not None
    own = authority.issue("server")
    foreign = make_authority(tmp_path / "other").issue("bank")
    options = ["--cert", own.certificate, "--key", own.key, "--client-ca", own.ca]
    with serving(tmp_path, *map(str, options)) as server:
        with client_of(own.ca, foreign) as http, pytest.raises(httpx2.TransportError):
            http.get(f"{server.url}/v1/health")
        with client_of(own.ca) as http:
            assert http.get(f"{server.url}/v1/health").json()["status"] == "ok"


def test_a_server_that_is_stopped_has_recorded_its_questions(
    opened: Registry, clients: Clients, tmp_path: Path
) -> None:
    token = clients.add("agency", EVERYTHING)[1]
    key = PEOPLE[0].citizen_number
    with serving(tmp_path, "--plain-loopback") as server:
        body = {"by": "citizen_number", "key": key}
        answer = httpx2.post(f"{server.url}/v1/inquiry", json=body, headers=bearer(token))
        assert answer.status_code == 200
        code, said = server.stop()
    assert code == 0
    assert "Traceback" not in said
    assert key not in said
    assert len(Record(opened.books).about(Question(By.CITIZEN_NUMBER, key))) == 1


def test_questions_about_other_regions_are_passed_on(
    opened: Registry, clients: Clients, authority: Authority, tmp_path: Path
) -> None:
    """Two servers with a registry each; the far one knows the near one by a token."""
    token = clients.add("hospital", EVERYTHING)[1]
    near_only = clients.add("near-only", EVERYTHING - {Right.FOREIGN})[1]
    far, far_number = _far_region(tmp_path / "far", authority)
    own = authority.issue("near")
    person = _person_of_far()
    with (
        serving(
            tmp_path / "far", "--cert", str(far.certificate), "--key", str(far.key),
            profile=str(tmp_path / "far" / "far.toml"),
        ) as there,
        _regions(tmp_path, there.url, authority) as regions,
        serving(
            tmp_path, "--cert", str(own.certificate), "--key", str(own.key), "--regions",
            str(regions),
        ) as here,
        client_of(own.ca) as http,
    ):  # fmt: skip
        questions = [
            {"by": "card_number", "key": number_of(opened, 1)},
            {"by": "card_number", "key": far_number},
            {"by": "citizen_number", "key": person},
            {"by": "card_number", "key": "A99999999", "region": "639700"},
            {"by": "card_number", "key": "A99999999", "region": "nowhere"},
        ]
        answers = http.post(
            f"{here.url}/v1/inquiries", json={"questions": questions}, headers=bearer(token)
        ).json()["answers"]
        assert [a.get("region") for a in answers[:3]] == ["639900", "639800", "639800"]
        assert answers[1]["found"] is answers[2]["found"] is True
        assert "person" not in answers[1]  # the near region may not see people over there
        assert answers[3]["status"] == 502
        assert "639700" in answers[3]["detail"]
        assert answers[4]["status"] == 404
        refused = http.post(f"{here.url}/v1/inquiry", json=questions[1], headers=bearer(near_only))
        assert refused.status_code == 403
        there.stop()
        gone = http.post(f"{here.url}/v1/inquiry", json=questions[1], headers=bearer(token))
        assert gone.status_code == 502
        assert http.post(
            f"{here.url}/v1/inquiry", json=questions[0], headers=bearer(token)
        ).is_success


def test_a_question_that_was_passed_on_goes_no_further(
    opened: Registry, clients: Clients, tmp_path: Path, authority: Authority
) -> None:
    assert opened is not None
    token = clients.add("region", EVERYTHING)[1]
    with (
        _regions(tmp_path, "https://127.0.0.1:1", authority) as regions,
        serving(tmp_path, "--plain-loopback", "--regions", str(regions)) as server,
    ):
        headers = {**bearer(token), "X-Cardkit-Hop": "1"}
        body = {"by": "card_number", "key": "B00000010"}
        answer = httpx2.post(f"{server.url}/v1/inquiry", json=body, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:cardkit:inquiry:hop"


def test_a_body_without_end_is_cut_off(opened: Registry, clients: Clients, tmp_path: Path) -> None:
    assert opened is not None
    token = clients.add("agency", EVERYTHING)[1]
    question = {"by": "card_number", "key": "A" * 64, "region": "x" * 32}
    full = {"questions": [question] * MOST_QUESTIONS}
    with serving(tmp_path, "--plain-loopback") as server:
        url = f"{server.url}/v1/inquiries"
        assert httpx2.post(url, json=full, headers=bearer(token)).status_code == 200
        large = httpx2.post(url, content=b" " * (1 << 20), headers=bearer(token))
        assert large.status_code == 413
        endless = httpx2.post(url, content=iter([b" " * 65536] * 64), headers=bearer(token))
        assert endless.status_code == 400
        assert httpx2.get(f"{server.url}/v1/health").is_success


BEGUN = (
    b"",
    b"POST /v1/inquiry HTTP/1.1\r\nHost: x\r\nConte",
    b"POST /v1/inquiry HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
)
"""What a client says and then no more."""


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_client_that_says_no_more_does_not_keep_its_place(
    opened: Registry, tmp_path: Path, authority: Authority, *, encrypted: bool
) -> None:
    assert opened is not None
    own = authority.issue("server")
    tls = ("--cert", str(own.certificate), "--key", str(own.key))
    options = tls if encrypted else ("--plain-loopback",)
    program = (sys.executable, "-c", _IMPATIENT)
    with serving(tmp_path, *options, program=program) as server, client_of(own.ca) as http:
        where = _address(server)
        silent = [socket.create_connection(where, timeout=20) for _ in BEGUN]
        for connection, words in zip(silent, BEGUN, strict=True):
            connection.sendall(words)
        answered = socket.create_connection(where, timeout=20)
        if not encrypted:  # a second request is waited for no longer than the first
            answered.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answered.recv(4096).startswith(b"HTTP/1.1 200")
            answered.sendall(BEGUN[1])
        assert all(_is_closed(connection) for connection in [*silent, answered])
        assert http.get(f"{server.url}/v1/health").is_success


def test_more_connections_than_the_system_allows_are_turned_away(
    opened: Registry, tmp_path: Path
) -> None:
    """Those that are open go on; others come in again when one of them has ended."""
    assert opened is not None
    program = ("sh", "-c", 'ulimit -n 120; exec "$0" -m cardkit "$@"', sys.executable)
    with serving(tmp_path, "--plain-loopback", program=program) as server:
        where = _address(server)
        with httpx2.Client(base_url=server.url) as inside:
            assert inside.get("/v1/health").is_success
            many = [socket.create_connection(where, timeout=20) for _ in range(60)]
            assert _is_closed(many[-1])
            assert inside.get("/v1/health").is_success
        for connection in many:
            connection.close()
        _, said = server.stop()
    assert said.count("others are turned away") == 1


def test_an_answer_in_pieces_does_not_wait_for_a_confirmation() -> None:
    """Whoever asks one thing after the other on a connection would wait 40 ms each time."""

    async def scene() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def come(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = writer.get_extra_info("socket")
            accepted.set_result(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        port = listen("127.0.0.1", 0)
        async with await asyncio.start_server(come, sock=port):
            _, writer = await asyncio.open_connection(*port.getsockname())
            sends_at_once = await accepted
            writer.close()
        return sends_at_once

    assert asyncio.run(scene())


def _address(server: Running) -> tuple[str, int]:
    host, _, port = server.url.partition("://")[2].partition(":")
    return host, int(port)


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed it, or does within the time of the connection."""
    with connection:
        try:
            return connection.recv(1) == b""
        except ConnectionError:
            return True


def test_personal_data_do_not_leave_in_clear(opened: Registry, tmp_path: Path) -> None:
    assert opened is not None
    for options in ((), ("--plain-loopback", "--listen", "0.0.0.0:0")):
        done = subprocess.run(
            [sys.executable, "-m", "cardkit", "registry", "serve", "--profile", "test",
             "--registry", str(tmp_path / "registry.db"), *options],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "in clear" in done.stderr


def test_a_port_that_is_taken_is_named(opened: Registry, tmp_path: Path) -> None:
    assert opened is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "cardkit", "registry", "serve", "--profile", "test",
             "--registry", str(tmp_path / "registry.db"), "--plain-loopback", "--listen",
             f"127.0.0.1:{port}"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr


def _person_of_far() -> str:
    return (first := "63980019800101001") + citizen_check(first)


def _far_region(folder: Path, authority: Authority) -> tuple[Credentials, str]:
    """A registry of another region, with one person, and a client: the near region."""
    folder.mkdir()
    shipped = resources.files("cardkit.profile").joinpath("shipped/test.toml").read_text("utf-8")
    assert 'city = "639900"' in shipped
    (folder / "far.toml").write_text(shipped.replace('city = "639900"', 'city = "639800"'))
    with open_at(sqlite_url(folder / "registry.db")) as registry:
        person = replace(applicant(1), citizen_number=_person_of_far())
        registry.enrol([person], Numbering("B", 1, 1, "639800"), batch())
        rights = frozenset({Right.STATE, Right.NUMBERS, Right.BY_PERSON, Right.BATCH})
        token = Clients(registry.books).add("region-639900", rights)[1]
        (folder / "near.token").write_text(token)
        number = number_of(registry, 1)
    assert number.startswith("B")
    return authority.issue("far"), number


@contextmanager
def _regions(folder: Path, url: str, authority: Authority) -> Iterator[Path]:
    token = folder / "far" / "near.token"
    token.parent.mkdir(exist_ok=True)
    token.touch()
    path = folder / "regions.toml"
    path.write_text(
        f'[639800]\nurl = "{url}"\ndistricts = ["6398"]\ncard_prefixes = ["B"]\n'
        f'ca = "{authority.folder}/ca.pem"\ntoken_file = "far/near.token"\n'
        '[639700]\nurl = "https://127.0.0.1:1"\n'
    )
    yield path
