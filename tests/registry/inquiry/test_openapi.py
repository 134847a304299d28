"""What the OpenAPI document promises is what the server does, whatever comes in."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case

from cardkit.registry.inquiry.app import make_app
from cardkit.registry.inquiry.office import Office, open_office
from cardkit.registry.inquiry.regions import Regions
from cardkit.registry.registry import Registry
from tests.registry.inquiry.conftest import bearer

OPERATIONS = [
    ("/v1/inquiry", "POST"), ("/v1/inquiries", "POST"), ("/v1/blacklist", "GET"),
    ("/v1/health", "GET"),
]  # fmt: skip


@pytest.fixture
def alone(opened: Registry) -> Office:
    """Without other regions: one that does not answer is a 502, rightly."""
    return open_office(opened.books, Regions("639900"), lambda: 0.0)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_interface_keeps_its_promises(
    alone: Office, token: str, path: str, method: str, *, known: bool
) -> None:
    """Status codes, content types, bodies, security, methods: every check there is."""
    interface = schemathesis.openapi.from_asgi("/openapi.json", make_app(alone))
    headers = bearer(token) if known else {}

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=interface[path][method].as_strategy())
    def every_case(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers)

    every_case()


def test_every_answer_of_the_document_is_declared(office: Office) -> None:
    """The shapes shown are closed: a field nobody declared would be found by the test above."""
    document = make_app(office).openapi()
    shapes = document["components"]["schemas"]
    assert set(document["paths"]) == {path for path, _ in OPERATIONS}
    for name in ("Answer", "Card", "Person", "Account", "Answers"):
        assert shapes[name]["additionalProperties"] is False
    for path in ("/v1/inquiry", "/v1/inquiries"):
        assert document["paths"][path]["post"]["security"] == [{"token": []}, {"certificate": []}]
