"""
Rankings in the format of Cohere and Jina, from the server's side: https://api.jina.ai/redoc.

A document's score is the share of the query's words that it has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .reply import as_json

if TYPE_CHECKING:
    from .reply import Question, Reply

PATH = "/rerank"


def problem(question: Question) -> str | None:
    """What would be refused about the body, None if nothing."""
    missing = [name for name in ("query", "documents") if not question.body.get(name)]
    return f"Missing required parameter: {missing[0]!r}." if missing else None


def ranking(reply: Reply, question: Question) -> dict[str, Any]:
    """The body of an answer: places and scores, best first."""
    body = question.body
    asked = words(body["query"])
    scores = [len(asked & words(document)) / len(asked) for document in body["documents"]]
    best = sorted(range(len(scores)), key=lambda index: -scores[index])
    tokens = reply.input_tokens(body)
    return {
        "id": f"rerank-{question.number}",
        "model": question.model,
        "results": [
            {"index": index, "relevance_score": scores[index]}
            for index in best[: body.get("top_n")]
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def words(document: Any) -> set[str]:
    """The words of a text, or of all that an object holds."""
    text = document if isinstance(document, str) else as_json(document)
    return set(re.findall(r"\w+", text.lower()))
