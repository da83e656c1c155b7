"""What holds for the requests of all providers, whatever their format."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest

from polyroute.exceptions import BadRequestError, UnsupportedParamsError

from .calls import (
    CALLS,
    CONVERSATIONS,
    HI,
    MODELS,
    PARAMETERS,
    assistant,
    build,
    called,
    result,
    user,
)

models = pytest.mark.parametrize("model", MODELS)

CANNOT_SAY = {"parallel results", "results, then a question", "results, then an answer",
              "arguments that are no JSON", "foreign ids", "an image as result", "old functions",
              "thoughts before calls"}  # fmt: skip
"""Conversations with tools, which a prompt cannot hold."""

MEDIA = {"image as data", "images by URL", "image with format", "image in a bucket", "drawing",
         "document", "nameless document", "document by URL", "audio", "video",
         "an image as result"}  # fmt: skip
"""Conversations that not every model can see or hear."""


def sent(model: str, *messages: dict[str, Any], **params: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(build(model, [*messages], params)[1].body)
    return body


@models
def test_the_callers_data_stay_as_they_are(model: str) -> None:
    """Nothing that is passed in is changed, whether the call is taken or refused."""
    before = copy.deepcopy(CALLS)
    for messages, params in CALLS.values():
        with suppress(BadRequestError):
            build(model, messages, params)
    assert before == CALLS


@models
def test_what_was_said_can_be_said_again(model: str) -> None:
    """A conversation that began elsewhere goes on: only media and tools may be too much."""
    refused = CANNOT_SAY if model.startswith("replicate/") else set()
    for name, messages in CONVERSATIONS.items():
        if name not in MEDIA | refused:
            build(model, messages, {})


@models
def test_media_are_refused_by_place_and_name(model: str) -> None:
    """What a provider does not take is told before it is sent, and where it stands."""
    for name in MEDIA:
        try:
            build(model, CONVERSATIONS[name], {})
        except BadRequestError as refusal:
            said = str(refusal)
            assert any(word in said for word in ("image", "file", "audio", "video", "SVG", "svg",
                                                 "bucket", "Claude", "document")), said  # fmt: skip


@models
@pytest.mark.parametrize("name", [name for name in PARAMETERS if name != "speech"])
def test_with_drop_params_no_parameter_is_refused(model: str, name: str) -> None:
    """What is left out is reported; a tool of another provider's is left out alone."""
    _target, request = build(model, HI, {**PARAMETERS[name], "drop_params": True})
    try:
        build(model, HI, PARAMETERS[name])
    except UnsupportedParamsError:
        assert request.dropped
    assert json.loads(request.body)


@models
def test_extra_body_and_headers_always_pass(model: str) -> None:
    """The caller's own fields lie over everything."""
    _target, request = build(
        model, HI, {"extra_body": {"odd": {"x": 1}}, "extra_headers": {"x-odd": "1"}}
    )
    assert json.loads(request.body)["odd"] == {"x": 1}
    assert request.headers["x-odd"] == "1"


@models
def test_annotations_of_other_providers_stay_behind(model: str) -> None:
    """Signatures, thoughts and notes are sent to their own kind only."""
    _target, request = build(model, CONVERSATIONS["an answer put back"], {})
    text = request.body.decode()
    assert "provider_specific_fields" not in text
    assert "annotations" not in text
    if "claude" not in model or model.startswith(("databricks", "openrouter")):
        _target, request = build(model, CONVERSATIONS["thoughts"], {})
        assert b"c2ln" not in request.body, "the signature of a thought"


@pytest.mark.parametrize("model", ["openai/gpt-4o", "groq/llama", "xai/grok-4", "azure/gpt-4o"])
def test_images_of_tools_follow_the_results(model: str) -> None:
    """A tool's message is text in OpenAI's format; the user shows the image."""
    roles = [message["role"] for message in sent(model, *CONVERSATIONS["an image as result"])[
        "messages"
    ]]  # fmt: skip
    assert roles == ["user", "assistant", "tool", "user"]


@pytest.mark.parametrize(
    ("model", "place"), [("openai/gpt-4o", "developer"), ("together_ai/m", "system")]
)
def test_a_developer_is_the_system_elsewhere(model: str, place: str) -> None:
    """OpenAI's newer role is only sent to who knows it."""
    told = sent(model, {"role": "developer", "content": "d"}, *HI)
    assert told["messages"][0] == {"role": place, "content": "d"}


