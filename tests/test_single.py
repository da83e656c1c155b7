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
    from polyroute.router.singles import singles  # noqa: PLC0415

    yield
    await singles()._engine.transport.aclose()


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


async def test_misspelt_provider() -> None:
    """A prefix that is nearly one is answered with that one, not with all."""
    with pytest.raises(BadRequestError, match="did you mean 'openai/gpt-4o'") as caught:
        await polyroute.acompletion("opnai/gpt-4o", HI)
    assert "mistral" not in str(caught.value)


async def test_key_with_a_line_end() -> None:
    """A key read from a file with its line end is told, and not repeated."""
    with pytest.raises(AuthenticationError, match="line end") as caught:
        await polyroute.acompletion("openai/x", HI, api_key="sk-hush\n")
    assert "hush" not in repr(caught.value)


class TestMock:
    async def test_whole(self) -> None:
        """mock_response is the answer, and nobody is asked."""
        answer = await polyroute.acompletion("gpt-4o", HI, mock_response="It's simple")
        assert answer.choices[0].message.content == "It's simple"
        assert (answer.model, answer.choices[0].finish_reason) == ("gpt-4o", "stop")
        assert answer.usage.total_tokens == 4
        assert answer.route.attempts[0].reason == "mock"

    @pytest.mark.parametrize("text", ["one  two\nthree ", "", "  "])
    async def test_stream(self, text: str) -> None:
        """A stream says the same in pieces, and its usage if that is asked for."""
        said = {"mock_response": text, "stream_options": {"include_usage": True}}
        async with await polyroute.acompletion("gpt-4o", HI, stream=True, **said) as stream:
            chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
        assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == ["stop", None]
        assert chunks[-1].usage.prompt_tokens == 1
        assert stream.route.served_by == "mock"
        assert stream.response_headers == {}

    async def test_exception(self) -> None:
        """An exception is raised as it is."""
        said = RateLimitError("slow down", retry_after=3)
        with pytest.raises(RateLimitError) as caught:
            await polyroute.acompletion("gpt-4o", HI, mock_response=said)
        assert caught.value is said


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
