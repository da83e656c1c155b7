"""
One contract for every provider, over recorded real traffic.

Each recording is read twice, by the adapter and by a few plain lines (`readers.py`) that know
nothing of the adapter.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from polyroute import exceptions

from .readers import READERS, Said, counted, read_choices, read_usage
from .recordings import Recording, every, kind

CLASSES = {
    401: exceptions.AuthenticationError,
    403: (exceptions.PermissionDeniedError, exceptions.AuthenticationError),  # AWS's only status
    404: exceptions.NotFoundError,
    429: exceptions.RateLimitError,
}
TOO_LONG = re.compile(r"maximum context|max context length|messages is too long")


whole = every(lambda recording: kind(recording) == "whole")
stream = every(lambda recording: kind(recording) == "stream")
late_failure = every(lambda recording: kind(recording) == "late failure")
failure = every(lambda recording: kind(recording) == "failure")
whole_openai = every(lambda found: kind(found) == "whole" and found.format == "openai")
stream_openai = every(lambda found: kind(found) == "stream" and found.format == "openai")


def said_by(messages: dict[int, Any]) -> dict[int, Said]:
    """The same three things, of messages that the adapter made."""
    return {
        index: Said(
            message.content or "",
            message.reasoning_content or "",
            [
                (call.function.name, json.loads(call.function.arguments or "{}"))
                for call in message.tool_calls or ()
            ],
        )
        for index, message in messages.items()
    }


def said_in(chunks: list[Any]) -> dict[int, Said]:
    """The same three things, of chunks that the adapter made, put together."""
    said: dict[int, Said] = defaultdict(Said)
    pieces: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(lambda: ["", ""]))
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        delta = choice.delta
        said[choice.index].text += delta.content or ""
        said[choice.index].reasoning += delta.reasoning_content or ""
        for call in delta.tool_calls or ():
            pieces[choice.index][call.index][0] += call.function.name or ""
            pieces[choice.index][call.index][1] += call.function.arguments or ""
    for index, calls in pieces.items():
        said[index].calls = [(name, json.loads(text or "{}")) for name, text in calls.values()]
    return said


def decode(recording: Recording, size: int) -> tuple[list[Any], Any]:
    """The chunks of a stream that arrives in reads of `size` bytes, and its decoder."""
    decoder = recording.adapter().decoder(recording.call())
    chunks: list[Any] = []
    for start in range(0, len(recording.body), size):
        decoder.feed(recording.body[start : start + size], chunks)
    decoder.finish(chunks)
    return chunks, decoder


def dump(chunks: list[Any], recording: Recording) -> str:
    """The chunks as text; ids and times that the provider did not send count as equal."""
    sent = recording.body.decode("utf-8", "replace")
    text = json.dumps([chunk.model_dump() for chunk in chunks])
    for made in re.findall(r'"(?:id|created)": "?([^",]+)', text):
        text = text if made in sent else text.replace(made, "made up")
    return text


def read(recording: Recording) -> Any:
    """The answer, whole or in chunks."""
    if recording.streamed:
        return decode(recording, 7)
    return recording.adapter().parse(recording.body, recording.call())


def assert_kept(raw: dict[str, Any], record: Any) -> None:
    """Every field that the provider sent can be read from the record."""
    for name, value in raw.items():
        assert name in record, f"{name} is lost"
        if name not in record.__struct_fields__:
            assert record[name] == value == record.provider_specific_fields[name]


@whole
def test_a_whole_answer_says_what_the_provider_said(recording: Recording) -> None:
    """Text, reasoning, tool calls and usage equal a plain reading of the provider's JSON."""
    raws = recording.answers()
    answer = recording.adapter().parse(recording.body, recording.call())
    messages = {choice.index: choice.message for choice in answer.choices}
    assert said_by(messages) == READERS[recording.format](raws)
    ends = [choice.finish_reason for choice in answer.choices]
    assert all(ends) or any(choice.get("finish_reason") == "" for choice in read_choices(raws[0]))
    usage = read_usage(recording.format, raws)
    if usage:
        assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == usage
        assert answer.usage.completion_tokens in (usage[1] - usage[0], counted(raws))
    assert json.loads(answer.model_dump_json()) == answer.model_dump()


