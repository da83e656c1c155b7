"""
Answers without a provider: `mock_response="…"`, for tests of what comes after a call.

No socket is opened, no deployment chosen, and no circuit hears of it. The route says `mock`.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from ..schemas import (
    Attempt,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    Message,
    Route,
    Usage,
)
from .stream import ChatStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from ..providers import Call

CHARACTERS_PER_TOKEN = 4
"""For the usage, which is an estimate: nothing has counted."""


async def mocked(model: str, call: Call, said: str | Exception) -> ChatCompletion | ChatStream:
    """The answer that the caller wants to have got: whole or streamed, or an exception."""
    if isinstance(said, Exception):
        raise said
    route = Route(model, [Attempt("mock", model, "mock", 0.0, 0.0, ended=0.0, outcome="ok")])
    about: dict[str, Any] = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "created": int(time.time()),
        "model": model,
    }
    usage = _usage(call, said)
    if call.stream:
        return MockStream(_chunks(said, about, usage if call.wants_usage else None), route)
    message = Message(role="assistant", content=said)
    answer = ChatCompletion(
        **about, choices=[Choice(message=message, finish_reason="stop")], usage=usage
    )
    answer._route = route
    return answer


class MockStream(ChatStream):
    """A stream whose chunks are all there from the beginning."""

    def __init__(self, chunks: Iterable[ChatCompletionChunk], route: Route) -> None:
        self._chunks = _one_by_one(chunks)
        self._made = route

    @property
    def route(self) -> Route:
        """The one attempt that was none."""
        return self._made

    @property
    def ready(self) -> int:
        """None: each is made when it is asked for."""
        return 0

    @property
    def response_headers(self) -> dict[str, str]:
        """Nobody sent any."""
        return {}

    async def aclose(self) -> None:
        """End the stream now."""
        await self._chunks.aclose()


def _chunks(text: str, about: dict[str, Any], usage: Usage | None) -> list[ChatCompletionChunk]:
    """The text word by word, the finish reason, and the usage if it was asked for."""
    deltas = [Delta(role="assistant", content="")]
    deltas += [Delta(content=word) for word in re.findall(r"\s*\S+|\s+", text)]
    choices = [ChunkChoice(delta=delta) for delta in deltas]
    choices.append(ChunkChoice(finish_reason="stop"))
    chunks = [ChatCompletionChunk(**about, choices=[choice]) for choice in choices]
    if usage is not None:
        chunks.append(ChatCompletionChunk(**about, choices=[ChunkChoice()], usage=usage))
    return chunks


async def _one_by_one(
    chunks: Iterable[ChatCompletionChunk],
) -> AsyncGenerator[ChatCompletionChunk, None]:
    for chunk in chunks:
        yield chunk


def _usage(call: Call, text: str) -> Usage:
    asked = sum(len(str(message.get("content") or "")) for message in call.messages)
    prompt, completion = (-(-size // CHARACTERS_PER_TOKEN) for size in (asked, len(text)))
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )
