"""The queue before slots that are all taken: who goes first, and what if nobody is there then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import InternalServerError
from polyroute.router.decisions import Wait
from polyroute.router.filters import Selection

from .halls import Hall

if TYPE_CHECKING:
    from polyroute.router.lease import Lease
    from polyroute.router.trip import Trip
    from polyroute.testing import FakeClock

pytestmark = pytest.mark.anyio


class Waiting:
    """One deployment with one slot, which is taken, and calls that wait for it."""

    def __init__(self, clock: FakeClock, **policies: Any) -> None:
        self.hall = Hall(clock, "a", **policies)
        (self.deployment,) = self.hall.deployments
        self.hall.limit(slots=1)
        self.holder = self.hall.choose()
        self.served: list[str] = []

    async def join(self, name: str, seconds: float = 10, **options: Any) -> asyncio.Task[Any]:
        """A call that stands in the queue from now on; answered as soon as it has a lease."""
        trip = self.hall.trip(**options)

        async def wait() -> None:
            lease = await self.hall.group.queue.join(trip, seconds)
            self.served.append(name)
            lease.succeeded(None)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        return task

    def check_whole(self) -> None:
        """Nobody holds or waits for anything any more."""
        assert self.deployment.in_flight == 0
        assert self.hall.choose().deployment is self.deployment


@pytest.fixture
def waiting(clock: FakeClock) -> Waiting:
    """A slot that is taken."""
    return Waiting(clock)


class TestOrder:
    async def test_first_come(self, waiting: Waiting, clock: FakeClock) -> None:
        """Among equals, who came first goes first; those of one instant in their order."""
        tasks = [await waiting.join(name) for name in "abc"]
        clock.advance(1)
        tasks.append(await waiting.join("d"))
        waiting.holder.succeeded(None)
        await asyncio.gather(*tasks)
        assert waiting.served == ["a", "b", "c", "d"]
        waiting.check_whole()

    async def test_lower_priority_number_first(self, waiting: Waiting) -> None:
        """The more urgent goes first, whoever came first."""
        tasks = [await waiting.join(str(number), priority=number) for number in (2, 0, 1)]
        waiting.holder.succeeded(None)
        await asyncio.gather(*tasks)
        assert waiting.served == ["0", "1", "2"]

    async def test_nobody_waits_for_ever(self, waiting: Waiting, clock: FakeClock) -> None:
        """Ten seconds of waiting weigh as much as one step of priority."""
        tasks = [await waiting.join("patient", 60, priority=1)]
        clock.advance(9)
        tasks.append(await waiting.join("urgent", 60, priority=0))
        clock.advance(2)
        tasks.append(await waiting.join("too late", 60, priority=0))
        waiting.holder.succeeded(None)
        await asyncio.gather(*tasks)
        assert waiting.served == ["urgent", "patient", "too late"]

    async def test_usual_priority(self, clock: FakeClock) -> None:
        """Calls that say nothing have the Router's `default_priority`."""
        waiting = Waiting(clock, default_priority=5)
        tasks = [await waiting.join("usual"), await waiting.join("urgent", priority=4)]
        waiting.holder.succeeded(None)
        await asyncio.gather(*tasks)
        assert waiting.served == ["urgent", "usual"]

    async def test_newcomer_does_not_overtake(self, waiting: Waiting) -> None:
        """A slot that has just come free is not for who comes now, while somebody waits."""
        task = await waiting.join("first")
        waiting.holder.succeeded(None)
        assert type(waiting.hall.choose()) is Wait
        await task
        assert waiting.served == ["first"]

    async def test_equal_newcomer_does_not_either(self, waiting: Waiting) -> None:
        """Who comes at the same instant, as urgent, comes after who waits already."""
        task = await waiting.join("first")
        waiting.hall.limit(slots=2)
        assert type(waiting.hall.choose()) is Wait
        waiting.hall.core.serve(waiting.hall.group)
        await task

    async def test_more_urgent_newcomer_does(self, waiting: Waiting, clock: FakeClock) -> None:
        """Who would stand first in the queue need not stand in it."""
        task = await waiting.join("patient", priority=3)
        waiting.hall.limit(slots=2)
        lease = waiting.hall.choose(waiting.hall.trip(priority=0))
        assert lease.deployment is waiting.deployment
        lease.succeeded(None)
        await task

    async def test_every_slot_is_used(self, clock: FakeClock) -> None:
        """A hundred calls on three slots: never more than three at once, and all are served."""
        hall = Hall(clock, "a")
        (deployment,) = hall.deployments
        hall.limit(slots=3)
        most = 0

        async def call() -> None:
            nonlocal most
            trip = hall.trip()
            choice: Wait | Lease = hall.choose(trip)
            lease = await hall.group.queue.join(trip, 5) if type(choice) is Wait else choice
            most = max(most, deployment.in_flight)
            await asyncio.sleep(0)
            lease.succeeded(None)

        await asyncio.gather(*(call() for _ in range(100)))
        assert (most, deployment.in_flight, deployment.successes) == (3, 0, 100)
        assert len(hall.group.queue) == 0


