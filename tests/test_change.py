"""What may change while a Router runs: deployments, weights, the whole configuration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import ConfigurationError, Router

if TYPE_CHECKING:
    from tests.conftest import Fleet

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]


def entry(id: str, alias: str = "smart", **params: Any) -> dict[str, Any]:
    """One entry of a model_list that nobody calls."""
    return {
        "model_name": alias,
        "litellm_params": {"model": "openai/x", "api_key": "k", **params},
        "model_info": {"id": id},
    }


class TestSetModelList:
    async def test_under_load_nobodys_call_is_lost(self, fleet: Fleet) -> None:
        """Calls that run while everything is replaced are answered, old and new ones."""
        old, new = await fleet.start("openai", "anthropic")
        router = await fleet.router({"smart": [old]})
        old.latency = 0.05
        running = [asyncio.create_task(router.acompletion("smart", HI)) for _ in range(20)]
        await old.until(lambda it: it.in_flight == 20)
        router.set_model_list([new.deployment("smart", id="new")])
        answers = await asyncio.gather(*running, *(router.acompletion("smart", HI) for _ in "ab"))
        served = [answer.route.served_by for answer in answers]
        assert served == ["smart-0"] * 20 + ["new"] * 2
        assert [each["id"] for each in router.stats()] == ["new"]

    async def test_what_has_not_changed_keeps_its_state(self, fleet: Fleet) -> None:
        """An entry that stays as it is keeps its counts, and so its circuit and statistics."""
        one, two = await fleet.start("openai", "openai")
        first = one.deployment("smart", id="one")
        router = await fleet.router({"smart": [first]})
        await router.acompletion("smart", HI)
        router.set_model_list([two.deployment("smart", id="two"), first])
        assert {each["id"]: each["calls"] for each in router.stats()} == {"one": 1, "two": 0}

    def test_an_id_may_change_its_meaning(self) -> None:
        """The same id with other parameters is another deployment."""
        router = Router([entry("a"), entry("b")])
        router.set_model_list([entry("a", "other"), entry("b", weight=2)])
        assert sorted(router.aliases) == ["other", "smart"]
        assert router.ids == ["a", "b"]

    def test_what_is_wrong_changes_nothing(self) -> None:
        """A list with a mistake is refused as a whole."""
        router = Router([entry("a")])
        with pytest.raises(ConfigurationError, match=r"model_list\[1\].*taken"):
            router.set_model_list([entry("b"), entry("b")])
        assert router.ids == ["a"]

    def test_wildcards_are_replaced_too(self) -> None:
        """Patterns come and go like other deployments."""
        router = Router([entry("w", "openai/*")])
        router.set_model_list([entry("g", "groq/*", model="groq/*")])
        assert router.aliases == ["groq/*"]


class TestSetWeight:
    async def test_takes_effect_at_once(self, fleet: Fleet) -> None:
        """A deployment of weight 0 is not asked any more, one of weight 1 is again."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-0"
        router.set_weight("smart-0", 0)
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-1"
        router.set_weight("smart-0", 1)
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-0"

    @pytest.mark.parametrize("weight", [-1, float("inf"), float("nan"), "much"])
    def test_no_weight(self, weight: Any) -> None:
        """What is no weight is refused with words."""
        with pytest.raises(ConfigurationError, match="weight must be 0 or more"):
            Router([entry("a")]).set_weight("a", weight)

    def test_unknown_id(self) -> None:
        """The ids there are, are listed."""
        with pytest.raises(ConfigurationError, match="no deployment 'b'; there are: a"):
            Router([entry("a")]).set_weight("b", 1)
