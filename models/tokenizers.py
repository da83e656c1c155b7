"""
OpenAI's own tokenizers, where they can be had without asking anybody.

tiktoken downloads its data at first use. This module never lets it: an encoding is used only
where its file lies in tiktoken's cache already (`TIKTOKEN_CACHE_DIR`) and is whole.
https://github.com/openai/tiktoken
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class _File(NamedTuple):
    """Where tiktoken has an encoding's data from, and its SHA-256."""

    url: str
    digest: str


_STORE = "https://openaipublic.blob.core.windows.net/encodings/"
_FILES = {
    "o200k_base": _File(
        f"{_STORE}o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": _File(
        f"{_STORE}cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}

_ENCODINGS = (
    (re.compile(r"(chatgpt-4o|gpt-4o|gpt-4\.[15]|gpt-5|gpt-oss|o[1-9])(?![a-z0-9])"), "o200k_base"),
    (re.compile(r"(gpt-4|gpt-3\.5|gpt-35)(?![a-z0-9])"), "cl100k_base"),
    (re.compile(r"text-embedding-(3|ada)-|(davinci|babbage)-002"), "cl100k_base"),
)
"""Which models have which encoding, by how their names begin."""


def encoding_of(model: str) -> str | None:
    """The name of an OpenAI model's encoding, whoever serves it; None for all other models."""
    name = model.rpartition("/")[2].removeprefix("ft:")
    return next((encoding for rule, encoding in _ENCODINGS if rule.match(name)), None)


@cache
def counter_of(encoding: str) -> Callable[[str], int] | None:
    """What counts a text's tokens exactly; None without tiktoken or without its data.

    Special tokens in a text are counted as the text that they are.
    """
    if find_spec("tiktoken") is None or not _is_here(encoding):
        return None
    encode = import_module("tiktoken").get_encoding(encoding).encode_ordinary
    return lambda text: len(encode(text))


def _is_here(encoding: str) -> bool:
    """Whether tiktoken will find the data, whole, where it looks before it downloads."""
    url, digest = _FILES[encoding]
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return False  # the cache is turned off
    cached = Path(folder or Path(tempfile.gettempdir(), "data-gym-cache"))
    try:
        data = (cached / hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(data).hexdigest() == digest
