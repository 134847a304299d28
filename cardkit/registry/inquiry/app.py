"""The inquiry interface over HTTP: addresses, bodies, status codes. FastAPI stays in here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from cardkit import __version__
from cardkit.registry.errors import RegistryError
from cardkit.registry.inquiry import bodies, stopped
from cardkit.registry.inquiry.batching import Batching
from cardkit.registry.inquiry.clients import Credential, digest_of_token
from cardkit.registry.inquiry.desk import Call, Reply
from cardkit.registry.inquiry.forwarding import HOP_HEADER, Forwarding
from cardkit.registry.inquiry.office import Office
from cardkit.registry.inquiry.questions import Question
from cardkit.registry.inquiry.refusals import REFUSALS, problem
from cardkit.registry.inquiry.rights import Right

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
MOST_BYTES = 256 << 10  # of a request's body
MOST_STOPPED = 1000  # on a page of the blacklist
FLUSH_SECONDS = 1.0

_CODES = {404: "not-found", 405: "method", 400: "unreadable", 413: "too-large"}
_SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"certificate": []}]
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "certificate": {"type": "mutualTLS"},
}


def _responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {"model": bodies.Problem, "content": {PROBLEM: {}}, "description": what}
        for status in statuses
        for what in [" or ".join(r.title for r in REFUSALS.values() if r.status == status)]
    }


_ASKING = _responses(400, 401, 403, 404, 413, 422, 429, 502, 503)


def make_app(office: Office) -> FastAPI:
    """The interface of one registry."""
    forwarding = Forwarding(office.regions)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        flushing = asyncio.create_task(_flush_for_ever(office))
        try:
            yield
        finally:
            flushing.cancel()
            await forwarding.close()
            await asyncio.to_thread(office.record.flush)

    app = FastAPI(
        title="cardkit inquiry interface 信息查询接口",
        version=__version__,
        description="Which card does this number belong to, and how does it stand?",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    _declare_security(app)
    _add_error_handlers(app)
    _add_questions(app, office, forwarding)
    _add_lists(app, office)
    return app


def _add_questions(app: FastAPI, office: Office, forwarding: Forwarding) -> None:
    batching = Batching(office.desk)

    @app.post(
        "/v1/inquiry", response_model=bodies.Answer, responses=_ASKING,
        response_model_exclude_unset=True, openapi_extra={"security": _SECURITY},
    )  # fmt: skip
    async def inquiry(request: Request, body: bodies.OneQuestion) -> Response:
        """Ask one question."""
        question = body.question()
        reply = await batching.answer(_call(request, (question,)))
        if reply.refusal:
            return _refused(reply)
        if reply.elsewhere:
            await forwarding.fill((question,), reply.answers, reply.elsewhere, reply.shown)
        answer = reply.answers[0]
        return _problem(answer) if "status" in answer else JSONResponse(answer)

    @app.post(
        "/v1/inquiries", response_model=bodies.Answers, responses=_ASKING,
        openapi_extra={"security": _SECURITY},
    )  # fmt: skip
    async def inquiries(request: Request, body: bodies.QuestionsBody) -> Response:
        """Ask several questions; each gets an answer, or a problem of its own."""
        questions = tuple(q.question() for q in body.questions)
        reply = await batching.answer(_call(request, questions, several=True))
        if reply.refusal:
            return _refused(reply)
        if reply.elsewhere:
            await forwarding.fill(questions, reply.answers, reply.elsewhere, reply.shown)
        return JSONResponse({"answers": reply.answers})


def _add_lists(app: FastAPI, office: Office) -> None:
    @app.get(
        "/v1/blacklist", response_model=bodies.Blacklist, responses=_ASKING,
        openapi_extra={"security": _SECURITY},
    )  # fmt: skip
    async def blacklist(
        request: Request,
        after: Annotated[int, Query(ge=0, lt=1 << 31)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST_STOPPED)] = MOST_STOPPED,
    ) -> Response:
        """Fetch a page of the cards that must not be taken 黑名单."""
        reply = await asyncio.to_thread(
            office.desk.client_with, _call(request, ()), Right.BLACKLIST
        )
        if reply.refusal:
            return _refused(reply)
        return JSONResponse(await asyncio.to_thread(_page, office, after, limit))

    @app.get("/v1/health", response_model=bodies.Health, responses=_responses(503))
    async def health() -> Response:
        """Tell whether the registry answers."""
        return JSONResponse({"status": "ok", "as_of": await asyncio.to_thread(office.desk.now)})


def _page(office: Office, after: int, limit: int) -> dict[str, object]:
    store = office.books.store
    with store.reading() as connection:
        instant = store.now()
        found = stopped.page(connection, after, limit, instant)
    return {
        "as_of": instant,
        "region": office.regions.own,
        "cards": [
            {"card_number": card.card_number, "state": card.state, "since": card.since}
            for card in found
        ],
        "next": found[-1].card_id if len(found) == limit else 0,
    }


def _call(request: Request, questions: tuple[Question, ...], *, several: bool = False) -> Call:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    shown = digest_of_token(token.strip()) if token and scheme.lower() == "bearer" else ""
    certificate = str(request.scope.get("state", {}).get("client_certificate", ""))
    address = request.client.host if request.client else ""
    passed_on = HOP_HEADER in request.headers
    return Call(Credential(shown, certificate), address, questions, several, passed_on)


def _refused(reply: Reply) -> Response:
    headers = {"Retry-After": str(reply.retry_after)} if reply.retry_after else {}
    if REFUSALS[reply.refusal].status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _problem(problem(reply.refusal), headers)


def _problem(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(dict(body), body["status"], headers, media_type=PROBLEM)


async def _flush_for_ever(office: Office) -> None:
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        try:
            await asyncio.to_thread(office.record.flush)
        except RegistryError as error:
            log.warning("questions are not written yet: %s", error.message)


def _add_error_handlers(app: FastAPI) -> None:
    async def malformed(_: Request, error: Exception) -> Response:
        """Say where, never what: the values may be personal numbers."""
        errors = error.errors() if isinstance(error, RequestValidationError) else []
        where = "; ".join(sorted({".".join(map(str, _place(e))) for e in errors}))
        return _problem(problem("malformed", where[:500]))

    async def other(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        return _problem(problem(_CODES.get(status, "internal")), headers)

    async def unavailable(_: Request, error: Exception) -> Response:
        log.warning("%s", error.message if isinstance(error, RegistryError) else "unavailable")
        return _problem(problem("unavailable"), {"Retry-After": "5"})

    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, other)
    app.add_exception_handler(RegistryError, unavailable)


def _place(error: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Where an error is; the name of a field nobody declared is something that was sent."""
    place: tuple[str | int, ...] = tuple(error["loc"])
    return place[:-1] if error["type"] == "extra_forbidden" else place


def _declare_security(app: FastAPI) -> None:
    made = app.openapi

    def with_security() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {})["securitySchemes"] = _SCHEMES
        return document

    app.openapi = with_security  # type: ignore[method-assign]
