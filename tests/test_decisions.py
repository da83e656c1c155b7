"""The decision core: who is asked, when, and what comes after a failure. No I/O, no waiting."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import (
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ServiceUnavailableError,
)
from polyroute.router.decisions import MARGIN, SPREAD, Wait
from polyroute.router.health import HealthPolicy
from polyroute.router.lease import Lease
from polyroute.router.trip import LONGEST_PANIC

from .halls import Hall

if TYPE_CHECKING:
    from polyroute.testing import FakeClock

FAILED = InternalServerError("failed")


def limited(seconds: float) -> RateLimitError:
    return RateLimitError("slow down", retry_after=seconds)


def fail(hall: Hall, trip: Any, error: Any = FAILED) -> Any:
    """One attempt that is chosen and fails; returns its lease."""
    lease = hall.choose(trip)
    trip.note(lease.deployment, error, sent=True)
    lease.failed(error)
    return lease


class TestReady:
    def test_burst_is_spread(self, clock: FakeClock) -> None:
        """Calls of one instant go to all alike, as each lease counts from the choice on."""
        hall = Hall(clock, "abcd")
        chosen = Counter(hall.choose().deployment.id for _ in range(40))
        assert chosen == {"a": 10, "b": 10, "c": 10, "d": 10}

    def test_siblings_before_the_same_again(self, clock: FakeClock) -> None:
        """A call tries everybody once before it comes back to anybody, and says so."""
        hall = Hall(clock, health=HealthPolicy(allowed_fails=99, window_least=99))
        trip = hall.trip()
        leases = [fail(hall, trip) for _ in range(4)]
        assert {lease.deployment.id for lease in leases[:3]} == {"a", "b", "c"}
        assert [lease.attempt.reason for lease in leases] == [
            "first",
            "sibling",
            "sibling",
            "retry",
        ]

    def test_refused_for_good_is_not_asked_again(self, clock: FakeClock) -> None:
        """Who has refused the request itself is not asked a second time; the error is theirs."""
        hall = Hall(clock, "a")
        trip = hall.trip()
        fail(hall, trip, BadRequestError("no"))
        with pytest.raises(BadRequestError, match="no"):
            hall.choose(trip)

    def test_nobody_at_all(self, clock: FakeClock) -> None:
        """A group whose deployments have all been removed says so."""
        with pytest.raises(NotFoundError, match="no deployment left"):
            Hall(clock, "").choose()


class TestQuota:
    def test_thousand_callers_at_one_instant(self, clock: FakeClock) -> None:
        """No more than the quota is let through at once; the others get later places or errors."""
        hall = Hall(clock, "ab")
        hall.limit(rpm=30)
        now, later, refused = 0, 0, 0
        for _ in range(1000):
            try:
                now, later = (now, later + 1) if hall.choose().delay else (now + 1, later)
            except RateLimitError:
                refused += 1
        assert now == 60
        assert later == 2 * 20 * 30 / 60 - 2  # the free places of the next 20 s, less the margin
        assert refused == 1000 - now - later

    def test_next_free_place(self, clock: FakeClock) -> None:
        """When all are at their limits, the place that is free first is taken, and waited for."""
        hall = Hall(clock, "ab")
        hall.limit(hall.deployments[0], rpm=6)
        hall.limit(hall.deployments[1], rpm=12)
        for _ in range(18):
            assert hall.choose().delay == 0
        lease = hall.choose()
        assert lease.deployment.id == "b"
        assert lease.delay == pytest.approx(60 / 12 + MARGIN)
        assert hall.deployments[1].quota.promised == 1

    def test_place_is_used(self, clock: FakeClock) -> None:
        """The attempt begins when the place is free; its wait is no time of the deployment's."""
        hall = Hall(clock, "a")
        hall.limit(rpm=60)
        for _ in range(60):
            hall.choose().succeeded(None)
        lease = hall.choose()
        clock.advance(lease.delay)
        lease.begin()
        assert (lease.delay, hall.deployments[0].quota.promised) == (0.0, 0)
        clock.advance(0.5)
        lease.succeeded(None)
        assert lease.attempt.ended - lease.attempt.started == pytest.approx(0.5)
        assert lease.attempt.queued == pytest.approx(1.0 + MARGIN)

    def test_place_is_given_up(self, clock: FakeClock) -> None:
        """Who leaves before the place is free gives it to the next."""
        hall = Hall(clock, "a")
        hall.limit(rpm=60)
        for _ in range(60):
            hall.choose()
        waits = [hall.choose() for _ in range(3)]
        assert [lease.delay for lease in waits] == pytest.approx([n + MARGIN for n in (1, 2, 3)])
        waits[1].abandoned()
        assert hall.choose().delay == pytest.approx(3 + MARGIN)
        assert hall.deployments[0].quota.promised == 3

    def test_too_long_to_wait(self, clock: FakeClock) -> None:
        """A place that is free too late is an error at once, which says when there is room."""
        hall = Hall(clock, "a")
        hall.limit(rpm=1)
        hall.choose()
        with pytest.raises(RateLimitError, match="there is room in 60 s") as caught:
            hall.choose()
        assert caught.value.retry_after == pytest.approx(60)

    def test_soonest_of_all_counts(self, clock: FakeClock) -> None:
        """When to come back is when the first of them has room."""
        hall = Hall(clock, "ab")
        hall.limit(hall.deployments[0], rpm=1)
        hall.limit(hall.deployments[1], rpm=2)
        for _ in range(3):
            hall.choose()
        with pytest.raises(RateLimitError) as caught:
            hall.choose()
        assert caught.value.retry_after == pytest.approx(30)

    def test_short_of_time(self, clock: FakeClock) -> None:
        """Two seconds must be left after a wait."""
        hall = Hall(clock, "a")
        hall.limit(rpm=60)
        for _ in range(60):
            hall.choose()
        assert hall.choose(hall.trip(timeout=3.5)).delay > 0
        with pytest.raises(RateLimitError):
            hall.choose(hall.trip(timeout=3.5))  # 2 s to wait, 1.5 s left then

    def test_fallback_instead_of_a_long_wait(self, clock: FakeClock) -> None:
        """With a fallback group left, a place is waited for no longer than a second."""
        hall = Hall(clock, "a", backup=True)
        hall.limit(rpm=120)
        for _ in range(60):
            hall.choose()
        for _ in range(60):
            hall.deployments[0].quota.reserve(hall.trip(), clock())
        hall.deployments[0].quota.buckets[0].level = 0.0
        assert hall.choose().delay == pytest.approx(0.5 + MARGIN)
        with pytest.raises(RateLimitError):
            hall.choose()

    def test_zero_is_never(self, clock: FakeClock) -> None:
        """A quota of 0 takes nothing, and the error does not say to come back."""
        hall = Hall(clock, "a")
        hall.limit(rpm=0)
        with pytest.raises(RateLimitError, match="never comes back") as caught:
            hall.choose()
        assert caught.value.retry_after is None

    def test_zero_beside_others(self, clock: FakeClock) -> None:
        """Whoever has a quota of 0 is passed over."""
        hall = Hall(clock, "ab")
        hall.limit(hall.deployments[0], rpm=0)
        assert {hall.choose().deployment.id for _ in range(50)} == {"b"}

    def test_large_groups(self, clock: FakeClock) -> None:
        """The few that have room are found among many that have none."""
        hall = Hall(clock, "abcdefghijklmnopqrstuvwxyz")
        hall.limit(*hall.deployments[:25], rpm=0)
        assert {hall.choose().deployment.id for _ in range(20)} == {"z"}


