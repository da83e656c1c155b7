"""Prompt caching: breakpoints that are safe everywhere, and Google's caches that are made once."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

import polyroute
from polyroute import BadRequestError, ConfigurationError, Router
from polyroute.providers import COMPATIBLE, Call, Target, adapter
from polyroute.providers.caching import (
    Point,
    explicit_points,
    plain_control,
    read_points,
    seconds_of,
    start_of_newest_turn,
    with_breakpoints,
)
from polyroute.providers.registry import MODULES
from polyroute.router.singles import singles

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from polyroute.testing import FakeClock

pytestmark = pytest.mark.anyio

CACHED = {"type": "ephemeral"}
LONG = "All parts of the agreement are binding. " * 500
"""About five thousand tokens."""
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALLED = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}

EVERYWHERE: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief.", "cache_control": CACHED},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Look:", "cache_control": CACHED},
            {"type": "text", "text": "2 + 2", "cache_control": CACHED},
        ],
        "cache_control": CACHED,
    },
    {"role": "assistant", "content": None, "tool_calls": [CALLED], "cache_control": CACHED},
    {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": [{"type": "text", "text": "4", "cache_control": CACHED}],
        "cache_control": CACHED,
    },
    {"role": "assistant", "content": "It is 4.", "cache_control": CACHED},
    {"role": "user", "content": "Sure?", "cache_control": CACHED},
]
TOOLS = [
    {**TOOL, "cache_control": CACHED},
    {"type": "function", "function": {**TOOL["function"], "name": "g", "cache_control": CACHED}},
]
TAKES_THEM = {"anthropic", "dashscope", "openrouter"}
SETTINGS = {
    "aws_access_key_id": "id",
    "aws_secret_access_key": "secret",
    "aws_region_name": "us-east-1",
    "vertex_project": "p",
}


def body_at(provider: str, model: str, call: Call) -> dict[str, Any]:
    """What goes to a provider for a call."""
    target = Target(provider, model, "key", "http://127.0.0.1:9/v1", settings=SETTINGS)
    return json.loads(adapter(target).build(call).body)


def count(value: Any, name: str) -> int:
    """How often a key occurs, however deep."""
    if isinstance(value, dict):
        return (name in value) + sum(count(inner, name) for inner in value.values())
    return sum(count(inner, name) for inner in value) if isinstance(value, list) else 0


MODELS = {
    "bedrock": "anthropic.claude-sonnet-4-5",
    "replicate": "owner/m",
    "vertex_ai": "gemini-2.5-pro",
}
NO_TOOLS = {"perplexity", "replicate"}


@pytest.mark.parametrize("provider", sorted({*MODULES["chat"], *COMPATIBLE}))
def test_marks_are_safe_everywhere(provider: str) -> None:
    """`cache_control` on anything reaches only those who know it, and there four times at most."""
    call = Call(EVERYWHERE, {} if provider in NO_TOOLS else {"tools": TOOLS})
    if provider in NO_TOOLS:
        call.messages = [EVERYWHERE[0], {**EVERYWHERE[5], "content": EVERYWHERE[1]["content"][:1]}]
    before = json.dumps(EVERYWHERE)
    body = body_at(provider, MODELS.get(provider, "m"), call)
    marks = count(body, "cache_control")
    assert (0 < marks <= 4) if provider in TAKES_THEM else marks == 0
    assert json.dumps(EVERYWHERE) == before


def test_claude_gets_the_newest_and_the_head() -> None:
    """Of more than four breakpoints the last of the head and the newest three stay."""
    body = body_at("anthropic", "claude-sonnet-4-5", Call(EVERYWHERE, {"tools": TOOLS}))
    assert [count(tool, "cache_control") for tool in body["tools"]] == [0, 0]
    assert body["system"][0]["cache_control"] == CACHED
    assert [count(turn, "cache_control") for turn in body["messages"]] == [0, 0, 1, 1, 1]


def test_bedrock_gets_four_points() -> None:
    """Cache points are limited as breakpoints are, and none follows another."""
    body = body_at("bedrock", "anthropic.claude-sonnet-4-5", Call(EVERYWHERE, {"tools": TOOLS}))
    assert count(body, "cachePoint") == 4
    assert body["system"] == [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]
    last = body["messages"][-1]["content"]
    assert last == [{"text": "Sure?"}, {"cachePoint": {"type": "default"}}]


def test_claude_on_vertex() -> None:
    """Claude on Vertex AI takes breakpoints as it does at home."""
    body = body_at("vertex_ai", "claude-sonnet-4-5", Call(EVERYWHERE))
    assert count(body, "cache_control") == 4


def test_openrouter_gets_them_on_parts() -> None:
    """A message's own breakpoint moves onto its last part, where OpenRouter looks for it."""
    body = body_at("openrouter", "anthropic/claude-sonnet-4", Call(EVERYWHERE[:1]))
    part = {"type": "text", "text": "Be brief.", "cache_control": CACHED}
    assert body["messages"] == [{"role": "system", "content": [part]}]


