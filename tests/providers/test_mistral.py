"""What the Mistral adapter changes in OpenAI's format, and what it leaves."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from polyroute import exceptions
from polyroute.providers import Call, Target
from polyroute.providers.mistral import MistralAdapter

HELLO = [{"role": "user", "content": "Hello"}]


def adapter() -> MistralAdapter:
    return MistralAdapter(Target("mistral", "mistral-large-latest", "mk-1"))


def body(messages: list[dict[str, Any]], **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(adapter().build(Call(messages, params)).body)
    return built


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("max_completion_tokens", 9, {"max_tokens": 9}),
        ("seed", 5, {"random_seed": 5}),
        ("tool_choice", "required", {"tool_choice": "any"}),
        ("tool_choice", "auto", {"tool_choice": "auto"}),
        (
            "tool_choice",
            {"type": "function", "function": {"name": "f"}},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        ),
        ("reasoning_effort", "low", {"reasoning_effort": "high"}),
        ("reasoning_effort", "minimal", {"reasoning_effort": "none"}),
        ("stream_options", {"include_usage": True}, {}),
        ("safe_prompt", True, {"safe_prompt": True}),
        ("n", 2, {"n": 2}),
    ],
)
def test_parameters_have_mistrals_names(name: str, value: Any, sent: dict[str, Any]) -> None:
    """A parameter that Mistral calls otherwise is renamed, its own go as they are."""
    built = body(HELLO, **{name: value})
    assert built == {"model": "mistral-large-latest", "messages": HELLO, **sent}


def test_what_mistral_answers_with_422_is_refused_before() -> None:
    """Fields that its schema lacks never go over the wire."""
    with pytest.raises(exceptions.UnsupportedParamsError, match="logit_bias, user"):
        body(HELLO, user="u", logit_bias={})


def test_a_schema_says_nothing_about_itself() -> None:
    """``$schema`` and ``$id`` are left out; a tool without parameters takes none."""
    described = {"$schema": "s", "$id": "i", "type": "object", "properties": {"$id": {}}}
    tools = [
        {"type": "function", "function": {"name": "f", "parameters": described}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "web_search"},
    ]
    sent = body(HELLO, tools=tools)["tools"]
    assert sent[0]["function"]["parameters"] == {"type": "object", "properties": {"$id": {}}}
    assert sent[1]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert sent[2] == {"type": "web_search"}
    assert "$schema" in described


@pytest.mark.parametrize("identifier", ["call_Cy1DEB8QMcpGcCxKICYA0VDX", "functions.f:0"])
def test_ids_of_other_providers_become_mistrals(identifier: str) -> None:
    """Nine letters and digits, the same in the call and in its result."""
    call = {"id": identifier, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}
    answered = {"role": "tool", "tool_call_id": identifier, "content": "1"}
    sent = body([*HELLO, asked, answered])["messages"]
    made = sent[1]["tool_calls"][0]["id"]
    assert re.fullmatch(r"[a-zA-Z0-9]{9}", made)
    assert sent[2]["tool_call_id"] == made
    assert call["id"] == identifier


@pytest.mark.parametrize("identifier", ["D681PevKs", "call_a"])
def test_ids_of_mistral_and_of_people_stay(identifier: str) -> None:
    """Valid ids are kept, and so are short ones, which no provider makes."""
    answered = {"role": "tool", "tool_call_id": identifier, "content": "1"}
    assert body([*HELLO, answered])["messages"][1] == answered


def test_old_function_calls_become_tool_calls() -> None:
    """A history in OpenAI's first format keeps the link between call and result."""
    asked = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}}
    sent = body([*HELLO, asked, {"role": "function", "name": "f", "content": "1"}])["messages"]
    assert sent[2]["role"] == "tool"
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,QQ==",
                                      "filename": "a.pdf"}},
            {"type": "document_url", "document_url": "data:application/pdf;base64,QQ==",
             "document_name": "a.pdf"},
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, {"type": "file", "file_id": "f1"}),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
            {"type": "input_audio", "input_audio": "QQ=="},
        ),
        (
            {"type": "image_url", "image_url": "https://x/a.png"},
            {"type": "image_url", "image_url": {"url": "https://x/a.png"}},
        ),
    ],
)  # fmt: skip
def test_documents_and_audio_have_mistrals_shape(part: Any, sent: Any) -> None:
    """What OpenAI nests lies at the top."""
    assert body([{"role": "user", "content": [part]}])["messages"][0]["content"] == [sent]


def test_roles_and_names_are_those_of_the_schema() -> None:
    """A developer is a system, people have no names, a prefix stays a prefix."""
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "name": "Ann", "content": "Hi"},
        {"role": "assistant", "content": "{", "prefix": True},
    ]
    assert body(messages)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "{", "prefix": True},
    ]


@pytest.mark.parametrize("size", [1, 7, 2**20])
def test_thinking_in_a_stream_is_reasoning(size: int) -> None:
    """Lists of parts in deltas become text and reasoning."""
    parts = [[{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}], "4"]
    events = [{"id": "c", "choices": [{"index": 0, "delta": {"content": c}}]} for c in parts]
    events.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    stream = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)
    decoder = adapter().decoder(Call(HELLO, stream=True))
    out: list[Any] = []
    for start in range(0, len(stream), size):
        decoder.feed(stream[start : start + size], out)
    decoder.finish(out)
    deltas = [chunk.choices[0].delta for chunk in out]
    assert [(d.reasoning_content, d.content) for d in deltas] == [
        ("hm", None),
        (None, "4"),
        (None, None),
    ]


def test_a_complaint_names_the_place() -> None:
    """A 422 says which field is wrong, in words."""
    answer = b'{"detail":[{"type":"x","loc":["body","foo"],"msg":"Extra inputs"}]}'
    error = adapter().error(422, {}, answer)
    assert type(error) is exceptions.UnprocessableEntityError
    assert error.message == "body.foo: Extra inputs"
