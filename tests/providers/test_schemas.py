"""
The requests of all providers, held against the providers' own machine-readable schemas; and the
answers, against OpenAI's.

The schemas are other projects' data and stay outside: POLYROUTE_SHARED names the folder that
holds `reality/validators`. What these import is in the dependency group `schemas`:

    uv run --group schemas pytest tests/providers/test_schemas.py
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from polyroute.exceptions import APIError, BadRequestError, UnsupportedParamsError

from .calls import CALLS, MODELS, build
from .recordings import every, kind

if TYPE_CHECKING:
    from polyroute.providers import Request, Target

    from .recordings import Recording

SHARED = os.environ.get("POLYROUTE_SHARED", "")
VALIDATORS = Path(SHARED, "reality")
CASES = sorted(Path(SHARED, "conformance", "cases").glob("*.json")) if SHARED else []

NAMES = {"fireworks_ai": "fireworks", "together_ai": "together"}
OWN = frozenset(
    {"anthropic", "bedrock", "cerebras", "cohere", "gemini", "groq", "huggingface", "mistral"}
    | {"ollama", "openrouter", "perplexity", *NAMES}
)
"""Providers with a schema of their own."""

LIKE_OPENAI = {"azure": "azure", "dashscope": "alibaba", "deepseek": "deepseek",
               "moonshot": "moonshot", "xai": "xai", "zai": "zai"}  # fmt: skip
"""Providers whose schema is OpenAI's with known additions, under the validator's names."""

REMOVE: Any = object()


class Renamed(str):
    """What a field is called in a schema that is made for Python."""

    __slots__ = ()


NARROWER: list[tuple[str, str, Any, str]] = [
    ("anthropic", "temperature", REMOVE, "the SDK knows 2026-10-21, which dropped it"),
    ("anthropic", "top_k", REMOVE, "the same"),
    ("anthropic", "top_p", REMOVE, "the same"),
    ("dashscope", "messages.*.content.*.cache_control", REMOVE, "documented by Alibaba"),
    ("dashscope", "messages.*.partial", REMOVE, "documented: partial mode"),
    ("dashscope", "messages.*.content.*.video_url", REMOVE, "documented by Alibaba"),
    ("databricks", "thinking", REMOVE, "Claude's, documented by Databricks"),
    ("deepseek", "messages.*.prefix", REMOVE, "documented: chat prefix completion"),
    ("fireworks_ai", "messages.*.name", REMOVE, "OpenAI's; its server reads what it knows"),
    ("fireworks_ai", "stream_options", REMOVE, "documented; sent by its own compatibility tests"),
    ("gemini", "contents.*.parts.*.mediaResolution", REMOVE, "documented for Gemini 3"),
    ("gemini", "generationConfig.thinkingConfig.thinkingLevel", REMOVE, "the same"),
    ("gemini", "serviceTier", REMOVE, "documented; younger than the protobufs"),
    ("groq", "stream_options", REMOVE, "documented; recorded with 200"),
    ("hosted_vllm", "messages.*.content.*.video_url", REMOVE, "documented by vLLM"),
    ("moonshot", "messages.*.content.*.video_url", REMOVE, "documented by Moonshot"),
    ("moonshot", "messages.*.partial", REMOVE, "documented: partial mode"),
    ("openai_like", "messages.*.content.*.video_url", REMOVE, "a server's that is not OpenAI's"),
    ("openai_like", "messages.*.reasoning_content", REMOVE, "a server's that is not OpenAI's"),
    ("openai_like", "thinking", REMOVE, "the same"),
    ("openrouter", "messages.*.content.*.input_audio.format", Renamed("format_"), "Python's name"),
    ("openrouter", "response_format.json_schema.schema", Renamed("schema_"), "the same"),
    ("openrouter", "reasoning.max_tokens", REMOVE, "documented: reasoning tokens"),
    ("openrouter", "verbosity", REMOVE, "documented under parameters"),
    ("openrouter", "web_search_options", REMOVE, "documented: web search"),
    ("perplexity", "messages.*.content.*.image_url.detail", REMOVE, "OpenAI's; ignored"),
    ("perplexity", "tool_choice", REMOVE, "OpenAI's; the SDK knows no named function"),
    ("perplexity", "tools", REMOVE, "the SDK takes a part of JSON schema only"),
    ("together_ai", "logprobs", 1, "a flag in OpenAI's words, as its documentation shows"),
    ("together_ai", "messages.*.content.*.image_url.detail", REMOVE, "OpenAI's; ignored"),
    ("together_ai", "messages.*.tool_calls.*.index", 0, "no documented example has it"),
    ("together_ai", "stream_options", REMOVE, "OpenAI's; accepted"),
    ("together_ai", "tool_choice", REMOVE, "the schema wants a call with its arguments"),
    ("together_ai", "top_logprobs", REMOVE, "OpenAI's; ignored"),
    ("vertex_ai", "messages.*.tool_calls.*.extra_content", REMOVE, "Google's own"),
    ("vertex_ai", "messages.*.reasoning_content", REMOVE, "open models', not OpenAI's"),
    ("vertex_ai", "messages.*.content.*.video_url", REMOVE, "the same"),
    ("zai", "messages.*.content.*.video_url", REMOVE, "documented by Z.AI"),
    ("zai", "user_id", REMOVE, "documented by Z.AI; here stands OpenAI's schema"),
]
"""Where a schema is narrower than reality: provider, place, what stands there instead, why."""

BETAS = frozenset({"anthropic.computer-use-no-display", "anthropic.computer-use-openai-shape"})
CALLERS = frozenset(
    {"gemini.extra-body", "openai.unknown-kwarg-forwarded", "openrouter.native-transforms-models"}
)
"""Cases that the plain schemas cannot know: beta tools, and fields that the caller adds."""

CALL_KEYS = frozenset(
    {"api_base", "api_key", "api_version", "azure_ad_token", "base_url", "force_timeout"}
    | {"max_retries", "mock_response", "timeout", "verbose"}
)

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what other projects' packages warn of is theirs
    pytest.mark.skipif(
        not VALIDATORS.is_dir(),
        reason="set POLYROUTE_SHARED to the folder that holds reality/validators",
    ),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module", autouse=True)
def _validators() -> Any:
    """The folder of the validators is where imports look."""
    sys.path.insert(0, str(VALIDATORS))
    yield
    sys.path.remove(str(VALIDATORS))


def validator(name: str) -> Any:
    """A validator, as long as the packages it imports are there."""
    if name == "vertex":  # it looks for its package when it is asked, without asking whether
        importlib.import_module("googleapiclient")
    return importlib.import_module(f"validators.{name}")


def complaints(target: Target, request: Request) -> list[str]:
    """What the provider's own schema says against a request."""
    body = json.loads(request.body)
    for provider, place, value, _why in NARROWER:
        if provider == target.provider:
            put(body, place.split("."), value)
    try:
        return check(target, request, body)
    except ImportError as missing:
        pytest.skip(f"{missing}: install the dependency group 'schemas'")


