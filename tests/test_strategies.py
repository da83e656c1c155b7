"""One contract for every strategy, then each one's own promise."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

import pytest

from polyroute.router.pace import Pace
from polyroute.strategies import (
    STRATEGIES,
    Adaptive,
    CostBased,
    CostWeighted,
    LeastBusy,
    LowestLatency,
    RoundRobin,
    SimpleShuffle,
    UsageBased,
    lowest,
    shortlist,
)


@dataclass(eq=False)
class Deployed:
    """A candidate as a strategy sees it; `left` is the share of its quota that is left."""

    id: str
    weight: float = 1.0
    in_flight: int = 0
    latency: float | None = None
    price: float | None = None
    rate: float | None = None
    hindered: float = 1.0
    left: float = 1.0

    def pace(self, kind: str) -> Pace:
        return Pace(self.latency, 0.0, self.latency, self.rate)

    def burden(self, kind: str) -> float:
        return 1.0

    def slowdown(self, kind: str) -> float:
        return (self.in_flight + 1) / self.weight

    def hindrance(self, now: float) -> float:
        return self.hindered

    def headroom(self, request: Asked) -> float:
        return self.left

    def price_for(self, request: Asked) -> float | None:
        tokens = request.input_tokens + request.output_tokens
        return None if self.price is None else self.price * tokens


@dataclass
class Asked:
    """What a strategy may know of a request."""

    kind: str = "chat"
    now: float = 0.0
    input_tokens: int = 100
    output_tokens: int = 50


REQUEST = Asked()
STREAM = Asked(kind="stream")
EVERY = pytest.mark.parametrize("name", sorted(STRATEGIES))
WEIGHING = pytest.mark.parametrize("name", sorted(STRATEGIES.keys() - {"round-robin"}))


def make(name: str, seed: int = 1) -> object:
    return STRATEGIES[name](random.Random(seed))


def alike(count: int, **same: float) -> list[Deployed]:
    return [Deployed(f"d{number}", **same) for number in range(count)]


def drawn(strategy: object, candidates: list[Deployed], times: int) -> Counter[str]:
    """How often each candidate is picked."""
    return Counter(strategy.pick(candidates, REQUEST).id for _ in range(times))


class TestContract:
    @EVERY
    def test_single_candidate(self, name: str) -> None:
        """Where there is one, it is taken, whatever is known of it."""
        for odd in ({}, {"weight": 0.0}, {"latency": 0.0, "price": 0.0}, {"in_flight": 10**6}):
            candidates = alike(1, **odd)
            assert make(name).pick(candidates, REQUEST) is candidates[0]

    @EVERY
    @pytest.mark.parametrize("count", [2, 3, 20])
    def test_ties_are_spread(self, name: str, count: int) -> None:
        """Candidates that are alike are picked about equally often."""
        picked = drawn(make(name), alike(count, latency=0.5, price=1e-6), 200 * count)
        assert len(picked) == count
        assert 130 < min(picked.values()) <= max(picked.values()) < 270

    @EVERY
    @pytest.mark.parametrize("count", [2, 3, 20])
    def test_without_history_or_prices(self, name: str, count: int) -> None:
        """Where nothing is known, everybody is picked about equally often."""
        picked = drawn(make(name), alike(count), 200 * count)
        assert 130 < min(picked.values(), default=0) <= max(picked.values()) < 270

    @WEIGHING
    @pytest.mark.parametrize("count", [2, 3, 40])
    def test_zero_weight_is_spared(self, name: str, count: int) -> None:
        """Deployments of weight 0 get nothing while another can be asked."""
        candidates = alike(count, latency=0.5, price=1e-6)
        for candidate in candidates[::2]:
            candidate.weight = 0.0
        picked = drawn(make(name), candidates, 300)
        assert set(picked) <= {it.id for it in candidates if it.weight}

    @EVERY
    @pytest.mark.parametrize("count", [2, 3])
    def test_all_weights_zero(self, name: str, count: int) -> None:
        """Where all have weight 0, all are picked."""
        candidates = alike(count, weight=0.0, latency=0.5, price=1e-6)
        assert len(drawn(make(name), candidates, 300)) == count

    @EVERY
    def test_unknown_among_known(self, name: str) -> None:
        """Unknown latencies and prices break nothing and exclude nobody for ever."""
        candidates = alike(4, latency=0.5, price=1e-6)
        candidates[2].latency = None
        if name != "cost-based-routing":  # where nothing counts before the price
            candidates[2].price = None
        assert drawn(make(name), candidates, 400)["d2"] > 0

    @EVERY
    def test_price_zero(self, name: str) -> None:
        """A price of 0 is a price, not a division by zero."""
        candidates = alike(3, price=1e-6)
        candidates[0].price = 0.0
        assert sum(drawn(make(name), candidates, 100).values()) == 100

    @EVERY
    def test_extreme_numbers(self, name: str) -> None:
        """Tiny and huge weights, prices and latencies are compared, not overflowed."""
        candidates = [
            Deployed("tiny", 1e-9, 0, 1e-9, 1e-200),
            Deployed("huge", 1e9, 10**6, 1e9, 1e200),
        ]
        assert sum(drawn(make(name), candidates, 100).values()) == 100

    @EVERY
    def test_ten_thousand_candidates(self, name: str) -> None:
        """A huge group is spread over, and one of its members is always the answer."""
        candidates = alike(10_000, latency=0.5, price=1e-6)
        assert len(drawn(make(name), candidates, 1000)) > 900

    @EVERY
    def test_candidates_are_left_as_they_are(self, name: str) -> None:
        """A strategy changes neither the list nor its members."""
        candidates = alike(5, latency=0.5, price=1e-6)
        before = (list(candidates), [vars(it).copy() for it in candidates])
        drawn(make(name), candidates, 50)
        assert (candidates, [vars(it) for it in candidates]) == before

    @EVERY
    def test_deterministic_given_its_generator(self, name: str) -> None:
        """Equal generators give equal choices."""
        candidates = alike(20, latency=0.5, price=1e-6)
        one, other = (
            [make_it.pick(candidates, REQUEST).id for _ in range(50)]
            for make_it in (make(name, 5), make(name, 5))
        )
        assert one == other

    @EVERY
    def test_lists_may_take_turns(self, name: str) -> None:
        """Another list brings other candidates, also when lists alternate or grow shorter."""
        strategy = make(name)
        one, two = alike(8), [Deployed("x"), Deployed("y")]
        for _ in range(30):
            assert strategy.pick(one, REQUEST) in one
            assert strategy.pick(two, REQUEST) in two
            assert strategy.pick(one[:3], REQUEST) in one[:3]

    @EVERY
    def test_groups_do_not_share(self, name: str) -> None:
        """Each group has a strategy object of its own."""
        assert make(name) is not make(name)


class TestSimpleShuffle:
    def test_draws_in_proportion_to_weight(self) -> None:
        """Three times the weight is three times the traffic."""
        candidates = [Deployed("one", 1.0), Deployed("three", 3.0)]
        picked = drawn(SimpleShuffle(random.Random(2)), candidates, 4000)
        assert 2.7 < picked["three"] / picked["one"] < 3.3

    def test_chance_at_its_ends(self) -> None:
        """The very ends of the generator's range are members, too."""

        class Fixed(random.Random):
            value = 0.0

            def random(self) -> float:
                return self.value

        rng = Fixed()
        strategy = SimpleShuffle(rng)
        candidates = [Deployed("none", 0.0), *alike(3, weight=0.1), Deployed("last", 0.0)]
        for rng.value in (0.0, 1 - 2**-53):
            assert strategy.pick(candidates, REQUEST).weight > 0


