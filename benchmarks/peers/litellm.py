"""litellm's Router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litellm

from . import GROUP, Messages, model_list

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from . import Setup

DISTRIBUTION = "litellm"
IMPORTS = ("import litellm", "from litellm import Router")
STRATEGIES = (
    "simple-shuffle",
    "least-busy",
    "latency-based-routing",
    "cost-based-routing",
    "usage-based-routing-v2",
)


class Client:
    """A Router with one group."""

    def __init__(self, setup: Setup) -> None:
        self.router = litellm.Router(
            model_list=model_list(setup),
            routing_strategy=setup.strategy or "simple-shuffle",
        )

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
        text: str | None = chunk.choices[0].delta.content if chunk.choices else None
        return text

    async def choose(self, times: int) -> None:
        for _ in range(times):
            await self.router.async_get_available_deployment(
                model=GROUP, messages=None, request_kwargs={}
            )
