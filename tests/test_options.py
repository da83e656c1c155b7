"""What a caller says about a call, and what a Router is told: checked, with words."""

from __future__ import annotations

import math
import os
from typing import Any

import pytest

from polyroute import BadRequestError, ConfigurationError, Router
from polyroute.providers.messages import chat
from polyroute.router.config import deployment_config
from polyroute.router.options import NO_OPTIONS, split

HI = [{"role": "user", "content": "Hi"}]


def options(**keywords: Any) -> tuple[Any, Any]:
    call = chat(HI, stream=False, ask_usage=True)
    return call, split(call, keywords)


def entry(**params: Any) -> dict[str, Any]:
    """One entry of a model_list."""
    return {
        "model_name": "smart",
        "litellm_params": {"model": "openai/x", "api_key": "k", **params},
    }


class TestSplit:
    def test_nothing_said(self) -> None:
        """Without keywords there is one shared object and no work."""
        call, said = options()
        assert said is NO_OPTIONS
        assert call.params == {}

    def test_parts(self) -> None:
        """Options go to the engine, everything else to the model."""
        call, said = options(temperature=1, timeout=5, num_retries=0, top_k=3)
        assert call.params == {"temperature": 1, "top_k": 3}
        assert (said.timeout, said.num_retries) == (5, 0)

    def test_none_is_not_said(self) -> None:
        """A keyword that is None is as good as absent."""
        call, said = options(temperature=None, timeout=None)
        assert (call.params, said.timeout) == ({}, None)

    def test_other_names(self) -> None:
        """OpenAI's and LiteLLM's names for the same options are understood."""
        _, said = options(max_retries=3, request_timeout=7)
        assert (said.num_retries, said.timeout) == (3, 7)

    def test_extra_body_and_headers(self) -> None:
        """extra_body and extra_headers are no parameters."""
        call, _ = options(extra_body={"a": 1}, extra_headers={"X-A": "1"})
        assert (call.params, call.extra_body, call.extra_headers) == ({}, {"a": 1}, {"X-A": "1"})

    def test_callers_messages_stay_as_they_are(self) -> None:
        """The caller's list and dictionaries are never changed."""
        messages = [{"role": "system", "content": "Be brief."}, *HI]
        before = [dict(message) for message in messages]
        call = chat(messages, stream=False, ask_usage=True)
        split(call, {"supports_system_message": False})
        assert messages == before

    def test_metadata_is_a_single_models_own(self) -> None:
        """Without a Router nobody is chosen by tags: `metadata` goes out as it is."""
        metadata = {"tags": ["free"], "user": "u"}
        call = chat(HI, stream=False, ask_usage=False)
        split(call, {"metadata": metadata}, routed=False)
        assert call.params["metadata"] == metadata

    @pytest.mark.parametrize(
        ("name", "value"),
        [("tags", ["free"]), ("allowed_model_region", "eu"), ("specific_deployment", True)],
    )
    def test_single_models_are_not_chosen_among(self, name: str, value: Any) -> None:
        """What chooses among deployments is refused where there is one model to ask."""
        call = chat(HI, stream=False, ask_usage=False)
        with pytest.raises(BadRequestError, match=f"{name}: there is only one model"):
            split(call, {name: value}, routed=False)

    @pytest.mark.parametrize("name", ["prompt_label", "guardrails", "max_budget"])
    def test_what_is_not_there_yet(self, name: str) -> None:
        """An option that would not be kept is refused, not sent to a provider."""
        with pytest.raises(BadRequestError, match=f"{name}: not there yet") as caught:
            options(**{name: "x"})
        assert caught.value.param == name
        call, _ = options(extra_body={name: "x"})
        assert call.extra_body == {name: "x"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("timeout", 0),
            ("timeout", -1),
            ("timeout", "5"),
            ("timeout", True),
            ("timeout", math.nan),
            ("force_timeout", -0.5),
            ("stream_idle_timeout", []),
            ("num_retries", -1),
            ("num_retries", 1.5),
            ("num_retries", "2"),
            ("fallbacks", "backup"),
            ("fallbacks", 5),
            ("fallbacks", [{"smart": ["backup"]}]),
            ("logger_fn", "print"),
            ("mock_response", {"content": "x"}),
            ("extra_body", "x"),
            ("extra_headers", ["X-A"]),
            ("extra_headers", {"X-A": 1}),
            ("extra_headers", {"X-A": "a\nX-B: b"}),
            ("extra_headers", {"X-A\n": "a"}),
            ("extra_headers", {"": "a"}),
        ],
    )
    def test_wrong_kinds(self, name: str, value: Any) -> None:
        """A malformed option is refused before anything is sent, by its name."""
        with pytest.raises(BadRequestError, match=name) as caught:
            options(**{name: value})
        assert caught.value.param == name

    @pytest.mark.parametrize(
        ("messages", "word"),
        [
            ("Hi", "list"),
            (None, "list"),
            ([], "empty"),
            ([{"content": "Hi"}], "role"),
            ([{"role": "wizard", "content": "Hi"}], "wizard"),
            ([{"role": ["user"], "content": "Hi"}], "role"),
            (["Hi"], r"messages\[0\]"),
            ([*HI, {"role": "user", "content": 5}], r"messages\[1\]"),
            ([{"role": "user", "content": ["Hi"]}], "part"),
        ],
    )
    def test_wrong_messages(self, messages: Any, word: str) -> None:
        """Malformed messages are refused by place, and told what would do."""
        with pytest.raises(BadRequestError, match=word):
            chat(messages, stream=False, ask_usage=True)

    def test_messages_may_be_any_iterable(self) -> None:
        """A generator of messages is read once."""
        call = chat((message for message in HI), stream=False, ask_usage=True)
        assert call.messages == HI


