"""
What operations other than chat are given: texts, documents, files; checked, and files read.

https://platform.openai.com/docs/api-reference; everything here raises BadRequestError with the
name of the argument, before anybody is asked.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError
from ..providers.multipart import Upload

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNS = (
    (b"RIFF", "wav"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1a\x45\xdf\xa3", "webm"),
)
"""How the bytes of a kind of sound begin; services tell the kind by the file's name."""

UNKNOWN_KIND = "m4a"
"""What is left: its sign is not at the beginning."""

UNKNOWN_TYPE = "application/octet-stream"


def text(value: Any, name: str) -> str:
    """A text that must be there.

    Raises:
        BadRequestError: it is empty, or something else.
    """
    if not isinstance(value, str) or not value.strip():
        raise BadRequestError(f"{name} must be a text that is not empty", param=name)
    return value


def ranking(query: Any, documents: Iterable[Any], top_n: Any) -> dict[str, Any]:
    """The query and the documents to be ranked, each a text or an object of named fields.

    Raises:
        BadRequestError: there is none, one is something else, or `top_n` is no number of them.
    """
    if isinstance(documents, str | Mapping):
        raise BadRequestError("documents must be a list", param="documents")
    listed = list(documents)
    if not listed:
        raise BadRequestError("documents must hold at least one", param="documents")
    for position, document in enumerate(listed):
        if not isinstance(document, str | Mapping) or not document:
            raise BadRequestError(
                f"documents[{position}] must be a text or an object with named fields, "
                f"not {document!r:.60}",
                param="documents",
            )
    if top_n is not None and (not isinstance(top_n, int) or top_n < 1):
        raise BadRequestError(f"top_n must be 1 or more, not {top_n!r:.60}", param="top_n")
    return {"query": text(query, "query"), "documents": listed}


def prompt(value: Any) -> Any:
    """What is to be continued: a text, a list of texts, a list of tokens, or of such lists.

    Raises:
        BadRequestError: it is something else.
    """
    items = value if isinstance(value, list | tuple) else [value]
    tokens = items and all(isinstance(item, int) for item in items)
    if not tokens and not (items and all(isinstance(item, str | list | tuple) for item in items)):
        raise BadRequestError("prompt must be a text, tokens, or a list of either", param="prompt")
    return value


def judged(value: Any) -> Any:
    """What is to be judged: a text, a list of texts, or a list of parts with text and images.

    Raises:
        BadRequestError: it is something else, or empty.
    """
    items = value if isinstance(value, list | tuple) else [value]
    if not items or not all(isinstance(item, str | Mapping) and item for item in items):
        raise BadRequestError(
            "input must be a text, a list of texts, or a list of parts like "
            '{"type": "image_url", "image_url": {"url": "…"}}',
            param="input",
        )
    return value


async def upload(file: Any) -> Upload:
    """A file with its bytes, read in a thread.

    Args:
        file: a path, an open file, bytes, or a tuple of name, content and (if one likes) media
            type, where the content is any of these.

    Raises:
        BadRequestError: it is something else, empty, or cannot be read.
    """
    name, content, media_type = file, file, None
    if isinstance(file, tuple):
        if len(file) not in (2, 3):
            raise BadRequestError(
                "file must be (name, content) or (name, content, media type) if it is a tuple",
                param="file",
            )
        name, content, media_type = (*file, None)[:3]
    elif not isinstance(file, str | os.PathLike):
        name = getattr(file, "name", None)
    try:
        data = await asyncio.to_thread(_read, content)
    except OSError as error:
        raise BadRequestError(f"file cannot be read: {error}", param="file") from error
    if not data:
        raise BadRequestError("file is empty", param="file")
    known = isinstance(name, str | os.PathLike)
    shown = Path(name).name if known else f"audio.{_kind(data)}"
    return Upload(shown, data, media_type or mimetypes.guess_type(shown)[0] or UNKNOWN_TYPE)


def _read(content: Any) -> bytes:
    """The bytes of a path, an open file, or bytes.

    Raises:
        BadRequestError: it is something else, or opened as text.
    """
    if isinstance(content, str | os.PathLike):
        return Path(content).read_bytes()
    data = content.read() if hasattr(content, "read") else content
    if not isinstance(data, bytes | bytearray | memoryview):
        raise BadRequestError(
            "file must be a path, bytes, or a file that was opened for reading bytes ('rb')",
            param="file",
        )
    return bytes(data)


def _kind(data: bytes) -> str:
    return next((kind for sign, kind in SIGNS if data.startswith(sign)), UNKNOWN_KIND)


def embedded(value: Any) -> Any:
    """What is to be embedded: a text, tokens, or a list of texts, of tokens or of objects.

    Objects are a provider's own, for what is neither text nor tokens.

    Raises:
        BadRequestError: it is something else, or empty; says where.
    """
    if isinstance(value, str | Mapping):
        items: list[Any] = [value]
    elif isinstance(value, list | tuple):
        items = [value] if value and _is_token(value[0]) else list(value)
    else:
        raise _not_embedded("input", f"of type {type(value).__name__}")
    if not items:
        raise _not_embedded("input", "an empty list")
    for position, item in enumerate(items):
        place = f"input[{position}]" if isinstance(value, list | tuple) else "input"
        if not item:
            raise _not_embedded(place, "empty")
        if isinstance(item, list | tuple):
            if not all(map(_is_token, item)):
                raise _not_embedded(place, "a list of something else than tokens")
        elif not isinstance(item, str | Mapping):
            raise _not_embedded(place, f"of type {type(item).__name__}")
    return value


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _not_embedded(place: str, what: str) -> BadRequestError:
    return BadRequestError(
        f"{place} is {what}; input must be a text, a list of tokens (numbers), or a list of "
        "texts or of lists of tokens",
        param="input",
    )
