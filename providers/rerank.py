"""
Rankings: Cohere's format, which most rerankers speak, and rows for what some call otherwise.

https://docs.cohere.com/reference/rerank, https://docs.voyageai.com/reference/reranker-api,
https://api.jina.ai/redoc, https://docs.together.ai/reference/rerank-1,
https://huggingface.github.io/text-embeddings-inference. An answer names documents by their place
in the list, so their texts are the caller's own, whether or not the provider sends them back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import convert
from ..schemas.rerank import (
    RerankDocument,
    RerankMeta,
    RerankResponse,
    RerankResult,
    RerankUnits,
)
from .catalog import NO_KEY, Compatible
from .messages import new_id
from .openai_service import OpenAIService
from .params import supported_params
from .voyage import VOYAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..exceptions import APIError
    from .base import Call, Request, Target

    Unreadable = Callable[[bytes, str], APIError]

PARAMS = frozenset(
    {"max_chunks_per_doc", "max_tokens_per_doc", "rank_fields", "return_documents", "top_n"}
)
"""What can be asked of a ranking under names that mean the same everywhere."""

KEPT_HERE = frozenset({"rank_fields", "return_documents", "top_n"})
"""What of it can be kept without the provider's help."""

SCORES = ("relevance_score", "relevanceScore", "score")
"""Where the score stands."""

MALFORMED = (IndexError, KeyError, TypeError, ValueError)
"""What reading an answer raises if it is not what it should be."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a reranker says otherwise than Cohere's format does.

    Attributes:
        documents: its word for `documents`.
        rename: a parameter → its word for it.
        takes: what it can be told; the others of `KEPT_HERE` are kept without it.
        objects: whether documents may be objects; elsewhere an object becomes a text.
        has_model: whether one server has several models, so that the body must name one.
    """

    documents: str = "documents"
    rename: Mapping[str, str] = field(default_factory=dict)
    takes: frozenset[str] = frozenset({"return_documents", "top_n"})
    objects: bool = False
    has_model: bool = True


SIMPLE = Dialect()
DIALECTS: Mapping[str, Dialect] = {
    "cohere": Dialect(takes=frozenset({"max_tokens_per_doc", "top_n"})),
    "hosted_vllm": Dialect(takes=frozenset({"top_n"})),
    "huggingface": Dialect(
        documents="texts",
        rename={"return_documents": "return_text"},
        takes=frozenset({"return_documents"}),
        has_model=False,
    ),
    "jina_ai": Dialect(objects=True),
    "together_ai": Dialect(
        takes=frozenset({"rank_fields", "return_documents", "top_n"}), objects=True
    ),
    "voyage": Dialect(rename={"top_n": "top_k"}),
}
"""The dialects, by provider; all others are simple."""

ROWS: Mapping[str, Compatible] = {
    "huggingface": Compatible(
        key_env=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
        base_env=("HF_API_BASE", "HUGGINGFACE_API_BASE"),
        placeholder_key=NO_KEY,
    ),
    "infinity": Compatible(
        key_env=("INFINITY_API_KEY",),
        base_env=("INFINITY_API_BASE",),
        placeholder_key=NO_KEY,
    ),
    "jina_ai": Compatible(
        base_url="https://api.jina.ai/v1",
        key_env=("JINA_AI_API_KEY", "JINA_API_KEY"),
        base_env=("JINA_AI_API_BASE",),
        base_path="/v1",
    ),
    "voyage": VOYAGE,
}
"""How those are reached that have no chat, or have it elsewhere."""


class RerankAdapter(OpenAIService):
    """Rankings by one model."""

    path = "/rerank"

    def __init__(self, target: Target, row: Compatible) -> None:
        super().__init__(target, row)
        if "/" in target.model:
            self.model: str = target.model  # a prefix of the row's is for bare names: see Fireworks
        self.dialect: Dialect = DIALECTS.get(target.provider, SIMPLE)

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        dialect = self.dialect
        params, dropped = supported_params(call, self.target, dialect.takes | KEPT_HERE, PARAMS)
        fields = None if "rank_fields" in dialect.takes else params.get("rank_fields")
        body: dict[str, Any] = {
            "query": call.input["query"],
            dialect.documents: convert_documents(
                call.input["documents"], fields, objects=dialect.objects
            ),
        }
        if dialect.has_model:
            body["model"] = self.model
        for name, value in params.items():
            if name in dialect.takes or name not in PARAMS:
                body[dialect.rename.get(name, name)] = value
        return self.request(body, call, dropped)

    def parse(self, body: bytes, call: Call) -> RerankResponse:
        """The answer; see :meth:`Adapter.parse`."""
        return convert_ranking(body, call, self.unreadable)