class TestSlots:
    def test_wait_for_one(self, clock: FakeClock) -> None:
        """When all slots are taken the call stands in the queue, to its deadline."""
        hall = Hall(clock, "ab")
        hall.limit(slots=1)
        hall.choose(), hall.choose()
        assert hall.choose(hall.trip(timeout=7)) == Wait(7.0, slot=True)

    def test_fallback_instead_of_a_long_wait(self, clock: FakeClock) -> None:
        """With a fallback group left, the queue is for a second."""
        hall = Hall(clock, "a", backup=True)
        hall.limit(slots=1)
        hall.choose()
        assert hall.choose() == Wait(1.0, slot=True)

    def test_one_has_a_slot_another_a_quota(self, clock: FakeClock) -> None:
        """A place that is free soon is better than a slot that may never be."""
        hall = Hall(clock, "ab")
        hall.limit(hall.deployments[0], slots=1)
        hall.limit(hall.deployments[1], rpm=60)
        for _ in range(61):
            assert hall.choose().delay == 0
        assert hall.choose().deployment.id == "b"


class TestProbe:
    def test_single_over_all_calls(self, clock: FakeClock) -> None:
        """When a rest is over exactly one call probes; a hundred others go elsewhere."""
        hall = Hall(clock)
        hall.rest(hall.deployments[0], error=FAILED)
        clock.advance(5.1)
        leases = [hall.choose() for _ in range(101)]
        probes = [lease for lease in leases if lease.deployment.id == "a"]
        assert [lease.attempt.reason for lease in probes] == ["probe"]

    @pytest.mark.parametrize("end", ["failed", "abandoned", "overtaken"])
    def test_next_after_it_ended(self, clock: FakeClock, end: str) -> None:
        """A probe that has ended without success leaves the way free for the next, in time."""
        hall = Hall(clock)
        hall.rest(hall.deployments[0], error=FAILED)
        clock.advance(5.1)
        probe = hall.choose()
        assert probe.probe
        getattr(probe, end)(*([FAILED] if end == "failed" else []))
        clock.advance(10.1)
        assert hall.choose().probe

    def test_success_brings_it_back(self, clock: FakeClock) -> None:
        """A successful probe puts the deployment among the ready."""
        hall = Hall(clock)
        hall.rest(hall.deployments[0], error=FAILED)
        clock.advance(5.1)
        hall.choose().succeeded(None)
        assert len(hall.group.ready) == 3

    def test_not_by_who_has_failed_there(self, clock: FakeClock) -> None:
        """A call does not probe the deployment at which it has just failed."""
        hall = Hall(clock, "ab")
        trip = hall.trip()
        first = fail(hall, trip)
        clock.advance(5.1)
        assert not hall.choose(trip).probe
        assert hall.choose().deployment is first.deployment

    def test_within_limits(self, clock: FakeClock) -> None:
        """A probe takes a slot like everybody else; without one there is none."""
        hall = Hall(clock, "ab")
        hall.rest(hall.deployments[0], error=FAILED)
        hall.limit(hall.deployments[0], slots=0)
        clock.advance(5.1)
        assert {hall.choose().deployment.id for _ in range(10)} == {"b"}

    def test_rests_asked_for_need_no_probe(self, clock: FakeClock) -> None:
        """After a rest that the provider asked for the deployment is simply back."""
        hall = Hall(clock, "ab")
        hall.rest(hall.deployments[0], error=limited(2))
        clock.advance(2.01)
        leases = [hall.choose() for _ in range(10)]
        assert Counter(lease.deployment.id for lease in leases) == {"a": 5, "b": 5}
        assert not any(lease.probe for lease in leases)


