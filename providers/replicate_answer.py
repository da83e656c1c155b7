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

from ..exceptions import (
    APIResponseValidationError,
    ContentPolicyViolationError,
    InternalServerError,
)
from ..schemas import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    Message,
    Usage,
)
from .decoding import StreamDecoder
from .errors import UNREADABLE, ErrorDetails, make_error, unreadable
from .openai_errors import classify

if TYPE_CHECKING:
    from ..exceptions import APIError
    from .base import Call, Target
    from .replicate import ReplicateAdapter

UNFINISHED = frozenset({"starting", "processing"})

READ_FIELDS = frozenset({"error", "id", "input", "model", "output"})

FLAGGED = re.compile(r"\(E005\)|flagged as sensitive|NSFW", re.IGNORECASE)
"""How predictions say that a model refuses the content."""


def read_prediction(body: bytes, target: Target) -> dict[str, Any]:
    """A prediction that has succeeded, or may still.

    Raises:
        APIError: it failed or was cancelled, or the body is no prediction.
    """
    try:
        prediction = msgspec.json.decode(body)
    except UNREADABLE as error:
        raise unreadable(target, body, str(error)) from error
    match prediction:
        case {"status": "succeeded"}:
            return dict(prediction)
        case {"status": "failed" | "canceled" | "aborted"}:
            raise failed(prediction, target, body)
        case {"status": status, "id": str(_)} if status in UNFINISHED:
            return dict(prediction)
    raise unreadable(target, body, "it is no prediction")


def convert_completion(prediction: dict[str, Any], target: Target) -> ChatCompletion:
    """The output so far as one message; Replicate does not say why a model stopped."""
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
    except UNREADABLE:
        return None
    seconds = raw.get("retry_after") if isinstance(raw, dict) else None
    return float(seconds) if isinstance(seconds, int | float) else None


class PredictionDecoder(StreamDecoder):
    """A prediction as a stream: the text that each look at it has found new."""

    __slots__ = ("_adapter", "_said")

    cut_short = "the prediction is cut off"

    def __init__(self, adapter: ReplicateAdapter, call: Call) -> None:
        super().__init__(adapter.target, call, Whole(call.max_event_bytes))
        self._adapter = adapter
        self._said = ""

    def finish(self, out: list[ChatCompletionChunk]) -> None:
        """See :meth:`Decoder.finish`: each answer is whole at its end."""
        self.again = None
        for body in self._split.finish():
            self._add(body, out)

    def _add(self, event: bytes, out: list[ChatCompletionChunk]) -> None:
        prediction = read_prediction(event, self._target)
        answer = convert_completion(prediction, self._target)
        self._id, self._created = answer.id, answer.created
        choice = answer.choices[0]
        text = choice.message.content or ""
        if not text.startswith(self._said):
            raise self._unreadable(event, "it takes back what it had said")
        if text != self._said:
            self._emit(Delta(content=text[len(self._said) :]), out)
            self._said = text
        if prediction["status"] in UNFINISHED:
            self.again = self._adapter.ask_again(prediction)
            return
        self.ended = True
        self.usage: Usage | None = answer.usage
        end = ChunkChoice(finish_reason=choice.finish_reason, _extra=choice._extra)
        chunk = self._emit_choice(end, out)
        chunk._extra = answer.provider_specific_fields
        if self._show_usage:
            chunk.usage = self.usage


class Whole:
    """Bytes that make sense together only; see :class:`Splitter`."""

    __slots__ = ("_limit", "_received", "_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._received: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> tuple[()]:
        """Nothing: it is not whole yet.

        Raises:
            APIResponseValidationError: it grows beyond the limit.
        """
        self._received.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise APIResponseValidationError(f"an answer is larger than {self._limit} bytes")
        return ()

    def finish(self) -> list[bytes]:
        """All that has come since the last time."""
        whole = b"".join(self._received)
        self._received.clear()
        self._size = 0
        return [whole]

    def document(self) -> bytes:
        """None: a document is what is wanted."""
        return b""
