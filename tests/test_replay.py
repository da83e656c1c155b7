"""Incidents: what a Router has decided can be decided once more, from its log alone."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, Router
from polyroute.router.decisions import Core
from polyroute.router.replay import Replayed, replay

if TYPE_CHECKING:
    from conftest import Fleet

pytestmark = pytest.mark.anyio

PROMPT = [{"role": "user", "content": "the secret of the prompt"}]


class Incident:
    """A Router that is made once in earnest, and once for the replay."""

    def __init__(self, *entries: dict[str, Any], **settings: Any) -> None:
        self.entries = entries
        self.settings = settings
        self.lines: list[str] = []

    def make(self, **given: Any) -> Router:
        return Router(list(self.entries), **{**self.settings, **given})

    def record(self) -> Router:
        return self.make(decision_log=self.lines.append, rng=random.Random(7))

    def replay(self, **other: Any) -> Replayed:
        return replay(self.lines, lambda **given: self.make(**{**given, **other}))

    def did(self) -> set[str]:
        return {json.loads(line)["do"] for line in self.lines}


async def call(router: Router, **params: Any) -> None:
    """One call, whatever comes of it; a stream is read to its end, or left early."""
    try:
        answer = await router.acompletion("smart", PROMPT, **params)
        if params.get("stream"):
            async for _ in answer:
                pass
    except APIError:
        pass


async def outage(fleet: Fleet, rounds: int = 2, **settings: Any) -> Incident:
    """Twenty calls a round over three deployments that fail, refuse and are full."""
    one, two, three, backup = await fleet.start("openai", "anthropic", "openai", "openai")
    incident = Incident(
        one.deployment("smart", id="one", rpm=20),
        two.deployment("smart", id="two", max_parallel_requests=2, tags=["fast"]),
        three.deployment("smart", id="three", order=1),
        backup.deployment("backup", id="backup"),
        enable_tag_filtering=False,
        **{"cooldown_time": 0.05, "timeout": 2.3, **settings},
    )
    async with incident.record() as router:
        for round_ in range(rounds):
            one.fail(500, times=1 + round_ % 3)
            two.fail(429, retry_after=0.02, times=1 + round_ % 2)
            three.fail(503, times=2)
            calls = [call(router, stream=n % 3 == 0, max_tokens=50 + n) for n in range(17)]
            calls.append(call(router, timeout=0.001))
            await asyncio.gather(*calls)
    return incident


async def test_outage_decides_the_same(fleet: Fleet) -> None:
    """Every choice, wait, probe, retry and hand-over of an incident comes out as it was."""
    incident = await outage(fleet, 4, fallbacks=[{"smart": ["backup"]}])
    assert incident.replay() == Replayed(len(incident.lines) - 1)
    assert incident.did() >= {
        *("start", "call", "enter", "choose", "note", "next", "heard"),
        *("first_token", "succeeded", "failed"),
    }


async def test_queue_decides_the_same(fleet: Fleet) -> None:
    """Who waits for a slot, leaves the queue or is handed a lease is in the log too."""
    (one,) = await fleet.start("openai")
    one.delay = 0.005
    incident = Incident(one.deployment("smart", id="one", max_parallel_requests=2))
    async with incident.record() as router:
        tasks = [asyncio.create_task(call(router, priority=n % 3)) for n in range(30)]
        await asyncio.sleep(0.02)
        for task in tasks[5::4]:
            task.cancel()
        await asyncio.wait(tasks)
    assert any('"queues"' in line for line in incident.lines)
    assert incident.replay() == Replayed(len(incident.lines) - 1)


async def test_waits_decide_the_same(fleet: Fleet) -> None:
    """A place that is promised, waited for and used, or left to others, is in the log."""
    (one,) = await fleet.start("openai")
    incident = Incident(one.deployment("smart", id="one", rpm=1000))
    one.fail(429, retry_after=0.02, times=2)
    async with incident.record() as router:
        tasks = [asyncio.create_task(call(router)) for _ in range(10)]
        await asyncio.sleep(0.015)
        tasks[0].cancel()
        await asyncio.wait(tasks)
    assert "begin" in incident.did()
    assert incident.replay() == Replayed(len(incident.lines) - 1)


@pytest.mark.parametrize(
    "strategy",
    ["adaptive", "round-robin", "simple-shuffle", "least-busy", "cost-based-routing"],
)
async def test_every_strategy(fleet: Fleet, strategy: str) -> None:
    """Strategies draw from the Router's generator alone, so all of them can be replayed."""
    incident = await outage(fleet, routing_strategy=strategy, hedge=True)
    assert incident.replay() == Replayed(len(incident.lines) - 1)