class TestRoundRobin:
    def test_takes_turns(self) -> None:
        """One after the other, in order, as often as they come round."""
        candidates = alike(3)
        strategy = RoundRobin(random.Random(1))
        order = [strategy.pick(candidates, REQUEST).id for _ in range(9)]
        assert order[:3] * 3 == order
        assert sorted(order[:3]) == ["d0", "d1", "d2"]

    def test_processes_do_not_march_in_step(self) -> None:
        """Where processes begin is drawn."""
        candidates = alike(3)
        firsts = {RoundRobin(random.Random(s)).pick(candidates, REQUEST).id for s in range(20)}
        assert len(firsts) == 3


class TestLeastBusy:
    def test_fewest_in_flight(self) -> None:
        """The idle one is asked."""
        candidates = [Deployed("busy", in_flight=2), Deployed("idle", in_flight=1)]
        assert drawn(LeastBusy(random.Random(1)), candidates, 50) == {"idle": 50}

    def test_for_its_weight(self) -> None:
        """Twice the weight may carry twice the load."""
        strong = Deployed("strong", weight=4.0, in_flight=2)
        candidates = [strong, Deployed("weak", in_flight=0)]
        assert drawn(LeastBusy(random.Random(1)), candidates, 50) == {"strong": 50}

    @pytest.mark.parametrize("count", [2, 10, 100])
    def test_load_stays_balanced(self, count: int) -> None:
        """Attempts that never end pile up evenly: at most twice the optimum anywhere."""
        candidates = alike(count)
        strategy = LeastBusy(random.Random(1))
        for _ in range(10 * count):
            strategy.pick(candidates, REQUEST).in_flight += 1
        assert max(it.in_flight for it in candidates) <= 20


