"""What the adapter for Replicate promises, from literal messages and predictions."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

import pytest
from aiohttp import web

import polyroute
from polyroute import exceptions
from polyroute.providers import Call, Target
from polyroute.providers.replicate import ReplicateAdapter

HELLO = [{"role": "user", "content": "Hello"}]
LLAMA = "meta/meta-llama-3-8b-instruct"
PREDICTION = {
    "id": "p1",
    "status": "succeeded",
    "output": ["Hel", "lo!"],
    "metrics": {"input_token_count": 12, "output_token_count": 4},
    "urls": {"get": "https://api.replicate.com/v1/predictions/p1"},
}


def adapter(model: str = LLAMA) -> ReplicateAdapter:
    return ReplicateAdapter(Target("replicate", model, "r8-key"))


def inputs(messages: list[dict[str, Any]], model: str = LLAMA, **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(adapter(model).build(Call(messages, params)).body)["input"]
    return built


def prediction(**fields: Any) -> bytes:
    return json.dumps({**PREDICTION, **fields}).encode()


@pytest.mark.parametrize(
    ("model", "path", "version"),
    [
        (LLAMA, f"models/{LLAMA}/predictions", None),
        ("llama-2-7b-chat", "models/meta/llama-2-7b-chat/predictions", None),
        ("deployments/me/mine", "deployments/me/mine/predictions", None),
        ("me/mine:abc", "predictions", "abc"),
        ("f" * 64, "predictions", "f" * 64),
    ],
)
def test_a_name_says_where_it_runs(model: str, path: str, version: str | None) -> None:
    """Official models, versions and deployments have addresses of their own."""
    request = adapter(model).build(Call(HELLO))
    assert request.url == f"https://api.replicate.com/v1/{path}"
    assert json.loads(request.body).get("version") == version


def test_a_name_without_an_owner_is_wrong() -> None:
    """The error says how to write it."""
    with pytest.raises(exceptions.BadRequestError, match="replicate/OWNER/mine"):
        adapter("mine")


def test_one_question_is_the_prompt() -> None:
    """The system prompt stands beside it."""
    system = [{"role": "system", "content": "Be brief."}]
    assert inputs(system + HELLO) == {"prompt": "Hello", "system_prompt": "Be brief."}


def test_a_conversation_is_a_transcript() -> None:
    """It ends where the model is to go on."""
    turns = [*HELLO, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Bye"}]
    assert inputs(turns)["prompt"] == "User: Hello\n\nAssistant: Hi\n\nUser: Bye\n\nAssistant:"


def test_parameters_are_inputs() -> None:
    """Sequences are joined by commas; what OpenAI does not define goes as it is."""
    params = {"max_completion_tokens": 9, "stop": ["a", "b"], "top_k": 3, "temperature": 0}
    sent = {"max_tokens": 9, "stop_sequences": "a,b", "top_k": 3, "temperature": 0}
    assert inputs(HELLO, **params) == {"prompt": "Hello", **sent}
    assert inputs(HELLO, "openai/gpt-5", max_tokens=9)["max_completion_tokens"] == 9


def test_what_a_prompt_cannot_say_is_refused() -> None:
    """Tools and images have no place in a text."""
    with pytest.raises(exceptions.UnsupportedParamsError, match="tools"):
        inputs(HELLO, tools=[])
    with pytest.raises(exceptions.UnsupportedParamsError, match=r"messages\[0\] holds image_url"):
        inputs([{"role": "user", "content": [{"type": "image_url", "image_url": "https://x"}]}])


@pytest.mark.parametrize(
    ("output", "text"), [("Hi", "Hi"), (["H", "i"], "Hi"), (None, ""), ({"a": 1}, '{"a":1}')]
)
def test_output_is_text(output: Any, text: str) -> None:
    """Text, pieces of it, or JSON of whatever a model gives."""
    answer = adapter().parse(prediction(output=output), Call(HELLO))
    assert answer.choices[0].message.content == text
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == 16


@pytest.mark.parametrize("status", ["starting", "processing"])
def test_a_prediction_that_has_not_ended_is_asked_for_again(status: str) -> None:
    """At the address that was called, for there the key belongs, whatever the answer says."""
    target = Target("replicate", LLAMA, "r8-key", "http://proxy.example/v1")
    whole = prediction(status=status, urls={"get": "https://elsewhere.example/p1"})
    request, seconds = ReplicateAdapter(target).parse(whole, Call(HELLO))
    assert (request.method, request.url) == ("GET", "http://proxy.example/v1/predictions/p1")
    assert request.headers == {"Authorization": "Bearer r8-key"}
    assert 0 < seconds <= 1


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("failed", "CUDA out of memory", "InternalServerError"),
        ("failed", "flagged as sensitive (E005)", "ContentPolicyViolationError"),
        ("failed", "the prompt exceeds the maximum context length", "ContextWindowExceededError"),
        ("canceled", None, "InternalServerError"),
    ],
)
def test_a_prediction_that_failed_is_an_error(status: str, said: str | None, kind: str) -> None:
    """Its own words say which."""
    with pytest.raises(exceptions.APIError, match=said and said[:10]) as raised:
        adapter().parse(prediction(status=status, error=said), Call(HELLO))
    assert type(raised.value).__name__ == kind


def read(decoder: Any, whole: bytes) -> list[Any]:
    """The chunks of one look at a prediction."""
    out: list[Any] = []
    for start in range(0, len(whole), 7):
        decoder.feed(whole[start : start + 7], out)
    assert out == []
    decoder.finish(out)
    return out


def test_a_stream_is_what_each_look_finds_new() -> None:
    """The text comes as it grows; the last look tells the end and the tokens."""
    decoder = adapter().decoder(
        Call(HELLO, {"stream_options": {"include_usage": True}}, stream=True)
    )
    assert read(decoder, prediction(status="starting", output=None)) == []
    assert decoder.again.request.url.endswith("/v1/predictions/p1")
    assert not decoder.ended
    (first,) = read(decoder, prediction(status="processing", output=["Hel"]))
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "Hel")
    more, last = read(decoder, prediction())
    assert (more.choices[0].delta.content, last.choices[0].finish_reason) == ("lo!", "stop")
    assert (last.usage.total_tokens, decoder.ended, decoder.again) == (16, True, None)


def test_a_stream_that_takes_something_back_is_an_error() -> None:
    """What has been handed out cannot be unsaid."""
    decoder = adapter().decoder(Call(HELLO, stream=True))
    read(decoder, prediction(status="processing", output=["Good"]))
    with pytest.raises(exceptions.APIResponseValidationError, match="takes back"):
        read(decoder, prediction(output=["Bad"]))


class Predictions:
    """Replicate on the loopback: gives its answers one after the other, whatever is asked."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        answer = self.answers.pop(0)
        status = 503 if answer == b"overloaded" else 201
        return web.Response(body=answer, status=status, content_type="application/json")


