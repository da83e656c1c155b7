"""Batches: in order, bounded, whole in spite of failures, and nothing outlives them."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

import polyroute
from polyroute import ChatStream, Router, SyncStream
from polyroute.exceptions import (
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
)
from polyroute.router.progress import progress_bar
from polyroute.testing import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Fleet

pytestmark = pytest.mark.anyio

HELLO = [{"role": "user", "content": "Hello"}]


def question(number: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": str(number)}]


def echo(body: dict[str, Any]) -> str:
    return f"answer to {body['messages'][-1]['content']}"


def texts(answers: list[Any]) -> list[str]:
    return [answer.choices[0].message.content for answer in answers]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(answer=echo) as upstream:
        yield upstream


def reach(upstream: Upstream) -> dict[str, Any]:
    return {"api_base": upstream.base_url, "api_key": "key"}


class TestOneModel:
    async def test_order(self, fleet: Fleet) -> None:
        """Answers stand where their conversations stood, however they were answered."""
        (upstream,) = await fleet.start("openai", answer=echo)
        router = await fleet.router({"smart": [upstream]})
        answers = await router.abatch_completion("smart", map(question, range(25)))
        assert texts(answers) == [f"answer to {number}" for number in range(25)]

    async def test_bounded(self, fleet: Fleet) -> None:
        """No more than `max_workers` run at once, and as many do."""
        (upstream,) = await fleet.start("openai", latency=0.01)
        router = await fleet.router({"smart": [upstream]})
        conversations = [question(number) for number in range(12)]
        await router.abatch_completion("smart", conversations, max_workers=3)
        assert upstream.most_in_flight == 3

    async def test_failure_in_its_place(self, fleet: Fleet) -> None:
        """A conversation that fails has its exception in its place; the others are answered."""
        (upstream,) = await fleet.start("openai", answer=echo)
        upstream.fail(500, times=1)
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        bad = [{"role": "nobody", "content": "?"}]
        conversations = [question(0), question(1), bad, question(3)]
        answers = await router.abatch_completion("smart", conversations, max_workers=1)
        assert isinstance(answers[0], InternalServerError)
        assert isinstance(answers[2], BadRequestError)
        assert texts([answers[1], answers[3]]) == ["answer to 1", "answer to 3"]

    async def test_parameters_reach_every_chat(self, fleet: Fleet) -> None:
        """Parameters are those of each chat."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        await router.abatch_completion("smart", [HELLO, HELLO], temperature=0.5)
        assert [request.body["temperature"] for request in upstream.requests] == [0.5, 0.5]

    async def test_empty(self, fleet: Fleet) -> None:
        """No conversations, no answers."""
        router = await fleet.router({"smart": await fleet.start("openai")})
        assert await router.abatch_completion("smart", []) == []

    async def test_cancelled(self, fleet: Fleet) -> None:
        """Whoever stops waiting ends every chat of the batch."""
        (upstream,) = await fleet.start("openai")
        upstream.hang(times=None)
        router = await fleet.router({"smart": [upstream]})
        task = asyncio.create_task(router.abatch_completion("smart", [HELLO] * 4))
        await upstream.until(lambda upstream: upstream.in_flight == 4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await upstream.until(lambda upstream: upstream.in_flight == 0)
        assert router.stats()[0]["in_flight"] == 0

    async def test_bug_is_not_an_answer(self, fleet: Fleet) -> None:
        """An exception that is no error of a call ends the batch, as itself."""
        router = await fleet.router({"smart": await fleet.start("openai")})

        class Broken:
            def __iter__(self) -> Any:
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await router.abatch_completion("smart", [HELLO, Broken()])

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"model": "smart", "messages": HELLO}, "is one conversation"),
            ({"model": "smart", "messages": "Hello"}, "a list of conversations, not str"),
            ({"model": "smart", "messages": [HELLO], "stream": True}, "leave stream out"),
            ({"model": "smart", "messages": [HELLO], "max_workers": 0}, "max_workers must be"),
            ({"messages": [HELLO]}, "either model= or models="),
            ({"model": "smart", "models": ["smart"], "messages": [HELLO]}, "either model= or"),
            ({"models": [], "messages": HELLO}, "at least one name"),
            ({"models": "smart", "messages": HELLO}, "at least one name"),
        ],
    )
    async def test_refused(self, fleet: Fleet, arguments: dict[str, Any], words: str) -> None:
        """What is no batch is refused before anybody is asked."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        with pytest.raises(BadRequestError, match=words):
            await router.abatch_completion(**arguments)
        assert upstream.requests == []


class TestManyModels:
    async def test_one_conversation(self, fleet: Fleet) -> None:
        """One conversation with several aliases: an answer of each."""
        first, second = await fleet.start("openai", "openai")
        router = await fleet.router({"a": [first], "b": [second]})
        answers = await router.abatch_completion(models=["b", "nobody", "a"], messages=HELLO)
        assert [getattr(answer.route, "served_by", None) for answer in answers[::2]] == [
            "b-0",
            "a-0",
        ]
        assert isinstance(answers[1], NotFoundError)

    async def test_many_conversations(self, fleet: Fleet) -> None:
        """Several conversations with several aliases: a list of answers for each conversation."""
        first, second = await fleet.start("openai", "openai", answer=echo)
        router = await fleet.router({"a": [first], "b": [second]})
        conversations = [question(1), question(2), question(3)]
        answers = await router.abatch_completion(models=["a", "b"], messages=conversations)
        assert await router.abatch_completion(["a"], []) == []
        assert [texts(each) for each in answers] == [
            [f"answer to {number}"] * 2 for number in (1, 2, 3)
        ]

    async def test_first_wins(self, fleet: Fleet) -> None:
        """The first answer counts; the other attempt is cancelled and its connection closed."""
        slow, quick = await fleet.start("openai", "openai")
        slow.hang()
        router = await fleet.router({"slow": [slow], "quick": [quick]})
        answer = await router.abatch_completion_models(["slow", "quick"], HELLO)
        assert answer.route.served_by == "quick-0"
        await slow.until(lambda upstream: upstream.in_flight == 0)
        assert [entry["in_flight"] for entry in router.stats()] == [0, 0]

    async def test_first_that_succeeds(self, fleet: Fleet) -> None:
        """A model that fails faster than another answers has not won."""
        broken, working = await fleet.start("openai", "openai", latency=0.01)
        broken.fail(500, times=None)
        router = await fleet.router({"broken": [broken], "working": [working]}, num_retries=0)
        answer = await router.abatch_completion_models(["nobody", "broken", "working"], HELLO)
        assert answer.route.served_by == "working-0"

    async def test_first_stream_wins(self, fleet: Fleet) -> None:
        """Of streams the first with content wins; the others are closed."""
        slow, quick = await fleet.start("openai", "openai")
        slow.hang()
        router = await fleet.router({"slow": [slow], "quick": [quick]})
        stream = await router.abatch_completion_models(["slow", "quick"], HELLO, stream=True)
        assert isinstance(stream, ChatStream)
        assert "".join([each.choices[0].delta.content or "" async for each in stream]) == "Hello!"
        await slow.until(lambda upstream: upstream.in_flight == 0)

    async def test_simultaneous_streams(self, fleet: Fleet) -> None:
        """Every stream but the winner is closed, even one that begins at the same moment."""
        upstreams = await fleet.start("openai", "openai", "openai", chunk_delay=0.005)
        router = await fleet.router(
            {name: [each] for name, each in zip("abc", upstreams, strict=True)}
        )
        stream = await router.abatch_completion_models(["a", "b", "c"], HELLO, stream=True)
        assert isinstance(stream, ChatStream)
        assert sum(entry["in_flight"] for entry in router.stats()) == 1
        await stream.aclose()

    async def test_nobody_wins(self, fleet: Fleet) -> None:
        """If all fail, the error of the first in the list is raised."""
        first, second = await fleet.start("openai", "openai")
        first.fail(500, times=None)
        second.fail(404, times=None)
        router = await fleet.router({"a": [first], "b": [second]}, num_retries=0)
        with pytest.raises(InternalServerError):
            await router.abatch_completion_models(["a", "b"], HELLO)

    async def test_cancelled(self, fleet: Fleet) -> None:
        """Whoever stops waiting ends all attempts."""
        first, second = await fleet.start("openai", "openai")
        first.hang()
        second.hang()
        router = await fleet.router({"a": [first], "b": [second]})
        task = asyncio.create_task(router.abatch_completion_models(["a", "b"], HELLO))
        await first.until(lambda upstream: upstream.in_flight == 1)
        await second.until(lambda upstream: upstream.in_flight == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await first.until(lambda upstream: upstream.in_flight == 0)
        await second.until(lambda upstream: upstream.in_flight == 0)


class TestSingleModels:
    def test_batch(self, upstream: Upstream) -> None:
        """`batch_completion` answers in order, with exceptions in their places."""
        answers = polyroute.batch_completion(
            "openai/m", [question(1), [], question(2)], max_workers=2, **reach(upstream)
        )
        assert texts(answers[::2]) == ["answer to 1", "answer to 2"]
        assert isinstance(answers[1], BadRequestError)

    def test_first(self, upstream: Upstream) -> None:
        """`batch_completion_models` returns the first answer, also of a stream."""
        models = ["openai/a", "openai/b"]
        answer = polyroute.batch_completion_models(models, HELLO, **reach(upstream))
        assert texts([answer]) == ["answer to Hello"]
        with polyroute.batch_completion_models(
            models, HELLO, stream=True, **reach(upstream)
        ) as stream:
            assert isinstance(stream, SyncStream)
            pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
        assert "".join(pieces) == "answer to Hello"

    def test_all(self, upstream: Upstream) -> None:
        """`batch_completion_models_all_responses` has an answer of each model."""
        answers = polyroute.batch_completion_models_all_responses(
            ["openai/a", "", "openai/b"], HELLO, **reach(upstream)
        )
        assert {request.body["model"] for request in upstream.requests} == {"a", "b"}
        assert texts(answers[::2]) == ["answer to Hello"] * 2
        assert isinstance(answers[1], BadRequestError)

    def test_synchronous_router(self, upstream: Upstream) -> None:
        """A Router's synchronous batches are those of its asynchronous ones."""
        router = Router(model_list=[upstream.deployment("smart")])
        assert texts(router.batch_completion("smart", [question(7)])) == ["answer to 7"]
        first = router.batch_completion_models(["smart"], question(8))
        assert texts([first]) == ["answer to 8"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    async def test_bar(self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a terminal the bar counts to the end."""
        pytest.importorskip("rich")
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        router = await fleet.router({"smart": await fleet.start("openai")})
        await router.abatch_completion("smart", [HELLO] * 3, progress=True)
        assert "3/3" in terminal.getvalue()

    async def test_pipe(self, fleet: Fleet, capfd: pytest.CaptureFixture[str]) -> None:
        """In a pipe, and unasked, nothing is written."""
        router = await fleet.router({"smart": await fleet.start("openai")})
        await router.abatch_completion("smart", [HELLO], progress=True)
        assert capfd.readouterr() == ("", "")

    def test_without_rich(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is no rich, tqdm draws."""
        pytest.importorskip("tqdm")
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        monkeypatch.setitem(sys.modules, "rich.console", None)
        with progress_bar(2, shown=True) as advance:
            advance()
            advance()
        assert "2/2" in terminal.getvalue()

    def test_nothing_to_draw_with(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without rich and tqdm a bar cannot be had, and the error says what to install."""
        monkeypatch.setattr(sys, "stderr", Terminal())
        for name in ("rich.console", "rich.progress", "tqdm"):
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ConfigurationError, match="rich or tqdm"), progress_bar(3, shown=True):
            pass


class TestSums:
    async def test_costs(self, fleet: Fleet) -> None:
        """A Router adds up what it has spent, by deployment and by alias."""
        prices = {"input_cost_per_token": 0.5, "output_cost_per_token": 2.0}
        answer = polyroute.testing.Reply("Hello!", prompt_tokens=10, completion_tokens=5)
        upstreams = await fleet.start("openai", "openai", "openai", answer=answer)
        priced = [
            each.deployment(alias, id=id, info=prices)
            for each, alias, id in zip(upstreams[:2], "aa", ("one", "two"), strict=True)
        ]
        router = await fleet.router({"a": priced, "b": [upstreams[2]]})
        assert router.costs() == {
            "total": 0.0,
            "deployments": {"one": 0.0, "two": 0.0, "b-0": 0.0},
            "aliases": {"a": 0.0, "b": 0.0},
        }
        await router.abatch_completion("one", [HELLO] * 2)
        await router.abatch_completion("two", [HELLO])
        await router.acompletion("b", HELLO)
        assert router.costs() == {
            "total": 45.0,
            "deployments": {"one": 30.0, "two": 15.0, "b-0": 0.0},
            "aliases": {"a": 45.0, "b": 0.0},
        }