class TestRamp:
    def test_traffic_comes_back_slowly(self, clock: FakeClock) -> None:
        """Just after a rest only a few attempts at once are let through."""
        hall = Hall(clock, "ab", health=HealthPolicy(allowed_fails=0, jitter=0.0))
        hall.rest(hall.deployments[0], error=FAILED)
        clock.advance(5.1)
        hall.choose().succeeded(None)
        hall.deployments[1].pace("chat").first = 60.0
        chosen = Counter(hall.choose().deployment.id for _ in range(100))
        assert chosen["a"] == 4
        clock.advance(10)
        assert hall.choose().deployment.id == "a"

    def test_never_alone(self, clock: FakeClock) -> None:
        """Where nobody else is there, a ramp holds nobody up."""
        hall = Hall(clock, "a", health=HealthPolicy(allowed_fails=0, jitter=0.0))
        hall.rest(hall.deployments[0], error=FAILED)
        clock.advance(5.1)
        hall.choose().succeeded(None)
        assert [hall.choose().delay for _ in range(50)] == [0.0] * 50


class TestSoftEvidence:
    def overtake(self, hall: Hall, name: str) -> None:
        """Let a deployment be overtaken until it would rest."""
        deployment = next(it for it in hall.deployments if it.id == name)
        for _ in range(3):
            hall.lease(deployment).overtaken()

    def test_never_more_than_half(self, clock: FakeClock) -> None:
        """However often all are overtaken, half of the group stays in."""
        hall = Hall(clock, "abcd")
        for name in "abcd" * 3:
            self.overtake(hall, name)
        assert len(hall.group.resting) == 2

    def test_hard_failures_bring_the_soft_ones_back(self, clock: FakeClock) -> None:
        """When most are out, those that were only slow may be chosen again."""
        hall = Hall(clock, "abcd")
        self.overtake(hall, "a")
        assert [it.id for it in hall.group.ready] == ["b", "c", "d"]
        hall.rest(*hall.deployments[1:3], error=FAILED)
        assert [it.id for it in hall.group.ready] == ["d", "a"]

    def test_hard_rests_do_not_grow_while_half_is_out(self, clock: FakeClock) -> None:
        """While half of the group is out its members are probed often."""
        hall = Hall(clock, "ab")
        for _ in range(4):
            hall.rest(hall.deployments[0], error=FAILED)
            clock.advance(5.001)
            assert hall.choose().probe
            hall.deployments[0].circuit.probing = False
            hall.deployments[0].circuit.failed(FAILED, probe=True, half_out=True)
            assert hall.deployments[0].circuit.until - clock() == pytest.approx(5.0)


