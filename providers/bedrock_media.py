"""
Images, documents, video and audio for Bedrock: inline as base64, or in S3.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html. Bedrock
opens no URL but S3's; everything else on the web is fetched by the router first.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ..exceptions import BadRequestError, ImageFetchError
from .messages import image_url_of, parse_data_url, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import File

WITH_URL = ("image_url", "video_url", "audio_url")
PARTS = frozenset({*WITH_URL, "file", "input_audio"})
"""Content parts that hold or point to data."""

FORMATS: dict[str, str] = {
    "gif": "image",
    "jpeg": "image",
    "png": "image",
    "webp": "image",
    "csv": "document",
    "doc": "document",
    "docx": "document",
    "html": "document",
    "md": "document",
    "pdf": "document",
    "txt": "document",
    "xls": "document",
    "xlsx": "document",
    "flv": "video",
    "mkv": "video",
    "mov": "video",
    "mp4": "video",
    "mpeg": "video",
    "mpg": "video",
    "three_gp": "video",
    "webm": "video",
    "wmv": "video",
    "aac": "audio",
    "flac": "audio",
    "m4a": "audio",
    "mka": "audio",
    "mp3": "audio",
    "ogg": "audio",
    "opus": "audio",
    "pcm": "audio",
    "wav": "audio",
}
"""Bedrock's formats, and the kind of block that holds each."""

MEDIA_TYPES: dict[str, str] = {
    "application/csv": "csv",
    "application/json": "txt",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/xml": "txt",
    "application/yaml": "txt",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/x-m4a": "m4a",
    "audio/x-wav": "wav",
    "image/jpg": "jpeg",
    "jpg": "jpeg",
    "text/markdown": "md",
    "text/plain": "txt",
    "video/3gpp": "three_gp",
    "video/quicktime": "mov",
    "video/x-flv": "flv",
    "video/x-matroska": "mkv",
    "video/x-ms-wmv": "wmv",
}
"""Media types whose second half is not the name of the format; other texts are `txt`."""

SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})
DOCUMENT = "document"
LONGEST_NAME = 200

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9\-()\[\]]+")


class Reference(NamedTuple):
    """Where the data of a content part is: a URL of any kind, or bare base64.

    `stated` is the media type or format as the caller gives it; `name` a file's.
    """

    url: str = ""
    data: str = ""
    stated: str = ""
    name: str = ""


