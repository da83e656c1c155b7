"""
Messages for the Converse API.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html

OpenAI's messages become turns of content blocks: system messages move out, neighbours of one
role become one turn, results of tools belong to the user, the user speaks first. A block is a
dictionary with one key that names its kind; a cache point is a block of its own, behind what it
ends.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import BadRequestError
from .anthropic_messages import PLACEHOLDER
from .bedrock_media import PARTS, Media
from .caching import HOUR, seconds_of
from .messages import called_function, fold_system, name_function_calls, parts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import File
    from .bedrock_models import Family

NO_OUTPUT = "(no output)"
"""What a tool has said that has said nothing: blank text is refused."""

ORIGINAL = "converse_content"
"""The field of a message that keeps the blocks of an answer that OpenAI's shape cannot hold."""

LONGEST = 64
"""Characters that an id or the name of a tool may have."""

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")

Block = dict[str, Any]


class Prompt(NamedTuple):
    """The messages of a call in Bedrock's shape."""

    system: list[Block]
    turns: list[Block]


def convert_messages(
    messages: list[dict[str, Any]], files: Mapping[str, File], family: Family
) -> Prompt:
    """The messages as system blocks and alternating turns.

    Raises:
        BadRequestError: a message holds something that Bedrock cannot read.
    """
    media = Media(files)
    system: list[Block] = []
    turns: list[Block] = []
    for message in name_function_calls(messages if family.system else fold_system(messages)):
        match message["role"]:
            case "system" | "developer":
                system += convert_system(message, family)
            case "assistant":
                _add(turns, "assistant", convert_assistant(message, media, family))
            case "tool":
                _add(turns, "user", convert_tool_result(message, media, family))
            case _:
                _add(turns, "user", convert_parts(message, media, family))
    return Prompt(system, _complete(turns))


def _add(turns: list[Block], role: str, blocks: list[Block]) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    elif blocks:
        turns.append({"role": role, "content": blocks})


def _complete(turns: list[Block]) -> list[Block]:
    """Turns as the API insists: results first, text beside documents, the user speaks first."""
    for turn in turns:
        if turn["role"] == "user":
            turn["content"] = _results_first(turn["content"])
            kinds = {kind for block in turn["content"] for kind in block}
            if "document" in kinds and "text" not in kinds:
                turn["content"].append({"text": PLACEHOLDER})
    if turns and turns[-1]["role"] == "assistant" and "text" in turns[-1]["content"][-1]:
        last = turns[-1]["content"][-1]
        turns[-1]["content"][-1] = {**last, "text": last["text"].rstrip()}
    if not turns or turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"text": PLACEHOLDER}]})
    return turns


def _results_first(blocks: list[Block]) -> list[Block]:
    """Results of tools before the rest, each block with the cache point behind it."""
    results: list[Block] = []
    others: list[Block] = []
    into = others
    for block in blocks:
        if "cachePoint" not in block:
            into = results if "toolResult" in block else others
        into.append(block)
    return results + others


def convert_system(message: Mapping[str, Any], family: Family) -> list[Block]:
    """A system message as blocks.

    Raises:
        BadRequestError: it holds something else than text.
    """
    blocks = []
    for part in parts_of(message):
        if part["type"] not in ("text", "guarded_text"):
            raise BadRequestError(
                f"a {message['role']} message holds a part of type {part['type']!r}; Bedrock's "
                "system prompt is text only: put it into a user message",
                param="messages",
            )
        blocks += [*convert_text(part), *cache_point(part, family)]
    return [*blocks, *cache_point(message, family)] if blocks else []


def convert_assistant(message: Mapping[str, Any], media: Media, family: Family) -> list[Block]:
    """What the model said before: reasoning first, then text, then calls of tools."""
    original = message.get(ORIGINAL)
    if original and text_of_blocks(original) == text_of(message):
        kept = [block for block in original if goes_back(block, family)]
        return [*kept, *cache_point(message, family)]
    said = {"content": message.get("content"), "refusal": message.get("refusal")}
    parts = convert_parts(said, media, family)
    reasoning: list[Block] = []
    if not any("reasoningContent" in block for block in parts):
        for thought in message.get("thinking_blocks") or ():
            reasoning += convert_thinking(thought, family)
    calls = [convert_tool_call(call) for call in message.get("tool_calls") or ()]
    blocks = [*reasoning, *parts, *calls]
    return [*blocks, *cache_point(message, family)] if blocks else []


