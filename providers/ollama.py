"""
Ollama's own chat format, /api/chat.

https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion. Sampling
parameters go into `options`, images are base64 beside the text, arguments of tool calls are
objects. `ollama_answer.py` reads what comes back. A server whose address ends in ``/v1`` is
spoken to in OpenAI's format instead.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..exceptions import BadRequestError, UnsupportedParamsError
from .base import Request
from .catalog import MAX_TOKENS, NO_KEY, Compatible, from_environment
from .errors import make_error, read_error
from .messages import (
    TEXTS,
    THOUGHTS,
    arguments_of,
    image_url_of,
    name_function_calls,
    parse_data_url,
    parts_of,
    text_of,
)
from .ollama_answer import OllamaDecoder, convert_completion
from .openai import OpenAIAdapter
from .openai_errors import classify
from .openai_messages import convert_tool as convert_function
from .openai_service import encode
from .params import supported_params, without_foreign_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Adapter, Call, Credential, File, Target

OLLAMA = Compatible(
    base_url="http://127.0.0.1:11434",
    key_env=("OLLAMA_API_KEY",),
    base_env=("OLLAMA_API_BASE",),
    placeholder_key=NO_KEY,
    rename=MAX_TOKENS,
    message_keys=frozenset({"reasoning"}),
    strict_tools=False,
)

SUPPORTED = frozenset(
    {
        "frequency_penalty",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "stop",
        "stream_options",
        "temperature",
        "thinking",
        "tools",
        "top_logprobs",
        "top_p",
    }
)

OPTIONS = {
    "max_completion_tokens": "num_predict",
    "max_tokens": "num_predict",
    **{
        name: name
        for name in (
            "frequency_penalty",
            "low_vram",
            "main_gpu",
            "min_p",
            "mirostat",
            "mirostat_eta",
            "mirostat_tau",
            "num_batch",
            "num_ctx",
            "num_gpu",
            "num_keep",
            "num_predict",
            "num_thread",
            "numa",
            "penalize_newline",
            "presence_penalty",
            "repeat_last_n",
            "repeat_penalty",
            "seed",
            "stop",
            "temperature",
            "tfs_z",
            "top_k",
            "top_p",
            "typical_p",
            "use_mlock",
            "use_mmap",
            "vocab_only",
        )
    },
}
"""What belongs into `options`, under which name; every other parameter of Ollama's is a field
of the request itself, such as `keep_alive`."""

SERVICE = re.compile(r"/api(?:/(?:chat|embed))?$")
"""What an address may end with that leads further than to the server."""

LEVELS = {"minimal": "low", "xhigh": "high"}
"""OpenAI's levels of effort that Ollama has no word for."""


def make_adapter(target: Target) -> Adapter:
    """The adapter for a target: OpenAI's format if its address ends in ``/v1``, else Ollama's."""
    if OLLAMA.base(target).endswith(("/v1", "/chat/completions")):
        return OpenAIAdapter(target, OLLAMA)
    return OllamaAdapter(target)


