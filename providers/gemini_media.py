"""
Images, documents, audio and video for Gemini: inline as base64, or by a URI Google can open.

https://ai.google.dev/gemini-api/docs/file-input-methods. Google opens its own URIs (the Files
API, Cloud Storage, YouTube); what lies elsewhere on the web is fetched first and sent inline,
unless the endpoint fetches by itself, as Vertex AI does.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError, ImageFetchError
from .gemini_schema import camel
from .messages import parse_data_url, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import File

FILES_API = "https://generativelanguage.googleapis.com/v1beta/"
GOOGLES = re.compile(
    r"gs://|https://generativelanguage\.googleapis\.com/|https://(?:www\.|m\.)?youtube\.com/"
    r"|https://youtu\.be/"
)
"""URIs that Google opens itself."""

LINKED = {"image_url": "image", "video_url": "video", "audio_url": "audio"}
"""Content parts that hold a URL, and what it should lead to."""

MEDIA_TYPES = {
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "avi": "video/avi",
    "css": "text/css",
    "csv": "text/csv",
    "flac": "audio/flac",
    "flv": "video/x-flv",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "htm": "text/html",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "m4a": "audio/m4a",
    "md": "text/markdown",
    "mov": "video/mov",
    "mp3": "audio/mp3",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpg",
    "ogg": "audio/ogg",
    "opus": "audio/opus",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "wmv": "video/wmv",
    "xml": "text/xml",
    "3gp": "video/3gpp",
}
"""Media types by the end of a name, in Google's spelling."""

SPELLINGS = {"image/jpg": "image/jpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav"}
SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})

