"""
One attempt: a request to one deployment, and its answer up to a stream's first content.

However it ends, its lease knows: an answer, an error with the route attached, a cancellation.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..exceptions import APIError, Timeout
from ..providers import Pending
from ..providers.caching import with_breakpoints
from ..providers.errors import redact_error
from ..providers.limits import read_remaining
from .caches import GONE, Caches
from .credentials import Secrets
from .stream import Flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..providers import Call
    from ..schemas import Answer
    from .decisions import Core
    from .deployment import Deployment
    from .lease import Lease
    from .transport import Here, Transport
    from .trip import Trip

SLOW = 5.0
"""An attempt that outlasts the deployment's usual time this many times is its own fault."""

HANGING = 10.0
"""Seconds after which a deployment without history is taken to hang."""


@dataclass(slots=True, eq=False)
class Attempts:
    """Makes the attempts of one Router."""

    core: Core
    transport: Transport
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    caches: Caches = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.caches = Caches(self.transport, self.core.clock)

    async def make(self, lease: Lease, trip: Trip, call: Call | None = None) -> Answer | Flow:
        """Ask one deployment; `call` is what to ask if it is not simply the trip's.

        Raises:
            APIError: it failed; booked, with the route.
        """
        deployment = lease.deployment
        limit, own_limit = trip.limit(deployment, lease.group)
        soft = trip.soft_limit(limit) if trip.call.stream else None
        call = call_for(deployment, trip.call if call is None else call)
        sent = False
        answer: Answer | Flow
        try:
            here = self.transport.here()
            gives_up = partial(self.core.gives_up, lease, trip) if soft else None
            with here.alarms.limit(limit, usual=trip.fresh, soft=soft, gives_up=gives_up):
                adapter = deployment.adapter(call.operation)
                urls = adapter.files(call)
                if urls or adapter.credential is not None or hasattr(adapter, "new_cache"):
                    call = await self._prepared(call, urls, adapter, here, limit)
                request = adapter.build(call)
                sent = True
                answer = await self._exchange(request, adapter, call, here, lease)
        except APIError as error:
            hide_secrets(call, error)
            guilty = not getattr(error, "stale", False)
            raise self._book(lease, trip, error, sent=sent, guilty=guilty) from error.__cause__
        except TimeoutError as late:
            took = min(limit, lease.elapsed)
            guilty = own_limit or took < 0.9 * limit or self._slow(lease)
            what = "first token" if call.stream else "answer"
            timeout = Timeout(f"no {what} within {took:.3g} s")
            raise self._book(lease, trip, timeout, sent=sent, guilty=guilty) from late
        self.core.retry_budget.earn()
        if request.dropped:
            trip.route.dropped_params += request.dropped
        if type(answer) is not Flow:
            lease.succeeded(answer.usage, answer)
            answer._route = trip.route
        return answer

    async def _prepared(
        self, call: Call, urls: Sequence[str], adapter: Any, here: Here, limit: float
    ) -> Call:
        """The call with what must be had before its request can be built."""
        for url in urls:
            call.files[url] = call.files.get(url) or await self.transport.fetch(url)
        if adapter.credential is not None:
            call = replace(call, secret=await self.secrets.get(adapter.credential))
        if hasattr(adapter, "new_cache"):
            call = await self.caches.find(adapter, call, here, limit)
        return call

    async def _exchange(
        self, request: Any, adapter: Any, call: Call, here: Here, lease: Lease
    ) -> Any:
        """Send the request; the parsed answer, or the stream with its first content."""
        response = await self.transport.send(request, here)
        if call.cache is not None and response.status in GONE:
            await self.transport.read(response, here)
            call = self.caches.without(call)
            response = await self.transport.send(adapter.build(call), here)
        lease.attempt.status = response.status
        if lease.deployment.quota is not None:
            lease.heard(read_remaining(response.headers))
        if response.status >= 300:
            body = await self.transport.read(response, here)
            raise adapter.error(response.status, response.headers, body)
        if call.stream:
            flow = Flow(self.transport, here, response, adapter.decoder(call), lease)
            await flow.begin()
            return flow
        answer = adapter.parse(await self.transport.read(response, here), call)
        while type(answer) is Pending:
            answer = await self._ask_again(answer, adapter, call, here)
        answer._headers = response.headers
        if answer.usage is None and hasattr(adapter, "count_tokens"):
            answer.usage = adapter.count_tokens(response.headers)
        return answer

    async def _ask_again(self, pending: Pending, adapter: Any, call: Call, here: Here) -> Any:
        """What has become of an answer that was still being made."""
        await asyncio.sleep(pending.seconds)
        response = await self.transport.send(pending.request, here)
        body = await self.transport.read(response, here)
        if response.status >= 300:
            raise adapter.error(response.status, response.headers, body)
        return adapter.parse(body, call)

    def _book(
        self, lease: Lease, trip: Trip, error: APIError, *, sent: bool, guilty: bool = True
    ) -> APIError:
        """Put a failure into the books; the error knows from then on where it happened."""
        target = lease.deployment.target
        error.model = error.model or target.model
        error.llm_provider = error.llm_provider or target.provider
        error.route = trip.route
        trip.note(lease.deployment, error, sent=sent)
        lease.failed(error, counts=guilty)
        return error

    def _slow(self, lease: Lease) -> bool:
        """Whether an attempt that was cut off had taken longer than is usual there."""
        usual = lease.pace.steady
        return lease.elapsed > (HANGING if usual is None else SLOW * usual)


def call_for(deployment: Deployment, call: Call) -> Call:
    """The call with the deployment's defaults under what the caller said."""
    if deployment.params or deployment.extra_body or deployment.drop_params:
        call = replace(
            call,
            params={**deployment.params, **call.params},
            extra_body={**deployment.extra_body, **(call.extra_body or {})} or None,
            drop_params=call.drop_params or deployment.drop_params,
        )
    caching = call.caching or deployment.caching
    return with_breakpoints(call, caching, deployment.target.model) if caching else call


def hide_secrets(call: Call, error: APIError) -> None:
    """Take what only this call knows out of an error: its headers, its fetched token."""
    secrets = [*(call.extra_headers or {}).values()]
    if isinstance(call.secret, str):
        secrets.append(call.secret)
    if secrets:
        redact_error(error, secrets)
