"""
The way of one call.

    answer ─▶ group of the alias, then its fallbacks          trip.next_group
      within ─▶ attempts in one group                         trip.next_attempt
        choose ─▶ a lease on one deployment                   groups, strategies
        attempt ─▶ build · send · parse or begin the stream   providers, transport

Errors decide how it goes on: they carry their policy, the trip knows what has been tried.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ..exceptions import APIError, NotFoundError, ServiceUnavailableError, Timeout
from ..providers import Pending
from ..providers.errors import redact_error
from .credentials import Secrets
from .lease import open_lease
from .mock import mocked
from .retries import Backoff, RetryBudget
from .stream import ChatStream, Flow
from .trip import begin_trip

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from ..providers import Call
    from ..schemas import ChatCompletion
    from .deployment import Deployment
    from .groups import Group
    from .lease import Lease
    from .options import Options
    from .transport import Here, Transport
    from .trip import Trip

    Answer = ChatCompletion | ChatStream

SLOW = 5.0
"""An attempt that outlasts the deployment's usual time this many times is its own fault."""

HANGING = 10.0
"""Seconds after which a deployment without history is taken to hang."""


@dataclass(slots=True, eq=False)
class Engine:
    """Settings and state that the calls of one Router share. Times are seconds.

    `find` gives the group of an alias, or raises NotFoundError.
    """

    transport: Transport
    clock: Callable[[], float]
    rng: random.Random = field(repr=False)
    find: Callable[[str], Group] = field(repr=False)
    fallbacks: dict[str, list[str]] = field(default_factory=dict)
    num_retries: int = 2
    timeout: float = 600.0
    stream_idle_timeout: float = 120.0
    max_fallbacks: int = 5
    fallback_on_bad_request: bool = False
    longest_retry_after: float = 60.0
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    backoff: Backoff = field(init=False)
    retry_budget: RetryBudget = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.rng)
        self.retry_budget = RetryBudget(self.clock)

    async def answer(self, call: Call, group: Group, options: Options) -> Answer:
        """Answer one call, from whichever group and deployment can.

        Raises:
            NotFoundError: a fallback is no alias; lists the ones there are.
            APIError: nobody could; carries the route.
        """
        if options.mock_response is not None:
            return await mocked(group.name, call, options.mock_response)
        for fallback in options.fallbacks or ():
            self.find(fallback)
        trip = begin_trip(self, call, group.name, options)
        while True:
            try:
                return await self._within(group, trip)
            except APIError as error:
                following = trip.next_group(error)
                if following is None:
                    verdict = trip.verdict(error)
                    raise verdict from verdict.__cause__
                group = following

    async def _within(self, group: Group, trip: Trip) -> Answer:
        """Attempts in one group, until one is answered or the trip says stop."""
        trip.enter(group)
        while True:
            if not group.ready and (wait := trip.patience(group)) is not None:
                await asyncio.sleep(wait)
            lease = self.choose(group, trip)
            try:
                return await self._attempt(lease, trip)
            except APIError as error:
                pause = trip.next_attempt(lease.deployment, error, group)
                if pause is None:
                    raise
            except BaseException:
                lease.abandoned()
                raise
            if pause:
                await asyncio.sleep(pause)

    def choose(self, group: Group, trip: Trip) -> Lease:
        """A lease on the deployment that is asked now.

        Raises:
            ServiceUnavailableError: all rest, and a fallback group can be asked instead.
        """
        failed = trip.failed
        deployment = group.probe(failed) if group.resting else None
        reason = "probe" if deployment is not None else ""
        if deployment is None:
            candidates: Sequence[Deployment] = group.ready
            if failed:
                candidates = group.fresh(failed) or [d for d in candidates if failed[d].again]
            if candidates:
                deployment = group.strategy.pick(candidates, trip.call)
            else:
                deployment = self._in_panic(group, trip)
        if reason:
            deployment.circuit.probing = True
        attempt = trip.open_attempt(deployment, group, reason or trip.reason(deployment))
        return open_lease(deployment, group, attempt, self.clock, trip.start)

    def _in_panic(self, group: Group, trip: Trip) -> Deployment:
        """Nobody is ready: the deployment closest to recovery, unless there is a fallback."""
        resting = [d for d in group.resting if d not in trip.failed or trip.failed[d].again]
        if resting and not trip.has_fallbacks():
            return group.closest_to_recovery(self.rng.sample(resting, min(2, len(resting))))
        if not resting:
            raise next(iter(trip.failed.values()), _empty(group))
        wait = min(d.circuit.until for d in resting) - self.clock()
        raise ServiceUnavailableError(
            f"every deployment of {group.name!r} rests after failures",
            model=group.name,
            retry_after=max(0.0, wait),
        )

    async def _attempt(self, lease: Lease, trip: Trip) -> Answer:
        """One request to one deployment, and its answer up to a stream's first content."""
        deployment, attempt = lease.deployment, lease.attempt
        limit, own_limit = trip.limit(deployment, lease.group)
        call = call_for(deployment, trip.call)
        sent = False
        try:
            here = self.transport.here()
            with here.alarms.limit(limit, usual=trip.fresh):
                adapter = deployment.adapter(call.operation)
                for url in adapter.files(call):
                    call.files[url] = call.files.get(url) or await self.transport.fetch(url)
                if adapter.credential is not None:
                    call = replace(call, secret=await self.secrets.get(adapter.credential))
                request = adapter.build(call)
                sent = True
                response = await self.transport.send(request, here)
                attempt.status = response.status
                if response.status >= 300:
                    body = await self.transport.read(response, here)
                    raise adapter.error(response.status, response.headers, body)
                if call.stream:
                    flow = Flow(response, here, adapter.decoder(call), lease, trip)
                    await flow.begin()
                else:
                    body = await self.transport.read(response, here)
                    answer = adapter.parse(body, call)
                    while type(answer) is Pending:
                        answer = await self._ask_again(answer, adapter, call, here)
        except APIError as error:
            hide_secrets(call, error)
            raise self._book(lease, trip, error, sent=sent) from error.__cause__
        except TimeoutError as late:
            timeout = Timeout(f"no answer within {limit:.3g} s")
            guilty = own_limit or self._slow(lease)
            raise self._book(lease, trip, timeout, sent=sent, guilty=guilty) from late
        self.retry_budget.earn()
        if request.dropped:
            trip.route.dropped_params += request.dropped
        if call.stream:
            return ChatStream(flow)
        lease.succeeded(answer.usage)
        answer._route = trip.route
        answer._headers = response.headers
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
        usual = lease.deployment.latency
        return lease.elapsed > (HANGING if usual is None else SLOW * usual)

    def fallbacks_for(self, alias: str, error: APIError | None, options: Options) -> list[str]:
        """The aliases to ask after this one, as far as the error allows."""
        if error is not None:
            allowed = options.fallback_on_bad_request
            if allowed is None:
                allowed = self.fallback_on_bad_request
            if error.fallback == "never" or (error.fallback == "on_request" and not allowed):
                return []
        if options.fallbacks is not None:
            return list(options.fallbacks)
        return self.fallbacks.get(alias) or self.fallbacks.get("*", [])

    def budget(self, options: Options) -> float:
        """Seconds for the whole call."""
        limits = (options.timeout, options.force_timeout)
        given = [limit for limit in limits if limit is not None]
        return min(given) if given else self.timeout


def call_for(deployment: Deployment, call: Call) -> Call:
    """The call with the deployment's defaults under what the caller said."""
    if not (deployment.params or deployment.extra_body or deployment.drop_params):
        return call
    return replace(
        call,
        params={**deployment.params, **call.params},
        extra_body={**deployment.extra_body, **(call.extra_body or {})} or None,
        drop_params=call.drop_params or deployment.drop_params,
    )


def hide_secrets(call: Call, error: APIError) -> None:
    """Take what only this call knows out of an error: its headers, its fetched token."""
    secrets = [*(call.extra_headers or {}).values()]
    if isinstance(call.secret, str):
        secrets.append(call.secret)
    if secrets:
        redact_error(error, secrets)


def _empty(group: Group) -> APIError:
    return NotFoundError(f"{group.name!r} has no deployment left", model=group.name)
