"""Filters: what a call needs, and who in a group can take it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import BadRequestError, ContextWindowExceededError, UnsupportedParamsError
from polyroute.providers import Call, Target
from polyroute.providers.messages import chat
from polyroute.router.deployment import Deployment
from polyroute.router.filters import Members, first_order
from polyroute.router.health import Circuit, HealthPolicy
from polyroute.router.needs import needs_of
from polyroute.router.options import NO_OPTIONS, split
from polyroute.router.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Fleet

USER = {"role": "user", "content": "Hello?"}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}


def part(kind: str, value: Any) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": [{"type": "text", "text": "?"}, {"type": kind, kind: value}]}
    ]


IMAGE = part("image_url", {"url": "https://example.com/cat.png"})
AUDIO = part("input_audio", {"data": "UklG", "format": "wav"})
PDF = part("file", {"file_data": "data:application/pdf;base64,JVBE"})


def deployment(id: str, model: str = "nobody-knows-it", **settings: Any) -> Deployment:
    circuit = Circuit(HealthPolicy(), lambda: 0.0, random.Random(1))
    provider, _, name = model.rpartition("/")
    return Deployment(id, "smart", Target(provider or "openai", name, "key"), circuit, **settings)


def knowing(id: str, **info: Any) -> Deployment:
    return deployment(id, model_info=info)


def chosen(
    deployments: Sequence[Deployment],
    messages: list[dict[str, Any]] | None = None,
    rules: Rules | None = None,
    **keywords: Any,
) -> list[str]:
    """The ids of those that would be chosen among."""
    call = Call(messages or [USER])
    options = split(call, keywords)
    selection = Members("smart", deployments, rules or Rules()).able(call, options)
    return [it.id for it in selection.best(selection.among(list(deployments)))]


class TestNeeds:
    @pytest.mark.parametrize(
        "params", [{}, {"temperature": 0.2, "max_tokens": 100, "stop": ["."], "user": "u"}]
    )
    def test_plain_calls_need_nothing(self, params: dict[str, Any]) -> None:
        """A few short texts with everyday parameters cost no further look."""
        messages = [{"role": "system", "content": "Be brief."}, USER]
        call = chat(messages, stream=False, ask_usage=True)
        call.params = params
        assert (
            needs_of(call, NO_OPTIONS, Members("smart", [deployment("a", "openai/gpt-4o")])) is None
        )

    @pytest.mark.parametrize(
        ("messages", "params", "need"),
        [
            (IMAGE, {}, "vision"),
            (AUDIO, {}, "audio_input"),
            (PDF, {}, "pdf_input"),
            (part("file", {"file_id": "f", "format": "video/mp4"}), {}, "video_input"),
            ([USER], {"tools": TOOLS}, "function_calling"),
            ([USER], {"functions": [TOOLS[0]["function"]]}, "function_calling"),
            ([USER], {"tools": TOOLS, "parallel_tool_calls": True}, "parallel_function_calling"),
            ([USER], {"response_format": SCHEMA}, "response_schema"),
            ([USER], {"reasoning_effort": "low"}, "reasoning"),
            ([USER], {"thinking": {"type": "enabled", "budget_tokens": 1024}}, "reasoning"),
            ([USER], {"web_search_options": {}}, "web_search"),
            ([USER], {"modalities": ["text", "audio"]}, "audio_output"),
            ([USER, {"role": "assistant", "content": "It is"}], {}, "assistant_prefill"),
        ],
    )
    def test_what_a_call_needs(
        self, messages: list[dict[str, Any]], params: dict[str, Any], need: str
    ) -> None:
        """Of two deployments the one that is said to have the ability takes the call."""
        able = knowing("able", **{f"supports_{need}": True})
        unable = knowing("unable", **{f"supports_{need}": False})
        assert chosen([unable, able], messages, **params) == ["able"]
        assert chosen([unable, able]) == ["unable", "able"]

    @pytest.mark.parametrize(
        ("messages", "params"),
        [
            (part("file", {"file_data": "data:text/plain;base64,SGk="}), {}),
            ([USER], {"tools": []}),
            ([USER], {"response_format": {"type": "text"}}),
            ([USER], {"reasoning_effort": "none"}),
            ([USER], {"modalities": ["text"]}),
            ([USER, {"role": "assistant", "content": None}], {}),
        ],
    )
    def test_what_needs_nothing(
        self, messages: list[dict[str, Any]], params: dict[str, Any]
    ) -> None:
        """Parameters that ask for nothing keep nobody out."""
        names = ("function_calling", "response_schema", "reasoning", "audio_output")
        unable = knowing("unable", **{f"supports_{name}": False for name in names})
        assert chosen([unable], messages, **params) == ["unable"]


class TestAbilities:
    def test_the_catalogue_is_asked(self) -> None:
        """An image goes to the model that sees, by the catalogue."""
        group = [deployment("blind", "openai/gpt-4"), deployment("seeing", "openai/gpt-4o")]
        assert chosen(group, IMAGE) == ["seeing"]

    def test_base_model_is_asked_for(self) -> None:
        """A deployment with a name of its own is known by its `base_model`."""
        ours = deployment("ours", "azure/ours")
        ours.target = Target("azure", "ours", "key", settings={"base_model": "azure/gpt-4"})
        assert chosen([ours, deployment("seeing", "openai/gpt-4o")], IMAGE) == ["seeing"]

    def test_model_info_comes_first(self) -> None:
        """What the configuration says of a model is believed before the catalogue."""
        info = {"supports_vision": True}
        assert chosen([deployment("tuned", "openai/gpt-4", model_info=info)], IMAGE) == ["tuned"]

    def test_ignorance_keeps_nobody_out(self) -> None:
        """A model that nobody knows is taken to be able to do everything."""
        params = {"tools": TOOLS, "response_format": SCHEMA, "reasoning_effort": "low"}
        assert chosen([deployment("unknown")], IMAGE, **params) == ["unknown"]

    def test_silence_only_means_later(self) -> None:
        """Where the catalogue is patchy, a model that is not listed is still asked if nobody is."""
        unlisted = deployment("unlisted", "groq/llama-3.3-70b-versatile")
        listed = deployment("listed", "openai/gpt-4o")
        assert chosen([unlisted, listed], response_format=SCHEMA) == ["listed"]
        assert chosen([unlisted], response_format=SCHEMA) == ["unlisted"]

    def test_nobody_can(self) -> None:
        """If nobody can, the error says what is missing of each, and that a fallback may try."""
        group = [deployment("a", "openai/gpt-4"), knowing("b", supports_vision=False)]
        with pytest.raises(UnsupportedParamsError) as caught:
            chosen(group, IMAGE)
        assert "gpt-4 does not see images; nobody-knows-it does not see images" in str(caught.value)
        assert (caught.value.status_code, caught.value.fallback) == (400, "always")

    def test_what_is_dropped_is_no_must(self) -> None:
        """With `drop_params` a deployment without tools will do, but one with them comes first."""
        plain, able = knowing("plain", supports_function_calling=False), deployment("able")
        assert chosen([plain], tools=TOOLS, drop_params=True) == ["plain"]
        assert chosen([plain, able], tools=TOOLS, drop_params=True) == ["able"]

    def test_images_cannot_be_dropped(self) -> None:
        """`drop_params` leaves out parameters, not parts of messages."""
        with pytest.raises(UnsupportedParamsError):
            chosen([knowing("blind", supports_vision=False)], IMAGE, drop_params=True)

    def test_operations_go_to_their_models(self) -> None:
        """In a mixed group a chat goes to the chat model, and an embedding to the other."""
        group = [
            deployment("chat", "openai/gpt-4o"),
            deployment("embedding", "openai/text-embedding-3-small"),
        ]
        assert chosen(group) == ["chat"]
        call = Call([], operation="embedding", input=["a"])
        selection = Members("smart", group).able(call, NO_OPTIONS)
        assert [it.id for it in selection.best(group)] == ["embedding"]

    def test_long_answers_go_where_they_may_be(self) -> None:
        """Who is known to stop earlier than the caller wants is asked last."""
        short, long = (
            knowing("short", max_output_tokens=100),
            knowing("long", max_output_tokens=900),
        )
        assert chosen([short, long], max_tokens=500) == ["long"]
        assert chosen([short, long], max_tokens=50) == ["short", "long"]
        assert chosen([short], max_tokens=500) == ["short"]


class TestWindow:
    SMALL, LARGE = ("small", 1_000), ("large", 100_000)

    @pytest.fixture
    def group(self) -> list[Deployment]:
        """Two deployments with different windows."""
        return [knowing(id, max_input_tokens=window) for id, window in (self.SMALL, self.LARGE)]

    @staticmethod
    def prompt(words: int) -> list[dict[str, Any]]:
        return [{"role": "user", "content": "word " * words}]

    def test_short_prompts_go_anywhere(self, group: list[Deployment]) -> None:
        """A prompt that fits everywhere keeps nobody out."""
        assert chosen(group, self.prompt(100)) == ["small", "large"]

    def test_long_prompts_go_to_large_windows(self, group: list[Deployment]) -> None:
        """A prompt beyond a window goes to a larger one."""
        assert chosen(group, self.prompt(5_000)) == ["large"]

    def test_too_long_for_all(self, group: list[Deployment]) -> None:
        """Beyond every window there is an error with the windows, and nobody is asked."""
        with pytest.raises(ContextWindowExceededError) as caught:
            chosen(group, self.prompt(1_000_000))
        assert "nobody-knows-it: 100000" in str(caught.value)
        assert caught.value.fallback == "context_window"

    def test_unknown_windows_take_everything(self, group: list[Deployment]) -> None:
        """Who says nothing of a window is asked."""
        assert chosen([*group, deployment("open")], self.prompt(1_000_000)) == ["open"]

    def test_near_the_edge_the_provider_decides(self) -> None:
        """An estimate a little beyond the only window is no reason not to try."""
        only = knowing("only", max_input_tokens=1_000)
        assert chosen([only], self.prompt(1_100)) == ["only"]

    def test_tools_and_earlier_calls_count(self, group: list[Deployment]) -> None:
        """What the model has written into its calls is part of the prompt."""
        made = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "x " * 9_000}}
        messages = [USER, {"role": "assistant", "content": None, "tool_calls": [made]}, USER]
        assert chosen(group, messages) == ["large"]


class TestTags:
    @pytest.fixture
    def group(self) -> list[Deployment]:
        """Deployments as on LiteLLM's page, and one of two tags."""
        tags = {"free": ["free"], "paid": ["paid"], "both": ["paid", "eu"], "usual": ["default"]}
        return [deployment(id, tags=frozenset(those)) for id, those in tags.items()]

    @pytest.mark.parametrize(
        ("tags", "who"),
        [
            (["free"], ["free"]),
            ("free", ["free"]),
            (["paid"], ["paid", "both"]),
            (["free", "eu"], ["free", "both"]),
            (["paid", "!eu"], ["paid"]),
            (["!default"], ["free", "paid", "both"]),
            (["!free"], ["usual"]),
            (["unheard-of"], ["usual"]),
            ([], ["usual"]),
        ],
    )
    def test_any(self, group: list[Deployment], tags: Any, who: list[str]) -> None:
        """One shared tag is enough; nobody shares one, or none is asked for: the default's turn."""
        assert chosen(group, tags=tags) == who
        assert chosen(group, metadata={"tags": tags}) == who

    @pytest.mark.parametrize(
        ("tags", "who"),
        [
            (["paid", "eu"], ["both"]),
            (["paid"], ["paid", "both"]),
            (["free", "eu"], ["usual"]),
            ([], ["usual"]),
        ],
    )
    def test_all(self, group: list[Deployment], tags: list[str], who: list[str]) -> None:
        """With `tag_filtering_match_any=False` a deployment must have every tag of the call."""
        assert chosen(group, rules=Rules(match_any=False), tags=tags) == who

    def test_untagged_calls_go_to_all_without_a_default(self, group: list[Deployment]) -> None:
        """Nobody is tagged `default`: an untagged call may go anywhere."""
        assert chosen(group[:3]) == ["free", "paid", "both"]

    def test_nobody_matches(self, group: list[Deployment]) -> None:
        """Without a default, tags that nobody has are an error that lists those there are."""
        with pytest.raises(UnsupportedParamsError) as caught:
            chosen(group[:3], tags=["unheard-of"])
        assert "unheard-of (there are: eu, free, paid;" in str(caught.value)
        assert caught.value.param == "tags"

    def test_groups_without_tags(self) -> None:
        """Tags decide in groups that have some; everywhere if the Router says so, or nowhere."""
        plain = [deployment("a"), deployment("b")]
        assert chosen(plain, tags=["free"]) == ["a", "b"]
        with pytest.raises(UnsupportedParamsError, match="no tags"):
            chosen(plain, rules=Rules(tags=True), tags=["free"])

    def test_switched_off(self, group: list[Deployment]) -> None:
        """With `enable_tag_filtering=False` tags are remarks."""
        assert len(chosen(group, rules=Rules(tags=False), tags=["free"])) == 4

    def test_both_places_count(self, group: list[Deployment]) -> None:
        """Tags of the call and of its `metadata` are put together; the rest of it stays."""
        call = Call([USER])
        options = split(call, {"tags": ["a"], "metadata": {"tags": ["b"], "user_id": "7"}})
        assert options.tags == ("a", "b")
        assert call.params == {"metadata": {"user_id": "7"}}

    def test_the_callers_metadata_is_left_alone(self) -> None:
        """Tags are read, not taken, out of the caller's dictionary."""
        metadata = {"tags": ["free"]}
        call = Call([USER])
        split(call, {"metadata": metadata})
        assert (metadata, call.params) == ({"tags": ["free"]}, {})

    @pytest.mark.parametrize("tags", [7, [7], ["!"], {"free": True}])
    def test_malformed(self, tags: Any) -> None:
        """Tags are texts."""
        with pytest.raises(BadRequestError, match="tags must be a list of tags"):
            split(Call([USER]), {"tags": tags})


