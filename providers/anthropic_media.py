"""
Images and documents for Claude.

https://docs.claude.com/en/docs/build-with-claude/vision and …/pdf-support: images and PDFs go
inline as base64, as an https URL that Anthropic fetches, or by the id of an uploaded file.
What Anthropic does not fetch (http, texts) is fetched by the router first: see `urls_to_fetch`.
"""

from __future__ import annotations

import base64
import mimetypes
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..exceptions import BadRequestError, ImageFetchError, UnsupportedParamsError
from .messages import image_url_of, parse_data_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import File

IMAGES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
PDF = "application/pdf"
TEXTS = frozenset({"application/json", "application/xml", "application/yaml"})
"""Media types that are read as text, beside `text/…`."""


def urls_to_fetch(
    messages: Iterable[Mapping[str, Any]], *, opens_urls: bool = True
) -> tuple[str, ...]:
    """URLs in the messages that Anthropic does not fetch itself, each once.

    Without `opens_urls` those are all of them: elsewhere Claude is given no URLs.
    """
    found: dict[str, None] = {}
    for message in messages:
        content = message.get("content")
        if isinstance(content, str) or not content:
            continue
        for part in content:
            if part["type"] in ("image_url", "file"):
                url, media_type = _url_and_type(part)
                if url and _must_fetch(url, media_type, opens_urls=opens_urls):
                    found[url] = None
    return tuple(found)


def convert_media(part: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    """An `image_url` or `file` part as an image or document block.

    Raises:
        BadRequestError: it names no source, or one that Claude cannot read.
    """
    url, media_type = _url_and_type(part)
    if url is None:
        return _inline_file(part)
    inline = parse_data_url(url)
    if inline is not None:
        return _inline(media_type or inline.media_type, inline.data)
    if url in files or _must_fetch(url, media_type):
        if url not in files:
            raise ImageFetchError(f"{url!r:.200} has not been fetched", param="messages")
        file = files[url]
        data = base64.b64encode(file.data).decode()
        return _inline(media_type or file.media_type, data)
    if not url.startswith("https://"):
        raise UnsupportedParamsError(
            f"{url!r:.80} cannot be sent to Anthropic: write an http(s) URL or a data URL",
            param="messages",
        )
    is_image = media_type in IMAGES if media_type else part["type"] == "image_url"
    if media_type and not is_image and media_type != PDF:
        raise _unreadable(media_type)
    return _block("image" if is_image else "document", {"type": "url", "url": url})


def _url_and_type(part: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Where the part's data is, and its media type if that is known; None: not at a URL."""
    if part["type"] == "image_url":
        image = part.get("image_url")
        url = image_url_of(part)
        given = image.get("format") if isinstance(image, dict) else None
        return url, _media_type(given, url, is_file=False)
    file = part.get("file")
    if not isinstance(file, dict):
        return None, None
    for source in (file.get("file_data"), file.get("file_id"), file.get("file_url")):
        if isinstance(source, str) and source.startswith(
            ("data:", "http:", "https:", "gs:", "s3:")
        ):
            return source, _media_type(file.get("format"), source, is_file=True)
    return None, None


def _media_type(given: str | None, url: str, *, is_file: bool) -> str | None:
    """The media type as the caller gave it, or as the URL's ending says what Claude reads."""
    if given or url.startswith("data:"):
        return given
    guessed = mimetypes.guess_type(urlsplit(url).path)[0] or ""
    known = guessed.startswith("image/") or guessed == PDF or (is_file and _is_text(guessed))
    return guessed if known else None


def _must_fetch(url: str, media_type: str | None, *, opens_urls: bool = True) -> bool:
    if not url.startswith("https:"):
        return url.startswith("http:")
    return not opens_urls or _is_text(media_type or "")


def _inline_file(part: Mapping[str, Any]) -> dict[str, Any]:
    """A file by its id, or with its base64 data and no URL around it."""
    file = part.get("file")
    file = file if isinstance(file, dict) else {}
    given = file.get("format") or mimetypes.guess_type(file.get("filename") or "")[0]
    if isinstance(file.get("file_id"), str):
        is_image = given in IMAGES
        source = {"type": "file", "file_id": file["file_id"]}
        return _block("image" if is_image else "document", source)
    data = file.get("file_data")
    if not isinstance(data, str):
        raise BadRequestError(
            f"a file part has no data: {part!r:.80}; give it file_data (a data URL) or file_id",
            param="messages",
        )
    parse_data_url(f"data:{given or PDF};base64,{data}")
    return _inline(given or PDF, data)


def _inline(media_type: str, data: str) -> dict[str, Any]:
    """The block for base64 data of a media type."""
    media_type = "image/jpeg" if media_type == "image/jpg" else media_type.partition(";")[0]
    if not data:
        raise BadRequestError(f"a part of type {media_type} is empty", param="messages")
    if _is_text(media_type):
        text = base64.b64decode(data).decode("utf-8", "replace")
        return _block("document", {"type": "text", "media_type": "text/plain", "data": text})
    if media_type in IMAGES or media_type == PDF:
        source = {"type": "base64", "media_type": media_type, "data": data}
        return _block("document" if media_type == PDF else "image", source)
    raise _unreadable(media_type)


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type in TEXTS


def _unreadable(media_type: str) -> BadRequestError:
    return BadRequestError(
        f"Claude cannot read {media_type or 'data without a media type'}: send an image "
        f"({', '.join(sorted(IMAGES))}), a PDF or text",
        param="messages",
    )


def _block(kind: str, source: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "source": source}
