"""
What recorded answers cost, worked out a second time in plain arithmetic.

The rates are the catalogue's, in US dollars per million tokens, written out; the counts are read
from the JSON of the recording by a few lines that know no adapter. Whole and streamed answers
alike.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from polyroute import completion_cost, stream_chunk_builder

from .recordings import RECORDINGS, Recording, every, kind


class Rates(NamedTuple):
    """US dollars per million tokens, and per million web searches."""

    input: float
    output: float
    read: float = 0.0
    write: float = 0.0
    write_1h: float = 0.0
    audio: float = 0.0
    search: float = 0.0


class Counts(NamedTuple):
    """Tokens of one answer, each counted once, and its web searches."""

    input: int
    output: int
    read: int = 0
    write: int = 0
    write_1h: int = 0
    audio: int = 0
    searches: int = 0


RATES = {
    "anthropic/claude-3-5-haiku-20241022": Rates(0.8, 4, 0.08, 1, 1.6),
    "anthropic/claude-3-7-sonnet-20250219": Rates(3, 15, 0.3, 3.75, 6, search=10_000),
    "anthropic/claude-3-haiku-20240307": Rates(0.25, 1.25, 0.03, 0.3, 0.5),
    "anthropic/claude-3-opus-20240229": Rates(15, 75, 1.5, 18.75, 30),
    "anthropic/claude-haiku-4-5-20251001": Rates(1, 5, 0.1, 1.25, 2, search=10_000),
    "anthropic/claude-opus-4-6": Rates(5, 25, 0.5, 6.25, 10, search=10_000),
    "anthropic/claude-sonnet-4-20250514": Rates(3, 15, 0.3, 3.75, 6, search=10_000),
    "anthropic/claude-sonnet-4-5-20250929": Rates(3, 15, 0.3, 3.75, 6, search=10_000),
    "anthropic/claude-sonnet-4-6": Rates(3, 15, 0.3, 3.75, 6, search=10_000),
    "azure/gpt-4o-2024-11-20": Rates(2.5, 10, 1.25),
    "azure/gpt-4o-mini-2024-07-18": Rates(0.15, 0.6, 0.075),
    "azure/gpt-5-mini-2025-08-07": Rates(0.25, 2, 0.025),
    "bedrock/amazon.nova-lite-v1:0": Rates(0.06, 0.24, 0.015),
    "bedrock/us.amazon.nova-2-lite-v1:0": Rates(0.33, 2.75, 0.0825),
    "bedrock/us.amazon.nova-micro-v1:0": Rates(0.035, 0.14, 0.00875),
    "bedrock/us.anthropic.claude-3-7-sonnet-20250219-v1:0": Rates(3, 15, 0.3, 3.75, 6),
    "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0": Rates(1.1, 5.5, 0.11, 1.375, 2.2),
    "cerebras/gpt-oss-120b": Rates(0.35, 0.75, 0.35),
    "deepseek/deepseek-chat": Rates(0.28, 0.42, 0.028),
    "gemini/gemini-2.0-flash-001": Rates(0.1, 0.4, 0.025, audio=0.7),
    "gemini/gemini-2.5-flash": Rates(0.3, 2.5, 0.03, audio=1),
    "gemini/gemini-2.5-pro": Rates(1.25, 10, 0.125, audio=1.25),
    "groq/llama-3.3-70b-versatile": Rates(0.59, 0.79, 0.59),
    "groq/moonshotai/kimi-k2-instruct-0905": Rates(1, 3, 0.5),
    "groq/openai/gpt-oss-120b": Rates(0.15, 0.6, 0.075),
    "mistral/mistral-large-latest": Rates(0.5, 1.5, 0.05),
    "mistral/mistral-small-latest": Rates(0.15, 0.6, 0.015),
    "openai/gpt-3.5-turbo-0125": Rates(0.5, 1.5),
    "openai/gpt-4.1-2025-04-14": Rates(2, 8, 0.5),
    "openai/gpt-4.1-mini-2025-04-14": Rates(0.4, 1.6, 0.1),
    "openai/gpt-4o-2024-08-06": Rates(2.5, 10, 1.25),
    "openai/gpt-4o-mini-2024-07-18": Rates(0.15, 0.6, 0.075),
    "openai/gpt-5-2025-08-07": Rates(1.25, 10, 0.125),
    "openai/gpt-5-mini-2025-08-07": Rates(0.25, 2, 0.025),
    "openai/gpt-5-nano-2025-08-07": Rates(0.05, 0.4, 0.005),
    "openai/o3-mini-2025-01-31": Rates(1.1, 4.4, 0.55),
    "openai/o4-mini-2025-04-16": Rates(1.1, 4.4, 0.275),
    "vertex_ai/gemini-2.5-flash": Rates(0.3, 2.5, 0.03, audio=1),
    "vertex_ai/gemini-2.5-pro": Rates(1.25, 10, 0.125, audio=1.25),
    "xai/grok-4-fast-reasoning": Rates(0.2, 0.5, 0.05),
}


def count_openai(answers: list[dict[str, Any]]) -> Counts:
    """The last usage counts; some providers leave reasoning out of the completion."""
    usage = [each["usage"] for each in answers if each.get("usage")][-1]
    prompt, details = usage["prompt_tokens"], usage.get("prompt_tokens_details") or {}
    read = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
    return Counts(prompt - read, usage["total_tokens"] - prompt, read)


def count_anthropic(answers: list[dict[str, Any]]) -> Counts:
    """Counts come at the beginning and again at the end; what is cached is beside the input."""
    usage: dict[str, Any] = {}
    for each in answers:
        said = each.get("usage") or (each.get("message") or {}).get("usage") or {}
        usage.update({name: value for name, value in said.items() if value is not None})
    hour = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
    return Counts(
        usage["input_tokens"],
        usage["output_tokens"],
        usage.get("cache_read_input_tokens") or 0,
        (usage.get("cache_creation_input_tokens") or 0) - hour,
        hour,
        searches=(usage.get("server_tool_use") or {}).get("web_search_requests") or 0,
    )


def count_gemini(answers: list[dict[str, Any]]) -> Counts:
    """Thoughts are in the total only, and so is the answer."""
    usage = [each["usageMetadata"] for each in answers if "usageMetadata" in each][-1]
    prompt = usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0)
    read = usage.get("cachedContentTokenCount", 0)
    details = usage.get("promptTokensDetails") or ()
    audio = sum(each["tokenCount"] for each in details if each["modality"] == "AUDIO")
    output = usage["totalTokenCount"] - prompt
    return Counts(prompt - read - audio, output, read, audio=audio)


def count_bedrock(answers: list[dict[str, Any]]) -> Counts:
    """Converse's counts; what is cached is beside the input."""
    ends = [each.get("metadata", each).get("usage") for each in answers]
    usage = next(usage for usage in reversed(ends) if usage)
    return Counts(
        usage["inputTokens"],
        usage["outputTokens"],
        usage.get("cacheReadInputTokens") or 0,
        usage.get("cacheWriteInputTokens") or 0,
    )