ROUNDS = [
    prediction(status="starting", output=None),
    prediction(status="processing", output=["Hel"]),
    prediction(),
]
ASKED = [f"POST /v1/models/{LLAMA}/predictions", *["GET /v1/predictions/p1"] * 2]


@pytest.mark.anyio
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_prediction_is_followed_to_its_end(
    monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """One call creates it and looks until it has ended."""
    monkeypatch.setattr("polyroute.providers.replicate.PAUSE", 0.0)
    async with Predictions(*ROUNDS) as replicate:
        answer: Any = await polyroute.acompletion(
            f"replicate/{LLAMA}", HELLO, stream=stream, api_base=replicate.base, api_key="r8-key"
        )
        if stream:
            text = [chunk.choices[0].delta.content async for chunk in answer]
            assert text == ["Hel", "lo!", None]
            assert answer.route.attempts[-1].usage.total_tokens == 16
        else:
            assert answer.choices[0].message.content == "Hello!"
        assert replicate.asked == ASKED


@pytest.mark.anyio
async def test_a_stream_that_is_closed_asks_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leaves while Replicate is still at work leaves nothing behind."""
    async with Predictions(*ROUNDS) as replicate:
        monkeypatch.setattr("polyroute.providers.replicate.PAUSE", 0.0)
        stream: Any = await polyroute.acompletion(
            f"replicate/{LLAMA}", HELLO, stream=True, api_base=replicate.base, api_key="r8-key"
        )
        monkeypatch.setattr("polyroute.providers.replicate.PAUSE", 0.05)
        await anext(aiter(stream))
        reader = asyncio.ensure_future(anext(aiter(stream)))
        await asyncio.sleep(0)
        await stream.aclose()
        with pytest.raises(exceptions.StreamInterruptedError):
            await reader
        assert replicate.asked == ASKED[:2]


@pytest.mark.anyio
async def test_a_stream_that_cannot_be_followed_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has what had arrived, and Replicate's own status."""
    monkeypatch.setattr("polyroute.providers.replicate.PAUSE", 0.0)
    async with Predictions(*ROUNDS[:2], b"overloaded") as replicate:
        stream: Any = await polyroute.acompletion(
            f"replicate/{LLAMA}", HELLO, stream=True, api_base=replicate.base, api_key="r8-key"
        )
        with pytest.raises(exceptions.StreamInterruptedError) as raised:
            [chunk async for chunk in stream]
    assert raised.value.status_code == 503
    assert raised.value.partial_message.content == "Hel"


def test_a_throttled_request_says_when_to_come_back() -> None:
    """The body says it where no header does."""
    error = adapter().error(429, {}, b'{"detail": "throttled", "status": 429, "retry_after": 3}')
    assert isinstance(error, exceptions.RateLimitError)
    assert (error.message, error.retry_after) == ("throttled", 3.0)