async def test_filters(fleet: Fleet) -> None:
    """Who may and can take a call is a part of the log, though the call itself is not."""
    one, two = await fleet.start("openai", "openai")
    incident = Incident(
        one.deployment("smart", id="one", tags=["a"], order=1),
        two.deployment("smart", id="two", tags=["b"], order=2),
    )
    async with incident.record() as router:
        for tags in (["a"], ["b"], ["!b"], ["nobody"]):
            await call(router, tags=tags)
    assert incident.replay() == Replayed(len(incident.lines) - 1)


async def test_other_configuration(fleet: Fleet) -> None:
    """Replayed with other settings, the first line that differs shows what they change."""
    one, two = await fleet.start("openai", "openai")
    incident = Incident(one.deployment("smart", id="one"), two.deployment("smart", id="two"))
    one.fail(500), two.fail(500)
    async with incident.record() as router:
        await call(router)
    replayed = incident.replay(num_retries=0)
    assert replayed.logged["do"] == replayed.decided["do"] == "next"
    assert (replayed.logged["pause"], replayed.decided["pause"]) == (0.0, None)


@pytest.mark.parametrize("change", ["add", "remove", "weight", "all"])
async def test_changed_configuration(fleet: Fleet, change: str) -> None:
    """A log is replayed up to where the configuration changed, and says so."""
    one, two, three = await fleet.start("openai", "openai", "openai")
    entries = [it.deployment("smart", id=id) for it, id in ((one, "one"), (two, "two"))]
    other = three.deployment("smart", id="three")
    incident = Incident(*entries)
    async with incident.record() as router:
        await call(router)
        match change:
            case "add":
                router.add_deployment(other)
            case "remove":
                router.remove_deployment("one")
            case "weight":
                router.set_weight("one", 3.0)
            case "all":
                router.set_model_list([other])
        await call(router)
    replayed = incident.replay()
    assert (replayed.changed, replayed.logged) == (True, None)
    assert json.loads(incident.lines[replayed.events + 1])["do"] == "changed"


async def test_nothing_to_hide(fleet: Fleet) -> None:
    """Neither prompts nor answers nor keys are in the log."""
    (one,) = await fleet.start("openai")
    incident = Incident(one.deployment("smart", id="one", api_key="the-secret-key"))
    async with incident.record() as router:
        answer = await router.acompletion("smart", PROMPT)
    log = "".join(incident.lines)
    assert "secret" not in log
    assert answer.choices[0].message.content not in log


async def test_candidates_and_choice_can_be_read(fleet: Fleet) -> None:
    """A line tells when, for whom, what was known of each deployment, and who was chosen."""
    one, two = await fleet.start("openai", "openai")
    incident = Incident(one.deployment("smart", id="one"), two.deployment("smart", id="two"))
    async with incident.record() as router:
        await call(router)
    chosen = next(line for line in map(json.loads, incident.lines) if line["do"] == "choose")
    assert (chosen["trip"], chosen["group"], chosen["known"].keys()) == (1, "smart", {"one", "two"})
    assert chosen["known"]["one"] == {"state": "closed", "in_flight": 0, "expected": 0.5}
    (opened,) = chosen["opened"]
    assert opened["deployment"] in ("one", "two")
    assert (opened["reason"], opened["delay"]) == ("first", 0.0)


async def test_log_that_fails(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    """A log that cannot be written costs a line, not a call."""
    (one,) = await fleet.start("openai")

    def full(line: str) -> None:
        raise OSError("no space left")

    with caplog.at_level(logging.ERROR):
        async with Router([one.deployment("smart")], decision_log=full) as router:
            answer = await router.acompletion("smart", PROMPT)
    assert answer.choices[0].message.content
    assert "decision_log failed" in caplog.text


def test_off() -> None:
    """A Router without a log has the plain core."""
    router = Router()
    assert type(router._core) is Core


def test_not_a_log() -> None:
    """What is no log, or no whole one, is refused."""
    with pytest.raises(ValueError, match="does not begin"):
        replay(['{"do": "choose"}'], Router)
