"""A question that many connections ask at once: who comes while one is under way shares the next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Look(Generic[T]):
    """Looks, at most one at a time, and never gives an answer that is older than the question.

    Two hundred connections that open together cost two looks. The look runs in a thread that nobody waits
    for at the end: one that hangs in the network holds up no Ctrl-C.

    Args:
        see: asks; it may block.
    """

    def __init__(self, see: Callable[[], T]) -> None:
        self._see = see
        self._current: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def fresh(self) -> T:
        """Give what a look saw that began after this call.

        Raises:
            Exception: whatever the look raised.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._current))
        return await asyncio.shield(self._next)

    def cancel(self) -> None:
        """Wait for nothing any more."""
        for task in (self._current, self._next):
            if task is not None:
                task.cancel()

    async def _after(self, earlier: asyncio.Task[T] | None) -> T:
        if earlier is not None:
            await asyncio.wait({earlier})
        self._current, self._next = self._next, None
        return await _in_a_thread(self._see)


async def _in_a_thread(call: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answered.done():
            return
        if error is not None:
            answered.set_exception(error)
        else:
            answered.set_result(result)  # type: ignore[arg-type] # a result where there is no error

    def work() -> None:
        result, failure = None, None
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            failure = error
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for it
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name="look", daemon=True).start()
    return await answered
