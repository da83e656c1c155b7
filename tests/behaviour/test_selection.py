"""Who is asked: names, weights, order, tags, prices, and each strategy's own promise."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import NotFoundError, RateLimitError, UnsupportedParamsError
from polyroute.strategies import STRATEGIES

from .helpers import HI, ask, failure, path, served

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polyroute.testing import FakeClock

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

EVERY = pytest.mark.parametrize("strategy", sorted(STRATEGIES))
FREE = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
CHEAP = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
DEAR = {"input_cost_per_token": 1e-4, "output_cost_per_token": 1e-4}


async def burst(router: Any, calls: int = 50, **params: Any) -> Any:
    """Answers to calls that are made at one instant."""
    return await asyncio.gather(*(ask(router, **params) for _ in range(calls)))


class TestNames:
    async def test_id_leads_to_one_deployment(self, fleet: Fleet) -> None:
        """The id of a deployment is a name: its siblings are never asked, not even on failure."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, num_retries=1)
        two.fail(500, times=None)
        error = await failure(router, "smart-1")
        assert {id for id, _ in path(error)} == {"smart-1"}
        assert one.requests == []

    async def test_alias_map(self, fleet: Fleet) -> None:
        """`model_group_alias` gives a group other names; hidden ones are not listed."""
        (upstream,) = await fleet.start("openai")
        renamed = {"gpt-4": "smart", "secret": {"model": "smart", "hidden": True}}
        router = await fleet.router({"smart": [upstream]}, model_group_alias=renamed)
        for name in ("smart", "gpt-4", "secret"):
            assert (await ask(router, name)).route.served_by == "smart-0"
        assert set(router.aliases) == {"smart", "gpt-4"}

    async def test_wildcard_fills_in_the_model(self, fleet: Fleet) -> None:
        """`openai/*` takes any model of the provider and sends its name."""
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("openai/*", id="any")
        entry["litellm_params"]["model"] = "openai/*"
        router = await fleet.router({"openai/*": [entry]})
        await ask(router, "openai/gpt-9")
        assert upstream.requests[0].body["model"] == "gpt-9"

    async def test_longest_wildcard_wins(self, fleet: Fleet) -> None:
        """Of several wildcards that match, the most specific one decides."""
        one, two = await fleet.start("openai", "openai")
        wide, narrow = one.deployment("openai/*"), two.deployment("openai/gpt-*")
        wide["litellm_params"]["model"] = "openai/*"
        narrow["litellm_params"]["model"] = "openai/gpt-*"
        router = await fleet.router({"a": [wide, narrow]})
        await ask(router, "openai/gpt-9")
        assert (len(one.requests), two.requests[0].body["model"]) == (0, "gpt-9")

    async def test_exact_name_beats_wildcard(self, fleet: Fleet) -> None:
        """A group of exactly this name comes before whatever a wildcard would stand for."""
        one, two = await fleet.start("openai", "openai")
        wide = one.deployment("openai/*")
        wide["litellm_params"]["model"] = "openai/*"
        router = await fleet.router({"a": [wide, two.deployment("openai/gpt-9", id="exact")]})
        assert (await ask(router, "openai/gpt-9")).route.served_by == "exact"

    async def test_unknown_alias_never_falls_back(self, fleet: Fleet) -> None:
        """An unknown alias is a 404 that lists the aliases; default_fallbacks do not hide it."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, default_fallbacks=["smart"])
        error = await failure(router, "smrt")
        assert isinstance(error, NotFoundError)
        assert error.status_code == 404
        assert "smart" in error.message
        assert upstream.requests == []


class TestWeights:
    async def test_shares_follow_the_weights(self, fleet: Fleet) -> None:
        """simple-shuffle gives three quarters of the calls to three quarters of the weight."""
        (upstream,) = await fleet.start("openai")
        entries = [upstream.deployment("smart", id=str(w), weight=w) for w in (3, 1)]
        router = await fleet.router({"smart": entries}, rng=random.Random(1))
        shares = served([answer for _ in range(8) for answer in await burst(router)])
        assert 0.68 < shares["3"] / 400 < 0.82

    async def test_missing_weight_is_one(self, fleet: Fleet) -> None:
        """A deployment without a weight has as much as one with weight 1."""
        (upstream,) = await fleet.start("openai")
        entries = [upstream.deployment("smart", id="a", weight=1), upstream.deployment("smart")]
        router = await fleet.router({"smart": entries}, rng=random.Random(2))
        assert 0.4 < served([it for _ in range(6) for it in await burst(router)])["a"] / 300 < 0.6

    @EVERY
    async def test_weight_zero_is_the_last_resort(self, fleet: Fleet, strategy: str) -> None:
        """Weight 0 gets nothing while another is there, and the call when nobody else is."""
        one, two = await fleet.start("openai", "openai")
        entries = [one.deployment("smart", weight=0), two.deployment("smart")]
        router = await fleet.router(
            {"smart": entries}, routing_strategy=strategy, rng=random.Random(3)
        )
        await burst(router)
        assert (len(one.requests), len(two.requests)) == (0, 50)
        two.fail(500, times=1)
        assert len(path(await ask(router))) == 2
        assert len(one.requests) == 1


class TestTies:
    @EVERY
    async def test_equal_ones_are_drawn(self, fleet: Fleet, strategy: str) -> None:
        """Nobody is favoured for standing first in the list: over Routers, each comes first."""
        (upstream,) = await fleet.start("openai")
        first = set()
        for seed in range(24):
            router = await fleet.router(
                {"smart": [upstream] * 3}, routing_strategy=strategy, rng=random.Random(seed)
            )
            first.add((await ask(router)).route.served_by)
        assert first == {"smart-0", "smart-1", "smart-2"}

    @EVERY
    @pytest.mark.parametrize("warm", [False, True], ids=["fresh", "warm"])
    async def test_bursts_spread(self, fleet: Fleet, strategy: str, warm: bool) -> None:
        """50 calls at one instant over five equal deployments never pile up on one."""
        upstreams = await fleet.start(*["openai"] * 5, latency=0.005)
        info = {"info": CHEAP}
        entries = [it.deployment("smart", id=str(n), **info) for n, it in enumerate(upstreams)]
        router = await fleet.router(
            {"smart": entries}, routing_strategy=strategy, rng=random.Random(5)
        )
        if warm:
            for _ in range(2):
                await burst(router, 20)
        shares = served(await burst(router))
        assert max(shares.values()) <= 20, shares
        assert len(shares) == 5

    @pytest.mark.parametrize("strategy", ["round-robin", "least-busy"])
    async def test_bursts_are_even(self, fleet: Fleet, strategy: str) -> None:
        """Turns and fewest-in-flight spread 50 calls at one instant exactly evenly."""
        upstreams = await fleet.start(*["openai"] * 5, latency=0.02)
        router = await fleet.router(
            {"smart": upstreams}, routing_strategy=strategy, rng=random.Random(6)
        )
        assert set(served(await burst(router)).values()) == {10}


class TestStrategies:
    async def test_fastest(self, fleet: Fleet) -> None:
        """lowest-latency sends calls one after the other to who has been faster."""
        slow, fast = await fleet.start("openai", "openai")
        slow.latency = 0.03
        router = await fleet.router(
            {"smart": [slow, fast]}, routing_strategy="lowest-latency", rng=random.Random(1)
        )
        for _ in range(12):
            await ask(router)
        assert len(fast.requests) >= 9

    async def test_adaptive_leaves_the_slow_one(self, fleet: Fleet) -> None:
        """adaptive sends most calls to the faster of two."""
        slow, fast = await fleet.start("openai", "openai")
        slow.latency = 0.04
        router = await fleet.router(
            {"smart": [slow, fast]}, routing_strategy="adaptive", rng=random.Random(1)
        )
        for _ in range(20):
            await ask(router)
        assert len(fast.requests) >= 15

    async def test_idle_one_first(self, fleet: Fleet) -> None:
        """least-busy passes over whoever has something to do."""
        busy, idle = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [busy, idle]}, routing_strategy="least-busy", rng=random.Random(1)
        )
        busy.hang()
        held = asyncio.create_task(ask(router, "smart-0"))
        await busy.until(lambda it: it.in_flight == 1)
        for _ in range(5):
            assert (await ask(router)).route.served_by == "smart-1"
        held.cancel()
        await asyncio.wait([held])

    @pytest.mark.parametrize("strategy", ["cost-weighted", "cost-based-routing"])
    async def test_price_zero_is_a_price(self, fleet: Fleet, strategy: str) -> None:
        """What costs nothing is the cheapest there is, not something without a price."""
        (upstream,) = await fleet.start("openai")
        entries = [
            upstream.deployment("smart", id="dear", info=DEAR),
            upstream.deployment("smart", id="free", info=FREE),
        ]
        router = await fleet.router(
            {"smart": entries}, routing_strategy=strategy, rng=random.Random(1)
        )
        assert served([await ask(router) for _ in range(30)]) == {"free": 30}

    async def test_cost_weighted_is_by_the_square(self, fleet: Fleet) -> None:
        """cost-weighted: half the price, four times the calls."""
        (upstream,) = await fleet.start("openai")
        prices = {"half": 1e-6, "whole": 2e-6}
        entries = [
            upstream.deployment(
                "smart", id=id, info={"input_cost_per_token": p, "output_cost_per_token": p}
            )
            for id, p in prices.items()
        ]
        router = await fleet.router(
            {"smart": entries}, routing_strategy="cost-weighted", rng=random.Random(1)
        )
        shares = served([it for _ in range(8) for it in await burst(router)])
        assert 0.74 < shares["half"] / 400 < 0.86

    async def test_cheapest_that_can(self, fleet: Fleet) -> None:
        """cost-based-routing takes the cheapest, and the next when that one has failed."""
        cheap, dear = await fleet.start("openai", "openai")
        entries = [
            dear.deployment("smart", id="dear", info=DEAR),
            cheap.deployment("smart", id="cheap", info=CHEAP),
        ]
        router = await fleet.router(
            {"smart": entries}, routing_strategy="cost-based-routing", rng=random.Random(1)
        )
        cheap.fail(500)
        assert [id for id, _ in path(await ask(router))] == ["cheap", "dear"]

    async def test_most_quota_left(self, fleet: Fleet, clock: FakeClock) -> None:
        """usage-based-routing goes where the largest share of the quota is left."""
        (upstream,) = await fleet.start("openai")
        entries = [upstream.deployment("smart", id=str(rpm), rpm=rpm) for rpm in (10, 40)]
        router = await fleet.router(
            {"smart": entries},
            routing_strategy="usage-based-routing",
            rng=random.Random(1),
            clock=clock,
        )
        shares = served([await ask(router) for _ in range(25)])
        assert shares == {"10": 5, "40": 20}

    async def test_own_strategy(self, fleet: Fleet) -> None:
        """Any object with `pick` chooses, and is never given an empty list."""
        seen = []

        class Last:
            def pick(self, candidates: Sequence[Any], request: Any) -> Any:
                seen.append(len(candidates))
                return candidates[-1]

        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, routing_strategy=Last())
        two.fail(500, times=None)
        assert [id for id, _ in path(await ask(router))] == ["smart-1", "smart-0"]
        assert min(seen) > 0


class TestNothingThere:
    @EVERY
    @pytest.mark.parametrize("limit", ["rpm", "tpm", "max_parallel_requests"])
    async def test_zero_means_none(self, fleet: Fleet, limit: str, strategy: str) -> None:
        """A limit of 0 keeps a deployment out altogether, whatever chooses."""
        one, two = await fleet.start("openai", "openai")
        entries = [one.deployment("smart", **{limit: 0}), two.deployment("smart")]
        router = await fleet.router(
            {"smart": entries}, routing_strategy=strategy, rng=random.Random(1)
        )
        await burst(router, 20)
        assert (len(one.requests), len(two.requests)) == (0, 20)

    @pytest.mark.parametrize("limit", ["rpm", "tpm"])
    async def test_nobody_with_quota(self, fleet: Fleet, limit: str) -> None:
        """If the only deployment has a quota of 0, a call fails at once and asks nobody."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream.deployment("smart", **{limit: 0})]})
        async with asyncio.timeout(0.5):
            assert isinstance(await failure(router), RateLimitError)
        assert upstream.requests == []