class TestRegions:
    @pytest.fixture
    def group(self) -> list[Deployment]:
        """One deployment in each of some regions, and one that says nothing."""
        regions = ("eu", "eu-west-1", "europe-west4", "us", "EU_North", None)
        return [deployment(str(region), region=region) for region in regions]

    @pytest.mark.parametrize(
        ("region", "who"),
        [
            ("eu", ["eu", "eu-west-1", "europe-west4", "EU_North"]),
            ("eu-west", ["eu-west-1"]),
            ("us", ["us"]),
            (["us", "eu-west-1"], ["eu-west-1", "us"]),
        ],
    )
    def test_regions(self, group: list[Deployment], region: Any, who: list[str]) -> None:
        """A call stays in its region: only who surely is there may answer."""
        assert chosen(group, allowed_model_region=region) == who

    def test_the_routers_region(self, group: list[Deployment]) -> None:
        """The Router's region holds for calls that name none."""
        assert chosen(group, rules=Rules(regions=("us",))) == ["us"]
        assert chosen(group, rules=Rules(regions=("us",)), allowed_model_region="eu-west-1") == [
            "eu-west-1"
        ]

    def test_nobody_is_there(self, group: list[Deployment]) -> None:
        """A region without deployments is an error that lists the others."""
        with pytest.raises(UnsupportedParamsError, match=r"in the region ap .*eu-west-1"):
            chosen(group, allowed_model_region="ap")


