"""
Gemini's generateContent and streamGenerateContent, from the server's side.

https://ai.google.dev/api/generate-content; streams are server-sent events (`alt=sse`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .reply import Event, Question, as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reply import Reply

ERROR_STATUSES: dict[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""Google's names of HTTP statuses; every other one is `INTERNAL`."""

ENDPOINT = re.compile(r".*/models/(?P<model>[^:]+):(?P<method>g|streamG)enerateContent")


class GeminiFormat:
    """Answers, streams and errors as generativelanguage.googleapis.com sends them."""

    provider = "gemini"
    base_path = "/v1beta"
    request_id = "x-request-id"

    def question(self, number: int, path: str, body: dict[str, Any]) -> Question | None:
        """See :meth:`Format.question`."""
        found = ENDPOINT.fullmatch(path)
        if found is None:
            return None
        return Question(number, found["model"], found["method"] == "streamG", body)

    def problem(self, question: Question) -> str | None:
        """See :meth:`Format.problem`."""
        contents = question.body.get("contents")
        if not contents:
            return "* GenerateContentRequest.contents: contents is not specified"
        for turn in contents:
            if turn.get("role", "user") not in ("user", "model"):
                return "Please use a valid role: user, model."
        return None

    def whole(self, reply: Reply, question: Question) -> dict[str, Any]:
        """See :meth:`Format.whole`."""
        text = [{"text": reply.text}] if reply.text or not reply.tools else []
        return response(reply, question, text + function_calls(reply), finish_reason(reply))

    def events(self, reply: Reply, question: Question) -> Iterator[Event]:
        """See :meth:`Format.events`. Function calls come whole; the last event has the reason."""
        pieces = [{"text": word} for word in reply.words] + function_calls(reply)
        last = len(pieces) - 1
        for position, piece in enumerate(pieces or [{"text": ""}]):
            finish = finish_reason(reply) if position >= last else None
            yield event(response(reply, question, [piece], finish), content=True)

    def error(self, status: int, message: str) -> dict[str, Any]:
        """See :meth:`Format.error`."""
        name = ERROR_STATUSES.get(status, "INTERNAL")
        return {"error": {"code": status, "message": message, "status": name}}

    def error_event(self, status: int, message: str) -> bytes:
        """See :meth:`Format.error_event`."""
        return event(self.error(status, message)).data


def function_calls(reply: Reply) -> list[dict[str, Any]]:
    """The tools as parts; Gemini gives them no ids."""
    return [
        {"functionCall": {"name": tool.name, "args": dict(tool.arguments)}} for tool in reply.tools
    ]


def finish_reason(reply: Reply) -> str:
    """Why the answer ends; calling a function is an ordinary end here."""
    return "MAX_TOKENS" if reply.truncated else "STOP"


def response(
    reply: Reply, question: Question, parts: list[dict[str, Any]], finish: str | None
) -> dict[str, Any]:
    """A whole answer, or one event of a stream: both have the same shape."""
    candidate: dict[str, Any] = {
        "content": {"parts": parts, "role": "model"},
        "index": 0,
    }
    if finish:
        candidate["finishReason"] = finish
    prompt = reply.input_tokens(question.body)
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": reply.output_tokens,
            "totalTokenCount": prompt + reply.output_tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
        },
        "modelVersion": question.model,
        "responseId": f"response-{question.number}",
    }


def event(data: dict[str, Any], *, content: bool = False) -> Event:
    """One server-sent event; Google ends its lines with CR LF."""
    return Event(f"data: {as_json(data)}\r\n\r\n".encode(), content)
