"""Changes at run time, under load: nobody's call is lost."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, ConfigurationError, NotFoundError

from .helpers import ask, failure, in_flight, outcomes, read, served

if TYPE_CHECKING:
    from polyroute import Router

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio


class Load:
    """Callers who never stop, and what became of their calls."""

    def __init__(self, router: Router, callers: int = 20, **params: Any) -> None:
        self.answers: list[Any] = []
        self.errors: list[APIError] = []
        self._router = router
        self._params = params
        self._over = False
        self._tasks = [asyncio.ensure_future(self._call()) for _ in range(callers)]

    async def _call(self) -> None:
        while not self._over:
            try:
                answer = await ask(self._router, **self._params)
                if self._params.get("stream"):
                    await read(answer)
            except APIError as error:
                self.errors.append(error)
            else:
                self.answers.append(answer)

    async def calls(self, number: int) -> None:
        """Let so many more calls end."""
        wanted = len(self.answers) + len(self.errors) + number
        while len(self.answers) + len(self.errors) < wanted:
            await asyncio.sleep(0.001)

    async def end(self) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("strategy", ["adaptive", "round-robin", "least-busy"])
async def test_coming_and_going(fleet: Fleet, strategy: str, stream: bool) -> None:
    """Deployments come and go under load, and every call is answered."""
    upstreams = await fleet.start(*["openai"] * 4, latency=0.001)
    router = await fleet.router(
        {"smart": upstreams[:1]}, routing_strategy=strategy, rng=random.Random(1)
    )
    load = Load(router, stream=stream)
    for turn in range(4):
        for number, upstream in enumerate(upstreams[1:]):
            router.add_deployment(upstream.deployment("smart", id=f"new-{turn}-{number}"))
            await load.calls(25)
        for number in range(3):
            router.remove_deployment(f"new-{turn}-{number}")
            await load.calls(25)
    await load.end()
    assert load.errors == []
    assert len(served(load.answers)) > 6
    assert in_flight(router) == 0


async def test_replaced_altogether(fleet: Fleet) -> None:
    """All deployments are replaced under load, one moment after the other; no call is lost."""
    old, new = await fleet.start("openai", "anthropic", latency=0.005)
    router = await fleet.router({"smart": [old]})
    load = Load(router)
    await load.calls(40)
    id = router.add_deployment(new.deployment("smart"))
    router.remove_deployment("smart-0")
    await load.calls(60)
    before = len(old.requests)
    await load.calls(60)
    await load.end()
    assert load.errors == []
    assert len(old.requests) == before
    assert served(load.answers).keys() == {"smart-0", id}


@pytest.mark.parametrize("strategy", ["simple-shuffle", "adaptive", "round-robin"])
async def test_reweighted(fleet: Fleet, strategy: str) -> None:
    """Weights change under load: a weight of 0 takes a deployment out, and 1 brings it back."""
    one, two = await fleet.start("openai", "openai", latency=0.001)
    router = await fleet.router(
        {"smart": [one, two]}, rng=random.Random(1), routing_strategy=strategy
    )
    load = Load(router)
    await load.calls(50)
    router.set_weight("smart-1", 0)
    await load.calls(25)
    two.requests.clear()
    await load.calls(100)
    assert two.requests == []
    router.set_weight("smart-1", 1)
    await load.calls(100)
    await load.end()
    assert load.errors == []
    assert len(two.requests) > 20


async def test_new_list(fleet: Fleet) -> None:
    """A whole new list takes effect under load; what is in both lists keeps its state."""
    old, both, new = await fleet.start("openai", "openai", "anthropic", latency=0.002)
    stays = both.deployment("smart", id="both", rpm=10**6)
    router = await fleet.router(
        {"smart": [old, stays]}, routing_strategy="round-robin", rng=random.Random(1)
    )
    load = Load(router)
    await load.calls(60)
    before = router.stats()[1]["calls"]
    router.set_model_list([stays, new.deployment("smart", id="new")])
    await load.calls(40)
    seen = len(old.requests)
    await load.calls(60)
    await load.end()
    assert load.errors == []
    assert len(old.requests) == seen
    rows = {row["id"]: row for row in router.stats()}
    assert rows.keys() == {"both", "new"}
    assert rows["both"]["calls"] > before
    assert in_flight(router) == 0


async def test_new_list_serves_those_who_wait(fleet: Fleet) -> None:
    """Calls that wait for a slot go on with the deployments of a new list."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router({"smart": [one.deployment("smart", max_parallel_requests=1)]})
    one.hang()
    holder = asyncio.ensure_future(ask(router))
    await one.until(lambda it: it.in_flight == 1)
    waiting = [asyncio.ensure_future(ask(router)) for _ in range(5)]
    await asyncio.sleep(0.01)
    router.set_model_list([two.deployment("smart", id="new")])
    async with asyncio.timeout(0.5):
        assert served(await asyncio.gather(*waiting)) == {"new": 5}
    holder.cancel()
    await asyncio.wait([holder])


