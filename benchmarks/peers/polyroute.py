"""This project's Router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polyroute
from polyroute.providers import Call
from polyroute.router.options import NO_OPTIONS
from polyroute.router.trip import begin_trip

from . import GROUP, Messages, model_list

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from . import Setup

DISTRIBUTION = "polyroute"
IMPORTS = ("import polyroute", "import polyroute; polyroute.Router")
STRATEGIES = (
    "adaptive",
    "simple-shuffle",
    "round-robin",
    "least-busy",
    "lowest-latency",
    "cost-weighted",
)


class Client:
    """A Router with one group; `options` are its further arguments."""

    def __init__(self, setup: Setup, **options: Any) -> None:
        if setup.strategy:
            options["routing_strategy"] = setup.strategy
        if setup.connections:
            options["max_connections"] = setup.connections
        self.router = polyroute.Router(model_list(setup), **options)

    async def call(self, messages: Messages) -> str | None:
        answer = await self.router.acompletion(model=GROUP, messages=messages)
        text: str | None = answer.choices[0].message.content
        return text

    async def stream(self, messages: Messages) -> AsyncIterable[Any]:
        chunks: AsyncIterable[Any] = await self.router.acompletion(
            model=GROUP, messages=messages, stream=True
        )
        return chunks

    def text(self, chunk: Any, /) -> str | None:
        text: str | None = chunk.choices[0].delta.content
        return text

    async def choose(self, times: int) -> None:
        """With the books that a choice opens, closed again at once."""
        choose(self.router, times)


def choose(router: polyroute.Router, times: int) -> None:
    """Choose among the group's deployments that often, and call none."""
    # There is no public way to choose without calling, and no other use for one.
    core = router._core
    group = core.find(GROUP)
    for _ in range(times):
        trip = begin_trip(core, Call([]), GROUP, NO_OPTIONS)
        trip.enter(group)
        lease: Any = core.choose(group, trip)
        lease.abandoned()
