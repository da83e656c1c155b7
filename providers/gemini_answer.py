"""
What Gemini answers, whole or as one piece of a stream, in OpenAI's shape.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse. A candidate's parts
are sorted into text, thoughts, tool calls and media. What OpenAI has no place for stays under
Google's own names: a candidate's fields (`groundingMetadata`, `safetyRatings`, …) beside
`native_finish_reason` in the choice's `provider_specific_fields`, parts such as
`executableCode` as `native_parts` in the message's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import ChatCompletion, Choice, Details, Function, Message, ToolCall, Usage
from .errors import unreadable
from .gemini_caching import count_written
from .gemini_wire import Segment, read_answer
from .messages import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .base import ContextCache, Target
    from .gemini_wire import (
        Blob,
        Candidate,
        Chunk,
        FunctionCall,
        Grounding,
        Logprobs,
        ModalityCount,
        Raw,
        Response,
        Source,
        Token,
        UsageMetadata,
    )

FINISH_REASONS = {
    "MAX_TOKENS": "length",
    "BLOCKLIST": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "JAILBREAK": "content_filter",
    "LANGUAGE": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "RECITATION": "content_filter",
    "SAFETY": "content_filter",
    "SPII": "content_filter",
}
"""Google's reasons to end; any other is a stop. The reason itself is kept beside it."""

TRANSLATED = frozenset({"content", "finishReason", "index", "logprobsResult"})
TRANSLATED_ANSWER = frozenset(
    {"candidates", "createTime", "modelVersion", "responseId", "usageMetadata"}
)
TRANSLATED_PART = frozenset({"functionCall", "inlineData", "text", "thought", "thoughtSignature"})
TRANSLATED_USAGE = frozenset(
    {
        "cacheTokensDetails",
        "cachedContentTokenCount",
        "candidatesTokenCount",
        "candidatesTokensDetails",
        "promptTokenCount",
        "promptTokensDetails",
        "serviceTier",
        "thoughtsTokenCount",
        "totalTokenCount",
    }
)


@dataclass(slots=True)
class Pieces:
    """A candidate's parts, sorted."""

    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    thinking_blocks: list[dict[str, Any]] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    audio: dict[str, Any] | None = None
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str | None:
        """The text, None if there is none."""
        return "".join(self.text) or None

    @property
    def reasoning(self) -> str | None:
        """The thoughts, None if there are none."""
        return "".join(self.thoughts) or None

    def keep(self, name: str, value: Any) -> None:
        """Keep what OpenAI has no place for."""
        self.extras.setdefault(name, []).append(value)


def convert_answer(
    body: bytes, target: Target, cache: ContextCache | None = None
) -> ChatCompletion:
    """A whole answer; `cache` is what the call has made use of.

    Raises:
        APIError: it is an error after all, or cannot be understood.
    """
    response, raw = read_answer(body, target)
    if response.candidates:
        choices = [
            convert_candidate(candidate, raw_candidate, position)
            for position, (candidate, raw_candidate) in enumerate(
                zip(response.candidates, raw["candidates"], strict=True)
            )
        ]
    elif block_reason(response):
        choices = [
            Choice(
                message=Message(),
                finish_reason="content_filter",
                _extra={"native_finish_reason": block_reason(response)},
            )
        ]
    else:
        raise unreadable(target, body, "it has no candidates")
    metadata = response.usage_metadata
    usage = convert_usage(metadata, raw["usageMetadata"]) if metadata else None
    if usage and not usage.cache_read_input_tokens and all(map(is_withheld, choices)):
        usage.prompt_tokens_details = usage.completion_tokens_details = None
    return ChatCompletion(
        id=response.response_id or new_id("chatcmpl-"),
        created=created_at(response),
        model=response.model_version or target.model,
        choices=choices,
        usage=count_written(usage, cache),
        service_tier=convert_service_tier(metadata.service_tier) if metadata else None,
        _extra=without(raw, TRANSLATED_ANSWER),
    )


def convert_service_tier(tier: str | None) -> str | None:
    """OpenAI's word for the tier that served the call."""
    return "default" if tier == "standard" else tier


def is_withheld(choice: Choice) -> bool:
    """Whether a filter has left nothing of the answer: there are no kinds of tokens to tell."""
    return choice.finish_reason == "content_filter" and choice.message == Message()


def convert_candidate(candidate: Candidate, raw: Raw, position: int) -> Choice:
    """One choice."""
    pieces = sort_parts(candidate, raw)
    return Choice(
        index=position if candidate.index is None else candidate.index,
        message=Message(
            content=pieces.content,
            reasoning_content=pieces.reasoning,
            thinking_blocks=pieces.thinking_blocks or None,
            tool_calls=pieces.calls or None,
            images=pieces.images or None,
            audio=pieces.audio,
            annotations=convert_grounding(candidate.grounding_metadata, pieces.text) or None,
            _extra=pieces.extras or None,
        ),
        finish_reason=convert_finish(candidate.finish_reason, bool(pieces.calls)),
        logprobs=convert_logprobs(candidate.logprobs_result),
        _extra=candidate_extras(candidate, raw),
    )


def candidate_extras(candidate: Candidate, raw: Raw) -> dict[str, Any]:
    """A candidate's fields that OpenAI has no place for."""
    extras = without(raw, TRANSLATED)
    if candidate.finish_reason:
        extras["native_finish_reason"] = candidate.finish_reason
    return extras