class TestOrder:
    async def test_lowest_first(self, fleet: Fleet) -> None:
        """While one of the lowest order is well, nobody else is asked; no order comes last."""
        (upstream,) = await fleet.start("openai")
        entries = [
            upstream.deployment("smart", id="none"),
            upstream.deployment("smart", id="two", order=2),
            upstream.deployment("smart", id="one", order=1),
        ]
        router = await fleet.router({"smart": entries}, rng=random.Random(1))
        assert served(await burst(router)) == {"one": 50}

    async def test_next_level_is_a_sibling(self, fleet: Fleet) -> None:
        """When a level has failed the next one has its turn, at once and level by level."""
        bad, good = await fleet.start("openai", "openai")
        entries = [
            good.deployment("smart", id="none"),
            bad.deployment("smart", id="two", order=2),
            bad.deployment("smart", id="one", order=1),
        ]
        router = await fleet.router({"smart": entries})
        bad.fail(500, times=None)
        answer = await ask(router)
        assert path(answer) == [("one", "first"), ("two", "sibling"), ("none", "sibling")]
        assert fleet.chance.ceilings == []

    async def test_resting_level_is_skipped(self, fleet: Fleet, clock: FakeClock) -> None:
        """A level that rests leaves the call to the next without an attempt of its own."""
        bad, good = await fleet.start("openai", "openai")
        entries = [
            bad.deployment("smart", id="one", order=1),
            good.deployment("smart", id="two", order=2),
        ]
        router = await fleet.router({"smart": entries}, allowed_fails=0, clock=clock)
        bad.fail(500)
        await ask(router)
        assert path(await ask(router)) == [("two", "first")]