class OllamaAdapter:
    """Chat with one model of an Ollama server."""

    credential: Credential | None = None

    def __init__(self, target: Target) -> None:
        key = target.api_key or from_environment(OLLAMA.key_env)
        self.target: Target = dataclasses.replace(target, api_key=key)
        self.base: str = SERVICE.sub("", OLLAMA.base(target))
        self.url: str = f"{self.base}/api/chat"
        self.headers: dict[str, str] = {
            "Content-Type": "application/json",
            **({"Authorization": f"Bearer {key}"} if key else {}),
            **target.headers,
        }

    def files(self, call: Call) -> list[str]:
        """Images that lie on the web: Ollama takes bytes only."""
        return [
            url
            for message in call.messages
            for part in parts_of(message)
            if part["type"] == "image_url"
            and (url := image_url_of(part)).startswith(("https://", "http://"))
        ]

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params = call.params
        if params.get("tool_choice") == "none":
            params = {name: params[name] for name in params if name not in ("tool_choice", "tools")}
        params, dropped = supported_params(replace(call, params=params), self.target, SUPPORTED)
        if call.drop_params:
            params, more = without_foreign_tools(params, convert_tool)
            dropped += more
        body: dict[str, Any] = {
            "model": self.target.model,
            "messages": convert_messages(call.messages, call.files),
            "stream": call.stream,
            **convert_params(params, self.target.model),
            **(call.extra_body or {}),
        }
        headers = {**self.headers, **call.extra_headers} if call.extra_headers else self.headers
        return Request(self.url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return convert_completion(body, self.target)

    def decoder(self, call: Call) -> OllamaDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return OllamaDecoder(self.target, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        details = read_error(body)
        kind = classify(status, details)
        return make_error(self.target, status, headers, body, details=details, kind=kind)


def convert_params(params: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Parameters as fields of the request and its `options`; the caller's own `options` win."""
    fields: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, value in params.items():
        match name:
            case "stream_options" | "options":
                pass
            case "response_format":
                fields.update(convert_response_format(value))
            case "reasoning_effort" | "thinking":
                fields.setdefault("think", convert_thinking(value, model))
            case "tools":
                fields["tools"] = [convert_tool(tool) for tool in value]
            case "stop":
                options["stop"] = [value] if isinstance(value, str) else value
            case _ if name in OPTIONS:
                options[OPTIONS[name]] = value
            case _:
                fields[name] = value
    options.update(params.get("options") or {})
    return {**fields, "options": options} if options else fields


def convert_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A function with its parameters, which Ollama requires.

    Raises:
        UnsupportedParamsError: it is no function.
    """
    converted = convert_function(tool, strict=False)
    function = converted.get("function")
    if not isinstance(function, dict):
        raise UnsupportedParamsError(
            f"Ollama takes functions only, not {tool.get('type')!r}", param="tools"
        )
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return {**converted, "function": {**function, "parameters": schema}}


def convert_response_format(response_format: Mapping[str, Any]) -> dict[str, Any]:
    """`format`: a schema, ``"json"``, or nothing for text."""
    match response_format:
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return {"format": schema}
        case {"type": "json_schema" | "json_object"}:
            return {"format": "json"}
    return {}


def convert_thinking(wanted: Any, model: str) -> bool | str:
    """`think` from an effort, or from Anthropic's `thinking`. Only gpt-oss has levels."""
    if isinstance(wanted, dict):
        return wanted.get("type") != "disabled"
    if wanted == "none":
        return False
    return LEVELS.get(wanted, wanted) if "gpt-oss" in model else True


def convert_messages(
    messages: list[dict[str, Any]], files: Mapping[str, File]
) -> list[dict[str, Any]]:
    """The messages as Ollama has them: text, and images beside it.

    Raises:
        BadRequestError: a message holds what Ollama cannot take; names it.
    """
    return [
        convert_message(message, f"messages[{position}]", files)
        for position, message in enumerate(name_function_calls(messages))
    ]


def convert_message(
    message: dict[str, Any], place: str, files: Mapping[str, File]
) -> dict[str, Any]:
    """One message; `place` says which in an error."""
    converted: dict[str, Any] = {
        "role": "system" if message["role"] == "developer" else message["role"],
        "content": text_of(message),
    }
    images = convert_images(message, place, files)
    if images:
        converted["images"] = images
    if message.get("reasoning_content"):
        converted["thinking"] = message["reasoning_content"]
    if message.get("tool_calls"):
        converted["tool_calls"] = [convert_tool_call(call) for call in message["tool_calls"]]
    if message.get("tool_call_id"):
        converted["tool_call_id"] = message["tool_call_id"]
    return converted


def convert_images(message: Mapping[str, Any], place: str, files: Mapping[str, File]) -> list[str]:
    """The images of a message as base64."""
    images = []
    for part in parts_of(message):
        match part["type"]:
            case "image_url":
                url = image_url_of(part)
                data = parse_data_url(url)
                images.append(data.data if data else _fetched(url, files))
            case kind if kind not in TEXTS | THOUGHTS:
                raise UnsupportedParamsError(
                    f"{place} has a part of type {kind!r}; Ollama takes text and image_url",
                    param=place,
                )
    return images


def _fetched(url: str, files: Mapping[str, File]) -> str:
    """Base64 of a fetched file; what is no URL at all is base64 already.

    Raises:
        BadRequestError: it lies where nobody here can fetch it.
    """
    if "://" not in url:
        return url
    if url not in files:
        raise BadRequestError(
            f"{url!r:.60} cannot be fetched for Ollama: write an http(s) URL or a data URL"
        )
    return base64.b64encode(files[url].data).decode()


def convert_tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """One call of a tool with its arguments as an object."""
    function = call.get("function") or {}
    identifier = {"id": call["id"]} if call.get("id") else {}
    called = {"name": function.get("name") or "", "arguments": arguments_of(function)}
    return {**identifier, "function": called}
