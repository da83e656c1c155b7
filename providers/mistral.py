"""
Mistral: OpenAI's format with differences that need code.

https://docs.mistral.ai/api/#tag/chat. The request refuses fields it does not know (422), tool
calls have ids of nine letters and digits, documents and audio have parts of their own.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from .catalog import IMAGES, Compatible
from .openai import OpenAIAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import Call, File, Target

MISTRAL = Compatible(
    base_url="https://api.mistral.ai/v1",
    key_env=("MISTRAL_API_KEY",),
    base_env=("MISTRAL_API_BASE",),
    rename={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
    refuses=frozenset(
        {
            "audio",
            "function_call",
            "functions",
            "logit_bias",
            "logprobs",
            "modalities",
            "service_tier",
            "store",
            "top_logprobs",
            "user",
            "verbosity",
            "web_search_options",
        }
    ),
    message_keys=frozenset({"prefix"}),
    media=IMAGES | {"document_url", "file", "input_audio"},
    stream_usage=False,
)

REASONING_EFFORTS = {
    "none": "none",
    "minimal": "none",
    "low": "high",
    "medium": "high",
    "high": "high",
    "xhigh": "high",
}
"""Mistral's models reason or do not; there is nothing between."""

SCHEMA_KEYS = frozenset({"$id", "$schema"})
"""What a schema says about itself and Mistral does not want to hear."""

VALID_ID = re.compile(r"[a-zA-Z0-9]{9}")


class MistralAdapter(OpenAIAdapter):
    """Chat completions of one Mistral model."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, MISTRAL)

    def files(self, call: Call) -> tuple[str, ...]:
        """None: Mistral opens documents and images itself."""
        return ()

    def convert_messages(
        self, messages: list[dict[str, Any]], files: Mapping[str, File]
    ) -> list[dict[str, Any]]:
        """The messages as Mistral's schema has them."""
        return [convert_message(message) for message in super().convert_messages(messages, files)]

    def convert_params(
        self, params: dict[str, Any], drop: bool
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Parameters in Mistral's words. Usage ends every stream, so nobody has to ask for it."""
        converted, dropped = super().convert_params(params, drop)
        converted.pop("stream_options", None)
        if converted.get("tool_choice") == "required":
            converted["tool_choice"] = "any"
        if "reasoning_effort" in converted:
            effort = converted["reasoning_effort"]
            converted["reasoning_effort"] = REASONING_EFFORTS.get(effort, effort)
        if "tools" in converted:
            converted["tools"] = convert_tools(converted["tools"])
        return converted, dropped


def convert_message(message: dict[str, Any]) -> dict[str, Any]:
    """One message: Mistral's role names, part types and ids of tool calls."""
    role = message["role"]
    converted = {name: value for name, value in message.items() if name != "name" or role == "tool"}
    if isinstance(message.get("content"), list):
        converted["content"] = [convert_part(part) for part in message["content"]]
    if message.get("tool_calls"):
        converted["tool_calls"] = [
            {**call, "id": convert_id(call["id"])} if call.get("id") else call
            for call in message["tool_calls"]
        ]
    if message.get("tool_call_id"):
        converted["tool_call_id"] = convert_id(message["tool_call_id"])
    return converted


def convert_part(part: dict[str, Any]) -> dict[str, Any]:
    """One content part; OpenAI nests what Mistral has at the top."""
    inner = part.get(part["type"])
    match part["type"], inner:
        case "file", {"file_data": document, **more}:
            name = {"document_name": more["filename"]} if more.get("filename") else {}
            return {"type": "document_url", "document_url": document, **name}
        case "file", {"file_id": str(url)} if url.startswith(("http://", "https://")):
            return {"type": "document_url", "document_url": url}
        case "file", {"file_id": identifier}:
            return {"type": "file", "file_id": identifier}
        case "input_audio", {"data": audio}:
            return {"type": "input_audio", "input_audio": audio}
    return part


def convert_tools(tools: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tools with the parameters that Mistral requires, without a schema's notes on itself."""
    return [
        {**tool, "function": _convert_function(tool["function"])}
        if isinstance(tool.get("function"), dict)
        else dict(tool)
        for tool in tools
    ]


def _convert_function(function: dict[str, Any]) -> dict[str, Any]:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    kept = {name: value for name, value in schema.items() if name not in SCHEMA_KEYS}
    return {**function, "parameters": kept}


def convert_id(identifier: str) -> str:
    """An id of a tool call that Mistral takes, the same for the same id.

    Ids that other providers make have nine characters or more. Shorter ones are hand-written
    and stay as their author wrote them.
    """
    if len(identifier) < 9 or VALID_ID.fullmatch(identifier):
        return identifier
    return hashlib.blake2b(identifier.encode(), digest_size=5).hexdigest()[:9]
