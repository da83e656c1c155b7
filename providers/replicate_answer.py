"""
What a prediction says: https://replicate.com/docs/topics/predictions/lifecycle.

    {"id", "status": starting | processing | succeeded | failed | canceled | aborted,
     "output": text, or a list of pieces of it, "error", "metrics", "urls"}
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..exceptions import ContentPolicyViolationError, InternalServerError, Timeout
from ..schemas import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    Message,
    Usage,
)
from .errors import ErrorDetails, make_error, unreadable
from .openai_errors import classify

if TYPE_CHECKING:
    from ..exceptions import APIError
    from .base import Call, Target

READ_FIELDS = frozenset({"error", "id", "input", "model", "output"})

FLAGGED = re.compile(r"\(E005\)|flagged as sensitive|NSFW", re.IGNORECASE)
"""How predictions say that a model refuses the content."""


def convert_prediction(body: bytes, target: Target) -> ChatCompletion:
    """The answer of a prediction that has succeeded.

    Raises:
        Timeout: it has not ended yet; names it.
        APIError: it failed or was cancelled, or the body is no prediction.
    """
    try:
        prediction = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(target, body, str(error)) from error
    status = prediction.get("status") if isinstance(prediction, dict) else None
    match status:
        case "succeeded":
            return convert_completion(prediction, target)
        case "starting" | "processing":
            raise unfinished(prediction, target, body)
        case "failed" | "canceled" | "aborted":
            raise failed(prediction, target, body)
    raise unreadable(target, body, "it is no prediction")


def convert_completion(prediction: dict[str, Any], target: Target) -> ChatCompletion:
    """The output as one message; Replicate does not say why a model stopped."""
    return ChatCompletion(
        id=str(prediction.get("id") or ""),
        created=int(time.time()),
        model=target.model,
        choices=[
            Choice(
                message=Message(content=convert_output(prediction.get("output"))),
                finish_reason="stop",
                _extra={"native_finish_reason": "succeeded"},
            )
        ],
        usage=convert_usage(prediction.get("metrics")),
        _extra={name: value for name, value in prediction.items() if name not in READ_FIELDS},
    )


def convert_output(output: Any) -> str:
    """Text from text, from pieces of text, or as JSON from whatever else a model gives."""
    if output is None or isinstance(output, str):
        return output or ""
    if isinstance(output, list) and all(isinstance(piece, str) for piece in output):
        return "".join(output)
    return msgspec.json.encode(output).decode()


def convert_usage(metrics: Any) -> Usage | None:
    """Tokens, which only language models count."""
    counts = metrics if isinstance(metrics, dict) else {}
    prompt = counts.get("input_token_count", counts.get("token_input_count"))
    completion = counts.get("output_token_count", counts.get("token_output_count"))
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )


def unfinished(prediction: dict[str, Any], target: Target, body: bytes) -> APIError:
    """The exception for a prediction that is still on its way."""
    identifier = prediction.get("id")
    message = (
        f"the prediction {identifier} was still {prediction['status']} when Replicate's wait "
        f"ended; GET /v1/predictions/{identifier} will tell its outcome"
    )
    details = ErrorDetails(message, prediction["status"])
    return make_error(target, 408, {}, body, details=details, kind=Timeout)


def failed(prediction: dict[str, Any], target: Target, body: bytes) -> APIError:
    """The exception for a prediction that came to nothing."""
    said = str(prediction.get("error") or "no reason given")
    details = ErrorDetails(
        f"the prediction {prediction.get('id')} {_was(prediction['status'])}: {said}",
        prediction["status"],
    )
    refused = ContentPolicyViolationError if FLAGGED.search(said) else None
    kind = refused or classify(400, ErrorDetails(said)) or InternalServerError
    return make_error(target, 200, {}, body, details=details, kind=kind)


def _was(status: str) -> str:
    return "failed" if status == "failed" else f"was {status}"


def body_retry_after(body: bytes) -> float | None:
    """Seconds to wait, as a throttled request's body says them."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    seconds = raw.get("retry_after") if isinstance(raw, dict) else None
    return float(seconds) if isinstance(seconds, int | float) else None


class WholeDecoder:
    """A whole answer as a stream: its text in one chunk, its end in another."""

    __slots__ = ("_limit", "_received", "_show_usage", "_size", "_target", "ended", "usage")

    def __init__(self, target: Target, call: Call) -> None:
        self._target = target
        self._show_usage = call.wants_usage
        self._limit = call.max_event_bytes
        self._received: list[bytes] = []
        self._size = 0
        self.usage: Usage | None = None
        self.ended = False

    def feed(self, data: bytes, out: list[ChatCompletionChunk]) -> None:
        """See :meth:`Decoder.feed`. Nothing can be said before the end."""
        self._received.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise unreadable(self._target, b"", f"it is larger than {self._limit} bytes")

    def finish(self, out: list[ChatCompletionChunk]) -> None:
        """See :meth:`Decoder.finish`."""
        answer = convert_prediction(b"".join(self._received), self._target)
        self.usage = answer.usage
        choice = answer.choices[0]
        said = Delta(role="assistant", content=choice.message.content or None)
        end = ChunkChoice(finish_reason=choice.finish_reason, _extra=choice._extra)
        out += [
            ChatCompletionChunk(
                id=answer.id,
                created=answer.created,
                model=answer.model,
                choices=[part],
                _extra={"streamed": False},
            )
            for part in (ChunkChoice(delta=said), end)
        ]
        out[-1]._extra = {**answer.provider_specific_fields, "streamed": False}
        if self._show_usage:
            out[-1].usage = self.usage
