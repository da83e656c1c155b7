"""
Speech and transcription in OpenAI's format: https://platform.openai.com/docs/api-reference/audio.

Sound goes up in a form and comes down as bytes. Who charges by the second or the character is
counted for in the usage: `seconds`, and `character_count` among the details of the prompt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import Details, Usage
from ..schemas.audio import Speech, Transcription
from .azure import AzureService
from .base import Request
from .multipart import encode_form
from .openai_service import OpenAIService
from .params import supported_params

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Call

PLAIN_FORMATS = frozenset({"srt", "text", "vtt"})
"""Formats of a transcription that are no JSON."""

LISTENING_PARAMS = frozenset(
    {
        "chunking_strategy",
        "include",
        "known_speaker_names",
        "known_speaker_references",
        "language",
        "prompt",
        "response_format",
        "stream",
        "temperature",
        "timestamp_granularities",
    }
)
SPEAKING_PARAMS = frozenset(
    {"instructions", "response_format", "speed", "stream", "stream_format", "voice"}
)


class OpenAITranscription(OpenAIService):
    """What one model hears."""

    path = "/audio/transcriptions"

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        taken = LISTENING_PARAMS - {"stream"}
        params, dropped = supported_params(call, self.target, taken, LISTENING_PARAMS)
        fields = {"model": self.model, **params, **(call.extra_body or {})}
        content, content_type = encode_form(fields, call.input)
        bare = self.request({}, call, dropped)
        headers = {**bare.headers, "Content-Type": content_type}
        return Request(bare.url, headers, content, dropped)

    def parse(self, body: bytes, call: Call) -> Transcription:
        """The answer; see :meth:`Adapter.parse`."""
        if call.params.get("response_format") in PLAIN_FORMATS and not body.startswith(b"{"):
            return Transcription(text=body.decode("utf-8", "replace"))
        try:
            said = msgspec.json.decode(body)
            usage = said.pop("usage", None)
            answer = msgspec.convert(said, Transcription, strict=False)
            answer.usage = convert_usage(usage, answer.duration)
        except (AttributeError, TypeError, ValueError) as error:
            raise self.unreadable(body, str(error)) from error
        if "text" not in said:
            raise self.unreadable(body, "it has no text")
        answer._extra = body
        return answer


class OpenAISpeech(OpenAIService):
    """What one model says."""

    path = "/audio/speech"

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        taken = SPEAKING_PARAMS - {"stream", "stream_format"}
        params, dropped = supported_params(call, self.target, taken, SPEAKING_PARAMS)
        return self.request({"model": self.model, "input": call.input, **params}, call, dropped)

    def parse(self, body: bytes, call: Call) -> Speech:
        """The answer; see :meth:`Adapter.parse`."""
        if not body or body.startswith(b"{"):
            raise self.unreadable(body, "it is no sound")
        details = Details(character_count=len(call.input))
        return Speech(content=body, usage=Usage(prompt_tokens_details=details))


class AzureTranscription(AzureService, OpenAITranscription):
    """The same at a deployment of Azure's."""


class AzureSpeech(AzureService, OpenAISpeech):
    """The same at a deployment of Azure's."""


def convert_usage(usage: Mapping[str, Any] | None, duration: float | None) -> Usage | None:
    """What was counted: tokens, or seconds, which a detailed answer tells as its duration."""
    if usage and "input_tokens" in usage:
        details = usage.get("input_token_details")
        return Usage(
            prompt_tokens=usage["input_tokens"],
            completion_tokens=usage.get("output_tokens", 0),
            total_tokens=usage.get("total_tokens", 0),
            prompt_tokens_details=Details(details) if details else None,
        )
    seconds = (usage or {}).get("seconds", duration)
    return None if seconds is None else Usage(_extra={"seconds": seconds})