@pytest.mark.parametrize(
    ("control", "seconds", "plain"),
    [
        (True, 300, {"type": "ephemeral"}),
        ({"type": "ephemeral", "ttl": "1h"}, 3600, {"type": "ephemeral", "ttl": "1h"}),
        ({"type": "ephemeral", "ttl": "7200s"}, 7200, {"type": "ephemeral", "ttl": "1h"}),
        ({"type": "ephemeral", "ttl": "90s"}, 90, {"type": "ephemeral", "ttl": "5m"}),
        ({"ttl": 600}, 600, {"type": "ephemeral", "ttl": "5m"}),
        ({"type": "ephemeral", "ttl": "soon"}, 300, {"type": "ephemeral", "ttl": "5m"}),
    ],
)
def test_how_long(control: Any, seconds: float, plain: dict[str, Any]) -> None:
    """Everybody's way to say how long is understood, and said to Anthropic in its own."""
    assert (seconds_of(control), plain_control(control)) == (seconds, plain)


def test_points_put_marks_and_change_nothing() -> None:
    """Injection points mark messages by role and position and the last tool, in copies."""
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "u"}]},
        {"role": "user", "content": "v"},
    ]
    call = Call(messages, {"tools": [TOOL, TOOL]})
    before = json.dumps([messages, call.params])
    points = read_points(
        [
            {"location": "message", "role": "system"},
            {"location": "message", "index": -2, "control": {"type": "ephemeral", "ttl": "1h"}},
            {"location": "message", "index": 7},
            {"location": "message", "index": -7},
            {"location": "tool_config"},
        ]
    )
    marked = with_breakpoints(call, points, "m")
    controls = [message.get("cache_control") for message in marked.messages]
    assert controls == [CACHED, {"type": "ephemeral", "ttl": "1h"}, None]
    assert [tool.get("cache_control") for tool in marked.params["tools"]] == [None, CACHED]
    assert json.dumps([messages, call.params]) == before


@pytest.mark.parametrize("points", ["system", [{"location": "system"}], [{"location": "message"}]])
def test_wrong_points_are_refused(points: Any) -> None:
    """What is no list of places is an error that shows the right form."""
    with pytest.raises(BadRequestError, match="tool_config"):
        read_points(points)
    params = {"model": "openai/m", "cache_control_injection_points": points}
    with pytest.raises(ConfigurationError, match="cache_control_injection_points"):
        Router(model_list=[{"model_name": "a", "litellm_params": params}])


def turns(*roles: str, content: str = LONG) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role in roles]


@pytest.mark.parametrize(
    ("roles", "newest"),
    [
        (["system", "user"], 1),
        (["user"], 0),
        (["system"], 0),
        (["user", "assistant", "user"], 2),
        (["user", "assistant", "tool", "tool"], 2),
        (["user", "assistant", "user", "assistant"], 2),
    ],
)
def test_the_newest_turn(roles: list[str], newest: int) -> None:
    """It begins behind the model's last answer; a prefill is part of it."""
    assert start_of_newest_turn(turns(*roles)) == newest


def test_explicit_places() -> None:
    """Unasked, breakpoints stand behind tools, system prompt, first document and last answer."""
    messages = turns("system", "user", "assistant", "user", "assistant", "user")
    tools = [{**TOOL, "function": {**TOOL["function"], "description": LONG}}]
    points = explicit_points(Call(messages, {"tools": tools}), "claude-sonnet-4-5")
    assert points == (Point("tool_config"), *(Point("message", position=at) for at in (0, 1, 4)))


def test_explicit_places_respect_the_minimum() -> None:
    """A prefix that is too short for the model has no breakpoint; another model may take it."""
    call = Call([*turns("system", content=LONG[:8000]), {"role": "user", "content": "Hi"}])
    assert explicit_points(call, "claude-haiku-4-5") == ()
    assert explicit_points(call, "claude-sonnet-4-5") == (Point("message", position=0),)


