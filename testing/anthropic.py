"""
Anthropic's Messages, from the server's side.

https://docs.anthropic.com/en/api/messages, streams: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .reply import Event, Question, as_json, halves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reply import Reply

ERROR_TYPES: dict[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
"""The type of an error; every other status is an `api_error`."""

ROLES = ("user", "assistant")


class AnthropicFormat:
    """Answers, streams and errors as api.anthropic.com sends them."""

    provider = "anthropic"
    base_path = ""
    request_id = "request-id"

    def question(self, number: int, path: str, body: dict[str, Any]) -> Question | None:
        """See :meth:`Format.question`."""
        if not path.endswith("/v1/messages"):
            return None
        return Question(number, str(body.get("model", "")), bool(body.get("stream")), body)

    def problem(self, question: Question) -> str | None:
        """See :meth:`Format.problem`."""
        for field in ("model", "max_tokens", "messages"):
            if field not in question.body:
                return f"{field}: Field required"
        for position, message in enumerate(question.body["messages"]):
            if message.get("role") not in ROLES:
                return f"messages.{position}.role: Input should be 'user' or 'assistant'"
        return None if question.body["messages"] else "messages: at least one message is required"

    def whole(self, reply: Reply, question: Question) -> dict[str, Any]:
        """See :meth:`Format.whole`."""
        return {
            **message(question, content(reply, question)),
            "stop_reason": stop_reason(reply),
            "usage": usage(reply.input_tokens(question.body), reply.output_tokens),
        }

    def events(self, reply: Reply, question: Question) -> Iterator[Event]:
        """See :meth:`Format.events`."""
        opening = {
            **message(question, []),
            "usage": usage(reply.input_tokens(question.body), 1),
        }
        yield event("message_start", message=opening)
        for index, block in enumerate(content(reply, question)):
            empty: dict[str, Any] = {"text": ""} if block["type"] == "text" else {"input": {}}
            yield event("content_block_start", index=index, content_block={**block, **empty})
            if index == 0:
                yield event("ping")
            for delta in deltas(block, reply):
                yield event("content_block_delta", content=True, index=index, delta=delta)
            yield event("content_block_stop", index=index)
        closing = {"stop_reason": stop_reason(reply), "stop_sequence": None}
        yield event("message_delta", delta=closing, usage={"output_tokens": reply.output_tokens})
        yield event("message_stop")

    def error(self, status: int, message: str) -> dict[str, Any]:
        """See :meth:`Format.error`."""
        kind = ERROR_TYPES.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def error_event(self, status: int, message: str) -> bytes:
        """See :meth:`Format.error_event`."""
        return event("error", error=self.error(status, message)["error"]).data


def content(reply: Reply, question: Question) -> list[dict[str, Any]]:
    """The blocks of the answer: text first, then the tools."""
    text = [{"type": "text", "text": reply.text}] if reply.text or not reply.tools else []
    return text + [
        {
            "type": "tool_use",
            "id": f"toolu_{question.number}_{position}",
            "name": tool.name,
            "input": dict(tool.arguments),
        }
        for position, tool in enumerate(reply.tools)
    ]


def deltas(block: dict[str, Any], reply: Reply) -> list[dict[str, Any]]:
    """A block in pieces: words of text, or halves of a tool's arguments."""
    if block["type"] == "text":
        return [{"type": "text_delta", "text": word} for word in reply.words]
    return [
        {"type": "input_json_delta", "partial_json": piece}
        for piece in halves(as_json(block["input"]))
    ]


def message(question: Question, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """What surrounds the blocks."""
    return {
        "id": f"msg_{question.number}",
        "type": "message",
        "role": "assistant",
        "model": question.model,
        "content": blocks,
        "stop_reason": None,
        "stop_sequence": None,
    }


def stop_reason(reply: Reply) -> str:
    """Why the answer ends."""
    if reply.truncated:
        return "max_tokens"
    return "tool_use" if reply.tools else "end_turn"


def usage(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """The tokens of the call; the start of a stream has counted one token of output."""
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }


def event(kind: str, *, content: bool = False, **data: Any) -> Event:
    """One server-sent event; Anthropic's have names and repeat them inside."""
    payload = as_json({"type": kind, **data})
    return Event(f"event: {kind}\ndata: {payload}\n\n".encode(), content)
