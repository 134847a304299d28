"""Calls that arrive while the registry is being asked are asked together next.

Two hundred clients at once then cost one snapshot and one statement a kind of number, in one
thread, and the server's loop never waits for the database.
"""

from __future__ import annotations

import asyncio

from cardkit.registry.errors import RegistryError
from cardkit.registry.inquiry.desk import Call, Desk, Reply

MOST_CALLS = 500  # asked together


class Batching:
    """A desk for the tasks of one event loop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: list[tuple[Call, asyncio.Future[Reply]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def answer(self, call: Call) -> Reply:
        """Answer one call together with others.

        Raises
        ------
        RegistryError
            The registry cannot be asked now.
        """
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST_CALLS], self._waiting[MOST_CALLS:]
                await self._answer(some)
        finally:
            self._worker = None

    async def _answer(self, some: list[tuple[Call, asyncio.Future[Reply]]]) -> None:
        try:
            replies = await asyncio.to_thread(self._desk.answer, [call for call, _ in some])
        except RegistryError as error:
            for _, future in some:
                if not future.done():
                    future.set_exception(error)
            return
        except BaseException as error:
            for _, future in some:
                if not future.done():
                    future.set_exception(RuntimeError(type(error).__name__))
            raise
        for (_, future), reply in zip(some, replies, strict=True):
            if not future.done():  # whoever asked may have gone
                future.set_result(reply)
