"""The openai SDK's AsyncOpenAI, with the HTTP client it comes with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

from . import KEY, MODEL, Messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from . import Setup

DISTRIBUTION = "openai"
IMPORTS = ("import openai",)
STRATEGIES = ()


class Client:
    """One client for one endpoint: it does not route."""

    def __init__(self, setup: Setup) -> None:
        self.client = openai.AsyncOpenAI(api_key=KEY, base_url=setup.url)

    async def call(self, messages: Messages) -> str | None:
        answer = await self.client.chat.completions.create(model=MODEL, messages=messages)
        text: str | None = answer.choices[0].message.content
        return text

    async def stream(self, messages: Messages) -> AsyncIterable[Any]:
        chunks: AsyncIterable[Any] = await self.client.chat.completions.create(
            model=MODEL, messages=messages, stream=True
        )
        return chunks

    def text(self, chunk: Any, /) -> str | None:
        text: str | None = chunk.choices[0].delta.content if chunk.choices else None
        return text