def test_explicit_leaves_the_callers_marks_alone() -> None:
    """Where the caller has placed breakpoints, none are added."""
    messages = [*turns("system"), {"role": "user", "content": "Hi", "cache_control": CACHED}]
    call = Call(messages)
    assert with_breakpoints(call, "explicit", "claude-sonnet-4-5") is call


async def test_a_deployment_places_them(fleet: Any) -> None:
    """`caching: explicit` and injection points work per deployment, or per call."""
    (upstream,) = await fleet.start("anthropic", model="claude-sonnet-4-5")
    router = await fleet.router(
        {
            "explicit": [upstream.deployment("explicit", info={"caching": "explicit"})],
            "points": [
                upstream.deployment(
                    "points",
                    cache_control_injection_points=[{"location": "message", "role": "system"}],
                )
            ],
            "plain": [upstream.deployment("plain")],
        }
    )
    messages = [*turns("system"), {"role": "user", "content": "Hi"}]
    for alias in ("explicit", "points", "plain"):
        await router.acompletion(alias, messages)
    last = [{"location": "message", "index": -1}]
    await router.acompletion("points", messages, cache_control_injection_points=last)
    systems = [request.body["system"][0].get("cache_control") for request in upstream.requests]
    assert systems == [CACHED, CACHED, None, None]
    assert upstream.requests[3].body["messages"][-1]["content"][-1]["cache_control"] == CACHED
    assert messages[0].keys() == {"role", "content"}


@pytest.mark.parametrize(
    ("counts", "hit", "written"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 7}}, 7, None),
        ({"prompt_cache_hit_tokens": 7}, 7, None),
        ({"cached_tokens": 7}, 7, None),
        ({"cache_read_input_tokens": 7, "cache_creation_input_tokens": 3}, 7, 3),
        ({"prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 3}}, 0, 3),
        ({"prompt_tokens_details": {"cache_creation_input_tokens": 3}}, None, 3),
    ],
)
def test_usage_tells_hits_and_writes(
    counts: dict[str, Any], hit: int | None, written: int | None
) -> None:
    """Wherever a server of OpenAI's format counts them, they are found in one place."""
    choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}
    body = {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 1, **counts}}
    target = Target("openai_like", "m", api_base="http://127.0.0.1:9")
    usage = adapter(target).parse(json.dumps(body).encode(), Call([])).usage
    assert (usage.prompt_tokens_details or {}).get("cached_tokens") == hit
    assert usage.cache_creation_input_tokens == written


