"""The floor: an aiohttp session and orjson, used as anybody would who needs one provider only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from . import KEY, MODEL, Messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from . import Setup

DISTRIBUTION = "aiohttp"
IMPORTS = ("import aiohttp, orjson", "import aiohttp, pydantic")
STRATEGIES = ()


class Client:
    """POST and parse. Streams are read by `async for line in response.content`."""

    def __init__(self, setup: Setup) -> None:
        self.url = f"{setup.url}/chat/completions"
        self.headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def call(self, messages: Messages) -> str | None:
        body = orjson.dumps({"model": MODEL, "messages": messages})
        async with self.session.post(self.url, data=body, headers=self.headers) as response:
            answer = orjson.loads(await response.read())
        text: str | None = answer["choices"][0]["message"]["content"]
        return text

    async def stream(self, messages: Messages) -> AsyncIterable[bytes]:
        body = orjson.dumps({"model": MODEL, "messages": messages, "stream": True})
        response = await self.session.post(self.url, data=body, headers=self.headers)
        # Reading to the end gives the connection back; a generator around it would cost extra.
        return response.content

    def text(self, chunk: bytes, /) -> str | None:
        if not chunk.startswith(b"data: {"):
            return None
        choices: list[dict[str, Any]] = orjson.loads(chunk[6:])["choices"]
        return choices[0]["delta"].get("content") if choices else None
