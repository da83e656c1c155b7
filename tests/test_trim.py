"""Trimming: what stays is what a model needs to go on, and it fits."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from polyroute import ChatCompletion, register_model, token_counter, trim_messages
from polyroute.exceptions import BadRequestError, NotFoundError
from polyroute.schemas import convert

SYSTEM = {"role": "system", "content": "Answer briefly."}


def turn(number: int) -> list[dict[str, Any]]:
    """A question, a tool's call and result, and the answer."""
    call = {"id": f"call-{number}", "function": {"name": "look_up", "arguments": "{}"}}
    return [
        {"role": "user", "content": f"question {number}"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"call-{number}", "content": f"result {number}"},
        {"role": "assistant", "content": f"answer {number}"},
    ]


HISTORY = [SYSTEM, *turn(1), *turn(2), *turn(3)]


def count(messages: list[Any]) -> int:
    return token_counter("claude-sonnet-4-5", messages=messages)


def test_what_fits_stays() -> None:
    """Messages below the limit are returned as they are, in a list of their own."""
    trimmed = trim_messages(HISTORY, max_tokens=10_000)
    assert trimmed == HISTORY
    assert trimmed is not HISTORY


@pytest.mark.parametrize("limit", range(30, 140, 5))
def test_system_and_newest(limit: int) -> None:
    """The system message and an end of the conversation stay, and fit; nothing is changed."""
    before = copy.deepcopy(HISTORY)
    trimmed = trim_messages(HISTORY, max_tokens=limit)
    assert trimmed[0] == SYSTEM
    assert trimmed[1:] == HISTORY[len(HISTORY) - len(trimmed) + 1 :]
    assert count(trimmed) <= limit
    assert before == HISTORY


@pytest.mark.parametrize("limit", range(30, 140, 5))
def test_results_stay_with_their_calls(limit: int) -> None:
    """No result is kept without the call that it answers."""
    trimmed = trim_messages(HISTORY, max_tokens=limit)
    calls = {call["id"] for message in trimmed for call in message.get("tool_calls", ())}
    assert {message["tool_call_id"] for message in trimmed if message["role"] == "tool"} == calls


def test_as_many_as_fit() -> None:
    """One token less than all of them need leaves out the oldest turn's question only."""
    trimmed = trim_messages(HISTORY, max_tokens=count(HISTORY) - 1)
    assert trimmed == [SYSTEM, *HISTORY[2:]]


def test_long_last_message_is_shortened() -> None:
    """If not even the last message fits, it loses its middle."""
    words = " ".join(f"word{number}" for number in range(300))
    trimmed = trim_messages([SYSTEM, {"role": "user", "content": words}], max_tokens=100)
    assert [message["role"] for message in trimmed] == ["system", "user"]
    kept = trimmed[1]["content"]
    head, tail = kept.split(" … ")
    assert words.startswith(head)
    assert words.endswith(tail)
    assert 90 <= count(trimmed) <= 100


def test_long_result_is_shortened() -> None:
    """Of a call and its result it is the result that is cut."""
    messages = turn(1)[:3]
    messages[2] = {**messages[2], "content": "data " * 500}
    trimmed = trim_messages(messages, max_tokens=80)
    assert [message["role"] for message in trimmed] == ["assistant", "tool"]
    assert count(trimmed) <= 80


@pytest.mark.parametrize(
    ("messages", "limit"),
    [
        ([{"role": "system", "content": "rule " * 100}, {"role": "user", "content": "hi"}], 50),
        ([{"role": "system", "content": "rule " * 100}], 50),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}], 500),
        ([{"role": "user", "content": "hi"}], 2),
    ],
)
def test_too_little_room(messages: list[Any], limit: int) -> None:
    """If what must stay does not fit, that is an error that says how much it is."""
    with pytest.raises(BadRequestError, match=r"has \d+ tokens, the limit leaves \d+"):
        trim_messages(messages, max_tokens=limit)


@pytest.mark.usefixtures("catalogue")
def test_limit_of_a_model() -> None:
    """Without max_tokens three quarters of what the model takes are used."""
    register_model({"openai/small": {"max_input_tokens": 100}})
    trimmed, left = trim_messages(HISTORY, "openai/small", return_response_tokens=True)
    assert count(trimmed) <= 75
    assert left == 75 - count(trimmed)
    assert len(trim_messages(HISTORY, "openai/small", trim_ratio=0.5)) < len(trimmed)


@pytest.mark.usefixtures("catalogue")
def test_no_limit() -> None:
    """A limit must come from somewhere."""
    register_model({"openai/nobody-knows": {"mode": "chat"}})
    with pytest.raises(BadRequestError, match="pass max_tokens"):
        trim_messages(HISTORY, "openai/nobody-knows")
    with pytest.raises(BadRequestError, match="a model or max_tokens"):
        trim_messages(HISTORY)
    with pytest.raises(NotFoundError):
        trim_messages(HISTORY, "openai/not-there-at-all")


def test_message_objects() -> None:
    """Messages of earlier answers are kept as the objects that they are."""
    answer = convert({"choices": [{"message": {"content": "Yes."}}]}, ChatCompletion)
    message = answer.choices[0].message
    trimmed = trim_messages([{"role": "user", "content": "word " * 90}, message], max_tokens=20)
    assert trimmed == [message]