class Google:
    """generateContent and cachedContents on the loopback, with what was asked of either."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.names: set[str] = set()
        self.refuses = 0
        self.open = asyncio.Event()
        self.open.set()
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = json.loads(await request.read())
        return await (self.create if request.path.endswith("/cachedContents") else self.answer)(
            body
        )

    async def create(self, body: dict[str, Any]) -> web.StreamResponse:
        self.created.append(body)
        await self.open.wait()
        if self.refuses:
            return web.json_response(
                {"error": {"code": self.refuses, "message": "no", "status": "X"}},
                status=self.refuses,
            )
        name = f"cachedContents/{len(self.created)}"
        self.names.add(name)
        return web.json_response(
            {"name": name, "model": body["model"], "usageMetadata": {"totalTokenCount": 5000}}
        )

    async def answer(self, body: dict[str, Any]) -> web.StreamResponse:
        self.asked.append(body)
        name = body.get("cachedContent")
        if name is not None and name not in self.names:
            error = {"code": 403, "message": "CachedContent not found", "status": "X"}
            return web.json_response({"error": error}, status=403)
        usage = {"promptTokenCount": 5010 if name else 10, "candidatesTokenCount": 2}
        if name:
            usage["cachedContentTokenCount"] = 5000
        candidate = {"content": {"role": "model", "parts": [{"text": "Yes."}]}}
        return web.json_response(
            {"candidates": [{**candidate, "finishReason": "STOP"}], "usageMetadata": usage}
        )

    def router(self, clock: FakeClock, *keys: str, **info: Any) -> Router:
        """A Router with a deployment for each key."""
        entries = [
            {
                "model_name": key,
                "litellm_params": {
                    "model": "gemini/gemini-2.5-flash",
                    "api_base": self.url,
                    "api_key": key,
                },
                "model_info": info,
            }
            for key in keys or ("key",)
        ]
        return Router(model_list=entries, clock=clock)


@pytest.fixture
async def google() -> AsyncGenerator[Google, None]:
    """Google on the loopback."""
    there = Google()
    server = web.Server(there.handle, access_log=None)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1beta"
    yield there
    there.open.set()
    await runner.cleanup()


def ask(question: str, **system: Any) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": LONG, "cache_control": CACHED, **system},
        {"role": "user", "content": question},
    ]


async def test_google_stores_once(google: Google, clock: FakeClock) -> None:
    """The marked prefix is stored once with tools and system, then named instead of sent."""
    async with google.router(clock) as router:
        first = await router.acompletion("key", ask("One?"), tools=[TOOL])
        second = await router.acompletion("key", ask("Two?"), tools=[TOOL])
    (created,) = google.created
    assert created["model"] == "models/gemini-2.5-flash"
    assert created["ttl"] == "300s"
    assert created["systemInstruction"] == {"parts": [{"text": LONG}]}
    assert created["tools"] == [{"functionDeclarations": [{"name": "f"}]}]
    assert "contents" not in created
    questions = [{"role": "user", "parts": [{"text": text}]} for text in ("One?", "Two?")]
    assert google.asked == [
        {"contents": [question], "cachedContent": "cachedContents/1"} for question in questions
    ]
    assert first.usage.cache_creation_input_tokens == 5000
    assert first.usage.prompt_tokens == 10_010
    assert second.usage.prompt_tokens == 5010
    for answer in (first, second):
        assert answer.usage.prompt_tokens_details.cached_tokens == 5000


async def test_streams_name_caches_too(google: Google, clock: FakeClock) -> None:
    """A stream stores and names its prefix as a whole answer does, and its usage tells."""
    said = {"stream": True, "stream_options": {"include_usage": True}}
    async with (
        google.router(clock) as router,
        await router.acompletion("key", ask("One?"), **said) as stream,
    ):
        chunks = [chunk async for chunk in stream]
    assert google.asked[0]["cachedContent"] == "cachedContents/1"
    assert chunks[-1].usage.cache_creation_input_tokens == 5000
    assert chunks[-1].usage.prompt_tokens_details.cached_tokens == 5000


async def test_single_models_store_too(google: Google) -> None:
    """Without a Router prompts are stored and named just the same."""
    for question in ("One?", "Two?"):
        await polyroute.acompletion(
            "gemini/gemini-2.5-flash", ask(question), api_base=google.url, api_key="single"
        )
    assert [body["cachedContent"] for body in google.asked] == ["cachedContents/1"] * 2
    await singles()._engine.transport.aclose()


async def test_google_stores_for_each_key(google: Google, clock: FakeClock) -> None:
    """A cache belongs to the key that has created it."""
    async with google.router(clock, "a", "b") as router:
        await router.acompletion("a", ask("One?"))
        await router.acompletion("b", ask("One?"))
    assert len(google.created) == 2


async def test_google_stores_anew_when_time_is_up(google: Google, clock: FakeClock) -> None:
    """A cache is not used up to its very end; then it is created again."""
    async with google.router(clock) as router:
        for seconds in (0, 260, 20):
            clock.advance(seconds)
            control = {"type": "ephemeral", "ttl": "5m"}
            await router.acompletion("key", ask("One?", cache_control=control))
    assert [body["cachedContent"] for body in google.asked] == [
        "cachedContents/1",
        "cachedContents/1",
        "cachedContents/2",
    ]


async def test_callers_at_once_store_once(google: Google, clock: FakeClock) -> None:
    """Whoever comes while a prompt is being stored waits for it."""
    google.open.clear()
    async with google.router(clock) as router:
        calls = [asyncio.create_task(router.acompletion("key", ask(str(n)))) for n in range(5)]
        while not google.created:
            await asyncio.sleep(0.001)
        google.open.set()
        await asyncio.gather(*calls)
    assert len(google.created) == 1
    assert {body["cachedContent"] for body in google.asked} == {"cachedContents/1"}


async def test_whoever_gives_up_keeps_nobody_waiting(google: Google, clock: FakeClock) -> None:
    """If the caller that stores is cancelled, those who waited go on without a cache."""
    google.open.clear()
    async with google.router(clock) as router:
        storing = asyncio.create_task(router.acompletion("key", ask("One?")))
        while not google.created:
            await asyncio.sleep(0.001)
        waiting = asyncio.create_task(router.acompletion("key", ask("Two?")))
        await asyncio.sleep(0)
        storing.cancel()
        assert (await waiting).choices[0].message.content == "Yes."
    assert "cachedContent" not in google.asked[0]


@pytest.mark.parametrize(("status", "pause"), [(500, 61), (400, 3601)])
async def test_a_failure_costs_no_answer(
    google: Google, clock: FakeClock, status: int, pause: float
) -> None:
    """What cannot be stored is sent whole, and not tried again for a while."""
    google.refuses = status
    async with google.router(clock) as router:
        for _ in range(2):
            answer = await router.acompletion("key", ask("One?"))
            assert answer.route.attempts[-1].outcome == "ok"
        assert len(google.created) == 1
        assert google.asked[1]["systemInstruction"] == {"parts": [{"text": LONG}]}
        google.refuses = 0
        clock.advance(pause)
        await router.acompletion("key", ask("One?"))
    assert google.asked[-1]["cachedContent"] == "cachedContents/2"


async def test_a_storing_that_hangs_leaves_time(google: Google, clock: FakeClock) -> None:
    """Storing takes half of an attempt's time at most; the rest is for the answer."""
    google.open.clear()
    async with google.router(clock) as router:
        answer = await router.acompletion("key", ask("One?"), timeout=0.4)
    google.open.set()
    assert answer.choices[0].message.content == "Yes."
    assert "cachedContent" not in google.asked[0]