def check(target: Target, request: Request, body: dict[str, Any]) -> list[str]:
    """Ask the validator of the format that the request is in."""
    found: list[str]
    provider, url = target.provider, request.url
    if url.endswith("/responses"):
        found = validator("openai").request(body, "responses")
    elif "/publishers/google/" in url:
        found = validator("vertex").request(body)
    elif "/publishers/anthropic/" in url:
        del body["anthropic_version"]
        found = validator("anthropic").request({**body, "model": target.model})
    elif "/publishers/mistralai/" in url:
        found = validator("mistral").request(body)
    elif provider == "bedrock":
        stream = "Stream" if url.endswith("-stream") else ""
        found = validator("bedrock").request(body, f"Converse{stream}")
    elif provider in OWN:
        found = validator(NAMES.get(provider, provider)).request(body)
    elif provider in LIKE_OPENAI:
        found = validator("openai_compat").request(body, LIKE_OPENAI[provider])
    elif provider != "replicate":
        found = validator("openai").request(body)
    else:
        found = [] if isinstance(body["input"]["prompt"], str) else ["input has no prompt"]
    return found


def put(value: Any, place: list[str], new: Any) -> None:
    """Replace or remove what stands at a place; ``*`` stands for every item of a list."""
    name, *rest = place
    if name == "*":
        for item in value if isinstance(value, list) else ():
            put(item, rest, new)
    elif not isinstance(value, dict):
        return
    elif rest:
        put(value.get(name), rest, new)
    elif isinstance(new, Renamed):
        if name in value:
            value[str(new)] = value.pop(name)
    elif new is not REMOVE:
        if name in value or name == "index":
            value[name] = new
    elif value.pop(name, None) is not None and name == "video_url":
        value.update(type="text", text="a video")


@pytest.mark.parametrize("model", MODELS)
def test_what_is_sent_is_what_the_provider_documents(model: str) -> None:
    """Every call is refused with a clear error, or its request is valid by the schema."""
    found, valid = {}, 0
    for name, (messages, params) in CALLS.items():
        try:
            target, request = build(model, messages, params)
        except (BadRequestError, UnsupportedParamsError):
            continue
        if target.provider in ("anthropic", "vertex_ai") and name == "computer use":
            continue  # a beta tool: see BETAS
        wrong = complaints(target, request)
        if wrong:
            found[name] = wrong[:3]
        valid += not wrong
    assert not found
    assert valid >= 20, "a provider that refuses nearly everything proves nothing"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_requests_of_the_conformance_cases_are_valid(path: Path) -> None:
    """The cases were written for LiteLLM; what is sent for them is what providers document."""
    found = {}
    for case in json.loads(path.read_text()):
        kwargs = case["kwargs"]
        if case["call"] != "completion" or case["id"] in BETAS | CALLERS:
            continue
        params = {
            name: value
            for name, value in kwargs.items()
            if name not in CALL_KEYS | {"model", "messages"}
            and not re.match(r"aws_|azure_|vertex_", name)
        }
        try:
            target, request = build(kwargs["model"], kwargs["messages"], params)
        except APIError:
            continue  # what must be refused is the conformance suite's to say
        wrong = complaints(target, request)
        if wrong:
            found[case["id"]] = wrong[:3]
    assert not found


@every(lambda found: kind(found) in ("whole", "stream"))
def test_the_official_sdk_reads_our_answers(recording: Recording) -> None:
    """Whatever a provider has said: OpenAI's own types accept what became of it, strictly."""
    types = pytest.importorskip(
        "openai.types.chat", reason="install the dependency group 'schemas'"
    )
    speaker, call = recording.adapter(), recording.call()
    if not recording.streamed:
        answer = speaker.parse(recording.body, call)
        types.ChatCompletion.model_validate_json(answer.model_dump_json(), strict=True)
        return
    decoder = speaker.decoder(call)
    chunks: list[Any] = []
    decoder.feed(recording.body, chunks)
    decoder.finish(chunks)
    assert chunks
    for chunk in chunks:
        types.ChatCompletionChunk.model_validate_json(chunk.model_dump_json(), strict=True)
