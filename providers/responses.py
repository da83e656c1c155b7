"""
OpenAI's Responses format, for what a provider does there only.

https://docs.x.ai/docs/api-reference#create-new-response, after
https://platform.openai.com/docs/api-reference/responses. A conversation is a list of items:
messages, calls of functions, their outputs. `responses_answer.py` reads what comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import UnsupportedParamsError
from .messages import image_url_of, name_function_calls, parts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SUPPORTED = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "service_tier",
        "store",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "web_search_options",
    }
)

RENAMED = {"max_completion_tokens": "max_output_tokens", "max_tokens": "max_output_tokens"}


def convert_messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages as input items.

    Raises:
        UnsupportedParamsError: a part is neither text nor an image.
    """
    items: list[dict[str, Any]] = []
    for message in name_function_calls(messages):
        if message["role"] == "tool":
            identifier, output = message.get("tool_call_id"), text_of(message)
            items.append({"type": "function_call_output", "call_id": identifier, "output": output})
            continue
        content = [convert_part(part, message["role"]) for part in parts_of(message)]
        if content or not message.get("tool_calls"):
            items.append({"type": "message", "role": message["role"], "content": content})
        items += [convert_tool_call(call) for call in message.get("tool_calls") or ()]
    return items


def convert_part(part: Mapping[str, Any], role: str) -> dict[str, Any]:
    """One content part; what the model said itself is output."""
    match part["type"]:
        case "text":
            kind = "output_text" if role == "assistant" else "input_text"
            return {"type": kind, "text": part.get("text") or ""}
        case "image_url":
            image = part["image_url"] if isinstance(part.get("image_url"), dict) else {}
            detail = {"detail": image["detail"]} if image.get("detail") else {}
            return {"type": "input_image", "image_url": image_url_of(part), **detail}
        case kind:
            raise UnsupportedParamsError(
                f"a message has a part of type {kind!r}; text and image_url go together with "
                "the provider's own tools",
                param="messages",
            )


def convert_tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call of a function that the model made before."""
    function = call["function"]
    return {
        "type": "function_call",
        "call_id": call.get("id"),
        "name": function.get("name"),
        "arguments": function.get("arguments") or "{}",
    }


def convert_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in the words of this format; a provider's own as they are."""
    converted: dict[str, Any] = {}
    for name, value in params.items():
        match name:
            case "stream_options" | "web_search_options":
                pass
            case "reasoning_effort":
                converted["reasoning"] = {"effort": value}
            case "response_format":
                converted["text"] = {"format": convert_response_format(value)}
            case "tools":
                converted["tools"] = convert_tools(value)
            case "tool_choice":
                converted["tool_choice"] = convert_tool_choice(value)
            case _:
                converted[RENAMED.get(name, name)] = value
    return converted


def convert_tools(tools: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Functions, which are flat here, and the provider's own tools."""
    return [
        {"type": "function", **tool["function"]}
        if isinstance(tool.get("function"), dict)
        else dict(tool)
        for tool in tools
    ]


def convert_tool_choice(choice: Any) -> Any:
    """The choice, flat if it names a function."""
    match choice:
        case {"type": "function", "function": {"name": name}}:
            return {"type": "function", "name": name}
    return choice


def convert_response_format(response_format: Mapping[str, Any]) -> dict[str, Any]:
    """The format of the text; a schema's name and rules stand beside its type."""
    match response_format:
        case {"type": "json_schema", "json_schema": dict(schema)}:
            return {"type": "json_schema", **schema}
    return dict(response_format)