async def test_a_lost_cache_costs_no_answer(google: Google, clock: FakeClock) -> None:
    """A cache that is gone before its time is noticed: the call is sent again, whole."""
    async with google.router(clock) as router:
        await router.acompletion("key", ask("One?"))
        google.names.clear()
        answer = await router.acompletion("key", ask("Two?"))
        assert [attempt.outcome for attempt in answer.route.attempts] == ["ok"]
        assert "cachedContent" not in google.asked[-1]
        clock.advance(61)
        await router.acompletion("key", ask("Three?"))
    assert google.asked[-1]["cachedContent"] == "cachedContents/2"


@pytest.mark.parametrize(
    "messages",
    [
        ask("One?", content="short"),
        ask("One?", cache_control=None),
        ask("One?")[:1],
        [*ask("One?"), {"role": "system", "content": f"It is {CACHED} o'clock."}],
    ],
    ids=["too short", "unmarked", "nothing left to say", "system behind"],
)
async def test_what_google_does_not_store(
    google: Google, clock: FakeClock, messages: list[dict[str, Any]]
) -> None:
    """Nothing is stored that is too short, unmarked, all there is, or not the same next time."""
    async with google.router(clock) as router:
        await router.acompletion("key", messages)
    assert google.created == []


async def test_google_stores_unasked(google: Google, clock: FakeClock) -> None:
    """With `caching: explicit` the caller writes no marks at all; documents are stored too."""
    messages = [*turns("system", "user"), {"role": "assistant", "content": "I have read it."}]
    async with google.router(clock, caching="explicit") as router:
        for question in ("One?", "Two?"):
            messages += [{"role": "user", "content": question}]
            answer = await router.acompletion("key", messages)
            messages += [answer.choices[0].message]
    (created,) = google.created
    assert created["contents"] == [{"role": "user", "parts": [{"text": LONG}]}]
    assert [len(body["contents"]) for body in google.asked] == [2, 4]


async def test_stored_results_stay_with_their_calls(google: Google, clock: FakeClock) -> None:
    """What is stored does not end between a tool call and its result."""
    messages = [
        *turns("system", "user"),
        {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        {"role": "tool", "tool_call_id": "call_1", "content": "4"},
    ]
    marked = [{**message, "cache_control": CACHED} for message in messages]
    async with google.router(clock) as router:
        await router.acompletion("key", marked, tools=[TOOL])
    (created,) = google.created
    assert len(created["contents"]) == 1
    assert [list(turn["parts"][0]) for turn in google.asked[0]["contents"]] == [
        ["functionCall"],
        ["functionResponse"],
    ]


def test_vertex_names_the_whole_place() -> None:
    """On Vertex AI a cache belongs to a project and a location, and so does the model's name."""
    settings = {"vertex_project": "p", "vertex_location": "europe-west1"}
    vertex: Any = adapter(Target("vertex_ai", "gemini-2.5-pro", "token", settings=settings))
    wanted = vertex.new_cache(Call(ask("One?")))
    assert wanted.request.url == (
        "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1"
        "/cachedContents"
    )
    assert json.loads(wanted.request.body)["model"] == (
        "projects/p/locations/europe-west1/publishers/google/models/gemini-2.5-pro"
    )
    assert wanted.request.headers["Authorization"] == "Bearer token"


def test_no_caches_for_tuned_models() -> None:
    """Models at endpoints of one's own cannot be given a cache."""
    settings = {"vertex_project": "p", "base_model": "gemini-2.5-pro"}
    vertex: Any = adapter(Target("vertex_ai", "1234567890", "token", settings=settings))
    assert vertex.new_cache(Call(ask("One?"))) is None
