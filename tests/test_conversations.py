"""Conversations whose answers are put back as they came, tool calls and all, in every format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polyroute.testing import Reply, ToolUse

pytestmark = pytest.mark.anyio

FORMATS = ("anthropic", "gemini", "openai")
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "forecast",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def answer(body: dict[str, Any]) -> Reply:
    """Two calls of the tool at first; once there are results, a text that repeats them."""
    seen = json.dumps(body)
    if "sunny in" in seen:
        cities = [city for city in ("Oslo", "Rome") if f"sunny in {city}" in seen]
        return Reply(f"Sunny in {' and '.join(cities)}.")
    calls = [ToolUse("forecast", {"city": city}) for city in ("Oslo", "Rome")]
    return Reply("Let me see.", tools=calls)


async def converse(router: Any, aliases: tuple[str, ...], *, stream: bool) -> list[Any]:
    """A loop over tool calls as an application has it; each answer goes back into the messages."""
    messages: list[Any] = [{"role": "user", "content": "Oslo or Rome?"}]
    for alias in aliases:
        if stream:
            got = await router.acompletion(alias, messages, tools=TOOLS, stream=True)
            message = await together(got)
        else:
            got = await router.acompletion(alias, messages, tools=TOOLS)
            message = got.choices[0].message
        messages.append(message)
        calls = (message["tool_calls"] if isinstance(message, dict) else message.tool_calls) or ()
        for call in calls:
            function = call["function"]
            city = json.loads(function["arguments"])["city"]
            result = {"role": "tool", "tool_call_id": call["id"], "content": f"sunny in {city}"}
            messages.append(result)
    return messages


async def together(stream: Any) -> dict[str, Any]:
    """The message that a stream says, put together by hand."""
    text, calls = "", {}
    async for chunk in stream:
        delta = chunk.choices[0].delta
        text += delta.content or ""
        for piece in delta.tool_calls or ():
            call = calls.setdefault(
                piece.index,
                {"id": "", "type": "function", "function": {"name": "", "arguments": ""}},
            )
            call["id"] += piece.id or ""
            call["function"]["name"] += piece.function.name or ""
            call["function"]["arguments"] += piece.function.arguments or ""
    return {"role": "assistant", "content": text, "tool_calls": list(calls.values()) or None}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
async def test_a_loop_over_tools(fleet: Any, first: str, second: str, stream: bool) -> None:
    """The model calls tools, hears the results and answers, even if another one has called."""
    upstreams = await fleet.start(*FORMATS, answer=answer)
    router = await fleet.router(dict(zip(FORMATS, ([each] for each in upstreams), strict=True)))
    messages = await converse(router, (first, second), stream=stream)
    roles = [message["role"] for message in messages]
    assert roles == ["user", "assistant", "tool", "tool", "assistant"]
    assert messages[-1]["content"] == "Sunny in Oslo and Rome."
