"""
Embeddings in OpenAI's format, which most providers speak.

https://platform.openai.com/docs/api-reference/embeddings. What some of them do otherwise is a row
of `TRAITS`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from ..schemas import EmbeddingResponse, Unread, decode_details
from .azure import AzureService
from .embeddings import (
    PARAMS,
    complete,
    decode_vector,
    embedding_params,
    texts_of,
    wants_base64,
)
from .mistral import MISTRAL
from .openai_service import OpenAIService
from .perplexity import PERPLEXITY
from .voyage import VOYAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schemas import Usage
    from .base import Call, Request, Target
    from .catalog import Compatible

OUTPUT_DIMENSION = MappingProxyType({"dimensions": "output_dimension"})


class Traits(NamedTuple):
    """What a provider's embeddings do otherwise than OpenAI's.

    Attributes:
        max_inputs: inputs of one request, at most; None: as many as you like.
        params: parameters of OpenAI's that it takes.
        rename: parameter → its word for it.
        tokens: whether an input may be a list of tokens.
        packed: what a vector in base64 holds: floats, or signed bytes.
    """

    max_inputs: int | None = None
    params: frozenset[str] = PARAMS
    rename: Mapping[str, str] = MappingProxyType({})
    tokens: bool = True
    packed: Literal["f", "b"] = "f"


ORDINARY = Traits()
TRAITS: Mapping[str, Traits] = {
    "azure": Traits(2048),
    "dashscope": Traits(10, frozenset({"dimensions", "encoding_format"}), tokens=False),
    "databricks": Traits(150, tokens=False),
    "deepinfra": Traits(1024, tokens=False),
    "fireworks_ai": Traits(params=frozenset({"dimensions"})),
    "huggingface": Traits(32),
    "mistral": Traits(
        params=frozenset({"dimensions", "encoding_format"}), rename=OUTPUT_DIMENSION, tokens=False
    ),
    "openai": Traits(2048),
    "perplexity": Traits(512, frozenset({"dimensions"}), tokens=False, packed="b"),
    "together_ai": Traits(params=frozenset(), tokens=False),
    "voyage": Traits(
        1000, frozenset({"dimensions", "encoding_format"}), rename=OUTPUT_DIMENSION, tokens=False
    ),
}
"""By provider; all others are ordinary."""

ROWS: Mapping[str, Compatible] = {
    "mistral": MISTRAL,
    "perplexity": replace(PERPLEXITY, base_url="https://api.perplexity.ai/v1"),
    "voyage": VOYAGE,
}
"""How those are reached that have modules of their own."""

FIXED_SIZE = re.compile(r"(?:^|.*[/-])ada(?:-|$)")
"""Models older than `dimensions`, which is refused for them."""

_decode = msgspec.json.Decoder(EmbeddingResponse, dec_hook=decode_details).decode


class OpenAIEmbeddings(OpenAIService):
    """Embeddings by one model."""

    path = "/embeddings"

    def __init__(self, target: Target, row: Compatible) -> None:
        super().__init__(target, row)
        self.traits: Traits = TRAITS.get(target.provider, ORDINARY)
        self.max_inputs: int | None = self.traits.max_inputs
        if "/" in target.model:
            self.model: str = target.model  # a prefix of the row's is for bare names: see Fireworks

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        traits = self.traits
        supported = traits.params
        if FIXED_SIZE.match(self.target.model):
            supported -= {"dimensions"}
        params, dropped = embedding_params(call, self.target, supported)
        if not traits.tokens:
            texts_of(call, self.target)
        renamed = {traits.rename.get(name, name): value for name, value in params.items()}
        return self.request({"model": self.model, "input": call.input, **renamed}, call, dropped)

    def parse(self, body: bytes, call: Call) -> EmbeddingResponse:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            answer = complete(_decode(body), call)
            for position, item in enumerate(answer.data):
                item._extra = Unread(body, ("data", position))
                if isinstance(item.embedding, str) and not wants_base64(call):
                    item.embedding = decode_vector(item.embedding, self.traits.packed)
        except ValueError as error:
            raise self.unreadable(body, f"{type(error).__name__}: {error}") from error
        answer._extra = body
        put_in_order(answer)
        answer.model = answer.model or self.target.model
        if answer.usage is not None:
            convert_usage(answer.usage, body)
        return answer


class AzureEmbeddings(AzureService, OpenAIEmbeddings):
    """Embeddings by one deployment."""


def make_adapter(target: Target) -> OpenAIEmbeddings:
    """The adapter for a provider that has a module of its own, but not for embeddings."""
    return OpenAIEmbeddings(target, ROWS[target.provider])


def put_in_order(answer: EmbeddingResponse) -> None:
    """Vectors in the order of the inputs; some servers do not number them."""
    data = answer.data
    if sorted(item.index for item in data) == list(range(len(data))):
        data.sort(key=lambda item: item.index)
        return
    for position, item in enumerate(data):
        item.index = position


def convert_usage(usage: Usage, body: bytes) -> Usage:
    """Usage with the prompt's tokens; Voyage counts them in total only."""
    usage._extra = body
    usage.prompt_tokens = usage.prompt_tokens or usage.total_tokens - usage.completion_tokens
    usage.total_tokens = usage.total_tokens or usage.prompt_tokens
    return usage
