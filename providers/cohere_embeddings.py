"""
Cohere's embeddings, version 2: https://docs.cohere.com/reference/embed.

Texts and images alike: an image is a ``data:`` URL, or an object ``{"content": [parts]}`` for
models that embed text and images together. Bedrock serves the same models, in a format whose
bodies are made and read here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import Details, Usage
from .base import Request
from .cohere import CohereAdapter, service_url
from .embeddings import (
    MALFORMED,
    complete,
    embedding_params,
    inputs_of,
    make_answer,
    refused,
    wants_base64,
)
from .errors import unreadable
from .openai_service import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..exceptions import APIError
    from ..schemas import EmbeddingResponse
    from .base import Call, Credential, Target
    from .embeddings import Vector

MAX_INPUTS = 96
PARAMS = frozenset({"dimensions", "encoding_format"})
RENAMED = {"dimensions": "output_dimension"}

INPUT_TYPE = "search_document"
"""What the inputs are taken for, unless the caller says."""

TYPES = ("float", "base64", "int8", "uint8", "binary", "ubinary")


class CohereEmbeddings:
    """Embeddings by one of Cohere's models."""

    credential: Credential | None = None
    max_inputs = MAX_INPUTS

    def __init__(self, target: Target) -> None:
        self._service = CohereAdapter(target)
        self.target: Target = self._service.target
        self.url: str = service_url(self._service.url, "/embed")

    def files(self, call: Call) -> tuple[str, ...]:
        """None: images must be given as data; see :meth:`Adapter.files`."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = embedding_params(call, self.target, PARAMS)
        body = {
            "model": self.target.model,
            "embedding_types": [params.get("encoding_format", "float")],
            **convert_inputs(call, self.target),
            **convert_params(params),
            **(call.extra_body or {}),
        }
        headers = {**self._service.headers, **(call.extra_headers or {})}
        return Request(self.url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> EmbeddingResponse:
        """The answer; see :meth:`Adapter.parse`."""
        return convert_answer(body, call, self.target)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return self._service.error(status, headers, body)


def convert_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in Cohere's words; the encoding is one of its types of embeddings."""
    return {
        RENAMED.get(name, name): value
        for name, value in params.items()
        if name != "encoding_format"
    }


def convert_inputs(call: Call, target: Target) -> dict[str, Any]:
    """The inputs, under the name that their kinds ask for, and what they are meant for.

    Raises:
        BadRequestError: one is a list of tokens.
    """
    inputs = inputs_of(call)
    images = [is_image(one) for one in inputs]
    objects = any(isinstance(one, Mapping) for one in inputs)
    if not objects and all(images):
        return {"images": list(inputs), "input_type": "image"}
    if not objects and not any(images):
        for position, one in enumerate(inputs):
            if not isinstance(one, str):
                raise refused(target, position, one, "texts and images")
        return {"texts": list(inputs), "input_type": INPUT_TYPE}
    return {"inputs": mixed(inputs), "input_type": INPUT_TYPE}


def mixed(inputs: Sequence[Any]) -> list[Any]:
    """Inputs of several kinds as objects that say what they are."""
    converted: list[Any] = []
    for one in inputs:
        if isinstance(one, Mapping):
            converted.append(one)
        elif is_image(one):
            part = {"type": "image_url", "image_url": {"url": one}}
            converted.append({"content": [part]})
        else:
            converted.append({"content": [{"type": "text", "text": one}]})
    return converted


def is_image(one: Any) -> bool:
    """Whether an input is an image, as data."""
    return isinstance(one, str) and one.startswith("data:image/")


def convert_answer(body: bytes, call: Call, target: Target) -> EmbeddingResponse:
    """The answer from a body with embeddings of one type or several.

    Raises:
        APIError: it is something else.
    """
    try:
        said: dict[str, Any] = msgspec.json.decode(body)
        given = said["embeddings"]
        wanted = call.params.get("embedding_types") or ()
        vectors = given if isinstance(given, list) else of_type(given, wanted, call)
        if not isinstance(given, list) and len(given) == 1:
            del said["embeddings"]
        answer = make_answer(vectors, target.model, convert_usage(said.get("meta")), said)
        return complete(answer, call)
    except MALFORMED as error:
        raise unreadable(target, body, f"{type(error).__name__}: {error}") from error


def of_type(given: Mapping[str, Any], wanted: Iterable[str], call: Call) -> list[Vector]:
    """The embeddings of the type that was asked for, or else of the best there are."""
    preferred = [*wanted, "base64"] if wants_base64(call) else wanted
    for name in (*preferred, *TYPES):
        if given.get(name):
            found: list[Vector] = given[name]
            return found
    raise KeyError("embeddings")


def convert_usage(meta: Mapping[str, Any] | None) -> Usage | None:
    """Usage as Cohere bills it: tokens of texts, tokens or pieces of images."""
    billed = (meta or {}).get("billed_units")
    if not billed:
        return None
    text, image = (int(billed.get(f"{kind}_tokens") or 0) for kind in ("input", "image"))
    details = {"text_tokens": text, "image_tokens": image, "image_count": billed.get("images")}
    return Usage(
        prompt_tokens=text + image,
        total_tokens=text + image,
        prompt_tokens_details=Details({name: count for name, count in details.items() if count}),
    )
