"""
Embeddings of AI Studio: https://ai.google.dev/api/embeddings.

One request embeds many texts. Models that do not report `usageMetadata` are answered without
usage: nobody has counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import Usage
from .embeddings import MALFORMED, complete, embedding_params, make_answer, texts_of
from .errors import unreadable
from .gemini import GeminiAdapter
from .gemini_schema import camel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import EmbeddingResponse
    from .base import Call, Credential, Request, Target

PARAMS = frozenset({"dimensions"})
RENAMED = {"dimensions": "outputDimensionality", "input_type": "taskType"}

TASK_TYPES = {
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "document": "RETRIEVAL_DOCUMENT",
    "query": "RETRIEVAL_QUERY",
    "search_document": "RETRIEVAL_DOCUMENT",
    "search_query": "RETRIEVAL_QUERY",
}
"""What other embedders call `input_type`, in Google's words."""


class GeminiEmbeddings:
    """Embeddings by one model of AI Studio."""

    credential: Credential | None = None
    max_inputs = 100

    def __init__(self, target: Target) -> None:
        self._service = GeminiAdapter(target)
        self.target: Target = self._service.target

    def files(self, call: Call) -> tuple[str, ...]:
        """None; see :meth:`Adapter.files`."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        asked, dropped = embedding_params(call, self.target, PARAMS)
        params = convert_params(asked)
        model = self._service.url.rpartition("/v1")[2].partition("/")[2]
        requests = [
            {"model": model, "content": {"parts": [{"text": text}]}, **params}
            for text in texts_of(call, self.target)
        ]
        body = {"requests": requests, **(call.extra_body or {})}
        return self._service.request("batchEmbedContents", body, call, dropped)

    def parse(self, body: bytes, call: Call) -> EmbeddingResponse:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            said: dict[str, Any] = msgspec.json.decode(body)
            found = said.pop("embeddings", None) or [said.pop("embedding")]
            vectors = [item["values"] for item in found]
            usage = convert_usage(said.get("usageMetadata"))
            return complete(make_answer(vectors, self.target.model, usage, said), call)
        except MALFORMED as error:
            raise unreadable(self.target, body, f"{type(error).__name__}: {error}") from error

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return self._service.error(status, headers, body)


def convert_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters in Google's words, `input_type` as a task."""
    converted = {RENAMED.get(name, camel(name)): value for name, value in params.items()}
    if "taskType" in converted:
        converted["taskType"] = TASK_TYPES.get(converted["taskType"], converted["taskType"])
    return converted


def convert_usage(counts: Mapping[str, Any] | None) -> Usage | None:
    """Usage from Gemini's counts, None if there are none."""
    tokens = (counts or {}).get("promptTokenCount")
    return None if tokens is None else Usage(prompt_tokens=tokens, total_tokens=tokens)
