"""One request that an upstream answers, well or as its fault says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .faults import Fault
    from .reply import Event, Format, Question, Reply

Outcome = Literal["answered", "failed", "dropped", "abandoned"]


@dataclass(slots=True)
class Received:
    """One request as it came.

    Attributes:
        path: with the query.
        headers: names in lower case.
        body: the JSON or the fields of a form, an empty dictionary if it was neither.
        outcome: `answered`, `failed` (an error was sent), `dropped` (the upstream hung up),
            `abandoned` (the client hung up, or the upstream was killed); None while it is worked
            on.
    """

    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: dict[str, Any]
    outcome: Outcome | None = None


@dataclass(slots=True)
class Exchange:
    """A request, the format in which it is answered, and the headers of the answer."""

    request: web.BaseRequest
    received: Received
    format: Format
    headers: Mapping[str, str]

    def error(
        self, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """An error in the provider's words."""
        self.received.outcome = "failed"
        return web.json_response(
            self.format.error(status, message),
            status=status,
            headers={**self.headers, **(headers or {})},
        )

    async def whole(
        self, question: Question, reply: Reply, fault: Fault | None
    ) -> web.StreamResponse:
        """A whole answer; a fault strikes when half of it is sent."""
        if fault is not None and fault.kind == "fail":
            return await self.strike(fault)
        answer = self.format.whole(reply, question)
        if isinstance(answer, bytes):
            body, kind = answer, "application/octet-stream"
        else:
            body, kind = json.dumps(answer, ensure_ascii=False).encode(), "application/json"
        headers = {**self.headers, "Content-Type": kind}
        if fault is None:
            self.received.outcome = "answered"
            return web.Response(body=body, headers=headers)
        response = web.StreamResponse(headers=headers)
        response.content_length = len(body)
        await response.prepare(self.request)
        await response.write(body[: len(body) // 2])
        await self.strike(fault)
        return response

    async def stream(
        self, question: Question, reply: Reply, fault: Fault | None, delay: float
    ) -> web.StreamResponse:
        """The events of an answer, or those before the fault and what then happens."""
        response = web.StreamResponse(headers={**self.headers, "Content-Type": "text/event-stream"})
        await response.prepare(self.request)
        events = list(self.format.events(reply, question))
        if fault is not None:
            events = events[: breaking_point(events, fault.after_chunks or 0)]
        begun = False
        for event in events:
            if event.content:
                await asyncio.sleep(delay if begun else 0)
                begun = True
            await response.write(event.data)
        if fault is None:
            self.received.outcome = "answered"
        elif fault.kind == "fail":
            self.received.outcome = "failed"
            await response.write(self.format.error_event(fault.status, fault.message))
        else:
            await self.strike(fault)
        return response

    async def strike(self, fault: Fault) -> web.StreamResponse:
        """Let a fault happen now."""
        match fault.kind:
            case "fail":
                return self.error(fault.status, fault.message, fault.headers)
            case "hang":
                await asyncio.Event().wait()
            case "drop":
                self.received.outcome = "dropped"
                if self.request.transport is not None:
                    self.request.transport.close()  # what was written before still arrives
        return web.Response()


def breaking_point(events: list[Event], after_chunks: int) -> int:
    """How many events come before a fault that strikes after so many chunks of content.

    The last event never comes, nor does what ends the content: a stream with a fault is not whole.
    """
    chunks = list(accumulate(event.content for event in events))
    wanted = min(after_chunks, chunks[-1] if chunks else 0)
    before = next(
        (
            position
            for position, event in enumerate(events)
            if (
                chunks[position] > wanted
                if event.content
                else wanted and chunks[position] == wanted
            )
        ),
        len(events),
    )
    return min(before, len(events) - 1)
