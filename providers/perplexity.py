"""
Perplexity: OpenAI's format with sources.

https://docs.perplexity.ai/api-reference/chat-completions-post. Answers point to `citations` and
`search_results` by their number in brackets; both stay in `provider_specific_fields`, and each
pointer is one of OpenAI's annotations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .catalog import IMAGES, MAX_TOKENS, NOT_ELSEWHERE, OLD_FUNCTIONS, Compatible
from .openai import ChatDecoder, OpenAIAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schemas import ChatCompletion, ChatCompletionChunk
    from .base import Call, File, Target

PERPLEXITY = Compatible(
    base_url="https://api.perplexity.ai",
    key_env=("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY", "PPLX_API_KEY"),
    base_env=("PERPLEXITY_API_BASE",),
    rename=MAX_TOKENS,
    refuses=NOT_ELSEWHERE - {"web_search_options"}
    | OLD_FUNCTIONS
    | {"logit_bias", "metadata", "seed", "service_tier", "user"},
    media=IMAGES | {"file_url", "pdf_url", "video_url"},
    efforts={"none": "minimal", "xhigh": "high"},
    stream_usage=False,
)

ANY_OBJECT: dict[str, Any] = {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}
"""What Perplexity, which has no `json_object`, calls it."""

POINTER = re.compile(r"\[(\d{1,3})\]")


class PerplexityAdapter(OpenAIAdapter):
    """Chat completions of one of Perplexity's models."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, PERPLEXITY)

    def convert_messages(
        self, messages: list[dict[str, Any]], files: Mapping[str, File]
    ) -> list[dict[str, Any]]:
        """The messages with documents by URL, without names, which Perplexity does not know."""
        shown = [show_files(message) for message in messages]
        converted = super().convert_messages(shown, files)
        return [
            {name: value for name, value in message.items() if name != "name"}
            for message in converted
        ]

    def convert_params(
        self, params: dict[str, Any], drop: bool
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Parameters in Perplexity's words. Usage ends every stream without being asked for."""
        converted, dropped = super().convert_params(params, drop)
        converted.pop("stream_options", None)
        if converted.get("response_format") == {"type": "json_object"}:
            converted["response_format"] = ANY_OBJECT
        options = converted.get("web_search_options")
        if isinstance(options, dict) and isinstance(options.get("user_location"), dict):
            place = convert_place(options["user_location"])
            converted["web_search_options"] = {**options, "user_location": place}
        return converted, dropped

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        answer = super().parse(body, call)
        message = answer.choices[0].message
        if message.annotations is None:
            sources = answer.provider_specific_fields
            message.annotations = convert_citations(message.content or "", sources) or None
        return answer

    def decoder(self, call: Call) -> PerplexityDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return PerplexityDecoder(self, call)


def show_files(message: dict[str, Any]) -> dict[str, Any]:
    """The message with documents as Perplexity has them: by URL, or as base64 in its place."""
    content = message.get("content")
    if not isinstance(content, list | tuple):
        return message
    return {**message, "content": [_show_file(part) for part in content]}


def _show_file(part: Mapping[str, Any]) -> Mapping[str, Any]:
    match part:
        case {"type": "file", "file": {"file_data": str(data), **more}}:
            name = {"file_name": more["filename"]} if more.get("filename") else {}
            url = data.rpartition("base64,")[2]
            return {"type": "file_url", "file_url": {"url": url}, **name}
        case {"type": "file", "file": {"file_id": str(url)}} if url.startswith("http"):
            return {"type": "file_url", "file_url": {"url": url}}
    return part


def convert_place(location: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's `user_location` without its frame."""
    inner = location.get("approximate")
    place = inner if isinstance(inner, dict) else location
    return {name: value for name, value in place.items() if name != "type"}


class PerplexityDecoder(ChatDecoder):
    """One stream, whose last chunk has the annotations of the whole text."""

    __slots__ = ("_text",)

    def __init__(self, adapter: OpenAIAdapter, call: Call) -> None:
        super().__init__(adapter, call)
        self._text: list[str] = []

    def feed(self, data: bytes, out: list[ChatCompletionChunk]) -> None:
        """See :meth:`Decoder.feed`."""
        known = len(out)
        try:
            super().feed(data, out)
        finally:
            self._annotate(out[known:])

    def finish(self, out: list[ChatCompletionChunk]) -> None:
        """See :meth:`Decoder.finish`."""
        known = len(out)
        super().finish(out)
        self._annotate(out[known:])

    def _annotate(self, chunks: list[ChatCompletionChunk]) -> None:
        for chunk in chunks:
            choice = chunk.choices[0]
            self._text.append(choice.delta.content or "")
            if choice.finish_reason:
                text, sources = "".join(self._text), chunk.provider_specific_fields
                choice.delta.annotations = convert_citations(text, sources) or None


def convert_citations(text: str, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """OpenAI's annotations for the pointers in a text; `fields` are the answer's own."""
    pages = fields.get("search_results") or fields.get("citations")
    if not isinstance(pages, list):
        return []
    converted = []
    for pointer in POINTER.finditer(text):
        number = int(pointer[1])
        page = pages[number - 1] if 1 <= number <= len(pages) else None
        url = page.get("url") if isinstance(page, dict) else page
        if isinstance(url, str):
            place = {
                "url": url,
                "title": page.get("title") if isinstance(page, dict) else None,
                "start_index": pointer.start(),
                "end_index": pointer.end(),
            }
            converted.append({"type": "url_citation", "url_citation": place})
    return converted