def make_adapter(target: Target) -> RerankAdapter:
    """The adapter for a provider that is known for its rankings only."""
    return RerankAdapter(target, ROWS[target.provider])


def convert_documents(
    documents: Sequence[Any], fields: Sequence[str] | None, *, objects: bool
) -> list[Any]:
    """The documents as they are sent: texts, and objects where those are understood.

    `fields` are those of an object that count; None: all.
    """
    return [
        document
        if isinstance(document, str)
        else chosen(document, fields)
        if objects
        else as_text(chosen(document, fields))
        for document in documents
    ]


def chosen(document: Mapping[str, Any], fields: Sequence[str] | None) -> Mapping[str, Any]:
    """The fields of a document that count, all of them if it has none of these."""
    if not fields:
        return document
    return {name: document[name] for name in fields if name in document} or document


def as_text(document: Mapping[str, Any]) -> str:
    """A document that is an object, as the lines of YAML that Cohere recommends."""
    if document.keys() == {"text"} and isinstance(document["text"], str):
        return document["text"]
    return "\n".join(f"{name}: {_scalar(value)}" for name, value in document.items())


def _scalar(value: Any) -> str:
    """One value in one line; JSON is YAML too."""
    if isinstance(value, str) and "\n" not in value:
        return value
    return msgspec.json.encode(value).decode()


def own_text(document: Any) -> str:
    """What the caller sees of a document: its text, or all of an object that has none."""
    if isinstance(document, str):
        return document
    text = document.get("text")
    return text if isinstance(text, str) else as_text(document)


def convert_ranking(body: bytes, call: Call, unreadable: Unreadable) -> RerankResponse:
    """The answer from a body with results, under whichever name; best first, `top_n` at most.

    Raises:
        APIError: what `unreadable` makes of a body that is something else.
    """
    try:
        raw = msgspec.json.decode(body)
        said: dict[str, Any] = {"results": raw} if isinstance(raw, list) else dict(raw)
        items = said.pop("results", None) or said.pop("data", [])
        results = [convert_result(item, call) for item in items]
        meta = convert_meta(said.pop("meta", None), said.get("usage"))
    except MALFORMED as error:
        raise unreadable(body, f"{type(error).__name__}: {error}") from error
    if not results:
        raise unreadable(body, "it has no results")
    results.sort(key=lambda result: result.relevance_score, reverse=True)
    answer = RerankResponse(
        id=str(said.pop("id", None) or new_id("rerank-")),
        results=results[: call.params.get("top_n")],
        meta=meta,
    )
    answer._extra = said
    return answer


def convert_result(item: Mapping[str, Any], call: Call) -> RerankResult:
    """One document's place and score, with its text unless the caller wants none."""
    index = item["index"]
    document = call.input["documents"][index]
    wanted = call.params.get("return_documents", True)
    score: Any = next((item[name] for name in SCORES if name in item), None)
    result = RerankResult(
        index=index,
        relevance_score=float(score),
        document=RerankDocument(text=own_text(document)) if wanted else None,
    )
    known = {"document", "index", "text", *SCORES}
    result._extra = {name: value for name, value in item.items() if name not in known}
    return result


def convert_meta(
    meta: Mapping[str, Any] | None, usage: Mapping[str, Any] | None
) -> RerankMeta | None:
    """What was used: as Cohere says it, or else the tokens that others count."""
    if meta:
        return convert(meta, RerankMeta)
    if not usage:
        return None
    total = usage.get("total_tokens")
    return RerankMeta(
        billed_units=RerankUnits(total_tokens=total),
        tokens=RerankUnits(
            input_tokens=usage.get("prompt_tokens") or total,
            output_tokens=usage.get("completion_tokens") or 0,
        ),
    )