class TestLowestLatency:
    def test_fast_one_is_preferred(self) -> None:
        """Of two idle deployments the faster is asked."""
        candidates = [Deployed("slow", latency=1.0), Deployed("fast", latency=0.1)]
        assert drawn(LowestLatency(random.Random(1)), candidates, 50) == {"fast": 50}

    def test_queue_in_front_of_the_fast_one(self) -> None:
        """A fast deployment is preferred until its queue costs more than a slow idle one."""
        fast = Deployed("fast", latency=0.1)
        candidates = [Deployed("slow", latency=0.5), fast]
        strategy = LowestLatency(random.Random(1))
        order = []
        for fast.in_flight in range(8):
            order.append(strategy.pick(candidates, REQUEST).id)
        assert order[:4] == ["fast"] * 4
        assert order[5:] == ["slow"] * 3

    def test_newcomer_is_tried_once(self) -> None:
        """A deployment without history is tried first, by a single call at a time."""
        new = Deployed("new")
        candidates = [Deployed("known", latency=0.1), new]
        strategy = LowestLatency(random.Random(1))
        assert strategy.pick(candidates, REQUEST) is new
        new.in_flight = 1
        assert drawn(strategy, candidates, 50) == {"known": 50}

    def test_cold_start_is_spread(self) -> None:
        """When nobody has a history yet, a burst goes to all alike."""
        candidates = alike(5)
        strategy = LowestLatency(random.Random(1))
        for _ in range(50):
            strategy.pick(candidates, REQUEST).in_flight += 1
        assert {it.in_flight for it in candidates} == {10}


class TestCostWeighted:
    def test_inverse_square_of_the_price(self) -> None:
        """Half the price is four times the traffic."""
        candidates = [Deployed("dear", price=2e-6), Deployed("cheap", price=1e-6)]
        picked = drawn(CostWeighted(random.Random(2)), candidates, 5000)
        assert 3.6 < picked["cheap"] / picked["dear"] < 4.4

    def test_weights_count_too(self) -> None:
        """Of equal prices the weight decides."""
        candidates = [Deployed("one", 1.0, price=1e-6), Deployed("three", 3.0, price=1e-6)]
        picked = drawn(CostWeighted(random.Random(2)), candidates, 4000)
        assert 2.7 < picked["three"] / picked["one"] < 3.3

    def test_free_comes_first(self) -> None:
        """Where some cost nothing, only they are asked."""
        candidates = [Deployed("free", price=0.0), Deployed("cheap", price=1e-9)]
        assert drawn(CostWeighted(random.Random(1)), candidates, 100) == {"free": 100}

    def test_free_without_weight(self) -> None:
        """A free deployment that is to get nothing does not draw the others' traffic away."""
        candidates = [Deployed("off", 0.0, price=0.0), Deployed("cheap", price=1e-9)]
        assert drawn(CostWeighted(random.Random(1)), candidates, 100) == {"cheap": 100}

    def test_unknown_price_is_typical(self) -> None:
        """A deployment of unknown price is taken to cost what the median of the others does."""
        candidates = [
            Deployed("a", price=1e-6),
            Deployed("b", price=1e-6),
            Deployed("c", price=9e-6),
            Deployed("unknown"),
        ]
        picked = drawn(CostWeighted(random.Random(2)), candidates, 6000)
        assert 0.85 < picked["unknown"] / picked["a"] < 1.15


