"""
Embeddings on Bedrock: Amazon's Titan, one input a request, and Cohere's models.

https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html. Each format is a
row of `FORMATS`; address, signatures and errors are the same for all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..exceptions import BadRequestError
from ..schemas import Details, Usage
from . import cohere_embeddings as cohere
from .bedrock_access import Access
from .bedrock_errors import convert_error, unreadable
from .embeddings import (
    MALFORMED,
    counted,
    embedding_params,
    inputs_of,
    make_answer,
    media_data,
    media_of,
    only_one,
    refused,
    texts_of,
    urls_to_fetch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..exceptions import APIError
    from ..schemas import EmbeddingResponse
    from .aws_credentials import AwsCredential
    from .base import Call, Request, Target

DIMENSIONS = frozenset({"dimensions"})
NOTHING: frozenset[str] = frozenset()


class Format(NamedTuple):
    """How the models of one maker are asked.

    Attributes:
        build: from a call and the parameters that are taken to the body.
        parse: from a body to the answer.
        max_inputs: inputs of one request, at most.
        params: parameters of OpenAI's that are taken.
        fetches: images may lie on the web.
    """

    build: Callable[[Call, Target, dict[str, Any]], dict[str, Any]]
    parse: Callable[[bytes, Call, Target], EmbeddingResponse]
    max_inputs: int = 1
    params: frozenset[str] = DIMENSIONS
    fetches: bool = False


class BedrockEmbeddings:
    """Embeddings by one model."""

    def __init__(self, target: Target) -> None:
        self.access: Access = Access(target)
        self.credential: AwsCredential | None = self.access.credential
        self.target: Target = self.access.target
        self.format: Format = find_format(self.access.family, self.target)
        self.max_inputs: int = self.format.max_inputs
        self._headers = target.headers

    def files(self, call: Call) -> Sequence[str]:
        """Images that lie on the web; see :meth:`Adapter.files`."""
        return urls_to_fetch(call) if self.format.fetches else ()

    def build(self, call: Call) -> Request:
        """The request, signed; see :meth:`Adapter.build`."""
        params, dropped = embedding_params(call, self.target, self.format.params)
        asked = {name: value for name, value in params.items() if name != "model_id"}
        body = {**self.format.build(call, self.target, asked), **(call.extra_body or {})}
        headers = {**self._headers, **(call.extra_headers or {})}
        return self.access.request("invoke", headers, body, call, dropped)

    def parse(self, body: bytes, call: Call) -> EmbeddingResponse:
        """The answer; see :meth:`Adapter.parse`."""
        return self.format.parse(body, call, self.target)

    def count_tokens(self, headers: Mapping[str, str]) -> Usage | None:
        """What Bedrock counts in the headers, where the model does not; see `HeaderCounts`."""
        return counted(headers, "x-amzn-bedrock-input-token-count")

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)


def titan_text(call: Call, target: Target, params: dict[str, Any]) -> dict[str, Any]:
    """A text for Titan; `normalize` and `embeddingTypes` are its own parameters."""
    (text,) = only_one(texts_of(call, target), target)
    return {"inputText": text, **params}


def titan_image(call: Call, target: Target, params: dict[str, Any]) -> dict[str, Any]:
    """A text or an image for multimodal Titan, or an object with both, which get one vector."""
    (one,) = only_one(inputs_of(call), target)
    size = params.pop("dimensions", None)
    config = {} if size is None else {"embeddingConfig": {"outputEmbeddingLength": size}}
    if isinstance(one, dict):
        return {**one, **config, **params}
    if not isinstance(one, str):
        raise refused(target, 0, one, "texts, images, or objects with inputText and inputImage")
    media = media_of(one)
    content = {"inputImage": media_data(media, call)} if media else {"inputText": one}
    return {**content, **config, **params}


def parse_titan(body: bytes, call: Call, target: Target) -> EmbeddingResponse:
    """Titan's answer, which has one vector, of one type or several."""
    try:
        said: dict[str, Any] = msgspec.json.decode(body)
        typed = said.get("embeddingsByType") or {}
        vector = said.pop("embedding", None) or next(iter(typed.values()))
        return make_answer([vector], target.model, titan_usage(said, call), said)
    except (*MALFORMED, StopIteration) as error:
        raise unreadable(target, body, f"{type(error).__name__}: {error}") from error


def titan_usage(said: Mapping[str, Any], call: Call) -> Usage:
    """Usage from Titan's count of the text; an image is one image and no tokens."""
    tokens = said.get("inputTextTokenCount") or 0
    (one,) = inputs_of(call)
    pictured = "inputImage" in one if isinstance(one, dict) else media_of(one) is not None
    return Usage(
        prompt_tokens=tokens,
        total_tokens=tokens,
        prompt_tokens_details=Details(image_count=1) if pictured else None,
    )


def cohere_body(call: Call, target: Target, params: dict[str, Any]) -> dict[str, Any]:
    """Cohere's body; the model's name is in the address."""
    return {**cohere.convert_inputs(call, target), **cohere.convert_params(params)}


FORMATS: tuple[tuple[re.Pattern[str], Format], ...] = tuple(
    (re.compile(pattern), format)
    for pattern, format in (
        (r"titan-embed-image", Format(titan_image, parse_titan, fetches=True)),
        (r"titan-embed-(?:text-v1|g1)", Format(titan_text, parse_titan, params=NOTHING)),
        (r"titan-embed", Format(titan_text, parse_titan)),
        (r"cohere\.embed", Format(cohere_body, cohere.convert_answer, cohere.MAX_INPUTS)),
    )
)
"""Patterns of names and their formats, read from the top."""


def find_format(name: str, target: Target) -> Format:
    """The format of a model.

    Raises:
        BadRequestError: it is none that embeds in a known format.
    """
    for pattern, format in FORMATS:
        if pattern.search(name):
            return format
    raise BadRequestError(
        f"{target.model} is no embedding model that is known here; on Bedrock there are "
        "amazon.titan-embed-text, amazon.titan-embed-image and cohere.embed (for an ARN write "
        "the model before it: bedrock/cohere.embed-v4:0/arn:…)",
        model=target.model,
        llm_provider=target.provider,
    )
