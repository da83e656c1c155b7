"""When a second attempt is made beside a slow one, and whom it may go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from polyroute import InternalServerError
from polyroute.router.hedging import ENOUGH, HedgeBudget, Recent

from .halls import Hall

if TYPE_CHECKING:
    from polyroute.testing import FakeClock

FAILED = InternalServerError("failed")


def recent(*seconds: float) -> Recent:
    times = Recent()
    for each in seconds:
        times.add(each)
    return times


class TestPatience:
    def test_too_few_samples(self) -> None:
        """Twenty times to first token are needed before any can be called unusual."""
        assert recent(*[1.0] * (ENOUGH - 1)).patience is None
        assert recent(*[1.0] * ENOUGH).patience == 2.5

    def test_the_larger_of_both(self) -> None:
        """The 95th percentile, or two and a half times the median if that is more."""
        assert recent(*[1.0] * 18, 9.0, 9.0).patience == 9.0
        assert recent(*[1.0] * 19, 9.0).patience == 9.0
        assert recent(*[1.0] * 39, 9.0).patience == 2.5

    def test_last_two_hundred(self) -> None:
        """What was usual long ago is forgotten."""
        assert recent(*[50.0] * 500, *[1.0] * 200).patience == 2.5

    def test_follows_new_samples(self) -> None:
        """It is worked out anew after a few more samples, not with each."""
        times = recent(*[1.0] * ENOUGH)
        assert times.patience == 2.5
        for _ in range(200):
            times.add(2.0)
        assert times.patience == 5.0


class TestBudget:
    def test_share_of_the_calls(self) -> None:
        """Ten in reserve, then three of a hundred calls."""
        budget = HedgeBudget()
        assert sum(budget.spend() for _ in range(50)) == 10
        for _ in range(100):
            budget.earn()
        assert sum(budget.spend() for _ in range(50)) in (2, 3)  # hundredths of floating point

    def test_savings_are_bounded(self) -> None:
        """A quiet week pays for ten, no more."""
        budget = HedgeBudget()
        for _ in range(100_000):
            budget.earn()
        assert sum(budget.spend() for _ in range(50)) == 10


class TestChoice:
    def slow(self, clock: FakeClock, **settings: Any) -> tuple[Hall, Any]:
        """Two deployments that usually take 0.2 s, and an attempt on the first after 1 s."""
        hall = Hall(clock, "ab", **settings)
        for deployment in hall.deployments:
            hall.answered(deployment, 0.2)
        lease = hall.lease(hall.deployments[0])
        clock.advance(1.0)
        return hall, lease

    def test_goes_to_who_is_clearly_faster(self, clock: FakeClock) -> None:
        """Somebody else who needs at most 0.6 of what has passed already is asked, as a hedge."""
        hall, slow = self.slow(clock)
        hedge = hall.core.hedge(hall.group, slow.trip, slow)
        assert (hedge.deployment.id, hedge.attempt.reason) == ("b", "hedge")
        assert slow.is_open

    def test_nobody_is_clearly_faster(self, clock: FakeClock) -> None:
        """Where the others are slow too, the money is not spent."""
        hall, slow = self.slow(clock)
        hall.deployments[1].pace("chat").first = 0.7
        assert hall.core.hedge(hall.group, slow.trip, slow) is None
        assert hall.core.hedge_budget.balance == 10

    def test_budget_is_used_up(self, clock: FakeClock) -> None:
        """Without budget there is no second attempt."""
        hall, slow = self.slow(clock)
        hall.core.hedge_budget.balance = 0.5
        assert hall.core.hedge(hall.group, slow.trip, slow) is None

    def test_quota_that_others_need(self, clock: FakeClock) -> None:
        """A hedge does not take the last fifth of a quota."""
        hall, slow = self.slow(clock)
        hall.limit(hall.deployments[1], rpm=10)
        for _ in range(8):
            hall.lease(hall.deployments[1]).succeeded(None)
        assert hall.core.hedge(hall.group, slow.trip, slow) is None

    @pytest.mark.parametrize("why", ["failed before", "rests", "no slot"])
    def test_who_cannot_be_asked(self, clock: FakeClock, why: str) -> None:
        """Who has failed in this call, rests or has no slot is no help."""
        hall, slow = self.slow(clock)
        other = hall.deployments[1]
        if why == "failed before":
            slow.trip.note(other, FAILED, sent=True)
        elif why == "rests":
            hall.rest(other, error=FAILED)
        else:
            hall.limit(other, slots=0)
        assert hall.core.hedge(hall.group, slow.trip, slow) is None

    def test_probes_are_always_hedged(self, clock: FakeClock) -> None:
        """Nobody pays for a probe: no budget, no prediction is asked for."""
        hall, slow = self.slow(clock)
        hall.core.hedge_budget.balance = 0.0
        slow.probe = True
        hall.deployments[1].pace("chat").first = 30.0
        hedge = hall.core.hedge(hall.group, slow.trip, slow)
        assert hedge.deployment.id == "b"
        assert hall.core.hedge_budget.balance == 0.0


class TestGivingUp:
    """An attempt that has passed its soft limit is left if somebody is much faster."""

    def slow(self, clock: FakeClock) -> tuple[Hall, Any]:
        hall = Hall(clock, "ab")
        hall.answered(hall.deployments[1], 0.2)
        lease = hall.lease(hall.deployments[0])
        clock.advance(15.0)
        return hall, lease

    def test_somebody_is_faster(self, clock: FakeClock) -> None:
        """Half of what has passed is what another one needs at most."""
        hall, slow = self.slow(clock)
        assert hall.core.gives_up(slow, slow.trip)

    def test_nobody_is_faster(self, clock: FakeClock) -> None:
        """Where leaving does not help, the attempt goes on to its hard limit."""
        hall, slow = self.slow(clock)
        hall.deployments[1].pace("chat").first = 9.0
        hall.deployments[0].pace("chat").first = 9.0
        assert not hall.core.gives_up(slow, slow.trip)

    def test_no_attempt_left(self, clock: FakeClock) -> None:
        """An attempt that no other could follow is not given up."""
        hall, slow = self.slow(clock)
        assert not hall.core.gives_up(slow, hall.trip(num_retries=0))
        while hall.core.retry_budget.spend():
            pass
        assert not hall.core.gives_up(slow, slow.trip)


class TestOvertaken:
    def test_soft_evidence(self, clock: FakeClock) -> None:
        """Three times in a row overtaken before a first token: the deployment rests."""
        hall = Hall(clock, "abc")
        for _ in range(3):
            assert hall.deployments[0].circuit.state == "closed"
            hall.lease(hall.deployments[0]).overtaken()
        assert (hall.deployments[0].circuit.state, hall.deployments[0].circuit.soft) == (
            "open",
            True,
        )

    def test_after_the_first_token_nothing_is_proven(self, clock: FakeClock) -> None:
        """A stream that had begun was not too slow to begin."""
        hall = Hall(clock, "abc")
        for _ in range(10):
            lease = hall.lease(hall.deployments[0], hall.trip(stream=True))
            lease.first_token()
            lease.overtaken()
        assert hall.deployments[0].circuit.state == "closed"

    def test_losing_hedge_proves_nothing(self, clock: FakeClock) -> None:
        """A hedge that comes second began later: no evidence against its deployment."""
        hall = Hall(clock, "abc")
        for _ in range(10):
            lease = hall.lease(hall.deployments[0])
            lease.attempt.reason = "hedge"
            lease.overtaken()
        assert hall.deployments[0].circuit.state == "closed"

    def test_costs_the_prompt(self, clock: FakeClock) -> None:
        """Whoever is cut off has read the prompt; nobody says what else it did."""
        hall = Hall(clock, "abc")
        lease = hall.lease(hall.deployments[0], hall.trip(tokens=100))
        lease.attempt.status = 200
        lease.overtaken()
        assert (lease.attempt.outcome, lease.attempt.cost) == ("overtaken", 100.0)
        assert hall.deployments[0].cost == 100.0