class TestTags:
    @pytest.mark.parametrize(
        ("tags", "who"),
        [
            (["free"], {"free"}),
            (["paid"], {"paid", "eu"}),
            (["paid", "eu"], {"paid", "eu"}),
            (["paid", "!eu"], {"paid"}),
            (["unknown"], {"usual"}),
            (None, {"usual"}),
        ],
    )
    async def test_tags_decide(self, fleet: Fleet, tags: Any, who: set[str]) -> None:
        """Tags follow LiteLLM's rules: any of them, `default` where nobody matches, `!` is not."""
        (upstream,) = await fleet.start("openai")
        tagged = {"free": ["free"], "paid": ["paid"], "eu": ["paid", "eu"], "usual": ["default"]}
        entries = [upstream.deployment("smart", id=id, tags=t) for id, t in tagged.items()]
        router = await fleet.router({"smart": entries}, rng=random.Random(1))
        metadata = {} if tags is None else {"metadata": {"tags": tags}}
        assert set(served(await burst(router, 30, **metadata))) == who

    async def test_all_tags(self, fleet: Fleet) -> None:
        """With tag_filtering_match_any=False a deployment needs all the tags of a call."""
        (upstream,) = await fleet.start("openai")
        tagged = {"paid": ["paid"], "both": ["paid", "eu"]}
        entries = [upstream.deployment("smart", id=id, tags=t) for id, t in tagged.items()]
        router = await fleet.router(
            {"smart": entries}, rng=random.Random(1), tag_filtering_match_any=False
        )
        assert set(served(await burst(router, 20, tags=["paid", "eu"]))) == {"both"}

    async def test_nobody_matches(self, fleet: Fleet) -> None:
        """A tag that nobody has, with no `default`, is an error that asks nobody."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream.deployment("smart", tags=["a"])]})
        error = await failure(router, tags=["b"])
        assert isinstance(error, UnsupportedParamsError)
        assert upstream.requests == []

    async def test_retries_keep_the_tags(self, fleet: Fleet) -> None:
        """A failure never moves a call to a deployment that its tags exclude."""
        one, two = await fleet.start("openai", "openai")
        entries = [one.deployment("smart", tags=["free"]), two.deployment("smart", tags=["paid"])]
        router = await fleet.router({"smart": entries})
        one.fail(500, times=None)
        await failure(router, tags=["free"])
        assert two.requests == []


class TestAbilities:
    async def test_refusal_of_ours_is_a_filter(self, fleet: Fleet) -> None:
        """Who cannot take a call is passed over without an attempt, by streams too."""
        blind, seeing = await fleet.start("openai", "openai")
        entries = [
            blind.deployment("smart", info={"supports_vision": False}),
            seeing.deployment("smart", info={"supports_vision": True}),
        ]
        router = await fleet.router({"smart": entries}, num_retries=0)
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
        for stream in (False, True):
            answer = await router.acompletion(
                "smart", [{"role": "user", "content": [image]}], stream=stream
            )
            assert len(path(answer)) == 1
            if stream:
                await answer.aclose()
        assert blind.requests == []

    async def test_long_prompts_go_to_large_windows(self, fleet: Fleet) -> None:
        """A prompt beyond a context window goes to a larger one, and stays there when retried."""
        small, large = await fleet.start("openai", "openai")
        entries = [
            small.deployment("smart", info={"max_input_tokens": 100}),
            large.deployment("smart", info={"max_input_tokens": 100_000}),
        ]
        router = await fleet.router({"smart": entries})
        large.fail(500)
        await router.acompletion("smart", [{"role": "user", "content": "word " * 2000}])
        assert (len(small.requests), len(large.requests)) == (0, 2)

    async def test_region(self, fleet: Fleet) -> None:
        """A call that must stay in a region is answered there or nowhere."""
        one, two = await fleet.start("openai", "openai")
        entries = [
            one.deployment("smart", region_name="us-east-1"),
            two.deployment("smart", region_name="eu-west-1"),
        ]
        router = await fleet.router({"smart": entries})
        two.fail(500, times=None)
        await failure(router, allowed_model_region="eu")
        assert one.requests == []


async def test_messages_are_not_touched(fleet: Fleet) -> None:
    """Routing never changes what the caller handed in."""
    (upstream,) = await fleet.start("anthropic")
    router = await fleet.router({"smart": [upstream]})
    messages = [{"role": "system", "content": "Be brief."}, *HI]
    metadata = {"tags": ["x"], "user": "me"}
    await router.acompletion("smart", messages, metadata=metadata)
    assert messages == [{"role": "system", "content": "Be brief."}, *HI]
    assert metadata == {"tags": ["x"], "user": "me"}
