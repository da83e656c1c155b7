"""
Continuing a stream that broke off in the middle, on another deployment.

Where a model takes the beginning of its own answer (assistant prefill) it is given what has
been sent already. Elsewhere the whole answer is asked for again, and used only if it begins with
exactly what has been sent. JSON and tool calls are not continued: half a document and half
another one would look whole.
"""

from __future__ import annotations

import asyncio
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
    from .groups import Group
    from .lease import Lease
    from .stream import Flow
    from .trip import Trip

    Make = Callable[[Lease, Trip, Call], Awaitable[Any]]


async def resume(core: Core, make: Make, flow: Flow, error: APIError) -> bool:
    """Let the flow go on elsewhere; False if nobody can continue exactly what was sent."""
    trip, group = flow.lease.trip, flow.lease.group
    sent = flow.partial.plain_text()
    if not _may_resume(trip, error) or sent is None:
        return False
    broken = flow.lease
    flow.book_break(error)
    trip.note(broken.deployment, error, sent=True)
    trip.extend()
    while (pause := trip.next_attempt(broken.deployment, error, group)) is not None:
        if pause:
            await asyncio.sleep(pause)
        lease = _at_once(core, group, trip)
        if lease is None:
            return False
        try:
            flow.go_on(*await _continued(make, lease, trip, sent))
        except APIError as failure:
            error = failure
        else:
            return True
    return False


def _at_once(core: Core, group: Group, trip: Trip) -> Lease | None:
    """A lease on somebody who can be asked now; None: nobody can."""
    try:
        lease = core.choose(group, trip)
    except APIError:
        return None
    if type(lease) is Wait:
        return None
    if lease.delay:
        lease.abandoned()
        return None
    return lease


async def _continued(
    make: Make, lease: Lease, trip: Trip, sent: str
) -> tuple[Flow, list[ChatCompletionChunk]]:
    """Another stream, and its chunks after the text that was sent.

    Raises:
        APIError: it failed, or it begins otherwise; booked.
    """
    lease.attempt.reason = "resume"
    call, seams = _continuing(trip.call, lease.deployment, sent)
    try:
        other = await make(lease, trip, call)
    except BaseException:
        lease.abandoned()
        raise
    try:
        pending = await _after(other, seams)
    except BaseException as failure:
        if isinstance(failure, APIError):
            other.book_break(failure)
            trip.note(lease.deployment, failure, sent=True)
        other.close()
        raise
    if pending is None:
        other.close()
        otherwise = _Otherwise("its answer begins otherwise")
        trip.note(lease.deployment, otherwise, sent=True)
        raise otherwise
    return other, pending


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


class _Otherwise(APIError):
    """What this deployment would say does not extend what was sent: it is not asked again."""

    again = False


def _continuing(call: Call, deployment: Deployment, sent: str) -> tuple[Call, tuple[str, ...]]:
    """What to ask for, and the texts of which its answer may begin with one: the caller has it.

    Some providers repeat the beginning they are given, others go on right behind it.
    """
    beginning = sent.rstrip()  # no provider takes white space at the end of a beginning
    if not takes_prefill(deployment) or not beginning:
        return call, (sent,)
    message = {"role": "assistant", "content": beginning, "prefix": True}
    behind = sent[len(beginning) :]
    return replace(call, messages=[*call.messages, message]), (sent, behind, "")


async def _after(flow: Flow, seams: tuple[str, ...]) -> list[ChatCompletionChunk] | None:
    """The chunks of a new stream behind the first seam that its text passes; None if it has none.

    All are kept until the text is longer than a seam or begins otherwise, so that nothing is
    sent twice.
    """
    kept: list[ChatCompletionChunk] = []
    while True:
        kept += flow.pending
        flow.pending = []
        if any(chunk.choices[0].delta.tool_calls for chunk in kept):
            return None
        text = "".join(map(text_of, kept))
        ended = any(chunk.choices[0].finish_reason for chunk in kept)
        for seam in seams:
            if text.startswith(seam) and (len(text) > len(seam) or ended):
                return _behind(kept, len(seam))
            if seam.startswith(text) and not ended:
                break  # this may still be it
        else:
            return None
        if flow.over:
            return None
        await flow.more()


def _behind(chunks: list[ChatCompletionChunk], characters: int) -> list[ChatCompletionChunk]:
    """The chunks without so many characters at their beginning."""
    for position, chunk in enumerate(chunks):
        text = text_of(chunk)
        if len(text) > characters or (chunk.choices[0].finish_reason and len(text) == characters):
            if characters:
                chunk.choices[0].delta.content = text[characters:]
            return chunks[position:]
        characters -= len(text)
    return []