class TestLeaving:
    async def test_cancelled_while_waiting(self, waiting: Waiting) -> None:
        """Who leaves the queue is passed over."""
        gone, stays = await waiting.join("gone"), await waiting.join("stays")
        gone.cancel()
        await asyncio.wait([gone])
        waiting.holder.succeeded(None)
        await stays
        assert waiting.served == ["stays"]
        waiting.check_whole()

    async def test_cancelled_in_the_moment_of_the_hand_over(self, waiting: Waiting) -> None:
        """A lease that is made for somebody who leaves at that moment goes to the next."""
        gone, stays = await waiting.join("gone"), await waiting.join("stays")
        waiting.holder.succeeded(None)  # the lease is on its way to the first of them
        gone.cancel()
        await asyncio.wait([gone])
        await stays
        assert (gone.cancelled(), waiting.served) == (True, ["stays"])
        waiting.check_whole()

    async def test_cancelled_with_the_lease_in_hand(self, waiting: Waiting) -> None:
        """Even when the lease has arrived and only its owner has not woken up yet."""
        gone = await waiting.join("gone")
        waiting.holder.succeeded(None)
        asyncio.get_running_loop().call_soon(gone.cancel)  # after the hand-over, before waking
        await asyncio.wait([gone])
        assert (gone.cancelled(), waiting.served) == (True, [])
        waiting.check_whole()

    async def test_time_is_over(self, waiting: Waiting) -> None:
        """Who has waited long enough is told so, and is in nobody's way."""
        task = await waiting.join("hasty", 0.001)
        with pytest.raises(TimeoutError):
            await task
        waiting.holder.succeeded(None)
        waiting.check_whole()

    async def test_time_is_over_in_the_moment_of_the_hand_over(self, waiting: Waiting) -> None:
        """Whoever wins, the slot is given back once, and to the next in line."""
        task = await waiting.join("hasty", 0.0)
        waiting.holder.succeeded(None)
        await asyncio.wait([task])
        assert waiting.served == ([] if task.exception() else ["hasty"])
        waiting.check_whole()

    @pytest.mark.parametrize("turns", range(6))
    async def test_cancelled_at_any_turn(self, waiting: Waiting, turns: int) -> None:
        """However many turns of the loop lie between hand-over and leaving, no slot is lost."""
        task = await waiting.join("somebody")
        waiting.holder.succeeded(None)
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        waiting.check_whole()


class TestRoomElsewhere:
    async def test_who_waits_for_somebody_else_holds_nobody_up(self, clock: FakeClock) -> None:
        """A call that only a busy deployment can serve is passed by those whom others can."""
        hall = Hall(clock, "ab")
        a, b = hall.deployments
        hall.limit(slots=1)
        holders = {lease.deployment: lease for lease in (hall.choose(), hall.choose())}
        choosy, first, second = hall.trip(), hall.trip(), hall.trip()
        choosy.selection = Selection(hall.group.members, None, frozenset({a}))
        choosy.unrestricted = False
        join = hall.group.queue.join
        tasks = [asyncio.create_task(join(trip, 5)) for trip in (choosy, first, second)]
        await asyncio.sleep(0)
        holders[b].succeeded(None)
        assert (await tasks[1]).deployment is b
        holders[a].succeeded(None)
        assert (await tasks[0]).deployment is a
        (await tasks[0]).succeeded(None)
        assert (await tasks[2]).deployment is a

    async def test_slots_are_not_what_is_missing(self, clock: FakeClock) -> None:
        """When everybody rests and has slots, those who wait are sent to choose anew."""
        hall = Hall(clock, "a")
        hall.limit(slots=1)
        holder, trip = hall.choose(), hall.trip()
        task = asyncio.create_task(hall.group.queue.join(trip, 5))
        await asyncio.sleep(0)
        holder.failed(InternalServerError("failed"))
        assert await task is None
        assert hall.choose(trip).deployment.circuit.state == "open"  # in panic

    async def test_nobody_is_left_to_wait_for(self, waiting: Waiting) -> None:
        """When the last deployment goes, those who wait are sent to choose anew."""
        hall = waiting.hall
        trip: Trip = hall.trip()
        task = asyncio.create_task(hall.group.queue.join(trip, 10))
        await asyncio.sleep(0)
        hall.group.remove(waiting.deployment)
        hall.core.serve(hall.group)
        assert await task is None

    async def test_new_slots_are_used_at_once(self, waiting: Waiting) -> None:
        """A deployment that comes while calls wait takes them."""
        task = await waiting.join("somebody")
        waiting.hall.group.add(waiting.hall.deployment("b"))
        waiting.hall.group.refresh()
        waiting.hall.core.serve(waiting.hall.group)
        await task
        assert waiting.served == ["somebody"]
        assert waiting.deployment.in_flight == 1
