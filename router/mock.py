"""
Answers without a provider, for tests of what comes after a call: `mock_response="…"`,
`mock_tool_calls=[…]`, `mock_timeout=True`.

No socket is opened, no deployment chosen, and no circuit hears of it. The route says `mock`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError, Timeout
from ..providers.embeddings import inputs_of, make_answer
from ..providers.messages import new_id
from ..schemas import (
    Attempt,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    DeltaFunction,
    DeltaToolCall,
    Function,
    Message,
    Route,
    ToolCall,
    Usage,
)
from .stream import ChatStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from ..providers import Call
    from ..schemas import Answer, EmbeddingResponse
    from .options import Options

CHARACTERS_PER_TOKEN = 4
"""For the usage, which is an estimate: nothing has counted."""


async def mocked(model: str, call: Call, options: Options, budget: float) -> Answer | ChatStream:
    """The answer that the caller wants to have got: whole or streamed, late, or an exception.

    `budget` is the seconds that a `mock_timeout` takes.

    Raises:
        BadRequestError: there is no such answer to this kind of call.
        Timeout: that was wanted.
    """
    said = options.mock_response
    route = Route(model, [Attempt("mock", model, "mock", 0.0, 0.0, ended=0.0, outcome="ok")])
    if options.mock_timeout:
        await asyncio.sleep(budget)
        raise Timeout(f"mock_timeout: no answer within {budget:g} s", model=model, route=route)
    if isinstance(said, Exception):
        raise said
    if call.operation == "embedding" and isinstance(said, list):
        return _vectors(model, call, said, route)
    if call.operation != "chat" or isinstance(said, list):
        raise BadRequestError(
            "mock_response is a text for a chat, or a list of numbers for an embedding; "
            f"{call.operation} has none",
            param="mock_response",
        )
    calls = _tool_calls(options.mock_tool_calls or ())
    message = Message(role="assistant", content=said, tool_calls=calls or None)
    about: dict[str, Any] = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "created": int(time.time()),
        "model": model,
    }
    usage = _usage(call, message)
    choices = range(call.params.get("n") or 1)
    finish = "tool_calls" if calls else "stop"
    if call.stream:
        chunks = [chunk for index in choices for chunk in _chunks(message, index, finish, about)]
        if call.wants_usage:
            chunks.append(ChatCompletionChunk(**about, choices=[ChunkChoice()], usage=usage))
        return MockStream(chunks, route)
    answer = ChatCompletion(
        **about,
        choices=[Choice(index=index, message=message, finish_reason=finish) for index in choices],
        usage=usage,
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


def _chunks(
    message: Message, index: int, finish: str, about: dict[str, Any]
) -> list[ChatCompletionChunk]:
    """The text word by word, each tool call in two pieces, and the finish reason."""
    deltas = [Delta(role="assistant", content="")]
    deltas += [Delta(content=word) for word in re.findall(r"\s*\S+|\s+", message.content or "")]
    for position, call in enumerate(message.tool_calls or ()):
        name = DeltaFunction(name=call.function.name, arguments="")
        arguments = DeltaFunction(arguments=call.function.arguments)
        first = DeltaToolCall(index=position, id=call.id, type="function", function=name)
        deltas.append(Delta(tool_calls=[first]))
        deltas.append(Delta(tool_calls=[DeltaToolCall(index=position, function=arguments)]))
    choices = [ChunkChoice(index=index, delta=delta) for delta in deltas]
    choices.append(ChunkChoice(index=index, finish_reason=finish))
    return [ChatCompletionChunk(**about, choices=[choice]) for choice in choices]


def _tool_calls(calls: Sequence[Any]) -> list[ToolCall]:
    """Tool calls from dictionaries in OpenAI's shape; arguments may be an object, ids may lack.

    Raises:
        BadRequestError: one names no function.
    """
    made = []
    for call in calls:
        match call:
            case ToolCall():
                made.append(call)
            case {"function": {"name": str(name)} as function}:
                arguments = function.get("arguments", {})
                text = arguments if isinstance(arguments, str) else json.dumps(arguments)
                identifier = call.get("id") or new_id("call_")
                made.append(ToolCall(id=identifier, function=Function(name=name, arguments=text)))
            case _:
                raise BadRequestError(
                    f"mock_tool_calls holds {call!r:.60}; write "
                    '{"function": {"name": "…", "arguments": {…}}}',
                    param="mock_tool_calls",
                )
    return made


def _vectors(model: str, call: Call, said: list[Any], route: Route) -> EmbeddingResponse:
    """A vector for each input: the same for all, or the list's own."""
    own = bool(said) and isinstance(said[0], list)
    answer = make_answer(said if own else [said] * len(inputs_of(call)), model, Usage())
    answer._route = route
    return answer


async def _one_by_one(
    chunks: Iterable[ChatCompletionChunk],
) -> AsyncGenerator[ChatCompletionChunk, None]:
    for chunk in chunks:
        yield chunk


def _usage(call: Call, message: Message) -> Usage:
    asked = sum(len(str(message.get("content") or "")) for message in call.messages)
    said = len(message.content or "")
    said += sum(len(call.function.arguments) for call in message.tool_calls or ())
    prompt, completion = (-(-size // CHARACTERS_PER_TOKEN) for size in (asked, said))
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )
