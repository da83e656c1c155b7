"""
Continuing a stream that broke off in the middle, on another deployment.

Where a model takes the beginning of its own answer (assistant prefill) it is given what has
been sent already. Elsewhere the whole answer is asked for again, and used only if it begins with
exactly what has been sent. JSON and tool calls are not continued: half a document and half
another one would look whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..exceptions import APIError
from .decisions import Wait
from .facts import takes_prefill
from .partial import text_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..providers import Call
    from ..schemas import ChatCompletionChunk
    from .decisions import Core
    from .deployment import Deployment
    from .lease import Lease
    from .stream import Flow
    from .trip import Trip

    Make = Callable[[Lease, Trip, Call], Awaitable[Flow]]


async def resume(core: Core, make: Make, flow: Flow, error: APIError) -> bool:
    """Let the flow go on elsewhere; False if nobody can continue exactly what was sent."""
    trip, group = flow.lease.trip, flow.lease.group
    sent = flow.partial.plain_text()
    if not _may_resume(trip, error) or sent is None:
        return False
    broken = flow.lease
    flow.book_break(error)
    trip.note(broken.deployment, error, sent=True)
    while trip.next_attempt(broken.deployment, error, group) is not None:
        try:
            lease = core.choose(group, trip)
        except APIError:
            return False
        if type(lease) is Wait or lease.delay:
            if type(lease) is not Wait:
                lease.abandoned()
            return False
        lease.attempt.reason = "resume"
        call, skip = _continuing(trip.call, lease.deployment, sent)
        try:
            other = await make(lease, trip, call)
            pending = await _after(other, skip)
        except APIError as failure:
            error = failure
            continue
        except BaseException:
            lease.abandoned()
            raise
        if pending is not None:
            flow.go_on(other, pending)
            return True
        other.close()
        trip.failed[lease.deployment] = error
    return False


def _may_resume(trip: Trip, error: APIError) -> bool:
    """Whether the caller wants it, and half an answer can be told from a whole one."""
    said = trip.options.on_stream_break or trip.core.policies.on_stream_break
    params = trip.call.params
    format_ = params.get("response_format")
    structured = isinstance(format_, dict) and format_.get("type") not in (None, "text")
    forced = params.get("tool_choice") not in (None, "auto", "none")
    several = (params.get("n") or 1) > 1
    whole = trip.call.operation == "chat" and not (structured or forced or several)
    return said == "resume" and whole and error.elsewhere


def _continuing(call: Call, deployment: Deployment, sent: str) -> tuple[Call, str]:
    """What to ask for, and the text at its beginning that the caller has already."""
    beginning = sent.rstrip()  # no provider takes white space at the end of a beginning
    if not takes_prefill(deployment) or not beginning:
        return call, sent
    message = {"role": "assistant", "content": beginning, "prefix": True}
    return replace(call, messages=[*call.messages, message]), sent[len(beginning) :]


async def _after(flow: Flow, skip: str) -> list[ChatCompletionChunk] | None:
    """The chunks of a new stream after the text to skip; None if it begins otherwise."""
    text, chunks = "", flow.pending
    while True:
        for position, chunk in enumerate(chunks):
            before, text = text, text + text_of(chunk)
            if not (text.startswith(skip) or skip.startswith(text)):
                return None
            if chunk.choices[0].delta.tool_calls:
                return None
            if len(text) > len(skip) or (len(text) == len(skip) and chunk.choices[0].finish_reason):
                _cut(chunk, len(skip) - len(before))
                return list(chunks[position:])
        if flow.over:
            return None
        flow.pending = []
        await flow.more()
        chunks = flow.pending


def _cut(chunk: ChatCompletionChunk, characters: int) -> None:
    """Take away from a chunk's text what was sent before."""
    delta: Any = chunk.choices[0].delta
    if characters > 0 and delta.content:
        delta.content = delta.content[characters:]
