"""
Embeddings of Vertex AI: texts, and texts with images and videos.

https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api,
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/multimodal-embeddings-api.
Both are predictions about instances; newer Gemini models have a method of their own. Where the
models lie and who may ask is the matter of `vertex_access.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import Details, Usage
from .base import Request
from .embeddings import (
    MALFORMED,
    complete,
    embedding_params,
    make_answer,
    only_one,
    texts_of,
    urls_to_fetch,
)
from .errors import unreadable
from .gemini_embeddings import PARAMS, convert_params, convert_usage as convert_gemini_usage
from .gemini_errors import convert_error
from .openai_service import encode
from .vertex_access import Access
from .vertex_media import billed_media, convert_instances, vectors_of
from .vertex_models import read_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..exceptions import APIError
    from ..schemas import EmbeddingResponse
    from .base import Call, Credential, Target

MULTIMODAL = re.compile(r"multimodalembedding")
ONE_BY_ONE = re.compile(r"gemini-embedding")
"""Models that embed one text a request."""
BY_CONTENT = re.compile(r"gemini-embedding-(?!0|exp)")
"""Those of them that embed a content, as AI Studio's do."""

OF_INSTANCES = {"taskType": "task_type", "title": "title"}
"""Parameters that belong to each instance, and how they are written there."""


class VertexEmbeddings:
    """Embeddings by one model, of texts."""

    max_inputs: int | None = 250
    method = "predict"

    def __init__(self, target: Target) -> None:
        model = read_model(target.model, target.settings.get("base_model"))
        self.access: Access = Access(target, model)
        self.credential: Credential | None = self.access.credential
        self.target: Target = replace(self.access.target, model=model.name)
        if ONE_BY_ONE.match(model.name):
            self.max_inputs = 1

    def files(self, call: Call) -> Sequence[str]:
        """None; see :meth:`Adapter.files`."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = embedding_params(call, self.target, PARAMS)
        body = {**self.convert_call(call, params), **(call.extra_body or {})}
        headers = {**self.access.headers(call), **(call.extra_headers or {})}
        url = f"{self.access.url(call)}:{self.method}"
        return Request(url, headers, encode(body), dropped)

    def convert_call(self, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The body: an instance for every text, with what it is meant for."""
        params = convert_params(asked)
        shared = {name: params.pop(key) for key, name in OF_INSTANCES.items() if key in params}
        instances = [{"content": text, **shared} for text in texts_of(call, self.target)]
        return {"instances": instances, **({"parameters": params} if params else {})}

    def parse(self, body: bytes, call: Call) -> EmbeddingResponse:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            said: dict[str, Any] = msgspec.json.decode(body)
            return complete(self.convert_answer(said, call), call)
        except MALFORMED as error:
            raise unreadable(self.target, body, f"{type(error).__name__}: {error}") from error

    def convert_answer(self, said: dict[str, Any], call: Call) -> EmbeddingResponse:
        """The answer from its predictions."""
        found = [prediction["embeddings"] for prediction in said.pop("predictions")]
        usage = convert_usage(found, said.get("metadata") or {})
        return make_answer((one["values"] for one in found), self.target.model, usage, said)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)


class ContentEmbeddings(VertexEmbeddings):
    """Embeddings by one of Gemini's newer models."""

    method = "embedContent"

    def convert_call(self, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The body: one content and what it is meant for.

        Raises:
            BadRequestError: there are more inputs; the Router would have split them.
        """
        (text,) = only_one(texts_of(call, self.target), self.target)
        return {"content": {"parts": [{"text": text}]}, **convert_params(asked)}

    def convert_answer(self, said: dict[str, Any], call: Call) -> EmbeddingResponse:
        """The answer from its one embedding."""
        vectors = [said.pop("embedding")["values"]]
        usage = convert_gemini_usage(said.get("usageMetadata"))
        return make_answer(vectors, self.target.model, usage, said)


class MultimodalEmbeddings(VertexEmbeddings):
    """Embeddings by one model, of texts, images and videos."""

    max_inputs: int | None = None

    def files(self, call: Call) -> Sequence[str]:
        """Images and videos that lie on the web; see :meth:`Adapter.files`."""
        return urls_to_fetch(call)

    def convert_call(self, call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The body: inputs of different kinds that follow each other share an instance."""
        params = {
            "dimension" if name == "dimensions" else name: value for name, value in asked.items()
        }
        instances = convert_instances(call, self.target)
        return {"instances": instances, **({"parameters": params} if params else {})}

    def convert_answer(self, said: dict[str, Any], call: Call) -> EmbeddingResponse:
        """The answer from its predictions, one vector for each text and image."""
        predictions = said.pop("predictions")
        vectors = [vector for prediction in predictions for vector in vectors_of(prediction)]
        usage = Usage(prompt_tokens_details=Details(billed_media(call, predictions)))
        return make_answer(vectors, self.target.model, usage, said)


def make_adapter(target: Target) -> VertexEmbeddings:
    """The adapter for a model, by what it embeds."""
    named = target.settings.get("base_model") or target.model
    if MULTIMODAL.search(named):
        return MultimodalEmbeddings(target)
    return (ContentEmbeddings if BY_CONTENT.search(named) else VertexEmbeddings)(target)


def convert_usage(embeddings: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any]) -> Usage:
    """Usage: tokens of all texts, and the characters that some models are priced by."""
    tokens = sum(int((one.get("statistics") or {}).get("token_count") or 0) for one in embeddings)
    characters = metadata.get("billableCharacterCount")
    return Usage(
        prompt_tokens=tokens,
        total_tokens=tokens,
        prompt_tokens_details=Details(character_count=characters) if characters else None,
    )