class TestWaitingForARest:
    def test_429_that_ends_soon(self, clock: FakeClock) -> None:
        """A rest that a provider asked for, and that ends in time, is waited for."""
        hall = Hall(clock, "ab")
        hall.rest(hall.deployments[0], error=limited(9))
        hall.rest(hall.deployments[1], error=limited(4))
        lease = hall.choose()
        assert lease.deployment.id == "b"
        assert 4 + MARGIN <= lease.delay <= 4 + MARGIN + SPREAD

    def test_those_who_waited_come_back_spread(self, clock: FakeClock) -> None:
        """They do not all begin at the same instant."""
        hall = Hall(clock, "a")
        hall.rest(hall.deployments[0], error=limited(4))
        assert len({hall.choose().delay for _ in range(50)}) == 50

    def test_429_that_ends_too_late(self, clock: FakeClock) -> None:
        """One that ends after the longest wait is not: whoever is left is asked in panic."""
        hall = Hall(clock, "a")
        hall.rest(hall.deployments[0], error=limited(30))
        lease = hall.choose()
        assert (lease.delay, lease.deployment.circuit.state) == (0.0, "open")


class TestPanic:
    def down(self, clock: FakeClock, names: str = "abc", **settings: Any) -> Hall:
        """A group of which everybody rests after failures."""
        hall = Hall(clock, names, **settings)
        hall.rest(*hall.deployments, error=FAILED)
        return hall

    def test_somebody_is_asked(self, clock: FakeClock) -> None:
        """While something can be tried, "no deployments available" is no answer."""
        hall = self.down(clock)
        leases = [hall.choose() for _ in range(30)]
        assert {type(lease) for lease in leases} == {Lease}
        assert {lease.deployment.id for lease in leases} == {"a", "b", "c"}

    def test_closest_to_recovery_of_two(self, clock: FakeClock) -> None:
        """Of two drawn at random the one whose rest ends first; the last of all never."""
        hall = Hall(clock)
        for seconds, deployment in zip((31, 32, 33), hall.deployments, strict=True):
            hall.rest(deployment, error=limited(seconds))
        assert Counter(hall.choose().deployment.id for _ in range(30)).keys() == {"a", "b"}

    def test_budget_bounds_it(self, clock: FakeClock) -> None:
        """Thirty attempts, then a quarter of one per second: an outage is not hammered."""
        hall = self.down(clock)
        choices = [hall.choose() for _ in range(1000)]
        assert sum(type(choice) is Lease for choice in choices) == 30
        assert {choice.slot for choice in choices if type(choice) is Wait} == {False}

    def test_waiting_for_anyone(self, clock: FakeClock) -> None:
        """Beyond the budget a call looks again and again, until it has waited long enough."""
        hall = self.down(clock)
        hall.core.panic_budget = type(hall.core.panic_budget)(clock, share=0.0, floor=0.0)
        trip = hall.trip()
        waited = 0.0
        with pytest.raises(ServiceUnavailableError, match="rests after failures") as caught:
            for deployment in hall.deployments * 100:
                deployment.circuit.probing = True  # others are probing all of them all the time
                wait = hall.choose(trip)
                assert 0.05 <= wait.seconds <= 1.1
                waited += wait.seconds
                clock.advance(wait.seconds)
        assert LONGEST_PANIC - 1.1 <= waited <= LONGEST_PANIC
        assert caught.value.retry_after is not None

    def test_fallback_instead(self, clock: FakeClock) -> None:
        """Where another group can be asked, that comes before panic."""
        hall = self.down(clock, backup=True)
        with pytest.raises(ServiceUnavailableError) as caught:
            hall.choose()
        assert caught.value.retry_after == pytest.approx(5.0)

    def test_fallback_has_failed_too(self, clock: FakeClock) -> None:
        """In the last group of the chain there is nothing left but panic."""
        hall = self.down(clock, backup=True)
        trip = hall.trip()
        trip.groups.append("backup")
        assert type(hall.choose(trip)) is Lease

    def test_own_limits_hold(self, clock: FakeClock) -> None:
        """Also in panic nobody is asked beyond a quota."""
        hall = self.down(clock, "a")
        hall.limit(rpm=2)
        assert sum(type(hall.choose()) is Lease for _ in range(10)) == 2

    def test_success_ends_it(self, clock: FakeClock) -> None:
        """Whoever answers in panic is back at once, without a probe."""
        hall = self.down(clock)
        lease = hall.choose()
        lease.succeeded(None)
        assert hall.group.ready == [lease.deployment]