def sort_parts(candidate: Candidate, raw: Raw) -> Pieces:
    """What the parts of a candidate are."""
    pieces = Pieces()
    parts = (candidate.content.parts if candidate.content else None) or ()
    for position, part in enumerate(parts):
        signature = part.thought_signature
        if part.function_call is not None:
            pieces.calls.append(convert_call(part.function_call, signature))
        elif part.text is not None and part.thought:
            pieces.thoughts.append(part.text)
            signed = {"signature": signature} if signature else {}
            pieces.thinking_blocks.append({"type": "thinking", "thinking": part.text, **signed})
        elif part.inline_data is not None and not part.thought:
            _sort_media(pieces, part.inline_data, signature)
        elif part.text is None or raw["content"]["parts"][position].keys() - TRANSLATED_PART:
            pieces.keep("native_parts", raw["content"]["parts"][position])
        if part.text and not part.thought:
            pieces.text.append(part.text)
        if part.text is not None and signature and not part.thought:
            pieces.keep("thought_signatures", signature)
    return pieces


def _sort_media(pieces: Pieces, media: Blob, signature: str | None) -> None:
    if media.mime_type.startswith("audio/"):
        pieces.audio = {"data": media.data, "transcript": "", "mime_type": media.mime_type}
        return
    url = f"data:{media.mime_type};base64,{media.data}"
    image: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
    if signature:
        image["thought_signature"] = signature
    pieces.images.append(image)


def convert_call(call: FunctionCall, signature: str | None) -> ToolCall:
    """A tool call. Google's signature and id stay with it and must come back with it."""
    fields = {"thought_signature": signature, "function_call_id": call.id}
    return ToolCall(
        id=new_id("call_"),
        function=Function(name=call.name, arguments=msgspec.json.encode(call.args or {}).decode()),
        provider_specific_fields={name: value for name, value in fields.items() if value} or None,
    )


def convert_finish(reason: str | None, calls: bool) -> str:
    """OpenAI's reason to end."""
    converted = FINISH_REASONS.get(reason or "", "stop")
    return "tool_calls" if calls and converted == "stop" else converted


def block_reason(response: Response) -> str | None:
    """Why the question was not answered at all."""
    return response.prompt_feedback.block_reason if response.prompt_feedback else None


def convert_usage(usage: UsageMetadata, raw: Raw) -> Usage:
    """Tokens. OpenAI counts thoughts as completion, and what Google's tools read as prompt."""
    thoughts = usage.thoughts_token_count or 0
    said = usage.candidates_token_count or 0
    prompt = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
    total = usage.total_token_count
    if thoughts and total == prompt + said:
        said = max(0, said - thoughts)  # this endpoint has counted thoughts among the rest
    cached = usage.cached_content_token_count
    prompt_details = Details(count_modalities(usage.prompt_tokens_details))
    if cached is not None:
        prompt_details["cached_tokens"] = cached
        prompt_details["cached_tokens_details"] = count_modalities(usage.cache_tokens_details)
    details = Details({"text_tokens": said, **count_modalities(usage.candidates_tokens_details)})
    if thoughts:
        details["reasoning_tokens"] = thoughts
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=said + thoughts,
        total_tokens=prompt + said + thoughts if total is None else total,
        prompt_tokens_details=prompt_details,
        completion_tokens_details=details,
        cache_read_input_tokens=cached,
        _extra=without(raw, TRANSLATED_USAGE),
    )


def count_modalities(counts: Iterable[ModalityCount] | None) -> dict[str, int]:
    """Tokens by kind, under OpenAI's names."""
    return {f"{count.modality.lower()}_tokens": count.token_count or 0 for count in counts or ()}


def convert_logprobs(logprobs: Logprobs | None) -> dict[str, Any] | None:
    """Log probabilities in OpenAI's shape."""
    if logprobs is None or not logprobs.chosen_candidates:
        return None
    top = logprobs.top_candidates or []
    content = []
    for position, chosen in enumerate(logprobs.chosen_candidates):
        others = (top[position].candidates or []) if position < len(top) else []
        content.append({**_logprob(chosen), "top_logprobs": [_logprob(other) for other in others]})
    return {"content": content}


def _logprob(token: Token) -> dict[str, Any]:
    return {
        "token": token.token,
        "logprob": token.log_probability,
        "bytes": list(token.token.encode()),
    }


def convert_grounding(grounding: Grounding | None, text: list[str]) -> list[dict[str, Any]]:
    """Citations: one for each source of each piece of text. Google counts bytes of UTF-8."""
    if grounding is None or not grounding.grounding_supports:
        return []
    chunks = grounding.grounding_chunks or []
    encoded = "".join(text).encode()
    citations = []
    for support in grounding.grounding_supports:
        segment = support.segment or Segment()
        start, end = (
            len(encoded[: index or 0].decode("utf-8", "ignore"))
            for index in (segment.start_index, segment.end_index)
        )
        for number in support.grounding_chunk_indices or ():
            source = _source(chunks[number]) if 0 <= number < len(chunks) else None
            if source and source.uri:
                citation = {"start_index": start, "end_index": end, "url": source.uri}
                citation["title"] = source.title or source.uri
                citations.append({"type": "url_citation", "url_citation": citation})
    return citations


def _source(chunk: Chunk) -> Source | None:
    return chunk.web or chunk.retrieved_context or chunk.maps


def created_at(response: Response) -> int:
    """Seconds since 1970; the clock's where Google does not tell."""
    try:
        moment = datetime.fromisoformat((response.create_time or "")[:19])
    except ValueError:
        return int(time.time())
    return int(moment.replace(tzinfo=UTC).timestamp())


def without(raw: Raw, names: frozenset[str]) -> dict[str, Any]:
    """The fields that are not among these."""
    return {name: value for name, value in raw.items() if name not in names}
