"""Circuits: when a deployment rests, for how long, and how it comes back."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from polyroute import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    Timeout,
)
from polyroute.router.health import Circuit, HealthPolicy, Window

if TYPE_CHECKING:
    from polyroute.testing import FakeClock

FAILED = InternalServerError("failed")


def circuit(clock: FakeClock, **policy: float) -> Circuit:
    """A circuit without jitter, unless the policy says otherwise."""
    return Circuit(HealthPolicy(**{"jitter": 0.0, **policy}), clock, random.Random(1))


def rest(it: Circuit, clock: FakeClock) -> float:
    """Seconds until it may be probed."""
    return it.until - clock()


class TestOpening:
    def test_tolerated_failures_in_a_row(self, clock: FakeClock) -> None:
        """As many failures as allowed change nothing; one more opens."""
        it = circuit(clock, allowed_fails=2)
        states = []
        for _ in range(3):
            it.failed(FAILED)
            states.append(it.state)
        assert states == ["closed", "closed", "open"]

    def test_answers_from_before_the_trouble(self, clock: FakeClock) -> None:
        """Old streams that still end well do not hide that every new attempt fails."""
        it = circuit(clock, allowed_fails=2)
        began = clock()
        for _ in range(3):
            clock.advance(1)
            it.failed(FAILED)
            it.succeeded(clock(), began)
        assert it.state == "open"

    def test_success_starts_the_count_anew(self, clock: FakeClock) -> None:
        """Only failures in a row count, as long as their rate is low."""
        it = circuit(clock, allowed_fails=2)
        for _ in range(10):
            it.failed(FAILED)
            it.failed(FAILED)
            for _ in range(3):
                it.succeeded(clock(), clock())
        assert it.state == "closed"

    def test_rate_of_failures(self, clock: FakeClock) -> None:
        """Half of ten attempts failing within the window opens, whatever came between."""
        it = circuit(clock)
        for _ in range(5):
            it.succeeded(clock(), clock())
            assert it.state == "closed"
            it.failed(FAILED)
        assert it.state == "open"

    def test_rate_is_of_the_last_seconds(self, clock: FakeClock) -> None:
        """Failures that are older than the window are forgotten."""
        it = circuit(clock)
        for _ in range(20):
            it.succeeded(clock(), clock())
            it.failed(FAILED)
            clock.advance(10)
        assert it.state == "closed"

    @pytest.mark.parametrize("kind", [AuthenticationError, PermissionDeniedError, NotFoundError])
    def test_refusal_opens_at_once(self, clock: FakeClock, kind: type) -> None:
        """A refused key, permission or model rests a minute after a single answer."""
        it = circuit(clock)
        it.failed(kind("no"))
        assert (it.state, rest(it, clock)) == ("open", 60)

    @pytest.mark.parametrize(("asked", "rested"), [(2.5, 2.5), (3600, 60)])
    def test_rate_limit_rests_as_told(self, clock: FakeClock, asked: float, rested: float) -> None:
        """A 429 opens for its Retry-After, at most a minute, and never with jitter."""
        it = circuit(clock, jitter=0.5)
        it.failed(RateLimitError("slow down", retry_after=asked))
        assert (it.state, rest(it, clock)) == ("open", rested)

    def test_rate_limit_without_a_time(self, clock: FakeClock) -> None:
        """A 429 that says nothing rests like a failure, but at once."""
        it = circuit(clock)
        it.failed(RateLimitError("slow down"))
        assert (it.state, rest(it, clock)) == ("open", 5)

    def test_retry_after_zero(self, clock: FakeClock) -> None:
        """Retry-After: 0 rests nothing, but such failures add up."""
        it = circuit(clock, allowed_fails=2)
        for _ in range(2):
            it.failed(RateLimitError("slow down", retry_after=0.0))
        assert it.state == "closed"
        it.failed(RateLimitError("slow down", retry_after=0.0))
        assert it.state == "open"

    @pytest.mark.parametrize("kind", [APIConnectionError, Timeout])
    def test_no_answer_is_a_failure(self, clock: FakeClock, kind: type) -> None:
        """Connections that fail and attempts that take too long count."""
        it = circuit(clock, allowed_fails=0)
        it.failed(kind("nothing came"))
        assert it.state == "open"

    def test_callers_errors_do_not_count(self, clock: FakeClock) -> None:
        """A bad request says nothing about the deployment."""
        it = circuit(clock, allowed_fails=0)
        for _ in range(50):
            it.failed(BadRequestError("no"))
        assert it.state == "closed"

    def test_disabled(self, clock: FakeClock) -> None:
        """Where cooldowns are disabled nothing opens."""
        it = circuit(clock, disabled=True)
        for _ in range(50):
            it.failed(AuthenticationError("no"))
        assert it.state == "closed"


class TestResting:
    def test_rest_ends_in_one_probe(self, clock: FakeClock) -> None:
        """Nobody is let through during the rest; after it, until the probe has ended, one."""
        it = circuit(clock, allowed_fails=0)
        it.failed(FAILED)
        clock.advance(4.9)
        assert not it.rested()
        clock.advance(0.2)
        assert it.rested()
        it.probing = True
        assert not it.rested()

    def test_success_closes(self, clock: FakeClock) -> None:
        """A probe that succeeds closes the circuit."""
        it = circuit(clock, allowed_fails=0)
        it.failed(FAILED)
        clock.advance(6)
        assert it.rested()
        it.succeeded(clock(), clock())
        assert (it.state, it.probing, it.fails_in_row) == ("closed", False, 0)

    @pytest.mark.parametrize(("answers", "rested"), [(1, 7.5), (12, 5)])
    def test_rests_of_what_flaps_go_on_growing(
        self, clock: FakeClock, answers: int, rested: float
    ) -> None:
        """Only after ten answers is the next rest a first one again."""
        it = circuit(clock, allowed_fails=0)
        it.failed(FAILED)
        clock.advance(6)
        assert it.rested()
        for _ in range(answers):
            it.succeeded(clock(), clock())
        it.failed(FAILED)
        assert rest(it, clock) == rested

    def test_rests_grow_to_a_cap(self, clock: FakeClock) -> None:
        """Each failed probe rests half as long again, up to ten seconds."""
        it = circuit(clock, allowed_fails=0)
        it.failed(FAILED)
        rests = [rest(it, clock)]
        for _ in range(3):
            clock.advance(rests[-1])
            assert it.rested()
            it.probing = True
            it.failed(FAILED, probe=True)
            rests.append(rest(it, clock))
        assert rests == [5, 7.5, 10, 10]

    def test_longer_cooldown_is_its_own_cap(self, clock: FakeClock) -> None:
        """A cooldown_time beyond the usual cap is kept."""
        it = circuit(clock, allowed_fails=0, cooldown_time=30)
        it.failed(FAILED)
        assert rest(it, clock) == 30

    def test_rests_are_jittered(self, clock: FakeClock) -> None:
        """Rests are shorter by up to a tenth, so that many processes do not probe at once."""
        rests = set()
        for seed in range(50):
            it = Circuit(HealthPolicy(allowed_fails=0), clock, random.Random(seed))
            it.failed(FAILED)
            rests.add(rest(it, clock))
        assert len(rests) > 40
        assert 4.5 <= min(rests) < 4.6
        assert 4.9 < max(rests) <= 5

    def test_late_failures_do_not_lengthen_the_rest(self, clock: FakeClock) -> None:
        """Fifty attempts that were running when the circuit opened fail too: one rest for all."""
        it = circuit(clock)
        for _ in range(50):
            it.failed(FAILED)
        assert rest(it, clock) == 5

    def test_shorter_rest_does_not_shorten_a_longer(self, clock: FakeClock) -> None:
        """A minute for a refused key is not cut short by another attempt's failure."""
        it = circuit(clock)
        it.failed(AuthenticationError("no"))
        it.failed(RateLimitError("slow down", retry_after=1))
        assert rest(it, clock) == 60

    def test_abandoned_probe(self, clock: FakeClock) -> None:
        """A probe whose caller left proves nothing; the next call probes."""
        it = circuit(clock, allowed_fails=0)
        it.failed(FAILED)
        clock.advance(6)
        assert it.rested()
        it.probing = True
        it.abandoned(probe=True)
        assert it.rested()


class TestWindow:
    def test_counts(self) -> None:
        """Endings and failures are counted."""
        window = Window(30)
        for second in range(10):
            window.add(second, failed=second % 2 == 0)
        assert window.counts(10) == (10, 5)

    def test_remembers_at_least_half(self) -> None:
        """What happened within half the window is always remembered."""
        window = Window(30)
        for second in range(100):
            window.add(second, failed=True)
            assert window.counts(second)[1] >= min(second + 1, 15)

    def test_forgets_beyond_the_whole(self) -> None:
        """What is older than the window is never counted, also after a long silence."""
        window = Window(30)
        window.add(0, failed=True)
        window.add(16, failed=True)
        assert window.counts(31) == (1, 1)
        assert window.counts(1000) == (0, 0)
