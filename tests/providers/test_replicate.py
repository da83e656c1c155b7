"""What the adapter for Replicate promises, from literal messages and predictions."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
    assert request.headers["Prefer"] == "wait=60"


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


def test_a_prediction_that_takes_too_long_is_a_timeout() -> None:
    """The error names it, so that its outcome can be looked up."""
    with pytest.raises(exceptions.Timeout, match="p1 was still processing"):
        adapter().parse(prediction(status="processing"), Call(HELLO))


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


def test_a_stream_is_the_whole_answer_and_says_so() -> None:
    """One request cannot follow a second address: the text comes at once, marked as such."""
    call = Call(HELLO, {"stream_options": {"include_usage": True}}, stream=True)
    decoder = adapter().decoder(call)
    out: list[Any] = []
    whole = prediction()
    for start in range(0, len(whole), 7):
        decoder.feed(whole[start : start + 7], out)
    assert out == []
    decoder.finish(out)
    assert out[0].choices[0].delta.content == "Hello!"
    assert out[-1].choices[0].finish_reason == "stop"
    assert out[-1].usage.total_tokens == 16
    assert all(chunk.provider_specific_fields["streamed"] is False for chunk in out)


def test_a_throttled_request_says_when_to_come_back() -> None:
    """The body says it where no header does."""
    error = adapter().error(429, {}, b'{"detail": "throttled", "status": 429, "retry_after": 3}')
    assert isinstance(error, exceptions.RateLimitError)
    assert (error.message, error.retry_after) == ("throttled", 3.0)
