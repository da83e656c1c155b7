"""How to test what is built on a Router: real servers on the loopback, faults on request.

In a suite these are ordinary tests; here they run one after the other.
"""

# ruff: noqa: S101  tests assert

from __future__ import annotations

import asyncio

from polyroute import InternalServerError, Router, Timeout
from polyroute.testing import FakeClock, Upstream


async def translate(router: Router, text: str) -> str:
    """The code under test."""
    messages = [
        {"role": "system", "content": "Translate into French."},
        {"role": "user", "content": text},
    ]
    answer = await router.acompletion("translator", messages, temperature=0, timeout=0.5)
    return str(answer.choices[0].message.content)


async def test_it_asks_for_french() -> None:
    """The instruction reaches the model."""
    async with (
        Upstream("openai", answer="Bonjour") as upstream,
        Router(model_list=[upstream.deployment("translator")]) as router,
    ):
        assert await translate(router, "Hello") == "Bonjour"
    sent = upstream.requests[0].body
    assert "French" in sent["messages"][0]["content"]
    assert sent["temperature"] == 0


async def test_it_survives_an_overloaded_provider() -> None:
    """One 529 costs a retry, not an error."""
    async with (
        Upstream("anthropic", answer="Bonjour") as one,
        Upstream("gemini", answer="Bonjour") as other,
        Router(model_list=[one.deployment("translator"), other.deployment("translator")]) as router,
    ):
        one.fail(529, times=None)
        assert [await translate(router, "Hello") for _ in range(4)] == ["Bonjour"] * 4


async def test_it_does_not_wait_for_ever() -> None:
    """A provider that hangs ends in a Timeout, at the deadline."""
    async with Upstream("openai") as upstream:
        upstream.hang(times=None)
        async with Router(model_list=[upstream.deployment("translator")], num_retries=0) as router:
            try:
                await translate(router, "Hello")
            except Timeout:
                return
    raise AssertionError("it answered")


async def test_a_deployment_rests_and_comes_back() -> None:
    """Rests pass as fast as the test wants."""
    clock = FakeClock()
    async with (
        Upstream("openai", answer="Bonjour") as upstream,
        Router(
            model_list=[upstream.deployment("translator")],
            clock=clock,
            num_retries=0,
            allowed_fails=0,
        ) as router,
    ):
        upstream.fail(500)
        try:
            await translate(router, "Hello")
        except InternalServerError:
            assert router.stats()[0]["state"] == "open"
        clock.advance(10)
        assert await translate(router, "Hello") == "Bonjour"
        assert router.stats()[0]["state"] == "closed"


async def main() -> None:
    for test in (
        test_it_asks_for_french,
        test_it_survives_an_overloaded_provider,
        test_it_does_not_wait_for_ever,
        test_a_deployment_rests_and_comes_back,
    ):
        await test()
        print("passed:", test.__doc__)


if __name__ == "__main__":
    asyncio.run(main())
