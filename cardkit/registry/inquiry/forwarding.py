"""Questions about another region's cards, passed on to its inquiry interface."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cardkit.registry.inquiry.questions import Question
from cardkit.registry.inquiry.refusals import problem
from cardkit.registry.inquiry.regions import Region, Regions

if TYPE_CHECKING:
    import httpx2

HOP_HEADER = "X-Cardkit-Hop"
"""Marks a question that was passed on: whoever gets it answers it or refuses it."""

_SECONDS = 5.0  # for another region to answer

Json = dict[str, object]


class Forwarding:
    """Clients of the other regions' interfaces, opened when they are first needed."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def fill(
        self, questions: Sequence[Question], answers: list[Json], elsewhere: Mapping[int, str]
    ) -> None:
        """Ask the other regions, and put what they say into its places in `answers`.

        A region that does not answer leaves a problem that names it in each of its places.
        """
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, region in elsewhere.items():
            places[region].append(place)

        async def ask(code: str, some: list[int]) -> None:
            received = await self._ask(self._regions[code], [questions[place] for place in some])
            for place, answer in zip(some, received, strict=True):
                answers[place] = answer

        await asyncio.gather(*(ask(code, some) for code, some in places.items()))

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def _ask(self, region: Region, questions: Sequence[Question]) -> list[Json]:
        import httpx2  # noqa: PLC0415

        body = {"questions": [{"by": q.by.value, "key": q.key} for q in questions]}
        try:
            answer = await self._client(region).post("/v1/inquiries", json=body)
            received = answer.json()
        except (httpx2.HTTPError, OSError, ValueError, ssl.SSLError):
            return [_unreachable(region)] * len(questions)
        answers = received.get("answers") if isinstance(received, dict) else None
        if answer.status_code != 200 or not isinstance(answers, list):
            return [_unreachable(region, answer.status_code)] * len(questions)
        if len(answers) != len(questions):
            return [_unreachable(region)] * len(questions)
        return [a if isinstance(a, dict) else _unreachable(region) for a in answers]

    def _client(self, region: Region) -> httpx2.AsyncClient:
        if region.code not in self._clients:
            self._clients[region.code] = _open(region)
        return self._clients[region.code]


def _open(region: Region) -> httpx2.AsyncClient:
    import httpx2  # noqa: PLC0415

    headers = {HOP_HEADER: "1"}
    if region.token_file is not None:
        token = region.token_file.read_text(encoding="ascii").strip()
        headers["Authorization"] = f"Bearer {token}"
    return httpx2.AsyncClient(
        base_url=region.url,
        headers=headers,
        timeout=_SECONDS,
        trust_env=False,
        verify=_context(region) if region.url.startswith("https:") else False,
    )


def _context(region: Region) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(region.ca) if region.ca else None)
    if region.certificate is not None:
        context.load_cert_chain(region.certificate, region.key)
    return context


def _unreachable(region: Region, status: int = 0) -> Json:
    said = f" (it said {status})" if status else ""
    return problem("region-unreachable", f"region {region.code}{said}")