class TestOrder:
    def test_lowest_first(self) -> None:
        """Only those of the lowest order are chosen among; who has none comes last."""
        group = [deployment("c"), deployment("b", order=2), deployment("a", order=1)]
        assert [it.id for it in first_order(group)] == ["a"]
        assert [it.id for it in first_order(group[:2])] == ["b"]
        assert [it.id for it in first_order(group[:1])] == ["c"]

    def test_one_level_is_the_same_list(self) -> None:
        """Strategies see the same list if there is nothing to leave out."""
        group = [deployment("a", order=1), deployment("b", order=1)]
        assert first_order(group) is group

    def test_ability_comes_before_order(self) -> None:
        """Who cannot take the call does not take it for being first."""
        first = deployment("first", order=1, model_info={"supports_vision": False})
        assert chosen([first, deployment("second", order=2)], IMAGE) == ["second"]


class TestSelection:
    def test_same_list_while_the_same_are_ready(self) -> None:
        """What strategies keep by the identity of a list stays theirs from call to call."""
        group = [knowing("blind", supports_vision=False), deployment("a"), deployment("b")]
        members = Members("smart", group)
        lists = []
        for _ in range(2):
            selection = members.able(Call(IMAGE), NO_OPTIONS)
            lists.append(selection.best(selection.among(group)))
        assert lists[0] is lists[1]
        assert [it.id for it in lists[0]] == ["a", "b"]

    def test_plain_calls_get_the_list_itself(self) -> None:
        """Where nothing is left out nothing is copied."""
        group = [deployment("a"), deployment("b")]
        selection = Members("smart", group).able(Call([USER]), NO_OPTIONS)
        assert selection.best(selection.among(group)) is group

    def test_resting_ones_still_count_as_able(self) -> None:
        """That the able rest does not make the others able: nobody is left to choose among."""
        blind, seeing = knowing("blind", supports_vision=False), deployment("seeing")
        selection = Members("smart", [blind, seeing]).able(Call(IMAGE), NO_OPTIONS)
        assert list(selection.among([blind])) == []

    def test_nobody_lacks_anything_where_nobody_is(self) -> None:
        """A group that has lost its last deployment is not said to be unable."""
        assert chosen([], IMAGE, tools=TOOLS) == []

    def test_kinds_are_not_collected_for_ever(self) -> None:
        """A tag for every customer does not fill the memory."""
        members = Members("smart", [deployment("a", tags=frozenset({"default"}))])
        for number in range(1_000):
            call = Call([USER])
            members.able(call, split(call, {"tags": [f"customer-{number}"]}))
        assert len(members._selections) <= 256


