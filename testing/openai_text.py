"""
OpenAI's text completions, from the server's side.

https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .reply import Event, as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reply import Question, Reply

PATH = "/completions"


def problem(question: Question) -> str | None:
    """What OpenAI would refuse about the body, None if nothing."""
    return None if question.body.get("prompt") else "Missing required parameter: 'prompt'."


def completion(reply: Reply, question: Question) -> dict[str, Any]:
    """The body of an answer."""
    whole = envelope(question, reply.text, "length" if reply.truncated else "stop")
    return {**whole, "usage": usage(reply, question)}


def events(reply: Reply, question: Question) -> Iterator[Event]:
    """A stream: its pieces have the shape of whole answers."""
    for word in reply.words:
        yield event(envelope(question, word, None), content=True)
    yield event(envelope(question, "", "length" if reply.truncated else "stop"))
    if (question.body.get("stream_options") or {}).get("include_usage"):
        yield event(
            {**envelope(question, "", None), "choices": [], "usage": usage(reply, question)}
        )
    yield Event(b"data: [DONE]\n\n")


def envelope(question: Question, text: str, finish: str | None) -> dict[str, Any]:
    """An answer or a piece of one."""
    return {
        "id": f"cmpl-{question.number}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": question.model,
        "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}],
    }


def usage(reply: Reply, question: Question) -> dict[str, Any]:
    """The tokens of the call."""
    prompt = reply.input_tokens(question.body)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": reply.output_tokens,
        "total_tokens": prompt + reply.output_tokens,
    }


def event(data: dict[str, Any], *, content: bool = False) -> Event:
    """One server-sent event."""
    return Event(f"data: {as_json(data)}\n\n".encode(), content)
