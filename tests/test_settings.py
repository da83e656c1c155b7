"""The package's settings, LiteLLM's names, and answers made up for users' tests."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import polyroute
from polyroute import BadRequestError, Router, Timeout

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]
NAMES = (
    "anthropic_key",
    "api_key",
    "cohere_key",
    "drop_params",
    "logger_fn",
    "num_retries",
    "openai_key",
    "prompts",
    "request_timeout",
    "set_verbose",
    "verbose",
)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """The package's settings, as they were again after the test."""
    before = {name: getattr(polyroute, name) for name in NAMES}
    yield
    for name, value in before.items():
        setattr(polyroute, name, value)


async def test_routers_have_settings_of_their_own(
    fleet: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that is set on the package changes what a Router does."""
    seen: list[Any] = []
    polyroute.api_key = polyroute.openai_key = polyroute.anthropic_key = "from-the-package"
    polyroute.drop_params = polyroute.set_verbose = polyroute.verbose = True
    polyroute.num_retries, polyroute.request_timeout = 5, 0.000_001
    polyroute.logger_fn = seen.append
    (upstream,) = await fleet.start("anthropic")
    router = await fleet.router({"a": [upstream]}, num_retries=0)
    answer = await router.acompletion("a", HI)
    with pytest.raises(BadRequestError, match="logit_bias"):
        await router.acompletion("a", HI, logit_bias={"1": 1})
    upstream.fail(500, times=None)
    with pytest.raises(polyroute.InternalServerError) as caught:
        await router.acompletion("a", HI)
    assert answer.choices[0].message.content == "Hello!"
    assert len(caught.value.route.attempts) == 1
    assert upstream.requests[0].headers["x-api-key"] == "loopback-key"
    assert (seen, caplog.records) == ([], [])


async def test_keys_of_the_package_reach_no_router(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Router without a key says so, even if the package has one."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    polyroute.api_key = polyroute.openai_key = "from-the-package"
    router = Router(model_list=[{"model_name": "a", "litellm_params": {"model": "openai/m"}}])
    with pytest.raises(polyroute.AuthenticationError, match="OPENAI_API_KEY"):
        await router.acompletion("a", HI)


@pytest.mark.parametrize("name", ["set_verbose", "verbose"])
async def test_verbose(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """With either name the route of every call is logged."""
    setattr(polyroute, name, True)
    with caplog.at_level("INFO", "polyroute"):
        await polyroute.acompletion("gpt-4o", HI, mock_response="Hi")
    assert "answered gpt-4o" in caplog.text


def test_verbose_without_logging() -> None:
    """A program that has set up no logging sees the route on standard error."""
    script = (
        "import polyroute\n"
        "polyroute.set_verbose = True\n"
        "polyroute.completion('gpt-4o', [{'role': 'user', 'content': 'Hi'}], mock_response='Hi')\n"
    )
    done = subprocess.run(  # noqa: S603  our own interpreter, our own script
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr.startswith("polyroute: answered gpt-4o")
    assert done.stdout == ""


async def test_logger_fn() -> None:
    """`logger_fn` hears of every single-model call; a call's own takes its place."""
    package: list[Any] = []
    call: list[Any] = []
    polyroute.logger_fn = package.append
    await polyroute.acompletion("gpt-4o", HI, mock_response="one")
    await polyroute.acompletion("gpt-4o", HI, mock_response="two", logger_fn=call.append)
    said = [about["response"].choices[0].message.content for about in (*package, *call)]
    assert said == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("success_callback", "logger_fn"),
        ("cache", "not cached"),
        ("fallbacks", "Router"),
        ("api_base", "call"),
        ("ssl_verify", "verify"),
    ],
)
def test_settings_that_are_none(name: str, instead: str) -> None:
    """LiteLLM's other settings are refused, to set and to read, with what to do instead."""
    with pytest.raises(AttributeError, match=instead):
        setattr(polyroute, name, ["x"])
    with pytest.raises(AttributeError, match=instead):
        getattr(polyroute, name)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("ModelResponse", polyroute.ChatCompletion),
        ("ModelResponseStream", polyroute.ChatCompletionChunk),
        ("CustomStreamWrapper", polyroute.ChatStream),
        ("InvalidRequestError", BadRequestError),
        ("OpenAIError", polyroute.APIError),
    ],
)
def test_familiar_names(name: str, ours: type) -> None:
    """LiteLLM's names of types and errors are ours under another name."""
    assert getattr(polyroute, name) is ours
    assert name in polyroute.__all__
    assert getattr(polyroute.exceptions, name, ours) is ours


FORECAST = {"function": {"name": "forecast", "arguments": {"city": "Oslo"}}}


async def test_mocked_tool_calls() -> None:
    """Tool calls can be made up, with and without text, arguments as objects or as text."""
    calls = [FORECAST, {"id": "c2", "function": {"name": "time", "arguments": "{}"}}]
    answer = await polyroute.acompletion("gpt-4o", HI, mock_tool_calls=calls)
    choice = answer.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    first, second = choice.message.tool_calls
    assert (first.function.name, json.loads(first.function.arguments)) == (
        "forecast",
        {"city": "Oslo"},
    )
    assert first.id.startswith("call_")
    assert (second.id, second.function.arguments) == ("c2", "{}")
    assert answer.usage.completion_tokens > 0


async def test_mocked_tool_calls_streamed() -> None:
    """Streamed, a made-up call comes in pieces that make the whole."""
    said = {"mock_response": "One moment.", "mock_tool_calls": [FORECAST]}
    stream = await polyroute.acompletion(
        "gpt-4o", HI, stream=True, stream_options={"include_usage": True}, **said
    )
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks]
    pieces = [piece for delta in deltas for piece in delta.tool_calls or ()]
    assert "".join(delta.content or "" for delta in deltas) == "One moment."
    assert [piece.function.name for piece in pieces] == ["forecast", None]
    assert "".join(piece.function.arguments for piece in pieces) == '{"city": "Oslo"}'
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage.total_tokens > 0


async def test_mocked_choices() -> None:
    """`n` made-up answers are as many."""
    answer = await polyroute.acompletion("gpt-4o", HI, mock_response="Hi", n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]


async def test_mocked_timeout() -> None:
    """A made-up timeout takes the time that the call had."""
    with pytest.raises(Timeout, match=r"0\.01 s") as caught:
        await polyroute.acompletion("gpt-4o", HI, mock_timeout=True, timeout=0.01)
    assert caught.value.route.attempts[0].reason == "mock"


@pytest.mark.parametrize(
    ("input", "said", "vectors"),
    [
        ("one", [0.1, 0.2], [[0.1, 0.2]]),
        (["one", "two"], [0.5], [[0.5], [0.5]]),
        (["one", "two"], [[0.1], [0.2]], [[0.1], [0.2]]),
    ],
)
async def test_mocked_embeddings(input: Any, said: Any, vectors: Any) -> None:
    """An embedding is made up from one vector for all inputs, or one for each."""
    answer = await polyroute.aembedding("text-embedding-3-small", input, mock_response=said)
    assert [item.embedding for item in answer.data] == vectors
    assert answer.route.attempts[0].reason == "mock"


@pytest.mark.parametrize(
    "said", [{"mock_tool_calls": [{"name": "f"}]}, {"mock_tool_calls": "f"}, {"mock_response": [1]}]
)
async def test_wrong_mocks(said: dict[str, Any]) -> None:
    """What is no made-up chat is refused by its name."""
    with pytest.raises(BadRequestError, match=next(iter(said))):
        await polyroute.acompletion("gpt-4o", HI, **said)
