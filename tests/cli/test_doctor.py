"""``cardkit doctor``: the findings of the checks, as lines, JSON and exit code."""

from __future__ import annotations

import pytest

from cardkit import doctor as checks
from cardkit.cli.doctor import exit_code
from cardkit.doctor.finding import Finding, State, fail, ok, warn
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([ok("service", "runs")], 0),
        ([ok("service", "runs"), warn("reader", "held")], 1),
        ([warn("reader", "held"), fail("service", "does not run")], 3),
        ([fail("reader", "gone"), fail("permission", "kept out")], 4),
    ],
)
def test_the_exit_code_is_that_of_the_worst(findings: list[Finding], code: int) -> None:
    assert exit_code(findings) == code


@pytest.fixture
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [
        ok("service", "a service answers"),
        fail("permission", "nobody is kept out", "write the rule:\n  polkit.addRule()"),
    ]
    monkeypatch.setattr(checks, "examine", lambda **_: findings)


@pytest.mark.usefixtures("_found")
def test_a_remedy_stands_below_its_finding(run: Run) -> None:
    result = run("doctor")

    assert result.code == 4
    first, second, arrow, rule = result.out.splitlines()
    assert first.startswith("ok    service")
    assert second.startswith("FAIL  permission")
    assert arrow.index("→") == second.index("nobody")
    assert rule.strip() == "polkit.addRule()"


@pytest.mark.usefixtures("_found")
def test_the_json_document_has_every_finding(run: Run) -> None:
    document = run("doctor", "--json").document

    assert document["ok"] is False
    assert [finding["state"] for finding in document["findings"]] == ["ok", "fail"]
    assert document["findings"][1]["remedy"].startswith("write the rule")


def test_every_state_has_a_word_of_its_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [Finding("reader", state, "x") for state in State]
    monkeypatch.setattr(checks, "examine", lambda **_: findings)

    words = {line.split()[0] for line in run("doctor").out.splitlines()}
    assert len(words) == len(State)
