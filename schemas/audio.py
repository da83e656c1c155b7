"""
Speech and what was heard: bytes one way, text the other.

    Transcription ── text, and with `verbose_json` language, duration, segments, words
    Speech ── content, to be written to a file
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .chat import Answer, Usage

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator


class Transcription(Answer, kw_only=True):
    """What was heard. `text` is all there is of the formats text, srt and vtt.

    `duration` is seconds; so is `usage.seconds` where the provider charges by time.
    """

    text: str = ""
    language: str | None = None
    duration: float | None = None
    segments: list[dict[str, Any]] | None = None
    words: list[dict[str, Any]] | None = None
    usage: Usage | None = None


class Speech(Answer, kw_only=True):
    """Sound, in the format that was asked for."""

    content: bytes = b""
    usage: Usage | None = None

    @property
    def content_type(self) -> str | None:
        """The media type that the provider says, e.g. ``"audio/mpeg"``."""
        return self.response_headers.get("content-type")

    def read(self) -> bytes:
        """All of it."""
        return self.content

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Its bytes, so many at a time."""
        size = chunk_size or max(len(self.content), 1)
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size]

    def write_to_file(self, file: str | os.PathLike[str]) -> None:
        """Put it into a file, which is made or overwritten."""
        Path(file).write_bytes(self.content)

    stream_to_file = write_to_file

    def __repr__(self) -> str:
        return f"Speech({len(self.content)} bytes)"
