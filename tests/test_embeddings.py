"""Embeddings through a Router and without one: what is checked, split, and put together again."""

from __future__ import annotations

import asyncio
import base64
import struct
from typing import Any

import pytest

import polyroute
from polyroute import BadRequestError, EmbeddingResponse, NotFoundError, Router, Timeout
from polyroute.exceptions import APIResponseValidationError, InternalServerError
from polyroute.testing import Upstream

pytestmark = pytest.mark.anyio

TEXTS = [f"text {number}" for number in range(10)]
PRICES = {"input_cost_per_token": 1e-6, "output_cost_per_token": 0.0}


def entry(upstream: Upstream, alias: str = "embed", **info: Any) -> dict[str, Any]:
    """A deployment that takes three inputs a request."""
    return upstream.deployment(alias, info={"max_inputs": 3, **PRICES, **info})


def sizes(upstream: Upstream) -> list[int]:
    """How many inputs each request had."""
    return [len(request.body["input"]) for request in upstream.requests]


async def vectors_of(upstream: Upstream, texts: list[str]) -> list[Any]:
    """What the upstream gives for each text alone."""
    async with Router([upstream.deployment("one")]) as router:
        return [(await router.aembedding("one", text)).data[0].embedding for text in texts]


class TestOneRequest:
    """Calls that are small enough."""

    async def test_answer(self, fleet: Any) -> None:
        """A vector for each input, in order, with usage, cost and route."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [entry(upstream)]})
        answer = await router.aembedding("embed", ["a b", "c"])
        assert isinstance(answer, EmbeddingResponse)
        assert [item["index"] for item in answer.data] == [0, 1]
        assert len(answer.data[0]["embedding"]) == len(answer.data[1].embedding) == 8
        assert answer.usage.total_tokens == 3
        assert answer.route.cost == pytest.approx(3e-6)
        assert answer.route.served_by == answer.route.attempts[0].deployment_id
        assert answer.request_id == "request-1"

    async def test_string_stays_a_string(self, fleet: Any) -> None:
        """What the caller wrote is what is sent."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [upstream]})
        for given in ("a", ["a"], [1, 2], [[1, 2], [3]]):
            await router.aembedding("embed", given, dimensions=4, user="u")
            body = upstream.requests[-1].body
            assert body["input"] == given
            assert (body["dimensions"], body["user"]) == (4, "u")

    async def test_base64(self, fleet: Any) -> None:
        """Vectors as text are the same vectors."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [upstream]})
        plain = await router.aembedding("embed", "a")
        packed = await router.aembedding("embed", "a", encoding_format="base64")
        text = base64.b64decode(packed.data[0].embedding)
        assert list(struct.unpack("<8f", text)) == plain.data[0].embedding

    async def test_retry_and_fallback(self, fleet: Any) -> None:
        """Embeddings are retried and fall back as chats do."""
        first, second = await fleet.start("openai", "openai")
        groups = {"embed": [first], "backup": [second]}
        router = await fleet.router(groups, num_retries=1, fallbacks=[{"embed": ["backup"]}])
        first.fail(503, times=2)
        answer = await router.aembedding("embed", "a")
        reasons = [attempt.reason for attempt in answer.route.attempts]
        assert reasons == ["first", "retry", "fallback"]

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("", "input is empty"),
            ([], "input is an empty list"),
            (["a", ""], r"input\[1\] is empty"),
            ([[1], []], r"input\[1\] is empty"),
            ([1, "a"], r"input\[0\] is a list of something else"),
            ([True], r"input\[0\] is of type bool"),
            (["a", None], r"input\[1\]"),
            (None, "input is of type NoneType"),
            (7, "input is of type int"),
        ],
    )
    async def test_refused(self, given: Any, said: str) -> None:
        """What cannot be embedded is refused by its place, before anybody is asked."""
        with pytest.raises(BadRequestError, match=said):
            await polyroute.aembedding("openai/m", given, api_key="k")

    async def test_unknown_alias(self, fleet: Any) -> None:
        """An alias that is not there is a NotFoundError that lists the others."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [upstream]})
        with pytest.raises(NotFoundError, match="embed"):
            await router.aembedding("embedd", "a")