RESOLUTIONS = {
    "low": "MEDIA_RESOLUTION_LOW",
    "medium": "MEDIA_RESOLUTION_MEDIUM",
    "high": "MEDIA_RESOLUTION_HIGH",
    "ultra_high": "MEDIA_RESOLUTION_ULTRA_HIGH",
}
"""What `detail` of an image asks for, lowest first."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Media as a content part names them: a URL of any kind or bare base64, and what is known.

    Attributes:
        url: ``data:``, ``https:``, ``gs:`` or a name of the Files API; empty with `data`.
        data: bare base64.
        media_type: the type as the caller states it, else empty.
        name: a file's name, for the type that it implies.
        extras: fields to stand beside the data (`videoMetadata`, `mediaResolution`).
    """

    url: str = ""
    data: str = ""
    media_type: str = ""
    name: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Media:
    """Turns content parts into Gemini's.

    Attributes:
        files: what has been fetched, by URL.
        opens_urls: the endpoint fetches public URLs itself, if it is told their type.
        part_resolution: each part may have a resolution of its own (Gemini 3 and later).
    """

    files: Mapping[str, File] = field(default_factory=dict)
    opens_urls: bool = False
    part_resolution: bool = False

    def urls(self, messages: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
        """The URLs that must be fetched, each once."""
        found = (
            reference.url
            for message in messages
            for part in parts_of(message)
            if (reference := self.reference(part)) and self._must_fetch(reference)
        )
        return tuple(dict.fromkeys(found))

    def convert(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """A content part that is not text, in Gemini's shape.

        Raises:
            BadRequestError: it is of an unknown kind, or its media cannot be sent.
        """
        reference = self.reference(part)
        if reference is None:
            raise BadRequestError(
                f"Gemini has no content part of the type {part['type']!r}; it takes text, "
                f"{', '.join(LINKED)}, input_audio and file",
                param="messages",
            )
        return {**self._place(reference), **reference.extras}

    def reference(self, part: Mapping[str, Any]) -> Reference | None:
        """What a content part refers to; None for text and unknown kinds."""
        kind = part["type"]
        inner = part.get(kind)
        match kind, inner:
            case ("image_url" | "video_url" | "audio_url"), str() | {"url": str()}:
                options = inner if isinstance(inner, dict) else {"url": inner}
                return Reference(
                    options["url"],
                    media_type=options.get("format") or "",
                    extras=self._extras(options),
                )
            case "input_audio", {"data": str(data)}:
                encoding = str(inner.get("format") or "")
                stated = encoding if "/" in encoding else f"audio/{encoding}" if encoding else ""
                if data.startswith("data:"):
                    return Reference(data, media_type=stated)
                return Reference(data=data, media_type=stated)
            case "file", dict():
                return self._file(inner)
            case ("image_url" | "video_url" | "audio_url" | "input_audio" | "file"), _:
                raise BadRequestError(
                    f"a {kind} part says nothing to send: {part!r:.80}", param="messages"
                )
        return None

    def _file(self, file: Mapping[str, Any]) -> Reference:
        stated = {
            "media_type": file.get("format") or "",
            "name": file.get("filename") or "",
            "extras": self._extras(file),
        }
        data, identifier = file.get("file_data"), file.get("file_id")
        if isinstance(data, str) and data:
            if re.match(r"data:|https?:|gs:", data):
                return Reference(data, **stated)
            return Reference(data=data, **stated)
        if isinstance(identifier, str) and identifier:
            prefix = FILES_API if identifier.startswith("files/") else ""
            return Reference(prefix + identifier, **stated)
        raise BadRequestError(
            f"a file part has neither file_data nor file_id: {file!r:.80}", param="messages"
        )

    def _extras(self, options: Mapping[str, Any]) -> dict[str, Any]:
        extras: dict[str, Any] = {}
        video = options.get("video_metadata")
        if isinstance(video, dict):
            extras["videoMetadata"] = {camel(name): value for name, value in video.items()}
        level = RESOLUTIONS.get(options.get("detail") or "")
        if level and self.part_resolution:
            extras["mediaResolution"] = {"level": level}
        return extras

    def _must_fetch(self, reference: Reference) -> bool:
        if GOOGLES.match(reference.url) or not re.match(r"https?://", reference.url):
            return False
        return not (self.opens_urls and _guess(reference))

    def _place(self, reference: Reference) -> dict[str, Any]:
        """The media inline or as a URI."""
        if reference.data:
            return inline(_check(_guess(reference), reference), reference.data)
        data_url = parse_data_url(reference.url)
        if data_url is not None:
            found = _known(reference.media_type, data_url.media_type) or _guess(reference)
            return inline(_check(found, reference), data_url.data)
        if self._must_fetch(reference):
            file = self.files.get(reference.url)
            if file is None:
                raise ImageFetchError(f"{reference.url} has not been fetched", param="messages")
            found = _known(reference.media_type, file.media_type) or _guess(reference)
            return inline(_check(found, reference), base64.b64encode(file.data).decode())
        return _by_uri(reference)


def inline(media_type: str, data: str) -> dict[str, Any]:
    """A part that holds its media as base64."""
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _by_uri(reference: Reference) -> dict[str, Any]:
    """A part that names a URI; only the Files API and YouTube know the type themselves."""
    if not re.match(r"https?://|gs://", reference.url):
        raise BadRequestError(
            f"{reference.url[:60]!r} is no URL that Gemini can open; use https:, gs:, data: or a "
            "file of the Files API",
            param="messages",
        )
    found = _guess(reference)
    if found or reference.url.startswith("gs://"):
        found = _check(found, reference)
    return {"fileData": {**({"mimeType": found} if found else {}), "fileUri": reference.url}}


def _known(*stated: str) -> str:
    """The first media type that says something, in Google's spelling and without parameters."""
    for media_type in stated:
        bare = media_type.split(";")[0].strip().lower()
        if bare not in SAYS_NOTHING:
            return SPELLINGS.get(bare, bare)
    return ""


def _guess(reference: Reference) -> str:
    """The media type as stated, else as the end of the name tells; empty if neither does."""
    for name in (reference.name, reference.url.split("?")[0].split("#")[0]):
        end = name.rpartition("/")[2].rpartition(".")[2].lower()
        if not name.startswith("data:") and end in MEDIA_TYPES:
            return _known(reference.media_type, MEDIA_TYPES[end])
    return _known(reference.media_type)


def _check(media_type: str, reference: Reference) -> str:
    """The type, if Gemini may take it.

    Raises:
        BadRequestError: it is unknown, or one that Gemini refuses.
    """
    name = reference.name or reference.url[:60] or "the data"
    if not media_type:
        raise BadRequestError(
            f"the media type of {name!r} is unknown; state it as format, like 'image/png'",
            param="messages",
        )
    if media_type == "image/svg+xml":
        raise BadRequestError(
            f"Gemini takes no SVG images ({name!r}); convert it to PNG", param="messages"
        )
    return media_type


def highest_resolution(messages: Iterable[Mapping[str, Any]]) -> str | None:
    """The most that `detail` of any image asks for, for models with one resolution for all."""
    levels = list(RESOLUTIONS)
    asked = [
        levels.index(inner["detail"])
        for message in messages
        for part in parts_of(message)
        if isinstance(inner := part.get(part["type"]), dict) and inner.get("detail") in levels
    ]
    return RESOLUTIONS[levels[max(asked)]] if asked else None
