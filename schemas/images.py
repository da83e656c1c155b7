"""
Images in OpenAI's shape: as addresses, or as base64 in the answer itself.

    ImageResponse ── data: [Image]
                  └─ usage: ImageUsage
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from .chat import Answer
from .records import Details, Record, private


def _nothing() -> Details:
    return Details(image_tokens=0, text_tokens=0)


class Image(Record, kw_only=True):
    """One image: `url` (most are valid for an hour) or `b64_json`.

    `revised_prompt` is what the model has made of the prompt, where it tells.
    """

    url: str | None = None
    b64_json: str | None = None
    revised_prompt: str | None = None
    _extra: Any = private("extra")

    @property
    def content(self) -> bytes | None:
        """The bytes of `b64_json`, None where the image is behind its `url`."""
        return None if self.b64_json is None else base64.b64decode(self.b64_json)


class ImageUsage(Record, kw_only=True):
    """Tokens of one answer, under the names that OpenAI's images have for them.

    All are 0 where the provider counts none. The names of :class:`Usage` read the same counts.
    """

    _path = ("usage",)

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: Details | None = msgspec.field(default_factory=_nothing)
    output_tokens_details: Details | None = None
    _extra: Any = private("extra")

    @property
    def prompt_tokens(self) -> int:
        """The same as `input_tokens`."""
        return self.input_tokens

    @property
    def completion_tokens(self) -> int:
        """The same as `output_tokens`."""
        return self.output_tokens

    @property
    def prompt_tokens_details(self) -> Details | None:
        """The same as `input_tokens_details`."""
        return self.input_tokens_details

    @property
    def completion_tokens_details(self) -> Details:
        """The same as `output_tokens_details`; without those, all of it was an image."""
        return self.output_tokens_details or Details(image_tokens=self.output_tokens)

    @property
    def cache_read_input_tokens(self) -> None:
        """None: images are not drawn from caches."""

    @property
    def cache_creation_input_tokens(self) -> None:
        """None likewise."""


class ImageResponse(Answer, kw_only=True):
    """The images that one call has brought.

    `background`, `output_format`, `quality` and `size` are what they were drawn with, where the
    provider tells.
    """

    created: int = 0
    data: list[Image] = msgspec.field(default_factory=list)
    usage: ImageUsage = msgspec.field(default_factory=ImageUsage)
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None
