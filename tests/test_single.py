"""Calls for single models, without a Router of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import polyroute
from polyroute import APIError, AuthenticationError, BadRequestError, ChatStream, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Generator

    from conftest import Fleet

    from polyroute.testing import Upstream

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture(autouse=True)
async def no_connection_is_left() -> Any:
    """The one engine behind these functions closes its connections with each test's loop."""
    from polyroute.router.single import _the_singles  # noqa: PLC0415

    yield
    await _the_singles()._engine.transport.aclose()


@pytest.fixture
def settings() -> Generator[None, None, None]:
    """The package's settings, as they were again after the test."""
    names = ("api_key", "openai_key", "drop_params", "num_retries", "request_timeout")
    before = {name: getattr(polyroute, name) for name in names}
    yield
    for name, value in before.items():
        setattr(polyroute, name, value)


async def ask(upstream: Upstream, model: str = "openai/some-model", **params: Any) -> Any:
    said = {"api_base": upstream.base_url, "api_key": "k", **params}
    return await polyroute.acompletion(model, HI, **said)


async def test_answer(fleet: Fleet) -> None:
    """A model, a key and an address are all that a call needs."""
    (upstream,) = await fleet.start("openai")
    answer = await ask(upstream, temperature=0.5)
    assert answer.choices[0].message.content == "Hello!"
    assert answer.route.served_by == "openai/some-model"
    assert upstream.requests[0].body["temperature"] == 0.5


async def test_stream(fleet: Fleet) -> None:
    """stream=True gives the same stream that a Router gives."""
    (upstream,) = await fleet.start("anthropic", answer="one two")
    stream = await ask(upstream, "anthropic/some-model", stream=True)
    assert isinstance(stream, ChatStream)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two"


async def test_one_attempt_unless_told(fleet: Fleet) -> None:
    """Single-model calls are not repeated unless the call says so."""
    (upstream,) = await fleet.start("openai")
    upstream.fail(429, retry_after=0, times=2)
    with pytest.raises(RateLimitError):
        await ask(upstream)
    assert (await ask(upstream, num_retries=1)).choices


async def test_failures_leave_no_grudge(fleet: Fleet) -> None:
    """There is nobody else to ask: a model that failed is asked by the next call all the same."""
    (upstream,) = await fleet.start("openai")
    upstream.fail(401, times=20)
    for _ in range(20):
        with pytest.raises(AuthenticationError):
            await ask(upstream)
    assert (await ask(upstream)).choices


async def test_keys_do_not_mix(fleet: Fleet) -> None:
    """Calls with different keys go out with their own."""
    (upstream,) = await fleet.start("openai")
    for key in ("one", "two", "one"):
        await ask(upstream, api_key=key)
    sent = [request.headers["authorization"] for request in upstream.requests]
    assert sent == ["Bearer one", "Bearer two", "Bearer one"]


async def test_unknown_provider() -> None:
    """A name that says nothing about its provider is refused with those that would."""
    with pytest.raises(BadRequestError, match="PROVIDER/MODEL"):
        await polyroute.acompletion("wizard-7", HI)


async def test_missing_key_is_named() -> None:
    """A missing key is told by its variable."""
    with pytest.raises(AuthenticationError, match="GROQ_API_KEY"):
        await polyroute.acompletion("groq/some-model", HI)


async def test_fallback_models(fleet: Fleet) -> None:
    """fallbacks are models; an impossible one is refused before anything is sent."""
    (upstream,) = await fleet.start("openai")
    with pytest.raises(APIError, match="wizard-7"):
        await ask(upstream, fallbacks=["wizard-7"])
    assert upstream.requests == []


async def test_settings_of_the_package(fleet: Fleet, settings: None) -> None:
    """polyroute.openai_key and its like are read when a call is made; the call's own word wins."""
    (upstream,) = await fleet.start("openai")
    polyroute.openai_key = "from-the-package"
    await ask(upstream, api_key=None)
    await ask(upstream, api_key="from-the-call")
    sent = [request.headers["authorization"] for request in upstream.requests]
    assert sent == ["Bearer from-the-package", "Bearer from-the-call"]


async def test_retries_and_time_of_the_package(fleet: Fleet, settings: None) -> None:
    """polyroute.num_retries and request_timeout are defaults."""
    (upstream,) = await fleet.start("openai")
    polyroute.num_retries, polyroute.request_timeout = 1, 0.1
    upstream.fail(429, retry_after=0)
    assert len((await ask(upstream)).route.attempts) == 2
    upstream.hang(times=None)
    with pytest.raises(polyroute.Timeout, match=r"0\.1 s"):
        await ask(upstream)


async def test_dropping_of_the_package(fleet: Fleet, settings: None) -> None:
    """polyroute.drop_params leaves out what cannot be taken; a call may refuse that."""
    (upstream,) = await fleet.start("anthropic")
    polyroute.drop_params = True
    answer = await ask(upstream, "anthropic/m", logit_bias={"1": 1})
    assert answer.route.dropped_params == ["logit_bias"]
    with pytest.raises(BadRequestError):
        await ask(upstream, "anthropic/m", logit_bias={"1": 1}, drop_params=False)
