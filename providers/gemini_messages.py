"""
Conversations for Gemini: turns of `user` and `model`, made of parts.

https://ai.google.dev/api/caching#Content. System messages become `systemInstruction`, tool
calls and their results become parts, and what Gemini signs (its thoughts behind a tool call or
a text) goes back where it was: https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..exceptions import BadRequestError
from .messages import THOUGHTS, called_function, parts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .gemini_media import Media

UNSIGNED = "skip_thought_signature_validator"
"""Google's own stand-in for the signature of a tool call that another model made."""

Names = dict[str, tuple[str, str | None]]
"""A tool call's function and Google's id of the call, by the id that we gave it."""


def convert_messages(
    messages: Sequence[Mapping[str, Any]], media: Media, *, sign: bool = False
) -> dict[str, Any]:
    """`contents` and, if there are system messages, `systemInstruction`.

    With `sign` every turn that calls tools gets a signature, as Gemini 3 and later want it.

    Raises:
        BadRequestError: a message cannot be expressed; says which and why.
    """
    system: list[dict[str, Any]] = []
    turns: list[tuple[str, list[dict[str, Any]]]] = []
    names: Names = {}
    for position, message in enumerate(messages):
        match message["role"]:
            case "system" | "developer":
                system += convert_content(message, media)
            case "assistant":
                _append(turns, "model", convert_answer(message, media, names, sign=sign))
            case "tool" | "function":
                _append(turns, "function", convert_result(message, position, media, names))
            case _:
                _append(turns, "user", convert_content(message, media))
    contents = [
        # Gemini wants a part in every turn; results of tools are the user's turn to it
        {"role": "model" if role == "model" else "user", "parts": parts or [{"text": " "}]}
        for role, parts in turns
    ]
    # an instruction alone is no conversation to Gemini: it is said by the user then
    converted: dict[str, Any] = {
        "contents": contents or [{"role": "user", "parts": system or [{"text": " "}]}]
    }
    if system:
        converted["systemInstruction"] = {"parts": system}
    return converted


def _append(
    turns: list[tuple[str, list[dict[str, Any]]]], role: str, parts: list[dict[str, Any]]
) -> None:
    """Add parts to the turn they continue.

    Results of tools keep a turn for themselves, since Gemini counts them against the calls
    before; an assistant that said nothing has no turn.
    """
    if turns and turns[-1][0] == role:
        turns[-1][1].extend(parts)
    elif parts or role != "model":
        turns.append((role, parts))


def convert_content(message: Mapping[str, Any], media: Media) -> list[dict[str, Any]]:
    """A message's content as parts; empty text gives none."""
    converted = []
    for part in parts_of(message):
        kind = part["type"]
        if kind in ("text", "input_text", "output_text", "refusal"):
            text = part.get("refusal" if kind == "refusal" else "text")
            if text:
                converted.append({"text": text})
        elif kind not in THOUGHTS:
            converted.append(media.convert(part))
    return converted


def convert_answer(
    message: Mapping[str, Any], media: Media, names: Names, *, sign: bool
) -> list[dict[str, Any]]:
    """An assistant's message as parts of the model's turn; notes its tool calls in `names`.

    Thoughts stay behind: Gemini does not need them, and refuses those of other providers.
    """
    kept = {**message, **(message.get("provider_specific_fields") or {})}
    parts = [part for part in kept.get("native_parts") or () if "text" not in part]
    parts += convert_content(message, media)
    signatures = kept.get("thought_signatures")
    if signatures:
        _sign_text(parts, signatures[-1])
    for image in message.get("images") or ():
        part = media.convert({"type": "image_url", **image})
        if image.get("thought_signature"):
            part["thoughtSignature"] = image["thought_signature"]
        parts.append(part)
    calls = [convert_call(call, names) for call in message.get("tool_calls") or ()]
    if message.get("function_call"):
        calls.append(convert_call({"function": message["function_call"]}, names))
    if sign and calls and not any("thoughtSignature" in call for call in calls):
        calls[0]["thoughtSignature"] = UNSIGNED
    return parts + calls


def _sign_text(parts: list[dict[str, Any]], signature: str) -> None:
    """Put the signature on the last text, or on an empty one, as Gemini streams it."""
    for part in reversed(parts):
        if "text" in part:
            part["thoughtSignature"] = signature
            return
    parts.append({"text": "", "thoughtSignature": signature})


def convert_call(call: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """A tool call as a part.

    Raises:
        BadRequestError: it calls no function.
    """
    name, arguments = called_function(call)
    fields = call.get("provider_specific_fields") or {}
    inner = {"name": name, "args": arguments}
    identifier = fields.get("function_call_id")
    if identifier:
        inner["id"] = identifier
    if call.get("id"):
        names[call["id"]] = (name, identifier)
    part: dict[str, Any] = {"functionCall": inner}
    if fields.get("thought_signature"):
        part["thoughtSignature"] = fields["thought_signature"]
    return part


def read_object(text: str) -> dict[str, Any] | None:
    """The object that the text is as JSON, None if it is anything else."""
    try:
        found = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def convert_result(
    message: Mapping[str, Any], position: int, media: Media, names: Names
) -> list[dict[str, Any]]:
    """The result of a tool as parts: its text in a `functionResponse`, images after it.

    Raises:
        BadRequestError: nothing tells which function it comes from.
    """
    name, identifier = names.get(message.get("tool_call_id") or "", (None, None))
    name = name or message.get("name")
    if not name:
        raise BadRequestError(
            f"messages[{position}] answers the tool call {message.get('tool_call_id')!r}, which no "
            "assistant message before it makes; add that message, or the function's name",
            param=f"messages[{position}]",
        )
    text = text_of(message)
    # a result that is a JSON object goes as such, any other under one name
    response: dict[str, Any] = {"name": name, "response": read_object(text) or {"content": text}}
    if identifier:
        response["id"] = identifier
    others = [part for part in parts_of(message) if part["type"] != "text"]
    return [
        {"functionResponse": response},
        *convert_content({"role": "user", "content": others}, media),
    ]
