"""How long retries wait, and how many there can be."""

from __future__ import annotations

import random
from statistics import mean
from typing import TYPE_CHECKING

from polyroute.router.retries import Backoff, RetryBudget

if TYPE_CHECKING:
    from conftest import FirstChoice

    from polyroute.testing import FakeClock


def spent(budget: RetryBudget) -> int:
    """How many retries can be had right now."""
    count = 0
    while count < 1000 and budget.spend():
        count += 1
    return count


class TestBackoff:
    def test_ceiling_doubles_up_to_the_longest(self, chance: FirstChoice) -> None:
        """The longest possible waits are 0.5, 1, 2, 4, 8, 8, … seconds."""
        backoff = Backoff(chance)
        for retry in range(1, 8):
            backoff.wait(retry)
        assert chance.ceilings == [0.5, 1, 2, 4, 8, 8, 8]

    def test_waits_are_spread_evenly(self) -> None:
        """Full jitter: waits lie anywhere between nothing and the ceiling."""
        backoff = Backoff(random.Random(1))
        waits = [backoff.wait(3) for _ in range(2000)]
        assert 0 <= min(waits) < 0.01
        assert 1.99 < max(waits) <= 2
        assert abs(mean(waits) - 1) < 0.05

    def test_huge_numbers_do_not_overflow(self) -> None:
        """The thousandth retry waits like the tenth."""
        assert Backoff(random.Random(1)).wait(5000) <= 8


class TestBudget:
    def test_floor(self, clock: FakeClock) -> None:
        """Without any success there are ten retries and no more."""
        assert spent(RetryBudget(clock)) == 10

    def test_successes_earn(self, clock: FakeClock) -> None:
        """Every five successes earn one retry."""
        budget = RetryBudget(clock)
        spent(budget)
        for _ in range(50):
            budget.earn()
        assert spent(budget) in (9, 10)  # tenths of floating point

    def test_savings_are_bounded(self, clock: FakeClock) -> None:
        """A long good time does not pay for an endless bad one."""
        budget = RetryBudget(clock)
        for _ in range(10_000):
            budget.earn()
        assert spent(budget) == 30

    def test_time_refills_up_to_the_floor(self, clock: FakeClock) -> None:
        """A minute brings the floor back, an hour no more than that."""
        budget = RetryBudget(clock)
        spent(budget)
        clock.advance(30)
        assert spent(budget) == 5
        clock.advance(3600)
        assert spent(budget) == 10

    def test_refusals_do_not_eat_what_time_brings(self, clock: FakeClock) -> None:
        """Asking in vain again and again does not keep the budget empty."""
        budget = RetryBudget(clock)
        spent(budget)
        granted = 0
        for _ in range(600):
            clock.advance(0.1)
            granted += budget.spend()
        assert granted in (9, 10)
