"""
OpenAI's chat completions, from the server's side; its other services are modules of their own.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import (
    openai_audio,
    openai_embeddings,
    openai_images,
    openai_moderation,
    openai_rerank,
    openai_text,
)
from .reply import Event, Question, as_json, halves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .reply import Reply, ToolUse

    Problem = Callable[[Question], str | None]
    Whole = Callable[[Reply, Question], dict[str, Any] | bytes]

ERROR_TYPES: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("permission_error", None),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}
"""Type and code of an error; others of 4xx are invalid requests, and the rest the server's own."""

CHAT = "/chat/completions"
SERVICES: Mapping[str, tuple[Problem, Whole]] = {
    openai_embeddings.PATH: (openai_embeddings.problem, openai_embeddings.embeddings),
    openai_images.PATH: (openai_images.problem, openai_images.images),
    openai_audio.HEARING: (openai_audio.hearing_problem, openai_audio.transcription),
    openai_audio.SPEAKING: (openai_audio.speaking_problem, openai_audio.speech),
    openai_moderation.PATH: (openai_moderation.problem, openai_moderation.moderation),
    openai_rerank.PATH: (openai_rerank.problem, openai_rerank.ranking),
    openai_text.PATH: (openai_text.problem, openai_text.completion),
}
"""What is served beside chat: what would be refused about a body, and the body of an answer."""

Choice = dict[str, Any]


class OpenAIFormat:
    """Answers, streams and errors as api.openai.com sends them."""

    provider = "openai"
    base_path = "/v1"
    request_id = "x-request-id"

    def question(self, number: int, path: str, body: dict[str, Any]) -> Question | None:
        """See :meth:`Format.question`."""
        service = next((known for known in (CHAT, *SERVICES) if path.endswith(known)), None)
        if service is None:
            return None
        model, stream = str(body.get("model", "")), bool(body.get("stream"))
        return Question(number, model, stream, body, service)

    def problem(self, question: Question) -> str | None:
        """See :meth:`Format.problem`."""
        if not question.model:
            return "you must provide a model parameter"
        if question.path in SERVICES:
            return SERVICES[question.path][0](question)
        if not question.body.get("messages"):
            return "Invalid 'messages': empty array. Expected an array with minimum length 1."
        return None

    def whole(self, reply: Reply, question: Question) -> dict[str, Any] | bytes:
        """See :meth:`Format.whole`."""
        if question.path in SERVICES:
            return SERVICES[question.path][1](reply, question)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": reply.text or (None if reply.tools else ""),
            "refusal": None,
        }
        if reply.tools:
            message["tool_calls"] = [
                tool_call(question, position, tool, as_json(tool.arguments))
                for position, tool in enumerate(reply.tools)
            ]
        choice = {
            "message": message,
            "finish_reason": finish_reason(reply),
            "logprobs": None,
        }
        return {
            **envelope(question, "chat.completion", [{"index": 0, **choice}]),
            "usage": usage(reply, question),
        }

    def events(self, reply: Reply, question: Question) -> Iterator[Event]:
        """See :meth:`Format.events`."""
        if question.path == openai_text.PATH:
            yield from openai_text.events(reply, question)
            return
        yield chunk(question, {"role": "assistant", "content": ""})
        for word in reply.words:
            yield chunk(question, {"content": word}, content=True)
        for position, tool in enumerate(reply.tools):
            opening = {"index": position, **tool_call(question, position, tool, "")}
            yield chunk(question, {"tool_calls": [opening]}, content=True)
            for piece in halves(as_json(tool.arguments)):
                part = {"index": position, "function": {"arguments": piece}}
                yield chunk(question, {"tool_calls": [part]}, content=True)
        yield chunk(question, {}, finish_reason(reply))
        if (question.body.get("stream_options") or {}).get("include_usage"):
            closing = envelope(question, "chat.completion.chunk", [])
            yield event({**closing, "usage": usage(reply, question)})
        yield Event(b"data: [DONE]\n\n")

    def error(self, status: int, message: str) -> dict[str, Any]:
        """See :meth:`Format.error`."""
        other = "invalid_request_error" if status < 500 else "server_error"
        kind, code = ERROR_TYPES.get(status, (other, None))
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}

    def error_event(self, status: int, message: str) -> bytes:
        """See :meth:`Format.error_event`."""
        return event(self.error(status, message)).data


def finish_reason(reply: Reply) -> str:
    """Why the answer ends."""
    if reply.truncated:
        return "length"
    return "tool_calls" if reply.tools else "stop"


def usage(reply: Reply, question: Question) -> dict[str, Any]:
    """The tokens of the call."""
    prompt = reply.input_tokens(question.body)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": reply.output_tokens,
        "total_tokens": prompt + reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def tool_call(question: Question, position: int, tool: ToolUse, arguments: str) -> dict[str, Any]:
    """A tool call with its arguments as JSON text."""
    return {
        "id": f"call_{question.number}_{position}",
        "type": "function",
        "function": {"name": tool.name, "arguments": arguments},
    }


def envelope(question: Question, kind: str, choices: list[Choice]) -> dict[str, Any]:
    """What surrounds the choices of an answer or chunk."""
    return {
        "id": f"chatcmpl-{question.number}",
        "object": kind,
        "created": int(time.time()),
        "model": question.model,
        "choices": choices,
        "system_fingerprint": "fp_loopback",
    }


def chunk(
    question: Question,
    delta: dict[str, Any],
    finish: str | None = None,
    *,
    content: bool = False,
) -> Event:
    """One chunk of a stream."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return event(envelope(question, "chat.completion.chunk", [choice]), content=content)


def event(data: dict[str, Any], *, content: bool = False) -> Event:
    """One server-sent event; OpenAI's have no name."""
    return Event(f"data: {as_json(data)}\n\n".encode(), content)
