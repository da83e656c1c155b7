"""Paces: what is expected of a deployment, given what it has done and what still waits there."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

import pytest

from polyroute import InternalServerError, Timeout, Usage
from polyroute.router.health import HealthPolicy
from polyroute.router.pace import FORGETTING, Burden, Failing, Pace

from .halls import Hall

if TYPE_CHECKING:
    from polyroute.testing import FakeClock


class TestFirst:
    def test_first_sample_is_believed(self) -> None:
        """The first observation is all that is known."""
        pace = Pace()
        pace.observe(0.4, 0.0)
        assert (pace.first, pace.steady, pace.expected(0.0, 1.0)) == (0.4, 0.4, 0.4)

    def test_worse_news_weigh_more(self) -> None:
        """A slower answer moves the mean by a third, a faster one by less than a sixth."""
        slower, faster = Pace(), Pace()
        for pace in (slower, faster):
            pace.observe(1.0, 0.0)
        slower.observe(2.0, 0.1)
        faster.observe(0.0, 0.1)
        assert (slower.first, faster.first) == pytest.approx((1.35, 0.85))

    def test_usual_time_is_even(self) -> None:
        """What is usual is moved by a tenth, in both directions."""
        pace = Pace()
        for seconds in (1.0, 2.0, 0.0):
            pace.observe(seconds, 0.0)
        assert pace.steady == pytest.approx(1.1 - 0.11)

    def test_old_news_weigh_less_than_new(self) -> None:
        """After a long silence a new sample is nearly all that counts."""
        pace = Pace()
        pace.observe(5.0, 0.0)
        pace.observe(0.5, 10 * FORGETTING)
        assert pace.first == pytest.approx(0.5, abs=0.001)

    def test_given_up(self) -> None:
        """An attempt that was ended without a token is taken half into account, if it was slow."""
        pace = Pace()
        pace.observe(1.0, 0.0)
        pace.given_up(0.5, 0.0)
        assert pace.first == 1.0
        pace.given_up(9.0, 0.0)
        assert pace.first == pytest.approx(5.0)


class TestExpected:
    def test_without_history(self) -> None:
        """A newcomer is expected to be what the group usually is."""
        assert Pace().expected(0.0, 0.7) == 0.7

    def test_bad_memories_fade(self) -> None:
        """What was slower than usual comes back to usual, so that it is tried again."""
        pace = Pace()
        pace.observe(5.0, 0.0)
        assert pace.expected(0.0, 1.0) == 5.0
        assert pace.expected(FORGETTING, 1.0) == pytest.approx(1 + 4 * exp(-1))
        assert pace.expected(1e4, 1.0) == pytest.approx(1.0)

    def test_good_memories_stay(self) -> None:
        """What was faster than usual is expected again."""
        pace = Pace()
        pace.observe(0.2, 0.0)
        assert pace.expected(1e4, 1.0) == 0.2

    def test_two_that_wait_are_a_floor(self, clock: FakeClock) -> None:
        """Where two attempts have waited for so long, the next is expected to wait as long."""
        hall = Hall(clock, "a")
        pace = hall.deployments[0].pace("chat")
        hall.answered(hall.deployments[0], 0.2)
        for _ in range(2):
            hall.lease(hall.deployments[0])
            clock.advance(0.3)
        assert pace.expected(clock(), 0.2) == pytest.approx(0.3)

    def test_one_that_waits_very_long(self, clock: FakeClock) -> None:
        """A single one may be unlucky: half its age counts, once it is three times the usual."""
        hall = Hall(clock, "a")
        pace = hall.deployments[0].pace("chat")
        hall.answered(hall.deployments[0], 0.2)
        hall.lease(hall.deployments[0])
        clock.advance(0.55)
        assert pace.expected(clock(), 0.2) == pytest.approx(0.2)
        clock.advance(1.45)
        assert pace.expected(clock(), 0.2) == pytest.approx(1.0)

    def test_nobody_waits_after_the_first_token(self, clock: FakeClock) -> None:
        """A stream that has begun, however long it goes on, is nothing that waits."""
        hall = Hall(clock, "a")
        lease = hall.lease(hall.deployments[0], hall.trip(stream=True))
        pace = hall.deployments[0].pace("stream")
        clock.advance(0.2)
        lease.first_token()
        clock.advance(60)
        assert not pace.waiting
        assert pace.expected(clock(), 0.2) == pytest.approx(0.2)

    @pytest.mark.parametrize("end", ["succeeded", "failed", "abandoned", "overtaken"])
    def test_nobody_waits_after_the_end(self, clock: FakeClock, end: str) -> None:
        """However an attempt ends, nothing of it is left waiting."""
        hall = Hall(clock, "a")
        lease = hall.lease(hall.deployments[0])
        arguments = {"succeeded": (None,), "failed": (InternalServerError("no"),)}
        getattr(lease, end)(*arguments.get(end, ()))
        assert not hall.deployments[0].pace("chat").waiting


class TestKinds:
    def test_kept_apart(self, clock: FakeClock) -> None:
        """Streams and whole answers of one deployment have statistics of their own."""
        hall = Hall(clock, "a")
        (a,) = hall.deployments
        hall.answered(a, 8.0)
        stream = hall.lease(a, hall.trip(stream=True))
        clock.advance(0.3)
        stream.first_token()
        assert a.pace("chat").first == pytest.approx(8.0)
        assert a.pace("stream").first == pytest.approx(0.3)
        assert a.pace("embedding").first is None

    def test_rate(self, clock: FakeClock) -> None:
        """Tokens per second are those after the first token; short answers tell nothing."""
        hall = Hall(clock, "a")
        (a,) = hall.deployments
        for tokens, rate in ((4, None), (100, 50.0), (200, 60.0)):
            lease = hall.lease(a, hall.trip(stream=True))
            clock.advance(5)
            lease.first_token()
            clock.advance(2)
            lease.succeeded(Usage(completion_tokens=tokens))
            assert a.pace("stream").rate == (rate and pytest.approx(rate))


class TestFailing:
    def test_share(self) -> None:
        """Each failure moves the share a fifth towards all, each success towards none."""
        failing = Failing()
        failing.add(0.0, failed=True)
        failing.add(0.0, failed=True)
        assert failing.share == pytest.approx(0.36)
        failing.add(0.0, failed=False)
        assert failing.share == pytest.approx(0.288)

    def test_forgotten(self) -> None:
        """Failures of long ago weigh nothing."""
        failing = Failing()
        failing.add(0.0, failed=True)
        assert failing.now(FORGETTING) == pytest.approx(0.2 * exp(-1))
        assert failing.now(1e4) == pytest.approx(0.0)

    def test_hinders(self, clock: FakeClock) -> None:
        """Recent failures, and a rest just over, make a deployment look slower than it is."""
        hall = Hall(clock, "a", health=HealthPolicy(ramp=10.0))
        (a,) = hall.deployments
        assert a.hindrance(clock()) == 1.0
        a.failing.add(clock(), failed=True)
        assert a.hindrance(clock()) == pytest.approx(1.8)
        a.failing.share = 0.0
        a.circuit.back_at = clock() - 5
        assert a.hindrance(clock()) == pytest.approx(2.5)
        clock.advance(5)
        assert a.hindrance(clock()) == 1.0

    def test_callers_errors_are_no_failures(self, clock: FakeClock) -> None:
        """Only what the deployment is to blame for counts."""
        hall = Hall(clock, "a")
        (a,) = hall.deployments
        hall.lease(a).failed(Timeout("hurry"), counts=False)
        assert a.failing.share == 0.0


class TestBurden:
    def test_prior(self) -> None:
        """Until fifty answers have been seen, a deployment counts as a queue."""
        burden = Burden()
        for n in range(49):
            burden.observe(n % 8, 1.0)
        assert burden.exponent == 1.0

    def test_unburdened(self) -> None:
        """One whose time does not depend on its load is burdened a little less, never far less."""
        burden = Burden()
        for n in range(500):
            burden.observe(n % 16, 1.0)
        assert burden.exponent == Burden.LEAST == 0.95

    def test_queue(self) -> None:
        """One whose time grows with its load stays at 1, also if it grows faster."""
        for power in (1.0, 2.0):
            burden = Burden()
            for n in range(500):
                burden.observe(n % 16, (n % 16 + 1) ** power)
            assert burden.exponent == pytest.approx(1.0)

    def test_constant_load_says_nothing(self) -> None:
        """Without different loads there is no slope to be seen."""
        burden = Burden()
        for n in range(500):
            burden.observe(3, 1.0 + n % 7)
        assert burden.exponent == pytest.approx(1.0)

    def test_slowdown(self) -> None:
        """Little, where no load has ever slowed it; in full beyond the load that it has borne."""
        free = Burden()
        for n in range(100):
            free.observe(n % 10, 1.0)
        assert free.slowdown(9, 1.0) < 1.2
        assert free.slowdown(39, 1.0) > 10.0

    def test_slowdown_of_a_queue(self) -> None:
        """An answer far later than usual takes back what was tolerated."""
        queue = Burden()
        for _ in range(100):
            queue.observe(10, 1.0)
        before = queue.slowdown(10, 1.0)
        queue.observe(10, 5.0)
        assert queue.slowdown(10, 1.0) > before

    def test_slowdown_without_history(self) -> None:
        """Until anything is known, each attempt in flight is one in front, for the weight."""
        assert Burden().slowdown(3, 2.0) == 2.0
