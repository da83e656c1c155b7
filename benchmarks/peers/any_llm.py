"""Mozilla's any-llm: one client of one provider, on top of that provider's own SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from any_llm import AnyLLM

from . import KEY, MODEL, Messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from . import Setup

DISTRIBUTION = "any-llm-sdk"
IMPORTS = ("import any_llm",)
STRATEGIES = ()


class Client:
    """One client for one endpoint: it does not route."""

    def __init__(self, setup: Setup) -> None:
        self.client = AnyLLM.create("openai", api_key=KEY, api_base=setup.url)

    async def call(self, messages: Messages) -> str | None:
        answer: Any = await self.client.acompletion(model=MODEL, messages=messages)
        text: str | None = answer.choices[0].message.content
        return text

    async def stream(self, messages: Messages) -> AsyncIterable[Any]:
        chunks: Any = await self.client.acompletion(model=MODEL, messages=messages, stream=True)
        stream: AsyncIterable[Any] = chunks
        return stream

    def text(self, chunk: Any, /) -> str | None:
        text: str | None = chunk.choices[0].delta.content if chunk.choices else None
        return text
