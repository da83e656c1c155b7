"""Aliases: what can be asked for, and whom it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from polyroute import BadRequestError, ConfigurationError, NotFoundError, Router
from polyroute.router import aliases as aliases_module

if TYPE_CHECKING:
    from conftest import Fleet

pytestmark = pytest.mark.anyio

HELLO = [{"role": "user", "content": "Hello?"}]


def entry(alias: str, model: str, **more: Any) -> dict[str, Any]:
    info = {"id": more.pop("id")} if "id" in more else {}
    return {
        "model_name": alias,
        "litellm_params": {"model": model, "api_key": "key", **more},
        "model_info": info,
    }


def models_of(router: Router, name: str) -> list[str]:
    """The provider's names of the models that a name leads to."""
    targets = [deployment.target for deployment in router._aliases.find(name).deployments]
    return [f"{target.provider}/{target.model}" for target in targets]


class TestWildcards:
    @pytest.mark.parametrize(
        ("alias", "model", "asked", "meant"),
        [
            ("anthropic/*", "anthropic/*", "anthropic/claude-x", "anthropic/claude-x"),
            ("*", "*", "groq/llama-x", "groq/llama-x"),
            ("*", "openai/*", "gpt-x", "openai/gpt-x"),
            ("our-*", "openai/*", "our-gpt-x", "openai/gpt-x"),
            (
                "fo::*:static::*",
                "openai/fo::*:static::*",
                "fo::a:static::b",
                "openai/fo::a:static::b",
            ),
            ("llama-*", "groq/llama-3.3-70b-versatile", "llama-3", "groq/llama-3.3-70b-versatile"),
            ("anthropic/*", "anthropic/*", "claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
            ("openrouter/*", "openrouter/*", "openrouter/a/b:free", "openrouter/a/b:free"),
        ],
    )
    def test_what_is_asked_for_is_filled_in(
        self, alias: str, model: str, asked: str, meant: str
    ) -> None:
        """The text for which the ``*`` stands goes into the deployment's model."""
        assert models_of(Router([entry(alias, model)]), asked) == [meant]

    def test_the_most_specific_wins(self) -> None:
        """An alias as it is written, then the pattern with the most letters, then the rest."""
        router = Router(
            [
                entry("*", "groq/*"),
                entry("openai/*", "openai/*"),
                entry("openai/gpt-*", "azure/*", api_base="https://ours"),
                entry("openai/gpt-4o", "mistral/exact"),
            ]
        )
        assert models_of(router, "openai/gpt-4o") == ["mistral/exact"]
        assert models_of(router, "openai/gpt-5") == ["azure/5"]
        assert models_of(router, "openai/o3") == ["openai/o3"]
        assert models_of(router, "something") == ["groq/something"]

    def test_wildcards_of_one_name_are_a_group(self) -> None:
        """Two keys for all models of a provider share the traffic of each."""
        router = Router([entry("openai/*", "openai/*"), entry("openai/*", "openai/*", api_key="b")])
        assert models_of(router, "openai/gpt-x") == ["openai/gpt-x", "openai/gpt-x"]

    def test_made_once(self) -> None:
        """What was made is asked again: its health and statistics last."""
        router = Router([entry("openai/*", "openai/*")])
        assert router._aliases.find("openai/a") is router._aliases.find("openai/a")
        assert [row["model"] for row in router.stats()] == ["a"]

    def test_the_unused_ones_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many names are asked for, only so many deployments are kept."""
        monkeypatch.setattr(aliases_module, "MOST_MADE", 3)
        router = Router([entry("openai/*", "openai/*")])
        for name in ("a", "b", "c", "a", "d"):
            router._aliases.find(f"openai/{name}")
        assert [row["model"] for row in router.stats()] == ["a", "c", "d"]

    def test_quota_is_of_the_key(self) -> None:
        """All models behind a wildcard draw on the same quota."""
        router = Router([entry("openai/*", "openai/*", rpm=10)])
        one, other = (router._aliases.find(f"openai/{name}").deployments[0] for name in "ab")
        assert one.quota is other.quota is not None

    def test_names(self) -> None:
        """Wildcards are listed as they are written; ids say for which model."""
        router = Router([entry("openai/*", "openai/*", id="main")])
        assert router.aliases == ["openai/*"]
        assert router._aliases.find("openai/a").deployments[0].id == "main:openai/a"

    def test_added_and_removed(self) -> None:
        """A wildcard can come and go; what was made from it goes with it."""
        router = Router([entry("smart", "openai/gpt-4o")])
        with pytest.raises(NotFoundError):
            router._aliases.find("groq/x")
        id = router.add_deployment(entry("groq/*", "groq/*"))
        assert models_of(router, "groq/x") == ["groq/x"]
        router.remove_deployment(id)
        with pytest.raises(NotFoundError, match="there are: smart"):
            router._aliases.find("groq/x")
        assert [row["model"] for row in router.stats()] == ["gpt-4o"]

    def test_nobody_else_is_forgotten(self) -> None:
        """A deployment that comes or goes leaves the models behind a wildcard as they were."""
        router = Router([entry("openai/*", "openai/*")])
        made = router._aliases.find("openai/a")
        router.remove_deployment(router.add_deployment(entry("smart", "groq/x")))
        assert router._aliases.find("openai/a") is made

    def test_a_star_that_nothing_fills(self) -> None:
        """A ``*`` in the model alone is a mistake, told when the Router is made."""
        with pytest.raises(ConfigurationError, match=r"model_list\[0\].*does not fill"):
            Router([entry("smart", "openai/*")])

    def test_names_that_mean_no_provider(self) -> None:
        """Behind ``*`` a name that no provider can be read from is not found."""
        with pytest.raises(NotFoundError, match="no provider for the model 'smrt'"):
            Router([entry("*", "*")])._aliases.find("smrt")

    async def test_calls_go_through(self, fleet: Fleet) -> None:
        """A call for a model behind a wildcard asks the provider for that model."""
        (upstream,) = await fleet.start("openai")
        base = upstream.deployment("x")["litellm_params"]["api_base"]
        router = await fleet.router({"openai/*": [entry("openai/*", "openai/*", api_base=base)]})
        answer = await router.acompletion("openai/gpt-x", HELLO)
        assert upstream.requests[-1].body["model"] == "gpt-x"
        assert answer.route.alias == "openai/gpt-x"

    async def test_they_can_be_fallbacks(self, fleet: Fleet) -> None:
        """A chain may name a model that a wildcard stands for."""
        down, up = await fleet.start("openai", "openai")
        down.fail(500, times=None)
        base = up.deployment("x")["litellm_params"]["api_base"]
        wildcard = entry("openai/*", "openai/*", api_base=base)
        router = await fleet.router(
            {"smart": [down], "openai/*": [wildcard]},
            fallbacks=[{"smart": ["openai/gpt-x"]}],
            num_retries=0,
        )
        answer = await router.acompletion("smart", HELLO)
        assert [attempt.group for attempt in answer.route.attempts] == ["smart", "openai/gpt-x"]


class TestOtherNames:
    def test_they_lead_to_the_alias(self) -> None:
        """Another name is the same group; a hidden one is not listed."""
        others = {"gpt-4": "smart", "secret": {"model": "smart", "hidden": True}}
        router = Router([entry("smart", "openai/gpt-4o")], model_group_alias=others)
        group = router._aliases.find("smart")
        assert router._aliases.find("gpt-4") is router._aliases.find("secret") is group
        assert router.aliases == ["smart", "gpt-4"]

    def test_they_may_lead_behind_a_wildcard(self) -> None:
        """Another name may stand for a model of a wildcard."""
        router = Router([entry("groq/*", "groq/*")], model_group_alias={"fast": "groq/x"})
        assert models_of(router, "fast") == ["groq/x"]

    @pytest.mark.parametrize(
        ("others", "problem"),
        [
            ({"gpt-4": "smrt"}, "leads to 'smrt'.*did you mean 'smart'"),
            ({"smart": "cheap"}, "a model_name or id 'smart' already"),
            ({"gpt-4": {"hidden": True}}, "leads to None"),
            ({"gpt-4": "gpt-4"}, "leads to 'gpt-4'"),
            ({"gpt-4": 4}, "model_group_alias"),
        ],
    )
    def test_mistakes_are_told(self, others: dict[str, Any], problem: str) -> None:
        """A name that is taken or leads nowhere is an error when the Router is made."""
        entries = [entry("smart", "openai/gpt-4o"), entry("cheap", "groq/x")]
        with pytest.raises(ConfigurationError, match=problem):
            Router(entries, model_group_alias=others)

    def test_aliases_do_not_take_them(self) -> None:
        """A deployment that comes later cannot take another name over."""
        router = Router([entry("smart", "openai/gpt-4o")], model_group_alias={"gpt-4": "smart"})
        with pytest.raises(ConfigurationError, match="'gpt-4' is another name"):
            router.add_deployment(entry("gpt-4", "openai/gpt-4"))

    async def test_chains_may_use_them(self, fleet: Fleet) -> None:
        """Fallbacks of another name are those of the alias, and lead to another alias."""
        down, up = await fleet.start("openai", "openai")
        down.fail(500, times=None)
        router = await fleet.router(
            {"smart": [down], "cheap": [up]},
            model_group_alias={"gpt-4": "smart", "mini": "cheap"},
            fallbacks=[{"gpt-4": ["mini"]}],
            num_retries=0,
        )
        answer = await router.acompletion("smart", HELLO)
        assert [attempt.group for attempt in answer.route.attempts] == ["smart", "cheap"]


class TestSpecificDeployment:
    @pytest.fixture
    def router(self) -> Router:
        """Two aliases, of which one has two models."""
        return Router(
            [
                entry("smart", "openai/gpt-4o", id="a"),
                entry("smart", "groq/llama-x", id="b"),
                entry("cheap", "groq/llama-x", id="c"),
            ]
        )

    @pytest.mark.parametrize(
        ("model", "ids"), [("groq/llama-x", ["b", "c"]), ("gpt-4o", ["a"]), ("llama-x", ["b", "c"])]
    )
    def test_by_model(self, router: Router, model: str, ids: list[str]) -> None:
        """The deployments of a model, whatever their aliases."""
        assert [it.id for it in router._aliases.specific(model).deployments] == ids

    def test_nobody_has_the_model(self, router: Router) -> None:
        """A model that no deployment has is an error that lists those there are."""
        with pytest.raises(NotFoundError, match="there are: groq/llama-x, openai/gpt-4o"):
            router._aliases.specific("smart")

    def test_newcomers_are_seen(self, router: Router) -> None:
        """Who comes or goes is there, or gone, at the next call."""
        router._aliases.specific("groq/llama-x")
        router.add_deployment(entry("new", "groq/llama-x", id="d"))
        router.remove_deployment("b")
        assert [it.id for it in router._aliases.specific("groq/llama-x").deployments] == ["c", "d"]

    async def test_calls_go_through(self, fleet: Fleet) -> None:
        """`specific_deployment=True` asks for a deployment's own model."""
        upstreams = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": upstreams[:1], "cheap": upstreams[1:]})
        model = upstreams[1].deployment("cheap")["litellm_params"]["model"]
        answer = await router.acompletion(model, HELLO, specific_deployment=True)
        assert answer.choices[0].message.content
        with pytest.raises(NotFoundError):
            await router.acompletion(model, HELLO)


class TestNames:
    def test_by_id(self) -> None:
        """A deployment's id leads to it alone."""
        router = Router([entry("smart", "openai/a", id="x"), entry("smart", "openai/b", id="y")])
        assert models_of(router, "y") == ["openai/b"]

    def test_unknown(self) -> None:
        """An unknown name is an error that lists the aliases, wildcards among them."""
        router = Router([entry("smart", "openai/a"), entry("groq/*", "groq/*")])
        with pytest.raises(NotFoundError, match=r"did you mean 'smart'.*groq/\*, smart"):
            router._aliases.find("smrt")

    def test_no_name(self) -> None:
        """Anything but a text is refused."""
        with pytest.raises(BadRequestError, match="must be an alias"):
            Router([entry("smart", "openai/a")])._aliases.find(["smart"])  # type: ignore[arg-type]

    def test_router_without_anything_of_tags(self) -> None:
        """Settings of filters are checked when the Router is made."""
        with pytest.raises(ConfigurationError, match="enable_tag_filtering"):
            Router([entry("smart", "openai/a")], enable_tag_filtering="yes")  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("params", "place"),
        [
            ({"tags": ["!eu"]}, "tags"),
            ({"tags": "free"}, "tags"),
            ({"order": -1}, "order"),
            ({"region_name": ""}, "region_name"),
        ],
    )
    def test_fields_are_checked(self, params: dict[str, Any], place: str) -> None:
        """A deployment's tags, order and region are checked."""
        with pytest.raises(ConfigurationError, match=rf"litellm_params\.{place}"):
            Router([entry("smart", "openai/a", **params)])