COUNT = {
    "anthropic": count_anthropic,
    "bedrock": count_bedrock,
    "gemini": count_gemini,
    "openai": count_openai,
}


def model_of(recording: Recording) -> str:
    """The model that served, under its provider's prefix."""
    served = [
        each.get("model") or each.get("modelVersion") or (each.get("message") or {}).get("model")
        for each in recording.answers()
        if isinstance(each, dict)
    ]
    name = next(filter(None, served), None) or recording.request.get("model")
    return f"{recording.provider}/{name}"


def has_usage(recording: Recording) -> bool:
    names = (b"prompt_tokens", b"input_tokens", b"inputTokens", b"promptTokenCount")
    return any(name in recording.body for name in names)


def is_priced(recording: Recording) -> bool:
    """Answers of a model whose rates stand above, that tell what they used."""
    return (
        kind(recording) in ("whole", "stream")
        and recording.format in COUNT
        and model_of(recording) in RATES
        and has_usage(recording)
    )


def answered(recording: Recording) -> list[Any]:
    """What the adapter makes of a recording: one answer, or chunks."""
    served = model_of(recording).partition("/")[2]
    asked = replace(recording, request={**recording.request, "model": served})
    adapter, call = asked.adapter(), asked.call()
    if not recording.streamed:
        return [adapter.parse(recording.body, call)]
    chunks: list[Any] = []
    decoder = adapter.decoder(call)
    decoder.feed(recording.body, chunks)
    if not decoder.ended:
        decoder.finish(chunks)
    return chunks


def by_hand(recording: Recording) -> float:
    """The dollars, in plain arithmetic."""
    counts, rates = COUNT[recording.format](recording.answers()), RATES[model_of(recording)]
    return sum(count * rate for count, rate in zip(counts, rates, strict=True)) / 1e6


@every(lambda recording: is_priced(recording) and not recording.streamed)
def test_whole_answers(recording: Recording) -> None:
    """A whole answer costs what its counts and the list's rates make."""
    (answer,) = answered(recording)
    assert completion_cost(answer, model_of(recording)) == pytest.approx(by_hand(recording))


@every(lambda recording: is_priced(recording) and recording.streamed)
def test_streams(recording: Recording) -> None:
    """A stream costs the same, as a list of chunks and put together."""
    chunks = answered(recording)
    model = model_of(recording)
    dollars = pytest.approx(by_hand(recording))
    assert completion_cost(chunks, model) == dollars
    assert completion_cost(stream_chunk_builder(chunks), model) == dollars


@every(lambda found: found.provider in ("openrouter", "perplexity") and b'"cost"' in found.body
       and kind(found) in ("whole", "stream"))  # fmt: skip
def test_reported_costs(recording: Recording) -> None:
    """Where the provider says what it has charged, that is the cost."""
    usage = [each["usage"] for each in recording.answers() if each.get("usage")][-1]
    said = usage["cost"]
    answer: Any = answered(recording)
    answer = answer if recording.streamed else answer[0]
    charged = said["total_cost"] if isinstance(said, dict) else said
    assert completion_cost(answer, model_of(recording)) == pytest.approx(charged)


def test_enough_of_them() -> None:
    """At least sixty recorded answers are priced, and a quarter of them are streams."""
    if not RECORDINGS:
        pytest.skip("set POLYROUTE_SHARED to the folder that holds recordings/")
    streamed = [recording.streamed for recording in RECORDINGS if is_priced(recording)]
    assert len(streamed) >= 60
    assert sum(streamed) >= 15