@dataclass(slots=True)
class Media:
    """Turns content parts into blocks; documents of one request get different names.

    Attributes:
        files: what has been fetched, by URL.
        names: names of documents that are taken.
    """

    files: Mapping[str, File] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def convert(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """The block of a part.

        Raises:
            BadRequestError: it has no data, or Bedrock has no format for it.
        """
        reference = refer(part)
        stated, source = self._locate(reference)
        form = format_of(stated) or format_of(guess_type(reference))
        kind = FORMATS.get(form)
        if kind is None:
            raise BadRequestError(
                f"Bedrock cannot read {stated or 'data of an unknown type'}: it takes "
                f"{', '.join(sorted(FORMATS))}; say which it is by format, or by a file name",
                param="messages",
            )
        if part["type"] in ("audio_url", "input_audio"):
            kind = "audio"  # webm, mp4 and mkv are containers of both
        block: dict[str, Any] = {"format": form, "source": source}
        if kind == DOCUMENT:
            block["name"] = self._name(reference)
            if part.get("citations"):
                block["citations"] = part["citations"]
            if part.get("context"):
                block["context"] = part["context"]
        return {kind: block}

    def _locate(self, reference: Reference) -> tuple[str, dict[str, Any]]:
        """The stated type, and the source as Bedrock writes it."""
        if reference.data:
            inline = parse_data_url(f"data:{reference.stated};base64,{reference.data}")
        else:
            inline = parse_data_url(reference.url)
        if inline is not None:
            if not inline.data:
                raise BadRequestError("a content part holds no data", param="messages")
            return reference.stated or inline.media_type, {"bytes": inline.data}
        if reference.url.startswith("s3://"):
            return reference.stated, {"s3Location": {"uri": reference.url}}
        if reference.url not in self.files:
            raise ImageFetchError(f"{reference.url!r:.200} has not been fetched", param="messages")
        file = self.files[reference.url]
        data = base64.b64encode(file.data).decode()
        return reference.stated or file.media_type, {"bytes": data}

    def _name(self, reference: Reference) -> str:
        """A name for a document: Bedrock takes few characters, and none twice in a request."""
        path = "" if reference.url.startswith("data:") else unquote(urlsplit(reference.url).path)
        stem = PurePosixPath(reference.name or path).stem
        base = _NOT_IN_NAMES.sub(" ", stem).strip()[: LONGEST_NAME - 4].strip() or DOCUMENT
        name, count = base, 1
        while name in self.names:
            count += 1
            name = f"{base} {count}"
        self.names.add(name)
        return name


def urls_to_fetch(messages: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """URLs in the messages that must be fetched, each once."""
    found: dict[str, None] = {}
    for message in messages:
        if isinstance(message.get("content"), str):
            continue
        for part in parts_of(message):
            if part["type"] in PARTS:
                url = refer(part).url
                if url.startswith(("http:", "https:")):
                    found[url] = None
    return tuple(found)


def refer(part: Mapping[str, Any]) -> Reference:
    """What a part refers to.

    Raises:
        BadRequestError: to nothing.
    """
    kind = part["type"]
    inner = part.get(kind)
    if kind == "image_url":
        stated = inner.get("format") if isinstance(inner, dict) else None
        return Reference(check_url(image_url_of(part)), stated=stated or "")
    if kind in WITH_URL:
        url = inner.get("url") if isinstance(inner, dict) else inner
        stated = inner.get("format") if isinstance(inner, dict) else None
        return Reference(check_url(url), stated=stated or "")
    fields = inner if isinstance(inner, dict) else {}
    if kind == "input_audio":
        return Reference(data=check_text(fields.get("data"), part), stated=fields.get("format", ""))
    stated, name = fields.get("format") or "", fields.get("filename") or ""
    for value in (fields.get("file_data"), fields.get("file_id"), fields.get("file_url")):
        if isinstance(value, str) and value.startswith(("data:", "http:", "https:", "s3:")):
            return Reference(value, stated=stated, name=name)
    return Reference(data=check_text(fields.get("file_data"), part), stated=stated, name=name)


def check_url(url: Any) -> str:
    """The URL, if it is one that can be read.

    Raises:
        BadRequestError: it is not.
    """
    if isinstance(url, str) and url.startswith(("data:", "http:", "https:", "s3:")):
        return url
    raise BadRequestError(
        f"{url!r:.80} cannot be sent to Bedrock: write an http(s), s3 or data URL",
        param="messages",
    )


def check_text(data: Any, part: Mapping[str, Any]) -> str:
    """Base64 data of a part.

    Raises:
        BadRequestError: there is none.
    """
    if isinstance(data, str) and data:
        return data
    raise BadRequestError(
        f"a {part['type']} part has no data: {part!r:.80}; Bedrock takes data URLs, http(s) and s3 "
        "URLs, and no ids of files uploaded elsewhere",
        param="messages",
    )


def guess_type(reference: Reference) -> str:
    """The media type by the end of a file's name; without any, a file is taken for a PDF."""
    path = "" if reference.url.startswith("data:") else urlsplit(reference.url).path
    name = reference.name or path
    guessed = mimetypes.guess_type(name)[0] or PurePosixPath(name).suffix[1:]
    return guessed or ("pdf" if reference.data else "")


def format_of(media_type: str) -> str:
    """Bedrock's format for a media type or a bare format, empty if there is none."""
    plain = media_type.partition(";")[0].strip().lower()
    if plain in SAYS_NOTHING:
        return ""
    if plain in MEDIA_TYPES:
        return MEDIA_TYPES[plain]
    group, _, form = plain.rpartition("/")
    if form in FORMATS:
        return form
    return "txt" if group == "text" else ""