class TestParts:
    """Calls that are too large for one request."""

    async def test_order_and_usage(self, fleet: Any) -> None:
        """Parts come back in the order of the inputs, whichever is answered first."""
        (upstream,) = await fleet.start("openai")
        expected = await vectors_of(upstream, TEXTS)
        upstream.reset()
        router = await fleet.router({"embed": [entry(upstream)]})
        answer = await router.aembedding("embed", TEXTS)
        assert [item.embedding for item in answer.data] == expected
        assert [item.index for item in answer.data] == list(range(10))
        assert sorted(sizes(upstream)) == [1, 3, 3, 3]
        assert answer.usage.prompt_tokens == answer.usage.total_tokens == 20
        assert answer.model == "loopback-model"

    async def test_route(self, fleet: Any) -> None:
        """The route has the attempts of all parts, and what they cost together."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [entry(upstream)]})
        upstream.fail(503)
        route = (await router.aembedding("embed", TEXTS)).route
        assert [attempt.outcome for attempt in route.attempts].count("ok") == 4
        assert [attempt.outcome for attempt in route.attempts].count("failed") == 1
        assert [attempt.reason for attempt in route.attempts].count("retry") == 1
        assert route.alias == "embed"
        assert route.cost == pytest.approx(20e-6)

    async def test_cost_of_a_part_that_nobody_knows(self, fleet: Any) -> None:
        """If one part has no price, the call has none."""
        first, second = await fleet.start("openai", "openai")
        unpriced = second.deployment("backup", info={"max_inputs": 3})
        groups = {"embed": [entry(first)], "backup": [unpriced]}
        router = await fleet.router(groups, num_retries=0, fallbacks=[{"embed": ["backup"]}])
        first.fail(500, times=1)
        assert (await router.aembedding("embed", TEXTS)).route.cost is None
        assert (await router.aembedding("embed", TEXTS)).route.cost == pytest.approx(20e-6)

    async def test_parts_go_side_by_side_within_bounds(self, fleet: Any) -> None:
        """Several parts are under way at a time, but never more than eight."""
        (upstream,) = await fleet.start("openai", latency=0.01)
        router = await fleet.router({"embed": [entry(upstream, max_inputs=1)]})
        await router.aembedding("embed", [str(number) for number in range(20)])
        assert len(upstream.requests) == 20
        assert upstream.most_in_flight == 8

    async def test_smallest_limit(self, fleet: Any) -> None:
        """A part fits every deployment that may get it, a fallback's too."""
        first, second, third = await fleet.start("openai", "openai", "openai")
        groups = {
            "embed": [entry(first, max_inputs=7), entry(second, max_inputs=5)],
            "backup": [entry(third, "backup", max_inputs=4)],
        }
        router = await fleet.router(groups)
        await router.aembedding("embed", TEXTS)
        assert sorted(sizes(first) + sizes(second)) == [5, 5]
        for upstream in (first, second):
            upstream.reset()
        await router.aembedding("embed", TEXTS, fallbacks=["backup"])
        assert sorted(sizes(first) + sizes(second)) == [2, 4, 4]

    async def test_parts_fall_back_by_themselves(self, fleet: Any) -> None:
        """A part that fails goes elsewhere, and the order stays."""
        first, second = await fleet.start("openai", "openai")
        expected = await vectors_of(second, TEXTS)
        groups = {"embed": [entry(first)], "backup": [entry(second, "backup")]}
        router = await fleet.router(groups, num_retries=0, fallbacks=[{"embed": ["backup"]}])
        first.fail(500, times=1)
        answer = await router.aembedding("embed", TEXTS)
        assert [item.embedding for item in answer.data] == expected
        assert [attempt.group for attempt in answer.route.attempts].count("backup") == 1

    async def test_a_failing_part_ends_the_call(self, fleet: Any) -> None:
        """The first part that fails for good is the call's error; the others are given up."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [entry(upstream)]}, num_retries=0)
        upstream.hang(times=3)
        upstream.fail(500, times=1)
        with pytest.raises(InternalServerError) as raised:
            await router.aembedding("embed", TEXTS)
        await upstream.until(lambda it: it.in_flight == 0)
        outcomes = [attempt.outcome for attempt in raised.value.route.attempts]
        assert sorted(outcomes) == ["cancelled", "cancelled", "cancelled", "failed"]

    async def test_deadline_is_the_whole_calls(self, fleet: Any) -> None:
        """Parts that had to wait for their turn do not get time of their own."""
        (upstream,) = await fleet.start("openai", latency=0.15)
        router = await fleet.router({"embed": [entry(upstream, max_inputs=1)]}, num_retries=0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(Timeout):
            await router.aembedding("embed", TEXTS * 2, timeout=0.25)
        assert loop.time() - began < 0.45

    async def test_cancelled_callers_leave_nothing_behind(self, fleet: Any) -> None:
        """Who stops waiting ends all parts."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [entry(upstream)]})
        upstream.hang(times=None)
        waiting = asyncio.create_task(router.aembedding("embed", TEXTS))
        await upstream.until(lambda it: it.in_flight == 4)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await upstream.until(lambda it: it.in_flight == 0)
        assert [stats["in_flight"] for stats in router.stats()] == [0]

    async def test_a_part_with_a_vector_too_many(self, fleet: Any) -> None:
        """If a part has another number of vectors, nobody knows whose they are: an error."""
        body = b'{"data": [{"embedding": [1.0]}, {"embedding": [2.0]}], "model": "m"}'
        raw = await fleet.raw(fleet.http(body, content_type="application/json"))
        deployment = {**raw.deployment("embed"), "model_info": {"max_inputs": 1}}
        router = await fleet.router({"embed": [deployment]})
        with pytest.raises(APIResponseValidationError, match="2 embeddings for 1 inputs"):
            await router.aembedding("embed", ["a", "b"])

    async def test_limits_of_providers(self, fleet: Any) -> None:
        """Without being told, a Router knows what a provider takes."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"embed": [upstream]})
        await router.aembedding("embed", ["a"] * 2049)
        assert sorted(sizes(upstream)) == [1, 2048]


class TestSingles:
    """Single models, without a Router."""

    async def test_split(self, fleet: Any) -> None:
        """A model without a Router is split for as well."""
        (upstream,) = await fleet.start("openai")
        reach = {"api_key": "k", "api_base": upstream.base_url}
        answer = await polyroute.aembedding("openai/m", ["a"] * 3000, **reach)
        assert len(answer.data) == 3000
        assert sorted(sizes(upstream)) == [952, 2048]

    def test_synchronous_twins(self) -> None:
        """The same in ordinary functions, of the package and of a Router."""
        with Upstream("openai") as upstream:
            reach = {"api_key": "k", "api_base": upstream.base_url}
            single = polyroute.embedding("openai/m", ["a", "b"], **reach)
            routed = Router([upstream.deployment("embed")]).embedding("embed", ["a", "b"])
            vectors = [[item.embedding for item in answer.data] for answer in (single, routed)]
            assert vectors[0] == vectors[1]

    async def test_mock(self) -> None:
        """A vector as `mock_response` is the answer for every input, and nobody is asked."""
        answer = await polyroute.aembedding("openai/m", ["a", "b"], mock_response=[0.5, 1.0])
        assert [item.embedding for item in answer.data] == [[0.5, 1.0], [0.5, 1.0]]
        with pytest.raises(BadRequestError, match="mock_response"):
            await polyroute.aembedding("openai/m", "a", mock_response="a text")