async def test_wrong_list_changes_nothing(fleet: Fleet) -> None:
    """A list with a mistake in it is refused whole."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    with pytest.raises(ConfigurationError, match=r"model_list\[1\]"):
        router.set_model_list([upstream.deployment("other"), {"model_name": "wrong"}])
    assert router.aliases == ["smart"]
    assert (await ask(router)).choices


async def test_removed_one_drains(fleet: Fleet) -> None:
    """What runs on a removed deployment ends as it would have, streams too."""
    one, two = await fleet.start("openai", "openai", answer="a b c", latency=0.02)
    one.chunk_delay = 0.01
    router = await fleet.router({"smart": [one, two]})
    call = asyncio.ensure_future(ask(router))
    stream = await ask(router, stream=True)
    router.remove_deployment("smart-0")
    assert (await ask(router)).route.served_by == "smart-1"
    assert (await call).route.served_by == "smart-0"
    assert await read(stream) == "a b c"
    assert [row["id"] for row in router.stats()] == ["smart-1"]


async def test_removed_one_is_not_retried(fleet: Fleet) -> None:
    """A call that fails on a deployment that is being removed goes on without it."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router({"smart": [one, two]})
    one.latency = 0.02
    one.fail(500, times=None)
    call = asyncio.ensure_future(ask(router, num_retries=5))
    await one.until(lambda it: it.in_flight == 1)
    router.remove_deployment("smart-0")
    assert (await call).route.served_by == "smart-1"
    assert len(one.requests) == 1


async def test_last_one_gone(fleet: Fleet) -> None:
    """Without a deployment the alias is unknown; it is known again with a new one."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    router.remove_deployment("smart-0")
    assert isinstance(await failure(router), NotFoundError)
    assert router.aliases == []
    router.add_deployment(upstream.deployment("smart", id="again"))
    assert (await ask(router)).route.served_by == "again"


async def test_new_one_is_new(fleet: Fleet) -> None:
    """A deployment that comes back under its old id starts with a clean record."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, allowed_fails=0, num_retries=0)
    upstream.fail(401)
    await failure(router)
    router.remove_deployment("smart-0")
    router.add_deployment(upstream.deployment("smart", id="smart-0"))
    (row,) = router.stats()
    assert (row["state"], row["failures"]) == ("closed", 0)


async def test_wrong_changes_change_nothing(fleet: Fleet) -> None:
    """A wrong entry, a taken id and an unknown id are errors, and everything is as before."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    for wrong in (
        {"model_name": "smart"},
        upstream.deployment("smart", id="smart-0"),
        upstream.deployment("smart", id="x", weight=-1),
        upstream.deployment("smart", id="x", rpm="many"),
    ):
        with pytest.raises(ConfigurationError):
            router.add_deployment(wrong)
    with pytest.raises(ConfigurationError, match="nobody"):
        router.remove_deployment("nobody")
    assert [row["id"] for row in router.stats()] == ["smart-0"]
    assert await outcomes(*(ask(router) for _ in range(5))) == {"ok": 5}


async def test_one_of_several_dies_under_load(fleet: Fleet) -> None:
    """A server that dies in the middle of the load costs no caller an error."""
    upstreams = await fleet.start("openai", "anthropic", "gemini", latency=0.002)
    router = await fleet.router(
        {"smart": upstreams}, routing_strategy="adaptive", rng=random.Random(1)
    )
    load = Load(router, 24)
    await load.calls(100)
    upstreams[0].kill()
    await load.calls(200)
    await load.end()
    assert load.errors == []


async def test_wildcards_under_load(fleet: Fleet) -> None:
    """A wildcard may come and go while its models are called; calls for them are not lost."""
    (upstream,) = await fleet.start("openai", latency=0.001)

    def wildcard(id: str) -> dict[str, Any]:
        entry = upstream.deployment("openai/*", id=id)
        entry["litellm_params"]["model"] = "openai/*"
        return entry

    router = await fleet.router({"any": [wildcard("w-0")]})
    load = [Load(router, 4, model=f"openai/m{number}") for number in range(4)]
    for turn in range(1, 5):
        await load[0].calls(20)
        router.add_deployment(wildcard(f"w-{turn}"))
        await load[1].calls(20)
        router.remove_deployment(f"w-{turn - 1}")
    for each in load:
        await each.end()
        assert each.errors == []
        assert each.answers
    assert in_flight(router) == 0


async def test_dying_with_slots(fleet: Fleet) -> None:
    """Calls that wait for slots of two deployments all get through the one that is left."""
    one, two = await fleet.start("openai", "openai", latency=0.003)
    entries = [it.deployment("smart", max_parallel_requests=3) for it in (one, two)]
    router = await fleet.router(
        {"smart": entries}, routing_strategy="least-busy", rng=random.Random(1)
    )
    calls = [asyncio.ensure_future(ask(router, timeout=5)) for _ in range(150)]
    await asyncio.sleep(0.02)
    one.kill()
    answers = await asyncio.gather(*calls)
    assert len(answers) == 150
    assert two.most_in_flight == 3
    assert in_flight(router) == 0
