"""Groups: who may be chosen right now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from polyroute import InternalServerError, RateLimitError
from polyroute.schemas import Usage

from .halls import Hall

if TYPE_CHECKING:
    from polyroute.testing import FakeClock

FAILED = InternalServerError("failed")


@pytest.fixture
def hall(clock: FakeClock) -> Hall:
    """Three deployments in one group."""
    return Hall(clock)


class TestGroup:
    def test_all_are_ready_at_first(self, hall: Hall) -> None:
        """Deployments without a history may be chosen, in the order of the configuration."""
        assert [it.id for it in hall.group.fresh(())] == ["a", "b", "c"]

    def test_same_list_while_nothing_changes(self, hall: Hall) -> None:
        """Strategies may keep what they worked out for as long as they see the same list."""
        ready = hall.group.fresh(())
        hall.lease(hall.deployments[0]).succeeded(None)
        assert hall.group.fresh(()) is ready

    def test_lists_are_replaced_never_changed(self, hall: Hall) -> None:
        """A list once handed out stays as it was."""
        ready = hall.group.fresh(())
        hall.lease(hall.deployments[0]).failed(FAILED)
        assert len(ready) == 3
        assert [it.id for it in hall.group.fresh(())] == ["b", "c"]

    def test_tried_ones_are_left_out(self, hall: Hall) -> None:
        """Those that failed in this call are not fresh."""
        assert [it.id for it in hall.group.fresh({hall.deployments[1]: FAILED})] == ["a", "c"]

    def test_probe_after_the_rest(self, hall: Hall, clock: FakeClock) -> None:
        """A resting deployment is offered as a probe when its time has come, and not before."""
        first = hall.deployments[0]
        hall.lease(first).failed(FAILED)
        assert hall.group.probe(()) is None
        clock.advance(5.1)
        assert hall.group.probe({first: FAILED}) is None
        assert hall.group.probe(()) is first

    def test_closest_to_recovery(self, hall: Hall) -> None:
        """In panic the one whose rest ends first is taken."""
        for seconds, deployment in zip((9, 3, 6), hall.deployments, strict=True):
            hall.lease(deployment).failed(RateLimitError("wait", retry_after=seconds))
        assert hall.group.ready == []
        assert hall.group.closest_to_recovery(hall.group.resting).id == "b"

    def test_removed_is_forgotten(self, hall: Hall) -> None:
        """A removed deployment is in no list, and its late failures change nothing."""
        lease = hall.lease(hall.deployments[0])
        hall.group.remove(hall.deployments[0])
        lease.failed(FAILED)
        assert [it.id for it in hall.group.deployments] == ["b", "c"]
        assert hall.group.resting == []

    def test_recovery_brings_it_back(self, hall: Hall, clock: FakeClock) -> None:
        """A successful probe puts the deployment among the ready again."""
        first = hall.deployments[0]
        hall.lease(first).failed(FAILED)
        clock.advance(5.1)
        assert hall.group.probe(()) is first
        hall.lease(first).succeeded(None)
        assert [it.id for it in hall.group.ready] == ["a", "b", "c"]


class TestLease:
    def test_counts_at_once(self, hall: Hall) -> None:
        """From the moment of choice an attempt is in flight."""
        first = hall.deployments[0]
        leases = [hall.lease(first) for _ in range(3)]
        assert (first.in_flight, first.calls) == (3, 3)
        for lease in leases:
            lease.abandoned()
        assert first.in_flight == 0

    @pytest.mark.parametrize("second", ["succeeded", "failed", "abandoned"])
    @pytest.mark.parametrize("first", ["succeeded", "failed", "abandoned"])
    def test_ends_once(self, hall: Hall, first: str, second: str) -> None:
        """However an attempt ends, ending it again changes nothing."""
        arguments = {"succeeded": (None,), "failed": (FAILED,), "abandoned": ()}
        lease = hall.lease(hall.deployments[0])
        getattr(lease, first)(*arguments[first])
        before = (hall.deployments[0].stats(), lease.attempt.outcome)
        getattr(lease, second)(*arguments[second])
        assert (hall.deployments[0].stats(), lease.attempt.outcome) == before
        assert hall.deployments[0].in_flight == 0

    def test_times_and_latency(self, hall: Hall, clock: FakeClock) -> None:
        """An answer's time is its latency; later ones move it by a fifth."""
        first = hall.deployments[0]
        for seconds in (1.0, 2.0):
            lease = hall.lease(first)
            clock.advance(seconds)
            lease.succeeded(None)
        assert lease.attempt.ended == pytest.approx(2.0)
        assert first.latency == pytest.approx(1.2)

    def test_first_token_is_a_streams_latency(self, hall: Hall, clock: FakeClock) -> None:
        """A long stream is not a slow deployment."""
        lease = hall.lease(hall.deployments[0])
        clock.advance(0.5)
        lease.first_token()
        clock.advance(60)
        lease.succeeded(None)
        assert hall.deployments[0].latency == pytest.approx(0.5)
        assert lease.attempt.first_token == pytest.approx(0.5)

    def test_failures_teach_no_latency(self, hall: Hall, clock: FakeClock) -> None:
        """A quick failure does not make a deployment look fast."""
        lease = hall.lease(hall.deployments[0])
        clock.advance(0.001)
        lease.failed(FAILED)
        assert hall.deployments[0].latency is None

    def test_cost(self, hall: Hall) -> None:
        """Usage times prices, on the attempt and summed on the deployment."""
        for _ in range(2):
            lease = hall.lease(hall.deployments[0])
            lease.succeeded(Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15))
        assert (lease.attempt.cost, hall.deployments[0].cost) == (20.0, 40.0)

    def test_interrupted_stream_costs_too(self, hall: Hall) -> None:
        """What was used before a break has been paid for."""
        lease = hall.lease(hall.deployments[0])
        lease.first_token()
        lease.failed(FAILED, usage=Usage(prompt_tokens=10, completion_tokens=1, total_tokens=11))
        assert (lease.attempt.outcome, lease.attempt.cost) == ("interrupted", 12.0)
        assert hall.deployments[0].cost == 12.0

    def test_innocent_deployment(self, hall: Hall) -> None:
        """A failure that was not the deployment's does not open its circuit."""
        lease = hall.lease(hall.deployments[0])
        lease.failed(FAILED, counts=False)
        assert hall.deployments[0].circuit.state == "closed"