@pytest.mark.parametrize(
    ("model", "effort"), [("openai/o3", "medium"), ("groq/openai/gpt-oss-20b", "medium")]
)
def test_thinking_is_an_effort_where_there_is_no_budget(model: str, effort: str) -> None:
    """Anthropic's parameter means the same everywhere."""
    thinking = {"type": "enabled", "budget_tokens": 4096}
    assert sent(model, *HI, thinking=thinking)["reasoning_effort"] == effort


@pytest.mark.parametrize(
    ("model", "sent_as"),
    [
        ("cerebras/m", {"reasoning_effort": "low"}),
        ("fireworks_ai/m", {"reasoning_effort": "low"}),
        ("openai/gpt-5", {"reasoning_effort": "minimal"}),
    ],
)
def test_levels_that_are_not_known_are_the_nearest(model: str, sent_as: dict[str, Any]) -> None:
    """Effort goes from low to high at most providers."""
    told = sent(model, *HI, reasoning_effort="minimal")
    assert {name: told[name] for name in sent_as} == sent_as


def test_together_turns_reasoning_off_by_a_switch() -> None:
    """Its levels begin at low."""
    assert sent("together_ai/m", *HI, reasoning_effort="none")["reasoning"] == {"enabled": False}
    assert "reasoning_effort" not in sent("together_ai/m", *HI, thinking={"type": "disabled"})


@pytest.mark.parametrize(
    ("base", "url"),
    [
        (None, "https://api.deepseek.com/beta/chat/completions"),
        ("https://proxy.example", "https://proxy.example/chat/completions"),
    ],
)
def test_a_prefill_goes_where_deepseek_takes_it(base: str | None, url: str) -> None:
    """Its own address has another for them; an address of the caller's is kept."""
    address = {"api_base": base} if base else {}
    assert build("deepseek/m", CONVERSATIONS["prefill"], address)[1].url == url
    assert "beta" not in build("deepseek/m", HI, address)[1].url


@pytest.mark.parametrize(
    ("model", "word"),
    [("deepseek/m", "prefix"), ("mistral/m", "prefix"), ("moonshot/m", "partial"),
     ("dashscope/m", "partial"), ("openai/m", None)],
)  # fmt: skip
def test_a_prefill_is_said_in_the_providers_word(model: str, word: str | None) -> None:
    """Where there is none, the message is only the last one."""
    last = sent(model, *CONVERSATIONS["prefill"])["messages"][-1]
    assert set(last) == {"role", "content", *([word] if word else [])}


def test_ids_that_are_too_long_keep_their_link() -> None:
    """vLLM makes ids that OpenAI does not take."""
    identifier = f"chatcmpl-tool-{'0' * 32}"
    turns = [user("Hi"), assistant(tool_calls=[called(identifier)]), result(identifier, "x")]
    (_, asked, answered) = sent("openai/gpt-4o", *turns)["messages"]
    assert asked["tool_calls"][0]["id"] == answered["tool_call_id"]
    assert len(answered["tool_call_id"]) <= 40


def test_documents_on_the_web_are_sent_as_data() -> None:
    """OpenAI opens no addresses of files; they are fetched, and named after their address."""
    (message,) = sent("openai/gpt-4o", *CONVERSATIONS["document by URL"])["messages"]
    file = message["content"][1]["file"]
    assert file["filename"] == "a.pdf"
    assert file["file_data"].startswith("data:")


@pytest.mark.parametrize(
    ("model", "part"),
    [
        (
            "perplexity/sonar",
            {"type": "file_url", "file_url": {"url": "https://a.example/a.pdf"}},
        ),
        (
            "mistral/mistral-large-latest",
            {"type": "document_url", "document_url": "https://a.example/a.pdf"},
        ),
    ],
)
def test_who_opens_addresses_gets_them(model: str, part: dict[str, Any]) -> None:
    """Documents have another type there."""
    (message,) = sent(model, *CONVERSATIONS["document by URL"])["messages"]
    assert message["content"][1] == part


def test_a_refusal_is_what_was_said() -> None:
    """Where OpenAI's field is not known, its words are the content."""
    refused = [user("Hi"), assistant(refusal="No."), user("Why?")]
    assert sent("openai/gpt-4o", *refused)["messages"][1]["refusal"] == "No."
    assert sent("groq/m", *refused)["messages"][1] == {"role": "assistant", "content": "No."}
    claude = sent("anthropic/claude-sonnet-4-5", *refused)["messages"]
    assert claude[1]["content"] == [{"type": "text", "text": "No."}]