def goes_back(block: Mapping[str, Any], family: Family) -> bool:
    """Whether a block of an answer is sent again: no blank text, no other model's reasoning."""
    if "reasoningContent" in block:
        return family.claude is not None
    return "text" not in block or bool(block["text"].strip())


def text_of_blocks(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The text in these blocks, cited text too."""
    return "".join(text for block in blocks for text in texts_of(block))


def texts_of(block: Mapping[str, Any]) -> list[str]:
    """The texts of a block that belong to what the model says."""
    cited = (block.get("citationsContent") or {}).get("content") or ()
    return [part.get("text") or "" for part in (block, *cited)]


def convert_parts(message: Mapping[str, Any], media: Media, family: Family) -> list[Block]:
    """The content of a message as blocks; blank text is left out, for the API refuses it."""
    blocks: list[Block] = []
    for part in parts_of(message):
        made = convert_part(part, media, family)
        blocks += [*made, *cache_point(part, family)] if made else []
    return [*blocks, *cache_point(message, family)] if blocks else []


def convert_part(part: Mapping[str, Any], media: Media, family: Family) -> list[Block]:
    """One content part as a block, or none.

    Raises:
        BadRequestError: Bedrock cannot read it.
    """
    match part["type"]:
        case "text" | "guarded_text":
            return convert_text(part)
        case "refusal":
            return convert_text({"type": "text", "text": part.get("refusal")})
        case "thinking" | "redacted_thinking":
            return convert_thinking(part, family)
        case kind if kind in PARTS:
            return [media.convert(part)]
        case kind:
            raise BadRequestError(
                f"Bedrock has no content part of the type {kind!r}; it takes text, guarded_text, "
                f"{', '.join(sorted(PARTS))}",
                param="messages",
            )


def convert_text(part: Mapping[str, Any]) -> list[Block]:
    """A block of text, for the guardrail if the part says so; none if the text is blank."""
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        return []
    if part["type"] == "guarded_text":
        return [{"guardContent": {"text": {"text": text}}}]
    return [{"text": text}]


def convert_thinking(part: Mapping[str, Any], family: Family) -> list[Block]:
    """A block of reasoning for Claude, who signs it; others have no use for it."""
    if family.claude is None:
        return []
    if part.get("type") == "redacted_thinking" and part.get("data"):
        return [{"reasoningContent": {"redactedContent": part["data"]}}]
    if part.get("type") == "thinking" and part.get("signature"):
        text = {"text": part.get("thinking") or "", "signature": part["signature"]}
        return [{"reasoningContent": {"reasoningText": text}}]
    return []


def convert_tool_call(call: Mapping[str, Any]) -> Block:
    """A call of a tool as a block.

    Raises:
        BadRequestError: it does not name a function.
    """
    name, arguments = called_function(call)
    return {
        "toolUse": {
            "toolUseId": convert_tool_id(call.get("id")),
            "name": convert_tool_name(name),
            "input": arguments,
        }
    }


def convert_tool_result(message: Mapping[str, Any], media: Media, family: Family) -> list[Block]:
    """A tool's result as a block; texts, JSON, images and documents stay apart."""
    content: list[Block] = []
    for part in parts_of(message):
        if part["type"] == "json":
            content.append({"json": part.get("json")})
        else:
            content += convert_part(part, media, family)
    result: Block = {
        "toolUseId": convert_tool_id(message.get("tool_call_id")),
        "content": content or [{"text": NO_OUTPUT}],
    }
    if family.status and (message.get("is_error") or message.get("status") == "error"):
        result["status"] = "error"
    marked = (message, *parts_of(message))
    points = [point for item in marked for point in cache_point(item, family)]
    return [{"toolResult": result}, *points[:1]]


def cache_point(item: Mapping[str, Any], family: Family, where: str = "messages") -> list[Block]:
    """The cache point that a `cache_control` asks for, if the model caches there."""
    control = item.get("cache_control")
    if not control or where not in family.caches:
        return []
    point = {"type": "default"}
    if seconds_of(control) >= HOUR:  # five minutes go without saying
        point["ttl"] = "1h"
    return [{"cachePoint": point}]


def convert_tool_id(identifier: Any) -> str:
    """The id in the characters that Bedrock takes; the same for a call and its result."""
    return _shorten(_NOT_IN_IDS.sub("_", str(identifier or "")) or "tooluse_unnamed")


def convert_tool_name(name: str) -> str:
    """The name in the characters that Bedrock takes; answers are given in the caller's."""
    return _shorten(_NOT_IN_NAMES.sub("_", name))


def _shorten(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST - 13]}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