class TestAdaptive:
    def test_whole_answer_counts(self) -> None:
        """Of a stream the time to the last token decides, not the time to the first alone."""
        candidates = [
            Deployed("starts-soon", latency=0.1, rate=10.0),
            Deployed("ends-soon", latency=0.5, rate=100.0),
        ]
        strategy = Adaptive(random.Random(1))
        assert {strategy.pick(candidates, STREAM).id for _ in range(20)} == {"ends-soon"}

    def test_unstreamed_answers_have_no_rate(self) -> None:
        """The time to an unstreamed answer holds all of it already."""
        candidates = [Deployed("fast", latency=0.4), Deployed("slow", latency=0.5, rate=1e9)]
        assert drawn(Adaptive(random.Random(1)), candidates, 20) == {"fast": 20}

    def test_load_counts(self) -> None:
        """A fast deployment is left alone once its queue costs more than a slow one."""
        fast = Deployed("fast", latency=0.1)
        candidates = [fast, Deployed("slow", latency=0.5)]
        strategy = Adaptive(random.Random(1))
        order = []
        for fast.in_flight in range(8):
            order.append(strategy.pick(candidates, REQUEST).id)
        assert order[:4] == ["fast"] * 4
        assert order[5:] == ["slow"] * 3

    def test_hindered_ones_are_avoided(self) -> None:
        """Recent failures, or a rest just over, weigh like a longer time."""
        candidates = [Deployed("shaky", latency=0.1, hindered=5.0), Deployed("sound", latency=0.4)]
        assert drawn(Adaptive(random.Random(1)), candidates, 20) == {"sound": 20}

    def test_weight_counts(self) -> None:
        """Twice the weight may be twice as slow."""
        candidates = [Deployed("heavy", 4.0, latency=0.3), Deployed("light", latency=0.1)]
        assert drawn(Adaptive(random.Random(1)), candidates, 20) == {"heavy": 20}

    def test_newcomer_is_taken_for_usual(self) -> None:
        """A deployment without history is expected to be as fast as its group usually is."""
        candidates = [Deployed("new"), *(Deployed(f"d{n}", latency=n / 10) for n in (1, 2, 3))]
        strategy = Adaptive(random.Random(1))
        assert strategy.pick(candidates, REQUEST).id == "d1"
        candidates[1].latency = 0.5
        assert strategy.pick(candidates, REQUEST).id in ("new", "d2")

    @pytest.mark.parametrize("count", [2, 10, 100])
    def test_bursts_are_spread(self, count: int) -> None:
        """Attempts chosen at one instant pile up evenly: at most twice the optimum anywhere."""
        candidates = alike(count, latency=0.5)
        strategy = Adaptive(random.Random(1))
        for _ in range(10 * count):
            strategy.pick(candidates, REQUEST).in_flight += 1
        assert max(it.in_flight for it in candidates) <= 20

    def test_kinds_do_not_mix(self) -> None:
        """What is usual for streams says nothing about embeddings."""

        @dataclass(eq=False)
        class Both(Deployed):
            streams: float | None = None

            def pace(self, kind: str) -> Pace:
                first = self.streams if kind == "stream" else self.latency
                return Pace(first, 0.0, first, 50.0)

        candidates = [Both("a", latency=0.1, streams=2.0), Both("b", latency=0.2, streams=1.0)]
        strategy = Adaptive(random.Random(1))
        for _ in range(10):
            assert strategy.pick(candidates, STREAM).id == "b"
            assert strategy.pick(candidates, REQUEST).id == "a"


