"""What has arrived of a stream, put together."""

from __future__ import annotations

from typing import Any

import pytest

from polyroute.router.partial import JOIN_AFTER, Partial, has_content
from polyroute.schemas import ChatCompletionChunk, Message, convert


def chunk(index: int = 0, finish: str | None = None, **delta: Any) -> ChatCompletionChunk:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return convert({"choices": [choice]}, ChatCompletionChunk)


def put_together(*chunks: ChatCompletionChunk) -> Message:
    partial = Partial()
    for each in chunks:
        partial.add(each)
    return partial.message()


def test_text() -> None:
    """Pieces of text are one text, however many they are."""
    chunks = [chunk(content=f"{number} ") for number in range(3 * JOIN_AFTER)]
    expected = "".join(f"{number} " for number in range(3 * JOIN_AFTER))
    assert put_together(*chunks).content == expected


def test_nothing_yet() -> None:
    """Before anything came there is a message without content."""
    message = put_together(chunk(role="assistant"))
    assert (message.role, message.content, message.tool_calls) == ("assistant", None, None)


def test_content_and_reasoning_in_one_chunk() -> None:
    """A chunk may bring the end of the reasoning and the beginning of the text."""
    message = put_together(
        chunk(reasoning_content="I think "),
        chunk(reasoning_content="so.", content="Yes"),
        chunk(content="!"),
    )
    assert (message.reasoning_content, message.content) == ("I think so.", "Yes!")


def test_tool_calls() -> None:
    """Pieces of several tool calls are sorted by their index."""
    pieces = [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x'}},
        {"index": 1, "id": "b", "function": {"name": "g"}},
        {"index": 0, "function": {"arguments": '": 1}'}},
        {"index": 1, "function": {"arguments": "{}"}},
    ]
    message = put_together(*(chunk(tool_calls=[piece]) for piece in pieces))
    calls = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls]
    assert calls == [("a", "f", '{"x": 1}'), ("b", "g", "{}")]


def test_first_choice_only() -> None:
    """Of several choices the first is kept."""
    assert put_together(chunk(content="a"), chunk(index=1, content="b")).content == "a"


def test_refusal() -> None:
    """A refusal is what the model said, too."""
    message = put_together(chunk(refusal="I ca"), chunk(refusal="n't."))
    assert message.refusal == "I can't."


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "x"},
        {"refusal": "x"},
        {"tool_calls": [{"index": 0}]},
        {"function_call": {"name": "f"}},
        {"audio": {"id": "a"}},
        {"images": [{"type": "image_url"}]},
    ],
    ids=lambda delta: next(iter(delta)),
)
def test_what_commits(delta: dict[str, Any]) -> None:
    """Whatever the caller could see commits a stream."""
    assert has_content(chunk(**delta))


@pytest.mark.parametrize("delta", [{}, {"role": "assistant"}, {"content": ""}])
def test_what_does_not_commit(delta: dict[str, Any]) -> None:
    """A role and empty text commit nothing; a finish reason does."""
    assert not has_content(chunk(**delta))
    assert has_content(chunk(finish="stop", **delta))
