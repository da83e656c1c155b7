"""
Plain readings of each wire format: what an answer says, in a few lines that know no adapter.

An answer is a list of JSON objects: one if it came whole, one for each event of a stream.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Said:
    """What one choice says: the least that must survive any translation."""

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)


def read_choices(answer: Any) -> list[dict[str, Any]]:
    """The choices of an answer in OpenAI's format, none of another's."""
    return answer.get("choices") or [] if isinstance(answer, dict) else []


def read_openai(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """OpenAI's format, whole (`message`) or in chunks (`delta`)."""
    said: dict[int, Said] = defaultdict(Said)
    pieces: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(lambda: ["", ""]))
    for answer in answers:
        for choice in answer.get("choices") or ():
            inner = choice["message"] if len(answers) == 1 else choice.get("delta") or {}
            mine = said[choice["index"]]
            content = inner.get("content") or ""
            for part in [{"text": content}] if isinstance(content, str) else content:
                mine.text += part.get("text") or ""
                mine.reasoning += "".join(piece["text"] for piece in part.get("thinking") or ())
            mine.reasoning += inner.get("reasoning_content") or inner.get("reasoning") or ""
            for position, call in enumerate(inner.get("tool_calls") or ()):
                index = position if len(answers) == 1 else call.get("index", position)
                piece = pieces[choice["index"]][index]
                piece[0] += call["function"].get("name") or ""
                piece[1] += call["function"].get("arguments") or ""
    for index, calls in pieces.items():
        said[index].calls = [(name, json.loads(text or "{}")) for name, text in calls.values()]
    return said


