"""
Embeddings at Hugging Face: OpenAI's format at a server of one's own, a pipeline at the router.

https://huggingface.co/docs/text-embeddings-inference serves both at an endpoint;
https://huggingface.co/docs/inference-providers/tasks/feature-extraction is what the router has.
A server counts tokens in its headers; the router does not, and its answers have no usage.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from .catalog import NO_KEY, from_environment
from .embeddings import complete, counted, embedding_params, make_answer, texts_of
from .huggingface import HUGGINGFACE
from .openai_embeddings import TRAITS, OpenAIEmbeddings
from .openai_service import OpenAIService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schemas import EmbeddingResponse, Usage
    from .base import Call, Request, Target

SERVER = replace(HUGGINGFACE, placeholder_key=NO_KEY)
"""A server of one's own, which may want no key."""

PIPELINE = "https://router.huggingface.co/hf-inference/models/{model}/pipeline/feature-extraction"
NATIVE = re.compile(r"/(?:embed|feature-extraction)/?$")
"""Addresses that end in the pipeline, or in the native service of a server."""

PARAMS = frozenset({"dimensions"})

_decode = msgspec.json.Decoder(list[list[float]]).decode


class FeatureExtraction(OpenAIService):
    """Embeddings by the pipeline of one model."""

    path = ""
    max_inputs: int | None = TRAITS["huggingface"].max_inputs

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = embedding_params(call, self.target, PARAMS)
        return self.request({"inputs": texts_of(call, self.target), **params}, call, dropped)

    def parse(self, body: bytes, call: Call) -> EmbeddingResponse:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            return complete(make_answer(_decode(body), self.target.model, None), call)
        except ValueError as error:
            raise self.unreadable(body, f"no list of vectors: {error}") from error

    def count_tokens(self, headers: Mapping[str, str]) -> Usage | None:
        """What a server of one's own counts in the headers; see `HeaderCounts`."""
        return counted(headers, "x-compute-tokens")


def make_adapter(target: Target) -> OpenAIService:
    """The adapter for a target, by the end of its address."""
    base = target.api_base or from_environment(HUGGINGFACE.base_env)
    if base is None:
        pipeline = PIPELINE.format(model=target.model)
        return FeatureExtraction(replace(target, api_base=pipeline), HUGGINGFACE)
    if NATIVE.search(base):
        return FeatureExtraction(target, SERVER)
    return OpenAIEmbeddings(target, SERVER)