class TestConfiguration:
    @pytest.mark.parametrize(
        ("model_list", "places"),
        [
            (
                [entry(timeout=-1), {"model_name": "x"}],
                ["[0].litellm_params.timeout", "[1].params"],
            ),
            ([entry(), entry(weight="heavy")], ["model_list[1].litellm_params.weight"]),
            ([{**entry(), "model_nme": "x"}], ["model_list[0].model_nme"]),
            ([entry(api_key="sk-hush\n")], ["model_list[0].litellm_params.api_key", "line end"]),
            ([entry(extra_headers={"X-A": "a\nb"})], ["litellm_params.extra_headers.X-A"]),
            ([entry(weight=math.inf)], ["litellm_params.weight"]),
            ([entry(max_budget=5)], ["model_list[0]", "max_budget: not enforced"]),
            ([entry(), "smart"], ["model_list[1]"]),
            ([entry(model="nobody/x")], ["model_list[0]", "nobody/x"]),
            ([{**entry(), "model_info": {"input_cost_per_token": -1}}], ["input_cost_per_token"]),
            ([{**entry(), "model_info": {"id": "d"}}] * 2, ["model_list[1]", "'d' is taken"]),
        ],
    )
    def test_every_place_is_named(self, model_list: list[Any], places: list[str]) -> None:
        """One error names everything that is wrong with a model_list, and where."""
        with pytest.raises(ConfigurationError) as caught:
            Router(model_list=model_list)
        assert [place for place in places if place not in str(caught.value)] == []

    @pytest.mark.parametrize(
        "settings",
        [
            {"fallbacks": [{"smart": ["bakup"]}]},
            {"fallbacks": [{"smrt": ["smart"]}]},
            {"fallbacks": [{"smart": "smart"}]},
            {"fallbacks": [{"smart": ["*"]}]},
            {"fallbacks": [{"smart": None}]},
            {"fallbacks": ["smart"]},
            {"fallbacks": 5},
            {"routing_strategy": "fastest"},
            {"routing_strategy": 5},
            {"routing_strategy": object()},
            {"num_retries": -1},
            {"num_retries": "two"},
            {"timeout": 0},
            {"timeout": "ten"},
            {"stream_idle_timeout": -1},
            {"max_fallbacks": -1},
            {"allowed_fails": -1},
            {"cooldown_time": -5},
            {"max_body_bytes": 0},
            {"max_connections": -1},
            {"clock": 5},
        ],
        ids=str,
    )
    def test_settings_are_checked_at_construction(self, settings: dict[str, Any]) -> None:
        """A setting that cannot work is refused when the Router is made, by its name."""
        (name,) = settings
        with pytest.raises(ConfigurationError, match=name):
            Router(model_list=[entry()], **settings)

    @pytest.mark.parametrize("model_list", [None, 5, "smart", {"model_name": "smart"}])
    def test_model_list_that_is_none(self, model_list: Any) -> None:
        """A model_list that is no list of dictionaries is refused with a word."""
        with pytest.raises(ConfigurationError, match="model_list"):
            Router(model_list=model_list)

    def test_several_settings(self) -> None:
        """All settings that are wrong are told at once, without their values."""
        with pytest.raises(ConfigurationError) as caught:
            Router(num_retries=-1, timeout="sk-hush", providers={"mine": 5})
        assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
            "num_retries",
            "timeout",
            "providers.mine",
        ]
        assert "hush" not in str(caught.value)

    def test_chains_are_checked_to_the_end(self) -> None:
        """A target that is no alias is refused by its place, also behind "*"."""
        for fallbacks in ([{"*": ["smart", "*"]}], [{"smart": [5]}], {"smart": "smart"}):
            with pytest.raises(ConfigurationError, match=r"fallbacks\[0\]"):
                Router(model_list=[entry()], fallbacks=fallbacks)

    def test_repr_tells_names_only(self) -> None:
        """Only the model and the address show; any other setting may be a secret."""
        said = entry(api_base="http://x", client_secret="hush", extra_headers={"X-A": "hush"})
        shown = repr(deployment_config(said, "deployment"))
        assert "hush" not in shown
        assert "others=['api_key', 'client_secret', 'extra_headers']" in shown

    def test_secret_from_the_environment(self) -> None:
        """A variable that is not set is named, at construction."""
        with pytest.raises(ConfigurationError, match="POLYROUTE_NO_SUCH_KEY is not set"):
            Router(model_list=[entry(api_key="os.environ/POLYROUTE_NO_SUCH_KEY")])
        name = next(iter(os.environ))
        assert Router(model_list=[entry(api_key=f"os.environ/{name}")]).aliases == ["smart"]

    def test_params_are_litellm_params(self) -> None:
        """`params` is the short name of `litellm_params`."""
        router = Router(model_list=[{"model_name": "a", "params": {"model": "openai/x"}}])
        assert router.stats()[0]["model"] == "x"

    def test_extra_model_info_is_fine(self) -> None:
        """model_info may hold what the caller likes."""
        router = Router(model_list=[{**entry(), "model_info": {"team": "blue", "max_tokens": 5}}])
        assert len(router.stats()) == 1

    def test_empty_router(self) -> None:
        """A Router may be made empty and filled later."""
        router = Router()
        assert (router.aliases, router.stats()) == ([], [])
        router.add_deployment(entry())
        assert repr(router) == "Router(1 deployments, aliases=['smart'])"

    def test_strategy_object(self) -> None:
        """Anything with pick(candidates, request) is a strategy."""

        class Last:
            def pick(self, candidates: Any, request: Any, /) -> Any:
                return candidates[-1]

        assert Router(model_list=[entry()], routing_strategy=Last()).aliases == ["smart"]