def read_anthropic(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Anthropic's content blocks, whole or event by event."""
    said = Said()
    pieces: dict[int, list[str]] = {}
    for answer in answers:
        blocks = list(enumerate(answer.get("content") or ()))
        if answer.get("type") == "content_block_start":
            blocks = [(answer["index"], answer["content_block"])]
        for index, block in blocks:
            said.text += block.get("text") or "" if block["type"] == "text" else ""
            said.reasoning += block.get("thinking") or ""
            if block["type"] == "tool_use":
                pieces[index] = [block["name"], json.dumps(block["input"])]
        delta = answer.get("delta") or {}
        said.text += delta.get("text") or ""
        said.reasoning += delta.get("thinking") or ""
        if delta.get("partial_json") and answer["index"] in pieces:
            name, text = pieces[answer["index"]]
            pieces[answer["index"]] = [name, text.removeprefix("{}") + delta["partial_json"]]
    said.calls = [(name, json.loads(text)) for name, text in pieces.values()]
    return {0: said}


def read_gemini(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Gemini's parts, whole or event by event."""
    said: dict[int, Said] = defaultdict(Said)
    for answer in answers:
        if (answer.get("promptFeedback") or {}).get("blockReason"):
            said[0] = Said()  # the prompt is blocked: an answer that says nothing
        for candidate in answer.get("candidates") or ():
            mine = said[candidate.get("index", 0)]
            for part in (candidate.get("content") or {}).get("parts") or ():
                if part.get("thought"):
                    mine.reasoning += part.get("text") or ""
                else:
                    mine.text += part.get("text") or ""
                if "functionCall" in part:
                    call = part["functionCall"]
                    mine.calls.append((call["name"], call.get("args") or {}))
    return said


def read_ollama(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Ollama's message."""
    message = answers[0]["message"]
    functions = [call["function"] for call in message.get("tool_calls") or ()]
    calls = [(function["name"], function["arguments"]) for function in functions]
    return {0: Said(message["content"], message.get("thinking") or "", calls)}


def read_cohere(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Cohere's message, whole or event by event."""
    said = Said()
    pieces: dict[int, list[str]] = defaultdict(lambda: ["", ""])
    for answer in answers:
        message = answer.get("message") or (answer.get("delta") or {}).get("message") or {}
        content, calls = message.get("content") or [], message.get("tool_calls") or []
        for block in [content] if isinstance(content, dict) else content:
            said.text += block.get("text") or ""
            said.reasoning += block.get("thinking") or ""
        for position, call in enumerate([calls] if isinstance(calls, dict) else calls):
            piece = pieces[answer.get("index", position)]
            piece[0] += call["function"].get("name") or ""
            piece[1] += call["function"].get("arguments") or ""
    said.calls = [(name, json.loads(text or "{}")) for name, text in pieces.values()]
    return {0: said}


def read_bedrock(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Converse's content blocks, whole or event by event."""
    said = Said()
    pieces: dict[int, list[str]] = {}
    for answer in answers:
        content = answer["output"]["message"]["content"] if "output" in answer else []
        blocks = list(enumerate(content))
        for event in (answer.get("contentBlockStart"), answer.get("contentBlockDelta")):
            if event:
                block = event.get("start") or event.get("delta")
                blocks.append((event["contentBlockIndex"], block))
        for index, block in blocks:
            cited = (block.get("citationsContent") or {}).get("content") or ()
            said.text += block.get("text") or "".join(part["text"] for part in cited)
            thought = block.get("reasoningContent") or {}
            said.reasoning += (thought.get("reasoningText") or thought).get("text") or ""
            use = block.get("toolUse")
            if use and use.get("type") != "server_tool_use" and (index in pieces or "name" in use):
                piece = pieces.setdefault(index, ["", ""])
                piece[0] += use.get("name") or ""
                written = use.get("input", "")
                piece[1] += written if isinstance(written, str) else json.dumps(written)
    said.calls = [(name, json.loads(text or "{}")) for name, text in pieces.values()]
    return {0: said}


READERS = {
    "anthropic": read_anthropic,
    "bedrock": read_bedrock,
    "cohere": read_cohere,
    "gemini": read_gemini,
    "ollama": read_ollama,
    "openai": read_openai,
}


def read_usage(format: str, answers: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Tokens of the prompt and in total, None if the provider did not count."""
    if format == "ollama":
        prompt = answers[0]["prompt_eval_count"]
        return prompt, prompt + answers[0]["eval_count"]
    if format == "gemini":
        counts = [answer["usageMetadata"] for answer in answers if "usageMetadata" in answer]
        if not counts or "totalTokenCount" not in counts[-1]:
            return None
        prompt = ("promptTokenCount", "toolUsePromptTokenCount")
        return sum(counts[-1].get(name, 0) for name in prompt), counts[-1]["totalTokenCount"]
    if format == "bedrock":
        ends = [answer.get("metadata", answer).get("usage") for answer in answers]
        usage = next(usage for usage in reversed(ends) if usage)
        return usage["totalTokens"] - usage["outputTokens"], usage["totalTokens"]
    if format == "cohere":
        ends = [
            answer.get("usage") or (answer.get("delta") or {}).get("usage") for answer in answers
        ]
        tokens = next(usage["tokens"] for usage in reversed(ends) if usage)
        prompt = tokens["input_tokens"] + tokens.get("image_tokens", 0)
        return prompt, prompt + tokens["output_tokens"]
    merged: dict[str, Any] = {}
    for answer in answers:
        usage = answer.get("usage") or (answer.get("message") or {}).get("usage") or {}
        merged.update({name: value for name, value in usage.items() if value is not None})
    if not merged:
        return None
    if format == "openai":
        return merged["prompt_tokens"], merged["total_tokens"]
    cached = ("cache_creation_input_tokens", "cache_read_input_tokens")
    prompt = merged["input_tokens"] + sum(merged.get(name) or 0 for name in cached)
    return prompt, prompt + merged["output_tokens"]


def counted(answers: list[dict[str, Any]]) -> int | None:
    """The completion tokens as the provider counts them; some leave reasoning out."""
    counts = [answer["usage"] for answer in answers if answer.get("usage")]
    return counts[-1].get("completion_tokens") if counts else None
