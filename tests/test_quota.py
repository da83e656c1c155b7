"""Quotas: what may be asked of a deployment, exact however many ask at one instant."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import pytest

from polyroute.providers.limits import Remaining
from polyroute.router.quota import LIMITS, Quota

DAY = 86_400.0


class Need(NamedTuple):
    """What a call uses up."""

    input_tokens: int = 0
    output_tokens: int = 0


CALL = Need(100, 50)


def taken(quota: Quota, need: Need, now: float, most: int = 10_000) -> int:
    """How many calls get a place at this instant."""
    count = 0
    while count < most and quota.wait(need, now) <= 0:
        quota.reserve(need, now)
        count += 1
    return count


class TestLimits:
    @pytest.mark.parametrize(
        ("name", "limit", "calls"),
        [
            ("rpm", 30, 30),
            ("tpm", 1500, 10),
            ("input_tpm", 1000, 10),
            ("output_tpm", 1000, 20),
            ("rpd", 7, 7),
            ("tpd", 1500, 10),
        ],
    )
    def test_each_counts_its_own(self, name: str, limit: float, calls: int) -> None:
        """A thousand callers at one instant get exactly as many places as there are."""
        assert taken(Quota({name: limit}, 0.0), CALL, 0.0, 1000) == calls

    @pytest.mark.parametrize("name", LIMITS)
    def test_zero_is_never(self, name: str) -> None:
        """A quota of 0 means none: there is no wait after which there would be room."""
        quota = Quota({name: 0}, 0.0)
        assert quota.wait(CALL, 0.0) == quota.wait(CALL, 1e6) == inf
        assert quota.headroom(CALL, 0.0) < 0

    def test_tightest_decides(self) -> None:
        """Where several limits are set, the one that is used up first says no."""
        assert taken(Quota({"rpm": 50, "tpm": 450}, 0.0), CALL, 0.0) == 3
        assert taken(Quota({"rpm": 2, "tpm": 450}, 0.0), CALL, 0.0) == 2

    def test_places_come_back_steadily(self) -> None:
        """60 a minute is one a second, not sixty when the minute turns."""
        quota = Quota({"rpm": 60}, 0.0)
        assert taken(quota, CALL, 0.0) == 60
        assert quota.wait(CALL, 0.0) == pytest.approx(1.0)
        assert [taken(quota, CALL, second + 0.001) for second in (1, 2, 3, 6)] == [1, 1, 1, 3]

    def test_large_limits_come_in_small_bursts(self) -> None:
        """Of a large limit a sixth may come at once: providers count in less than a minute."""
        quota = Quota({"rpm": 6000}, 0.0)
        assert taken(quota, CALL, 0.0) == 1000
        assert taken(quota, CALL, 1.001) == 100

    def test_time_fills_no_more_than_the_bucket(self) -> None:
        """An hour of silence does not save up an hour of calls."""
        quota = Quota({"rpm": 10}, 0.0)
        taken(quota, CALL, 0.0)
        assert taken(quota, CALL, 3600.0) == 10

    def test_day(self) -> None:
        """A daily limit may be used up at once, and comes back over the day."""
        quota = Quota({"rpd": 24}, 0.0)
        assert taken(quota, CALL, 0.0) == 24
        assert quota.wait(CALL, 0.0) == pytest.approx(DAY / 24)
        assert taken(quota, CALL, DAY / 2 + 1) == 12

    def test_larger_than_the_bucket(self) -> None:
        """A call that exceeds the whole limit waits for a full bucket, not for ever."""
        quota = Quota({"tpm": 100}, 0.0)
        assert quota.wait(Need(500), 0.0) == 0
        quota.reserve(Need(500), 0.0)
        assert quota.wait(Need(500), 0.0) == pytest.approx(60)
        assert quota.wait(Need(500), 60.001) == 0


class TestDebt:
    def test_promised_places_line_up(self) -> None:
        """Who takes the next free place before its time makes the next one wait for longer."""
        quota = Quota({"rpm": 60}, 0.0)
        taken(quota, CALL, 0.0)
        waits = []
        for _ in range(3):
            waits.append(quota.wait(CALL, 0.0))
            quota.reserve(CALL, 0.0)
        assert waits == pytest.approx([1, 2, 3])
        assert quota.wait(CALL, 3.5) == pytest.approx(0.5)

    def test_answers_that_were_longer(self) -> None:
        """What an answer has used beyond the estimate is owed."""
        quota = Quota({"tpm": 600}, 0.0)
        reserved = quota.reserve(Need(100, 100), 0.0)
        quota.settle(reserved, Need(100, 800))
        assert quota.headroom(Need(), 0.0) == pytest.approx(-0.5)
        assert quota.wait(Need(10), 0.0) == pytest.approx(31)


class TestSettling:
    def test_refund(self) -> None:
        """What nobody has used comes back whole."""
        quota = Quota({"rpm": 2, "tpm": 1000}, 0.0)
        reserved = [quota.reserve(CALL, 0.0) for _ in range(2)]
        assert quota.wait(CALL, 0.0) > 0
        quota.settle(reserved[0], None)
        assert quota.wait(CALL, 0.0) == 0
        assert [bucket.level for bucket in quota.buckets] == [1, 850]

    def test_correction(self) -> None:
        """Tokens are corrected to what was used; the request has been made all the same."""
        quota = Quota({"rpm": 2, "tpm": 1000, "input_tpm": 1000, "output_tpm": 1000}, 0.0)
        quota.settle(quota.reserve(Need(100, 500), 0.0), Need(120, 30))
        assert [bucket.level for bucket in quota.buckets] == [1, 850, 880, 970]

    def test_refunds_never_overflow(self) -> None:
        """A refund that comes after time has filled the bucket adds nothing."""
        quota = Quota({"rpm": 2}, 0.0)
        reserved = quota.reserve(CALL, 0.0)
        assert quota.wait(CALL, 300.0) == 0
        quota.settle(reserved, None)
        assert quota.buckets[0].level == 2


class TestHeaders:
    def test_down_at_once(self) -> None:
        """When the provider says that less is left, that is believed."""
        quota = Quota({"rpm": 60, "tpm": 6000}, 0.0)
        quota.heard(Remaining(requests=3, tokens=450), 0.0, idle=False)
        assert taken(quota, CALL, 0.0) == 3

    def test_never_up_while_busy(self) -> None:
        """It cannot know yet of what is on its way: more left is not believed."""
        quota = Quota({"rpm": 60}, 0.0)
        taken(quota, CALL, 0.0)
        quota.surprised(0.0)
        quota.heard(Remaining(requests=60), 0.0, idle=False)
        assert quota.buckets[0].level == 0

    def test_up_when_idle(self) -> None:
        """It has seen everything: a view that was cut too low moves towards what it says."""
        quota = Quota({"rpm": 60}, 0.0)
        quota.surprised(0.0)
        quota.heard(Remaining(requests=50), 5.0, idle=True)  # 4 have come back by themselves
        assert quota.buckets[0].level == pytest.approx(4 + 0.3 * (50 - 4))

    def test_up_only_after_a_surprise(self) -> None:
        """Without a 429 the local count is the surer one: others share what the header counts."""
        quota = Quota({"rpm": 60}, 0.0)
        taken(quota, CALL, 0.0)
        quota.heard(Remaining(requests=60), 0.0, idle=True)
        assert quota.buckets[0].level == 0

    def test_days_are_not_in_headers(self) -> None:
        """What is left of a minute says nothing about the day."""
        quota = Quota({"rpd": 100}, 0.0)
        quota.heard(Remaining(requests=0), 0.0, idle=True)
        assert taken(quota, CALL, 0.0) == 100


class TestSurprise:
    def test_429_empties(self) -> None:
        """A 429 that nobody expected means that nothing is left now."""
        quota = Quota({"rpm": 60}, 0.0)
        quota.surprised(0.0)
        assert taken(quota, CALL, 0.0) == 0

    def test_less_is_believed(self) -> None:
        """After it, four fifths of the limit flow in."""
        quota = Quota({"rpm": 60}, 0.0)
        quota.surprised(0.0)
        assert quota.wait(CALL, 0.0) == pytest.approx(1 / 0.8)

    def test_burst_of_429_is_one_surprise(self) -> None:
        """Fifty refusals of one second cut once, and no storm cuts below a tenth."""
        quota = Quota({"rpm": 60}, 0.0)
        for _ in range(50):
            quota.surprised(0.5)
        assert quota.believed == pytest.approx(0.8)
        for second in range(2, 100, 2):
            quota.surprised(float(second))
        assert quota.believed == pytest.approx(0.1)

    def test_each_second_may_surprise_anew(self) -> None:
        """A refusal more than a second later says that even less is there."""
        quota = Quota({"rpm": 60}, 0.0)
        for now in (0.0, 1.0, 1.5):
            quota.surprised(now)
        assert quota.believed == pytest.approx(0.8 * 0.8)

    def test_belief_comes_back_slowly(self) -> None:
        """Nothing for ten seconds, then a hundredth of the limit each second, up to all of it."""
        quota = Quota({"rpm": 60}, 0.0)
        quota.surprised(0.0)
        believed = []
        for now in (5.0, 10.0, 15.0, 20.0, 100.0):
            quota.wait(CALL, now)
            believed.append(round(quota.believed, 6))
        assert believed == [0.8, 0.8, 0.85, 0.9, 1.0]


class TestHeadroom:
    def test_share_of_the_tightest(self) -> None:
        """What would be left after the call, of the limit that it strains most."""
        quota = Quota({"rpm": 10, "tpm": 1000}, 0.0)
        assert quota.headroom(CALL, 0.0) == pytest.approx(0.85)
        assert quota.headroom(Need(), 0.0) == pytest.approx(0.9)

    def test_asking_takes_nothing(self) -> None:
        """Looking at a quota changes nothing."""
        quota = Quota({"rpm": 10}, 0.0)
        for _ in range(100):
            quota.wait(CALL, 0.0)
            quota.headroom(CALL, 0.0)
        assert taken(quota, CALL, 0.0) == 10