@pytest.mark.anyio
class TestThroughTheRouter:
    async def test_the_able_one_is_asked(self, fleet: Fleet) -> None:
        """A picture goes to the deployment that sees it, and nobody else is asked."""
        blind, seeing = await fleet.start("openai", "openai")
        entries = [
            blind.deployment("smart", id="blind", info={"supports_vision": False}),
            seeing.deployment("smart", id="seeing"),
        ]
        router = await fleet.router({"smart": entries})
        assert (await router.acompletion("smart", IMAGE)).route.served_by == "seeing"
        assert len((await router.acompletion("smart", [USER])).route.attempts) == 1
        assert (len(seeing.requests), len(blind.requests)) == (1, 1)

    async def test_a_fallback_may_be_able(self, fleet: Fleet) -> None:
        """If nobody in the group can, the fallback is asked, and the group is not."""
        blind, seeing = await fleet.start("openai", "openai")
        entry = blind.deployment("smart", info={"supports_vision": False})
        groups = {"smart": [entry], "backup": [seeing]}
        router = await fleet.router(groups, fallbacks=[{"smart": ["backup"]}])
        assert (await router.acompletion("smart", IMAGE)).route.served_by == "backup-0"
        assert blind.requests == []

    async def test_a_larger_window_may_be_behind(self, fleet: Fleet) -> None:
        """A prompt that is too long for a group goes to its `context_window_fallbacks`."""
        small, large = await fleet.start("openai", "openai")
        groups = {
            "smart": [small.deployment("smart", info={"max_input_tokens": 100})],
            "long": [large],
        }
        router = await fleet.router(groups, context_window_fallbacks=[{"smart": ["long"]}])
        answer = await router.acompletion("smart", TestWindow.prompt(1_000))
        assert answer.route.served_by == "long-0"
        assert small.requests == []

    async def test_the_next_order_is_a_sibling(self, fleet: Fleet) -> None:
        """When the first level fails the next one has its turn at once."""
        first, second = await fleet.start("openai", "openai")
        first.fail(500, times=None)
        entries = [
            second.deployment("smart", id="second", order=2),
            first.deployment("smart", id="first", order=1),
        ]
        router = await fleet.router({"smart": entries})
        attempts = (await router.acompletion("smart", [USER])).route.attempts
        assert [(it.deployment_id, it.reason) for it in attempts] == [
            ("first", "first"),
            ("second", "sibling"),
        ]

    async def test_tags_are_not_sent(self, fleet: Fleet) -> None:
        """Tags choose a deployment and stay here; the rest of the metadata goes on."""
        free, paid = await fleet.start("openai", "openai")
        entries = [
            free.deployment("smart", id="free", tags=["free"]),
            paid.deployment("smart", id="paid", tags=["paid"]),
        ]
        router = await fleet.router({"smart": entries}, enable_tag_filtering=True)
        metadata = {"tags": ["paid"], "case": "7"}
        answer = await router.acompletion("smart", [USER], metadata=metadata)
        assert answer.route.served_by == "paid"
        assert paid.requests[0].body["metadata"] == {"case": "7"}
        with pytest.raises(UnsupportedParamsError, match="gold"):
            await router.acompletion("smart", [USER], tags=["gold"])
        assert len(free.requests) + len(paid.requests) == 1


@pytest.mark.anyio
class TestUsedUpLevels:
    async def test_next_order_level_before_waiting(self, fleet: Fleet) -> None:
        """When the quota of the first level is used up, the next one is asked at once."""
        one, two = await fleet.start("openai", "openai")
        first = one.deployment("smart", id="first", order=1, rpm=2)
        router = await fleet.router({"smart": [first, two.deployment("smart", id="next", order=2)]})
        answers = [await router.acompletion("smart", [USER]) for _ in range(4)]
        served = [answer.route.served_by for answer in answers]
        assert served == ["first", "first", "next", "next"]
