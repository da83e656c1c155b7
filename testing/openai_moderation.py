"""
OpenAI's moderations, from the server's side.

https://platform.openai.com/docs/api-reference/moderations. What is flagged contains the text that
the upstream is told to answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reply import Question, Reply

PATH = "/moderations"
CATEGORIES = ("harassment", "self-harm/intent", "violence")


def problem(question: Question) -> str | None:
    """What OpenAI would refuse about the body, None if nothing."""
    return None if question.body.get("input") else "Missing required parameter: 'input'."


def moderation(reply: Reply, question: Question) -> dict[str, Any]:
    """The body of an answer: a verdict for each text, or one for a list of parts."""
    given = question.body["input"]
    texts = given if isinstance(given, list) and isinstance(given[0], str) else [str(given)]
    return {
        "id": f"modr-{question.number}",
        "model": question.model,
        "results": [verdict(reply.text in text) for text in texts],
    }


def verdict(flagged: bool) -> dict[str, Any]:
    """One verdict, the same for all categories."""
    score = 0.9 if flagged else 0.1
    return {
        "flagged": flagged,
        "categories": dict.fromkeys(CATEGORIES, flagged),
        "category_scores": dict.fromkeys(CATEGORIES, score),
    }
