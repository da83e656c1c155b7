"""
The way of one call.

    answer ─▶ group of the alias, then its fallbacks          trip.next_group
      within ─▶ attempts in one group                         trip.next_attempt
        choose ─▶ a lease on one deployment, at once or later decisions, groups, strategies
        make ─▶ build · send · parse or begin the stream      attempt, providers, transport
                two of them race where that is wanted         racing

Errors decide how it goes on: they carry their policy, the trip knows what has been tried.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..exceptions import APIError, RateLimitError
from .attempt import Attempts
from .decisions import Wait
from .mock import mocked
from .options import NO_OPTIONS
from .parts import answer_parts, split_inputs
from .racing import race
from .resuming import resume
from .stream import ChatStream, Flow
from .trip import begin_trip

if TYPE_CHECKING:
    from ..providers import Call
    from ..schemas import Answer
    from .decisions import Core
    from .groups import Group
    from .lease import Lease
    from .options import Options
    from .parts import Whole
    from .transport import Transport
    from .trip import Trip


@dataclass(slots=True, eq=False)
class Engine:
    """The calls of one Router: its decisions (`core`) and its connections (`transport`)."""

    core: Core
    transport: Transport
    attempts: Attempts = field(init=False)

    def __post_init__(self) -> None:
        self.attempts = Attempts(self.core, self.transport)

    async def answer(
        self, call: Call, group: Group, options: Options, whole: Whole | None = None
    ) -> Answer | ChatStream:
        """Answer one call, from whichever group and deployment can.

        With `whole` it is a part of a call that has begun before.

        Raises:
            NotFoundError: a fallback is no alias; lists the ones there are.
            APIError: nobody could; carries the route.
        """
        if options is not NO_OPTIONS and options.mocked:
            return await mocked(group.name, call, options, self.core.policies.budget(options))
        for fallback in options.fallbacks or ():
            self.core.find(fallback)
        if call.operation == "embedding" and whole is None:
            parts = split_inputs(self, call, group, options)
            if parts:
                return await answer_parts(self, parts, group, options)
        trip = begin_trip(self.core, call, group.name, options, whole)
        while True:
            try:
                answer = await self._within(group, trip)
            except APIError as error:
                following = trip.next_group(error)
                if following is None:
                    verdict = trip.verdict(error)
                    raise verdict from verdict.__cause__
                group = following
            else:
                return ChatStream(answer, self._resume) if type(answer) is Flow else answer

    async def _within(self, group: Group, trip: Trip) -> Answer | Flow:
        """Attempts in one group, until one is answered or the trip says stop."""
        trip.enter(group)
        while True:
            choice = self.core.choose(group, trip)
            if type(choice) is Wait or choice.delay:
                choice = await self._wait(choice, group, trip)
            try:
                if choice.probe or trip.hedges:
                    return await race(self.core, self.attempts.make, choice, trip)
                return await self.attempts.make(choice, trip)
            except APIError as error:
                pause = trip.next_attempt(choice.deployment, error, group)
                if pause is None:
                    raise
            except BaseException:
                choice.abandoned()
                raise
            if pause:
                await asyncio.sleep(pause)

    async def _wait(self, choice: Lease | Wait, group: Group, trip: Trip) -> Lease:
        """Wait for a reserved place, a slot, or anyone who comes back."""
        trip.fresh = False
        while True:
            if type(choice) is not Wait:
                if not choice.delay or await self._reach(choice):
                    return choice
                choice = self.core.choose(group, trip)
            elif choice.slot:
                try:
                    lease = await group.queue.join(trip, choice.seconds)
                except TimeoutError:
                    raise RateLimitError(
                        f"no slot of {group.name!r} was free within {choice.seconds:.3g} s "
                        "(max_parallel_requests)",
                        model=group.name,
                        retry_after=group.usual_time(),
                    ) from None
                choice = self.core.choose(group, trip) if lease is None else lease
            else:
                await asyncio.sleep(choice.seconds)
                choice = self.core.choose(group, trip)

    async def _reach(self, lease: Lease) -> bool:
        """Wait for a reserved place; False if its deployment is not to be asked any more."""
        try:
            await asyncio.sleep(lease.delay)
        except BaseException:
            lease.abandoned()
            raise
        if lease.is_wanted:
            lease.begin()
            return True
        lease.abandoned()
        lease.trip.route.attempts.remove(lease.attempt)  # it never began
        return False

    async def _resume(self, flow: Flow, error: APIError) -> bool:
        """Continue a stream that broke off, on another deployment; False if that cannot be."""
        return await resume(self.core, self.attempts.make, flow, error)