class TestUsageBased:
    def test_most_left(self) -> None:
        """The largest share of a quota left is asked."""
        candidates = [Deployed("little", left=0.2), Deployed("much", left=0.3)]
        assert drawn(UsageBased(random.Random(1)), candidates, 50) == {"much": 50}

    def test_no_quota_is_all_of_it(self) -> None:
        """A deployment without a quota has all of it left, however busy it is."""
        candidates = [Deployed("some", left=0.9), Deployed("no quota", in_flight=50)]
        assert drawn(UsageBased(random.Random(1)), candidates, 50) == {"no quota": 50}

    def test_equal_ones_by_load(self) -> None:
        """Where the same is left, the fewest attempts for the weight decide."""
        candidates = [Deployed("busy", in_flight=2), Deployed("strong", 4.0, in_flight=5)]
        assert drawn(UsageBased(random.Random(1)), candidates, 50) == {"strong": 50}

    def test_debt_comes_last(self) -> None:
        """A deployment in debt is asked after one with nothing left."""
        candidates = [Deployed("debt", left=-0.5), Deployed("nothing", left=0.0)]
        assert drawn(UsageBased(random.Random(1)), candidates, 50) == {"nothing": 50}


class TestCostBased:
    def test_cheapest(self) -> None:
        """The cheapest for this request is asked, however slow and busy it is."""
        candidates = [
            Deployed("dear", price=2e-6, latency=0.1),
            Deployed("cheap", 1.0, 50, 5.0, 1e-6),
        ]
        assert drawn(CostBased(random.Random(1)), candidates, 50) == {"cheap": 50}

    def test_about_the_same_price(self) -> None:
        """Among prices within 1.3 times the lowest the fastest is asked."""
        candidates = [
            Deployed("cheapest", price=1.0e-6, latency=1.0),
            Deployed("near", price=1.25e-6, latency=0.1),
            Deployed("beyond", price=1.35e-6, latency=0.01),
        ]
        assert drawn(CostBased(random.Random(1)), candidates, 50) == {"near": 50}

    def test_free_is_a_price(self) -> None:
        """A price of 0 is the lowest there is, and nothing else is about the same."""
        candidates = [Deployed("free", price=0.0, latency=9.0), Deployed("cheap", price=1e-12)]
        assert drawn(CostBased(random.Random(1)), candidates, 50) == {"free": 50}

    def test_unknown_price_comes_last(self) -> None:
        """A deployment of unknown price is asked only where no price is known."""
        candidates = [Deployed("unknown", latency=0.1), Deployed("dear", price=1.0, latency=9.0)]
        assert drawn(CostBased(random.Random(1)), candidates, 50) == {"dear": 50}

    def test_cheap_but_switched_off(self) -> None:
        """Weight 0 gets nothing, also at the lowest price."""
        candidates = [Deployed("off", 0.0, price=1e-9), Deployed("on", price=1e-6)]
        assert drawn(CostBased(random.Random(1)), candidates, 50) == {"on": 50}

    def test_latency_objective(self) -> None:
        """Those that do not keep the objective are passed over while another one does."""
        candidates = [
            Deployed("cheap", price=1e-6, latency=3.0),
            Deployed("dear", price=9e-6, latency=0.5),
        ]
        strategy = CostBased(random.Random(1), latency_objective=1.0)
        assert drawn(strategy, candidates, 50) == {"dear": 50}
        candidates[1].latency = 2.0
        assert drawn(strategy, candidates, 50) == {"cheap": 50}


class TestTools:
    def test_few_are_all_looked_at(self) -> None:
        """Up to sixteen candidates the choice is exact."""
        candidates = alike(16)
        assert shortlist(candidates, random.Random(1)) is candidates

    def test_two_of_many(self) -> None:
        """Of many, two different ones are drawn, every one of them sometimes."""
        candidates = alike(17)
        rng = random.Random(1)
        pairs = [shortlist(candidates, rng) for _ in range(500)]
        assert all(len({one.id, other.id}) == 2 for one, other in pairs)
        assert len({it.id for pair in pairs for it in pair}) == 17

    @pytest.mark.parametrize("count", [2, 3])
    def test_all_infinite(self, count: int) -> None:
        """Where every metric is infinite, all are as good."""
        candidates = alike(count)
        rng = random.Random(1)
        picked = Counter(lowest(candidates, lambda _: float("inf"), rng).id for _ in range(300))
        assert len(picked) == count
