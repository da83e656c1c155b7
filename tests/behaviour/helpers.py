"""What the behaviour suite asks of a Router again and again."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

    from polyroute import Router
    from polyroute.testing import Upstream

HI = [{"role": "user", "content": "Hi"}]
SOON = 0.1
"""Seconds within which an upstream must see that nobody waits for it any more."""


class LongestWait(random.Random):
    """Chance that waits as long as it may."""

    def uniform(self, low: float, high: float) -> float:
        return high


async def ask(router: Router, model: str = "smart", **params: Any) -> Any:
    """A whole answer."""
    return await router.acompletion(model, HI, **params)


async def failure(router: Router, model: str = "smart", **params: Any) -> APIError:
    """The error that a call ends in."""
    with pytest.raises(APIError) as caught:
        await router.acompletion(model, HI, **params)
    return caught.value


async def outcomes(*calls: Awaitable[Any]) -> Counter[str]:
    """How calls made at one instant end: the names of their errors, "ok" for answers."""
    ended = await asyncio.gather(*calls, return_exceptions=True)
    return Counter("ok" if not isinstance(it, BaseException) else type(it).__name__ for it in ended)


async def read(stream: Any) -> str:
    """The text of a stream, to its end."""
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def timed(call: Awaitable[Any]) -> tuple[Any, float]:
    """How a call ends (its answer or error), and after how many seconds."""
    start = time.monotonic()
    try:
        ended = await call
    except APIError as error:
        ended = error
    return ended, time.monotonic() - start


def path(outcome: Any) -> list[tuple[str, str]]:
    """The attempts of an answer or error: deployment and reason."""
    return [(attempt.deployment_id, attempt.reason) for attempt in outcome.route.attempts]


def served(answers: Any) -> Counter[str]:
    """How many answers each deployment gave."""
    return Counter(answer.route.served_by for answer in answers)


def states(router: Router) -> list[str]:
    """The circuits, in the order of the deployments."""
    return [row["state"] for row in router.stats()]


def in_flight(router: Router) -> int:
    """Attempts that the books still hold open."""
    return sum(row["in_flight"] for row in router.stats())


async def quiet(*upstreams: Upstream) -> None:
    """Wait until no request is being worked on; fails when that takes longer than `SOON`."""
    async with asyncio.timeout(SOON):
        for upstream in upstreams:
            await upstream.until(lambda it: it.in_flight == 0)


class Steps:
    """Awaits something, and cancels the running task at the chosen await point.

    `at` counts from 1. With `late` the cancellation comes in the very turn of the loop in which
    what was awaited has become ready: the result is there, and nobody will ever see it.
    """

    def __init__(self, awaited: Awaitable[Any], at: int, *, late: bool = False) -> None:
        self._awaited = awaited
        self._at = at
        self._late = late
        self.taken = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaited.__await__()
        move = steps.send, None
        while True:
            try:
                waiting = move[0](move[1])
            except StopIteration as end:
                return end.value
            self.taken += 1
            if self.taken == self._at:
                self._cancel(waiting)
            try:
                move = steps.send, (yield waiting)
            except BaseException as error:  # noqa: BLE001  handed on to what is awaited
                move = steps.throw, error

    def _cancel(self, waiting: Any) -> None:
        task = asyncio.current_task()
        if self._late and waiting is not None:
            waiting.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()
