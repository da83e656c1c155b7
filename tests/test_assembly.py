"""Streams put together: the same answer, usage and cost as if they had not been streamed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import completion_cost, stream_chunk_builder
from polyroute.exceptions import BadRequestError
from polyroute.testing import Reply

if TYPE_CHECKING:
    from .conftest import Fleet

pytestmark = pytest.mark.anyio

HELLO = [{"role": "user", "content": "Hello"}]


def chunk(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "created": 7, "model": "gpt-4o", "choices": [choice]}


def test_text_and_frame() -> None:
    """Text is joined, and what every chunk repeats is there once."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    last = {**chunk(finish="stop"), "usage": usage, "system_fingerprint": "fp", "citations": ["u"]}
    answer = stream_chunk_builder(
        [chunk(role="assistant", content="Hel"), chunk(content="lo"), last]
    )
    assert answer.choices[0].message.content == "Hello"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.id, answer.created, answer.model) == ("c1", 7, "gpt-4o")
    assert (answer.object, answer.system_fingerprint) == ("chat.completion", "fp")
    assert answer.usage is not None
    assert (answer.usage.total_tokens, answer.usage.get("is_estimate")) == (5, None)
    assert answer.citations == ["u"]


def test_several_choices() -> None:
    """Each choice is put together from its own chunks, in order."""
    answer = stream_chunk_builder(
        [
            chunk(1, content="B"),
            chunk(0, content="A"),
            chunk(0, "stop", content="a"),
            chunk(1, "length", content="b"),
        ]
    )
    said = [(each.index, each.message.content, each.finish_reason) for each in answer.choices]
    assert said == [(0, "Aa", "stop"), (1, "Bb", "length")]


def test_tool_calls() -> None:
    """Pieces of tool calls are joined by their index."""
    pieces = [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x'}},
        {"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}},
        {"index": 0, "function": {"arguments": '": 1}'}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]
    answer = stream_chunk_builder([chunk(tool_calls=[piece]) for piece in pieces])
    calls = answer.choices[0].message.tool_calls or []
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("a", "f", '{"x": 1}'),
        ("b", "g", "{}"),
    ]


def test_everything_else() -> None:
    """Reasoning, thinking, log probabilities, sound and fields of a provider's own survive."""
    first, second = base64.b64encode(b"one").decode(), base64.b64encode(b"two2").decode()
    chunks = [
        chunk(reasoning_content="Let me "),
        chunk(reasoning_content="think.", details=[1]),
        chunk(
            thinking_blocks=[{"type": "thinking", "thinking": "Let me think.", "signature": "s"}]
        ),
        chunk(audio={"id": "a", "data": first, "transcript": "He"}, details=[2], mood="calm"),
        chunk(audio={"data": second, "transcript": "y", "expires_at": 9}, refusal="no"),
        chunk(function_call={"name": "f", "arguments": "{"}),
        chunk(function_call={"arguments": "}"}, annotations=[{"type": "url_citation"}]),
    ]
    for position, each in enumerate(chunks[:2]):
        each["choices"][0]["logprobs"] = {"content": [{"token": str(position)}], "refusal": None}
    choice = stream_chunk_builder(chunks).choices[0]
    message = choice.message
    assert message.reasoning_content == "Let me think."
    assert [block["signature"] for block in message.thinking_blocks or ()] == ["s"]
    assert message.audio == {
        "id": "a",
        "data": base64.b64encode(b"onetwo2").decode(),
        "transcript": "Hey",
        "expires_at": 9,
    }
    assert (message.refusal, message.annotations) == ("no", [{"type": "url_citation"}])
    assert message.function_call is not None
    assert message.function_call.arguments == "{}"
    assert message.provider_specific_fields == {"details": [1, 2], "mood": "calm"}
    assert choice.logprobs == {"content": [{"token": "0"}, {"token": "1"}]}
    assert choice.finish_reason is None


def test_usage_is_estimated() -> None:
    """Where nobody tells the usage it is counted, and says so."""
    said = {**chunk(content="Hello there, my friend."), "model": "some-model"}
    answer = stream_chunk_builder([said], HELLO)
    assert answer.usage is not None
    assert answer.usage["is_estimate"] is True
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (8, 5)
    assert answer.usage.total_tokens == 13
    own = {"input_cost_per_token": 1.0, "output_cost_per_token": 10.0}
    assert completion_cost(answer, custom_cost_per_token=own) == 58.0


def test_nothing() -> None:
    """No chunks make no answer."""
    with pytest.raises(BadRequestError, match="no chunks"):
        stream_chunk_builder([])


@pytest.mark.parametrize("format", ["openai", "anthropic", "gemini"])
async def test_like_its_unstreamed_twin(fleet: Fleet, format: str) -> None:
    """A stream has the answer, the usage and the cost of its unstreamed twin."""
    (upstream,) = await fleet.start(format, answer=Reply("Here you are.", prompt_tokens=10))
    prices = {"input_cost_per_token": 1e-6, "output_cost_per_token": 3e-6}
    entry = upstream.deployment("smart", info=prices)
    router = await fleet.router({"smart": [entry]})
    whole = await router.acompletion("smart", HELLO)
    chunks = [each async for each in await router.acompletion("smart", HELLO, stream=True)]
    built = stream_chunk_builder(chunks, HELLO)
    assert built.choices[0].message.content == whole.choices[0].message.content
    assert built.choices[0].finish_reason == whole.choices[0].finish_reason
    assert whole.usage is not None
    assert built.usage is not None
    assert built.usage.total_tokens == whole.usage.total_tokens
    costs = [completion_cost(each) for each in (whole, built, chunks)]
    assert costs == [whole.route.cost] * 3
    assert costs[0] == pytest.approx(
        whole.usage.prompt_tokens * 1e-6 + whole.usage.completion_tokens * 3e-6
    )
