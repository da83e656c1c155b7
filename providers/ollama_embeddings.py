"""
Ollama's own embeddings, /api/embed: https://docs.ollama.com/api/embed.

A server whose address ends in ``/v1`` is spoken to in OpenAI's format instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import Usage
from .base import Request
from .embeddings import MALFORMED, complete, embedding_params, make_answer, texts_of
from .errors import unreadable
from .ollama import OLLAMA, OPTIONS, OllamaAdapter
from .openai_embeddings import OpenAIEmbeddings
from .openai_service import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import EmbeddingResponse
    from .base import Adapter, Call, Credential, Target

PARAMS = frozenset({"dimensions"})


def make_adapter(target: Target) -> Adapter:
    """The adapter for a target: OpenAI's format if its address ends in ``/v1``, else Ollama's."""
    if OLLAMA.base(target).endswith(("/v1", "/embeddings")):
        return OpenAIEmbeddings(target, OLLAMA)
    return OllamaEmbeddings(target)


class OllamaEmbeddings:
    """Embeddings by one model of an Ollama server."""

    credential: Credential | None = None
    max_inputs = None

    def __init__(self, target: Target) -> None:
        self._service = OllamaAdapter(target)
        self.target: Target = self._service.target
        self.url: str = f"{self._service.base}/api/embed"

    def files(self, call: Call) -> tuple[str, ...]:
        """None; see :meth:`Adapter.files`."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = embedding_params(call, self.target, PARAMS)
        body = {
            "model": self.target.model,
            "input": texts_of(call, self.target),
            **convert_params(params),
            **(call.extra_body or {}),
        }
        headers = {**self._service.headers, **(call.extra_headers or {})}
        return Request(self.url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> EmbeddingResponse:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            said: dict[str, Any] = msgspec.json.decode(body)
            vectors, model = said.pop("embeddings"), said.pop("model", self.target.model)
            return complete(make_answer(vectors, model, convert_usage(said), said), call)
        except MALFORMED as error:
            raise unreadable(self.target, body, f"{type(error).__name__}: {error}") from error

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return self._service.error(status, headers, body)


def convert_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the request, those of the model (`num_ctx`, …) in its `options`."""
    fields = {name: value for name, value in params.items() if name not in OPTIONS}
    options = {OPTIONS[name]: value for name, value in params.items() if name in OPTIONS}
    if options:
        fields["options"] = {**options, **fields.get("options", {})}
    return fields


def convert_usage(said: Mapping[str, Any]) -> Usage | None:
    """Usage from Ollama's count of the prompt, None if there is none."""
    tokens = said.get("prompt_eval_count")
    return None if tokens is None else Usage(prompt_tokens=tokens, total_tokens=tokens)
