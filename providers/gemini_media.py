"""
Images, documents, audio and video for Gemini: inline as base64, or by a URI Google can open.

https://ai.google.dev/gemini-api/docs/file-input-methods. Google opens its own URIs (the Files
API, Cloud Storage, YouTube); what lies elsewhere on the web is fetched first and sent inline,
unless the endpoint fetches by itself, as Vertex AI does.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field, replace
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

LINKED = ("image_url", "video_url", "audio_url")
"""Content parts that hold a URL."""

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
        """What a content part refers to; None for text and unknown kinds.

        Raises:
            BadRequestError: it should refer to something and does not.
        """
        kind = str(part["type"])
        inner: Any = part.get(kind)
        match kind, inner:
            case _, str(url) if kind in LINKED:
                return Reference(url)
            case _, {"url": str(url)} if kind in LINKED:
                return replace(self._named(inner), url=url)
            case "input_audio", {"data": str(data)}:
                stated = str(inner.get("format") or "")
                stated = stated if "/" in stated else f"audio/{stated}" if stated else ""
                return _held(Reference(media_type=stated), data)
            case "file", {"file_data": str(data)} if data:
                return _held(self._named(inner), data)
            case "file", {"file_id": str(identifier)} if identifier:
                prefix = FILES_API if identifier.startswith("files/") else ""
                return replace(self._named(inner), url=prefix + identifier)
        if kind in (*LINKED, "input_audio", "file"):
            raise BadRequestError(
                f"a {kind} part says nothing to send: {part!r:.80}", param="messages"
            )
        return None

    def _named(self, file: Mapping[str, Any]) -> Reference:
        return Reference(
            media_type=str(file.get("format") or ""),
            name=str(file.get("filename") or ""),
            extras=self._extras(file),
        )

    def _extras(self, options: Mapping[str, Any]) -> dict[str, Any]:
        extras: dict[str, Any] = {}
        video = options.get("video_metadata")
        if isinstance(video, dict):
            extras["videoMetadata"] = {camel(name): value for name, value in video.items()}
        level = RESOLUTIONS.get(str(options.get("detail")))
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


def _held(reference: Reference, data: str) -> Reference:
    """The reference with data that may be a URL after all."""
    if re.match(r"data:|https?:|gs:", data):
        return replace(reference, url=data)
    return replace(reference, data=data)


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
    path = "" if reference.url.startswith("data:") else re.split(r"[?#]", reference.url)[0]
    ends = (name.rpartition(".")[2].lower() for name in (reference.name, path))
    return _known(reference.media_type, *(MEDIA_TYPES.get(end, "") for end in ends))


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
