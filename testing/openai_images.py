"""
OpenAI's images, from the server's side: https://platform.openai.com/docs/api-reference/images.

Every image is the same single pixel. What the upstream is told to answer is the revised prompt.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reply import Question, Reply

PATH = "/images/generations"

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=="
    """A PNG in base64."""
)
TOKENS = 272
"""What a small image of low quality costs with OpenAI's newer models."""


def problem(question: Question) -> str | None:
    """What OpenAI would refuse about the body, None if nothing."""
    if not question.body.get("prompt"):
        return "Missing required parameter: 'prompt'."
    count = question.body.get("n", 1)
    if not isinstance(count, int) or not 1 <= count <= 10:
        return f"Invalid 'n': expected an integer from 1 to 10, but got {count!r}."
    return None


def images(reply: Reply, question: Question) -> dict[str, Any]:
    """The body of an answer: newer models always send base64, and count tokens."""
    counts_tokens = question.model.startswith("gpt-image")
    as_text = counts_tokens or question.body.get("response_format") == "b64_json"
    data = [
        {
            **({"b64_json": PIXEL} if as_text else {"url": address(question, number)}),
            **({} if counts_tokens else {"revised_prompt": reply.text}),
        }
        for number in range(question.body.get("n", 1))
    ]
    answer = {"created": int(time.time()), "data": data}
    return {**answer, "usage": usage(reply, question)} if counts_tokens else answer


def address(question: Question, number: int) -> str:
    """Where an image would be."""
    return f"https://images.example/{question.number}-{number}.png"


def usage(reply: Reply, question: Question) -> dict[str, Any]:
    """The tokens of an answer: the prompt's words, and what was drawn."""
    said = reply.prompt_tokens
    if said is None:
        said = len(str(question.body["prompt"]).split())
    drawn = reply.completion_tokens
    if drawn is None:
        drawn = TOKENS * int(question.body.get("n", 1))
    return {
        "input_tokens": said,
        "input_tokens_details": {"text_tokens": said, "image_tokens": 0},
        "output_tokens": drawn,
        "total_tokens": said + drawn,
    }