@whole_openai
def test_a_whole_answer_loses_no_field(recording: Recording) -> None:
    """Fields that OpenAI does not define are reachable, by name and as specific fields."""
    raw = json.loads(recording.body)
    answer = recording.adapter().parse(recording.body, recording.call())
    assert_kept(raw, answer)
    for before, choice in zip(raw["choices"], answer.choices, strict=True):
        assert_kept(before, choice)
        assert_kept(before["message"], choice.message)
    if raw.get("usage"):
        assert set(answer.usage) >= set(raw["usage"])


@stream
def test_a_stream_is_the_same_for_every_cut(recording: Recording) -> None:
    """Reads of one byte, of seven and of everything give the same chunks."""
    sizes = (1, 7, len(recording.body))
    dumps = [dump(decode(recording, size)[0], recording) for size in sizes]
    assert dumps[0] == dumps[2]
    assert dumps[1] == dumps[2]


@stream
def test_a_stream_says_what_the_provider_said(recording: Recording) -> None:
    """The chunks add up to a plain reading of the events, with one id, one role, one end each."""
    events = recording.answers()
    chunks, decoder = decode(recording, len(recording.body))
    assert len({chunk.id for chunk in chunks}) == 1
    assert said_in(chunks) == READERS[recording.format](events)
    roles, ends = defaultdict(list), defaultdict(list)
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        roles[choice.index] += [choice.delta.role] if choice.delta.role else []
        ends[choice.index] += [choice.finish_reason] if choice.finish_reason else []
    assert all(found == ["assistant"] for found in roles.values())
    assert all(len(found) <= 1 for found in ends.values())
    raw_ends = {
        choice["index"]: choice["finish_reason"]
        for choice in (choice for event in events for choice in read_choices(event))
        if choice.get("finish_reason")
    }
    assert all(ends[index] == [reason] for index, reason in raw_ends.items())
    assert all(ends.values()) or recording.format == "openai"
    usage = read_usage(recording.format, events)
    if usage:
        assert (decoder.usage.prompt_tokens, decoder.usage.total_tokens) == usage
        assert decoder.usage.completion_tokens in (usage[1] - usage[0], counted(events))
        assert [chunk.usage for chunk in chunks if chunk.usage][-1] == decoder.usage


@stream_openai
def test_a_stream_loses_no_field(recording: Recording) -> None:
    """Fields that OpenAI does not define are reachable in some chunk."""
    chunks, _decoder = decode(recording, len(recording.body))
    kept = {name for chunk in chunks for name in chunk}
    kept_choice = {name for chunk in chunks for choice in chunk.choices for name in choice}
    kept_delta = {name for chunk in chunks for choice in chunk.choices for name in choice.delta}
    for event in recording.answers():
        assert event.keys() <= kept
        for choice in event.get("choices") or ():
            assert choice.keys() <= kept_choice
            assert (choice.get("delta") or {}).keys() <= kept_delta


@stream
def test_a_stream_cut_short_is_an_error(recording: Recording) -> None:
    """A connection that ends before the provider has said so never looks like an end."""
    decoder = recording.adapter().decoder(recording.call())
    chunks: list[Any] = []
    decoder.feed(recording.body[: len(recording.body) // 3], chunks)
    if not any(choice.finish_reason for chunk in chunks for choice in chunk.choices):
        with pytest.raises(exceptions.APIResponseValidationError):
            decoder.finish(chunks)


@late_failure
def test_what_fails_at_200_raises(recording: Recording) -> None:
    """An error inside an answer is raised, with a message and a status of its own."""
    with pytest.raises(exceptions.APIError) as raised:
        read(recording)
    assert raised.value.message
    assert raised.value.status_code >= 400


@failure
def test_an_error_is_read(recording: Recording) -> None:
    """An error has its status, a message, and the class that its status or words ask for."""
    error = recording.adapter().error(recording.status, recording.headers, recording.body)
    assert isinstance(error, exceptions.APIError)
    assert error.status_code == recording.status
    assert error.message
    assert isinstance(error, CLASSES.get(recording.status, exceptions.APIError))
    if TOO_LONG.search(recording.body.decode("utf-8", "replace")):
        assert isinstance(error, exceptions.ContextWindowExceededError)
    assert "key-of-the-test" not in f"{error!r} {error.body} {error.response_headers}"
