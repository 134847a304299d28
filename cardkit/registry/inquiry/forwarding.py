"""Questions about another region's cards, passed on to its inquiry interface.

What comes back is not trusted: it may come slowly or without end, and it may hold more than the
client here may see.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cardkit.registry.inquiry.questions import Question
from cardkit.registry.inquiry.refusals import REFUSALS, problem
from cardkit.registry.inquiry.regions import Region, Regions

if TYPE_CHECKING:
    import httpx2

HOP_HEADER = "X-Cardkit-Hop"
"""Marks a question that was passed on: whoever gets it answers it or refuses it."""

_SECONDS = 5.0  # for another region to answer, from the first byte sent to the last received
_MOST_BYTES = 4 << 20  # of its answer; 500 full ones take a tenth

Json = dict[str, object]
Shown = Mapping[str, tuple[str, ...]]
_PROBLEM = {"type": str, "title": str, "title_zh": str, "status": int}
_ANSWER = {"as_of": str, "region": str, "found": bool}
_STATUSES = {refusal.status for refusal in REFUSALS.values()}


class Forwarding:
    """Clients of the other regions' interfaces, opened when they are first needed."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def fill(
        self,
        questions: Sequence[Question],
        answers: list[Json],
        elsewhere: Mapping[int, str],
        shown: Shown,
    ) -> None:
        """Ask the other regions, and put what they say into its places in `answers`.

        A region that does not answer leaves a problem that names it in each of its places.

        Parameters
        ----------
        shown : mapping
            Group → fields that the client here has a right to: no others reach it.
        """
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, region in elsewhere.items():
            places[region].append(place)

        async def ask(code: str, some: list[int]) -> None:
            wanted = [questions[place] for place in some]
            received = await self._ask(self._regions[code], wanted, shown)
            for place, answer in zip(some, received, strict=True):
                answers[place] = answer

        await asyncio.gather(*(ask(code, some) for code, some in places.items()))

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()

    async def _ask(self, region: Region, questions: Sequence[Question], shown: Shown) -> list[Json]:
        import httpx2  # noqa: PLC0415

        body: Json = {"questions": [{"by": q.by.value, "key": q.key} for q in questions]}
        try:
            async with asyncio.timeout(_SECONDS):  # the client's own times count anew at every byte
                status, received = await self._post(region, body)
        except (httpx2.HTTPError, OSError, ValueError, RecursionError, ssl.SSLError):
            return [_unreachable(region)] * len(questions)
        answers = received.get("answers") if isinstance(received, dict) else None
        if status != 200 or not isinstance(answers, list):
            return [_unreachable(region, status)] * len(questions)
        if len(answers) != len(questions):
            return [_unreachable(region)] * len(questions)
        return [_trimmed(answer, shown) or _unreachable(region) for answer in answers]

    async def _post(self, region: Region, body: Json) -> tuple[int, object]:
        content = bytearray()
        async with self._client(region).stream("POST", "/v1/inquiries", json=body) as answer:
            async for some in answer.aiter_bytes():
                content += some
                if len(content) > _MOST_BYTES:
                    raise ValueError
        return answer.status_code, json.loads(content)

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


def _trimmed(answer: object, shown: Shown) -> Json:
    """What a client may see of another region's answer; empty when it is no answer.

    Examples
    --------
    >>> answer = {"as_of": "now", "region": "639800", "found": True,
    ...           "card": {"state": "active", "card_number": "B1"}, "person": {"name": "X"}}
    >>> _trimmed(answer, {"card": ("state",)})["card"], "person" in _trimmed(answer, {})
    ({'state': 'active'}, False)
    >>> _trimmed({"status": "500"}, {})
    {}
    """
    if not isinstance(answer, dict):
        return {}
    wanted = _PROBLEM if "status" in answer else _ANSWER
    if not all(type(answer.get(name)) is kind for name, kind in wanted.items()):
        return {}
    kept: Json = {name: answer[name] for name in wanted}
    if wanted is _PROBLEM:
        return kept if kept["status"] in _STATUSES else {}
    for group, fields in shown.items():
        values = answer.get(group)
        if isinstance(values, dict):
            kept[group] = {name: values[name] for name in fields if name in values}
    return kept


def _unreachable(region: Region, status: int = 0) -> Json:
    said = f" (it said {status})" if status else ""
    return problem("region-unreachable", f"region {region.code}{said}")
