"""
Cohere's chat, version 2.

https://docs.cohere.com/reference/chat. Messages are nearly OpenAI's, but refuse fields they do
not know; `top_p` is `p`, a schema is part of `json_object`, reasoning is asked for by a budget
of tokens. `cohere_messages.py` writes the messages, `cohere_answer.py` and `cohere_stream.py`
read what comes back.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError, UnsupportedParamsError
from .base import Request
from .catalog import find_key, from_environment
from .cohere_answer import convert_completion, convert_error
from .cohere_messages import convert_messages
from .cohere_stream import CohereDecoder
from .openai_messages import convert_tool as convert_function
from .openai_service import encode
from .params import supported_params, without_foreign_tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, Credential, Target

HOST = "https://api.cohere.com"
KEY_ENV = ("COHERE_API_KEY", "CO_API_KEY")
BASE_ENV = ("COHERE_API_BASE", "CO_API_URL")

SERVICE = re.compile(r"/(?:chat|embed|rerank)$")
"""What an address may end with that leads all the way to one of the services."""

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
        "tool_choice",
        "tools",
        "top_p",
    }
)

REASONING = frozenset({"reasoning_effort", "thinking"})
"""What only models take that reason."""

RENAMED = {"max_completion_tokens": "max_tokens"}

LEAST_P, MOST_P = 0.01, 0.99
"""The bounds of `p`; OpenAI's `top_p` of 0 or 1 is outside and means the nearest."""

TOOL_CHOICES = {"any": "REQUIRED", "none": "NONE", "required": "REQUIRED"}

BUDGETS: dict[str, int | None] = {
    "minimal": 512,
    "low": 1024,
    "medium": 4096,
    "high": None,
    "xhigh": None,
    "max": None,
}
"""Tokens of thinking for each `reasoning_effort`; None leaves it to the model."""

NO_REASONING = re.compile(
    r"command(?:$|-(?:light|nightly|r(?:7b)?(?:-|$)|a-(?:03|vision|trans)))|c4ai-"
)
"""Models of which it is known that they do not reason."""


class CohereAdapter:
    """Chat with one of Cohere's models."""

    credential: Credential | None = None

    def __init__(self, target: Target) -> None:
        key = find_key(target, KEY_ENV)
        self.target: Target = dataclasses.replace(target, api_key=key)
        self.url: str = service_url(target.api_base or from_environment(BASE_ENV) or HOST, "/chat")
        self.headers: dict[str, str] = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {key}",
            **target.headers,
        }
        self._reasons = NO_REASONING.match(target.model) is None

    def files(self, call: Call) -> tuple[str, ...]:
        """None: Cohere fetches images itself."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        supported = SUPPORTED if self._reasons else SUPPORTED - REASONING
        params, dropped = supported_params(call, self.target, supported)
        if call.drop_params:
            params, more = without_foreign_tools(params, convert_tool)
            dropped += more
        body: dict[str, Any] = {
            "model": self.target.model,
            "messages": convert_messages(call.messages, reasons=self._reasons),
            **convert_params(params),
        }
        if call.stream:
            body["stream"] = True
        body.update(call.extra_body or {})
        headers = {**self.headers, **call.extra_headers} if call.extra_headers else self.headers
        return Request(self.url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return convert_completion(body, self.target)

    def decoder(self, call: Call) -> CohereDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return CohereDecoder(self.target, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)


def service_url(base: str, service: str) -> str:
    """The address of a service, from a base that may be a host, a version below it, or all."""
    base = SERVICE.sub("", base.rstrip("/"))
    return f"{re.sub(r'/v[12]$', '', base)}/v2{service}"


def convert_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in Cohere's words; its own (`k`, `documents`, `safety_mode`, …) as they are.

    Raises:
        BadRequestError: a value means nothing here; says what would do.
        UnsupportedParamsError: a tool is not a function.
    """
    converted: dict[str, Any] = {}
    for name, value in params.items():
        match name:
            case "stream_options" | "tool_choice":
                pass
            case "stop":
                converted["stop_sequences"] = [value] if isinstance(value, str) else value
            case "top_p" if isinstance(value, int | float):
                converted["p"] = min(max(value, LEAST_P), MOST_P)
            case "tools":
                converted = {**convert_tools(value), **converted}
            case "response_format":
                converted[name] = convert_response_format(value)
            case "reasoning_effort":
                converted.setdefault("thinking", convert_effort(value))
            case "thinking":
                converted[name] = convert_thinking(value)
            case _:
                converted[RENAMED.get(name, name)] = value
    if "tool_choice" in params:
        converted.update(convert_tool_choice(params["tool_choice"], converted.get("tools") or ()))
    return converted


def convert_tools(tools: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`tools`, and `strict_tools` if one is strict: it is all or none here.

    Raises:
        UnsupportedParamsError: one is not a function.
    """
    converted = []
    strict = False
    for tool in tools:
        function = convert_tool(tool)["function"]
        strict = strict or bool(function.get("strict"))
        kept = {name: function[name] for name in ("name", "description") if function.get(name)}
        schema = function.get("parameters") or {"type": "object", "properties": {}}
        converted.append({"type": "function", "function": {**kept, "parameters": schema}})
    return {"tools": converted, "strict_tools": True} if strict else {"tools": converted}


def convert_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A function in OpenAI's shape.

    Raises:
        UnsupportedParamsError: it is none.
    """
    converted = convert_function(tool)
    if not isinstance(converted.get("function"), dict):
        raise UnsupportedParamsError(
            f"Cohere's tools are functions, and this is none: {tool!r:.80}", param="tools"
        )
    return converted


def convert_tool_choice(choice: Any, tools: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`tool_choice`, nothing for ``"auto"``; a named tool is required by leaving out the others.

    Raises:
        BadRequestError: it is none of OpenAI's choices, or names a tool that is not there.
    """
    match choice:
        case "auto":
            return {}
        case str() if choice.lower() in TOOL_CHOICES:
            return {"tool_choice": TOOL_CHOICES[choice.lower()]}
        case {"function": {"name": name}}:
            named = [tool for tool in tools if tool["function"].get("name") == name]
            if named:
                return {"tool_choice": "REQUIRED", "tools": named}
    raise BadRequestError(
        f"tool_choice is {choice!r:.80}; write auto, none, required, or "
        '{"type": "function", "function": {"name": "…"}} with the name of one of the tools',
        param="tool_choice",
    )


def convert_response_format(response_format: Mapping[str, Any]) -> dict[str, Any]:
    """`response_format`: a schema stands directly below `json_schema`."""
    match response_format:
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return {"type": "json_object", "json_schema": schema}
        case {"type": "json_schema"}:
            return {"type": "json_object"}
    return dict(response_format)


def convert_thinking(thinking: Any) -> Any:
    """`thinking` from Anthropic's spelling or Cohere's own."""
    match thinking:
        case {"type": "enabled" | "adaptive", "budget_tokens": budget}:
            return {"type": "enabled", "token_budget": budget}
        case {"type": "adaptive"}:
            return {"type": "enabled"}
    return thinking


def convert_effort(effort: Any) -> dict[str, Any]:
    """`thinking` from OpenAI's `reasoning_effort`.

    Raises:
        BadRequestError: there is no such effort; lists those there are.
    """
    if effort == "none":
        return {"type": "disabled"}
    if effort not in BUDGETS:
        raise BadRequestError(
            f"reasoning_effort is {effort!r:.40}; write one of none, {', '.join(BUDGETS)}",
            param="reasoning_effort",
        )
    budget = BUDGETS[effort]
    return {"type": "enabled", "token_budget": budget} if budget else {"type": "enabled"}