class TestNextAttempt:
    def test_sibling_at_once(self, clock: FakeClock) -> None:
        """A sibling that has not failed in this call is asked without a pause."""
        hall = Hall(clock)
        trip = hall.trip()
        assert trip.next_attempt(fail(hall, trip).deployment, FAILED, hall.group) == 0.0

    def test_same_one_after_a_pause(self, clock: FakeClock) -> None:
        """The only deployment is asked again after a back-off, as long as retries are left."""
        hall = Hall(clock, "a", health=HealthPolicy(allowed_fails=99, window_least=99))
        trip = hall.trip(num_retries=2)
        pauses = [
            trip.next_attempt(fail(hall, trip).deployment, FAILED, hall.group) for _ in range(3)
        ]
        assert 0 < pauses[0] <= 0.5
        assert 0 < pauses[1] <= 1.0
        assert pauses[2] is None

    def test_as_the_provider_says(self, clock: FakeClock) -> None:
        """After a Retry-After the choice itself waits, so there is no second pause."""
        hall = Hall(clock, "a")
        trip = hall.trip()
        error = limited(3)
        assert trip.next_attempt(fail(hall, trip, error).deployment, error, hall.group) == 0.0
        assert hall.choose(trip).delay >= 3

    def test_never_past_the_deadline(self, clock: FakeClock) -> None:
        """A pause that would end after the deadline is not begun."""
        hall = Hall(clock, "a")
        trip = hall.trip(timeout=4)
        error = limited(3)
        assert trip.next_attempt(fail(hall, trip, error).deployment, error, hall.group) is None

    def test_refused_requests(self, clock: FakeClock) -> None:
        """A request that is wrong is wrong everywhere."""
        hall = Hall(clock)
        trip = hall.trip()
        error = BadRequestError("no")
        assert trip.next_attempt(fail(hall, trip, error).deployment, error, hall.group) is None

    def test_refused_keys(self, clock: FakeClock) -> None:
        """A refused key says nothing about the siblings, but it is not tried again."""
        hall = Hall(clock, "ab")
        trip = hall.trip()
        error = AuthenticationError("no")
        pauses = [
            trip.next_attempt(fail(hall, trip, error).deployment, error, hall.group)
            for _ in range(2)
        ]
        assert pauses == [0.0, None]

    def test_budget(self, clock: FakeClock) -> None:
        """The first move to a sibling is free; what comes after is paid from the budget."""
        hall = Hall(clock, health=HealthPolicy(allowed_fails=99, window_least=99))
        while hall.core.retry_budget.spend():
            pass
        trip = hall.trip()
        assert trip.next_attempt(fail(hall, trip).deployment, FAILED, hall.group) == 0.0
        assert trip.next_attempt(fail(hall, trip).deployment, FAILED, hall.group) is None


class TestDeterminism:
    def run(self, seed: int) -> list[Any]:
        """A day with failures, limits and rests: all that was decided."""
        clock = _Clock()
        hall = Hall(clock, "abcd", health=HealthPolicy(allowed_fails=1))
        hall.rng.seed(seed)
        world = random.Random(7)  # the same world, whatever the core draws
        hall.limit(hall.deployments[0], rpm=40)
        hall.limit(hall.deployments[1], slots=3)
        decided: list[Any] = []
        running: list[Lease] = []
        for _ in range(2000):
            clock.now += world.expovariate(10)
            choice = self.choose(hall)
            decided.append(choice if not isinstance(choice, Lease) else choice.deployment.id)
            if isinstance(choice, Lease):
                running.append(choice)
            if len(running) > 5:
                lease = running.pop(world.randrange(len(running)))
                if world.random() < 0.2:
                    lease.failed(FAILED)
                else:
                    lease.succeeded(None)
        return decided

    def choose(self, hall: Hall) -> Any:
        try:
            return hall.choose()
        except (RateLimitError, ServiceUnavailableError) as error:
            return str(error)

    def test_same_clock_chance_and_observations(self) -> None:
        """Given the same, the core decides the same; another chance decides otherwise."""
        decided = self.run(1)
        assert len(set(decided)) > 3
        assert self.run(1) == decided
        assert self.run(2) != decided


class _Clock:
    """A clock whose time is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now
