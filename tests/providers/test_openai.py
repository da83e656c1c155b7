"""What the adapter for OpenAI's format promises, from literal messages, answers and streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import exceptions
from polyroute.providers import COMPATIBLE, Call, Target
from polyroute.providers.openai import OpenAIAdapter
from polyroute.providers.perplexity import PERPLEXITY

if TYPE_CHECKING:
    from polyroute.schemas import ChatCompletion, ChatCompletionChunk

HELLO = [{"role": "user", "content": "Hello"}]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ROWS = {**COMPATIBLE, "perplexity": PERPLEXITY}


def adapter(provider: str = "openai", model: str = "gpt-4o", **target: Any) -> OpenAIAdapter:
    return OpenAIAdapter(Target(provider, model, **{"api_key": "sk-1", **target}), ROWS[provider])


def body(call: Call, provider: str = "openai", model: str = "gpt-4o") -> dict[str, Any]:
    built: dict[str, Any] = json.loads(adapter(provider, model).build(call).body)
    return built


def parse(message: dict[str, Any], provider: str = "openai", **fields: Any) -> ChatCompletion:
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "c1", "created": 1, "model": "gpt-4o", "choices": [choice], **fields}
    return adapter(provider).parse(json.dumps(answer).encode(), Call(HELLO))


def chunk(delta: dict[str, Any] | None, reason: str | None = None, **fields: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    return b"data: " + json.dumps({"id": "c1", "choices": choices, **fields}).encode() + b"\n\n"


def decode(*events: bytes, size: int = 2**20, **call: Any) -> list[ChatCompletionChunk]:
    decoder = adapter().decoder(Call(HELLO, stream=True, **call))
    stream = b"".join(events)
    out: list[ChatCompletionChunk] = []
    for start in range(0, len(stream), size):
        decoder.feed(stream[start : start + size], out)
    decoder.finish(out)
    return out


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)


DONE = b"data: [DONE]\n\n"
TELL = {"params": {"stream_options": {"include_usage": True}}}


def test_a_plain_call_goes_as_it_is() -> None:
    """Model and messages, and nothing that nobody asked for."""
    request = adapter().build(Call(HELLO))
    assert request.url == "https://api.openai.com/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer sk-1"
    assert json.loads(request.body) == {"model": "gpt-4o", "messages": HELLO}


@pytest.mark.parametrize("base", ["http://h/v1", "http://h/v1/", "http://h/v1/chat/completions"])
def test_every_reasonable_form_of_an_address_will_do(base: str) -> None:
    """With a slash, without one, or with the whole path."""
    assert adapter(api_base=base).url == "http://h/v1/chat/completions"


def test_the_callers_messages_are_not_changed() -> None:
    """What is left out for a provider is left out of a copy."""
    part = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    call = {"id": "1", "type": "function", "function": {"name": "f"}, "index": 0}
    messages = [
        {"role": "user", "content": [part]},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "hm"},
    ]
    before = json.dumps(messages)
    sent = body(Call(messages))["messages"]
    assert json.dumps(messages) == before
    assert sent[0]["content"] == [{"type": "text", "text": "Hi"}]
    assert "reasoning_content" not in sent[1]
    assert "index" not in sent[1]["tool_calls"][0]


def test_a_provider_keeps_the_fields_that_it_knows() -> None:
    """DeepSeek wants its reasoning back, OpenRouter its cache marks."""
    reasoned = [*HELLO, {"role": "assistant", "content": "4", "reasoning_content": "2+2"}]
    assert body(Call(reasoned), "deepseek")["messages"] == reasoned
    part = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    marked = [{"role": "user", "content": [part]}]
    assert body(Call(marked), "openrouter")["messages"] == marked


@pytest.mark.parametrize(
    ("provider", "model", "asked", "sent"),
    [
        ("openai", "gpt-4o", "max_tokens", "max_tokens"),
        ("openai", "o3-mini", "max_tokens", "max_completion_tokens"),
        ("openai", "gpt-5", "max_tokens", "max_completion_tokens"),
        ("openai", "gpt-5-chat-latest", "max_tokens", "max_tokens"),
        ("together_ai", "m", "max_completion_tokens", "max_tokens"),
        ("groq", "m", "max_completion_tokens", "max_completion_tokens"),
    ],
)
def test_a_limit_has_the_name_that_the_model_knows(
    provider: str, model: str, asked: str, sent: str
) -> None:
    """The same limit is sent under this provider's and model's name for it."""
    assert sent in body(Call(HELLO, {asked: 9}), provider, model)


def test_a_parameter_that_cannot_be_is_refused_by_name() -> None:
    """Nothing is dropped in silence: it is refused, or dropped on request and reported."""
    params = {"seed": 1, "logit_bias": {}, "temperature": 0}
    with pytest.raises(exceptions.UnsupportedParamsError, match="logit_bias, seed"):
        adapter("perplexity").build(Call(HELLO, params))
    request = adapter("perplexity").build(Call(HELLO, params, drop_params=True))
    assert sorted(request.dropped) == ["logit_bias", "seed"]
    assert json.loads(request.body)["temperature"] == 0


def test_unknown_parameters_and_extras_pass() -> None:
    """A provider's own parameters go to it; `extra_body` and `extra_headers` have the last word."""
    call = Call(
        HELLO,
        {"top_k": 3, "temperature": 1},
        extra_body={"temperature": 0, "x": [1]},
        extra_headers={"X-Y": "z"},
    )
    request = adapter().build(call)
    sent = json.loads(request.body)
    assert (sent["top_k"], sent["temperature"], sent["x"]) == (3, 0, [1])
    assert request.headers["X-Y"] == "z"


def test_usage_is_asked_for_where_the_router_needs_it() -> None:
    """A stream reports usage if its provider can; the caller's own wish comes first."""
    call = Call(HELLO, stream=True, ask_usage=True)
    assert body(call)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body(call, "perplexity")
    mine = Call(HELLO, {"stream_options": {"include_usage": False}}, stream=True, ask_usage=True)
    assert body(mine)["stream_options"] == {"include_usage": False}


def test_what_json_cannot_say_is_refused() -> None:
    """An object in a parameter is the caller's error, not a crash."""
    with pytest.raises(exceptions.BadRequestError, match="JSON"):
        adapter().build(Call(HELLO, {"metadata": object()}))


def test_unknown_fields_of_an_answer_are_kept() -> None:
    """At the top, on the choice and on the message, by name and as specific fields."""
    answer = parse({"role": "assistant", "content": "Hi", "mood": "fine"}, system="x", usage=USAGE)
    assert answer.system == answer["system"] == answer.provider_specific_fields["system"] == "x"
    assert answer.choices[0].message.mood == "fine"
    assert answer.model_dump()["choices"][0]["message"]["mood"] == "fine"


def test_fields_of_several_choices_are_not_mixed_up() -> None:
    """Each of `n` answers keeps its own unknown fields."""
    choices = [
        {"index": n, "message": {"content": "Hi", "mood": n}, "finish_reason": "stop", "rank": -n}
        for n in (0, 1)
    ]
    answer = adapter().parse(json.dumps({"choices": choices}).encode(), Call(HELLO))
    assert [(c.rank, c.message.mood) for c in answer.choices] == [(0, 0), (-1, 1)]


@pytest.mark.parametrize(
    ("message", "content", "reasoning", "arguments"),
    [
        ({"content": ["a", {"type": "text", "text": "b"}]}, "ab", None, None),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
            None,
            "hm",
            None,
        ),
        ({"content": "a", "reasoning": "hm"}, "a", "hm", None),
        ({"content": {"a": 1}}, '{"a":1}', None, None),
        (
            {"tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]},
            None,
            None,
            '{"x":1}',
        ),
        ({"tool_calls": [{"id": 7, "function": {"name": "f", "arguments": None}}]}, None, None, ""),
        ({"content": "a", "tool_calls": []}, "a", None, None),
    ],
)
def test_an_answer_that_is_nearly_right_is_read(
    message: dict[str, Any], content: str | None, reasoning: str | None, arguments: str | None
) -> None:
    """Parts for text, objects for arguments, numbers for ids: the caller sees OpenAI's shape."""
    read = (
        parse(message, usage={"prompt_tokens": "3", "completion_tokens": None}).choices[0].message
    )
    assert (read.content, read.reasoning_content) == (content, reasoning)
    assert [call.function.arguments for call in read.tool_calls or ()] == (
        [] if arguments is None else [arguments]
    )


def test_cached_and_reasoning_tokens_are_where_openai_has_them() -> None:
    """DeepSeek's cache count and xAI's reasoning are put into their places."""
    usage = parse({"content": "a"}, usage={**USAGE, "prompt_cache_hit_tokens": 2}).usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 2
    details = {"completion_tokens_details": {"reasoning_tokens": 10}, "total_tokens": 15}
    usage = parse({"content": "a"}, usage={**USAGE, **details}).usage
    assert usage is not None
    assert usage.completion_tokens == 12


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (b'{"error":{"message":"no","code":429}}', exceptions.RateLimitError, 429),
        (b'{"error":{"message":"no"}}', exceptions.InternalServerError, 500),
        (b'{"error":"no"}', exceptions.InternalServerError, 500),
        (
            b'{"object":"error","message":"no","raw_status_code":503}',
            exceptions.ServiceUnavailableError,
            503,
        ),
        (b'{"choices":[]}', exceptions.APIResponseValidationError, 500),
        (b'{"choices":3}', exceptions.APIResponseValidationError, 500),
        (b"{}", exceptions.APIResponseValidationError, 500),
        (b"[]", exceptions.APIResponseValidationError, 500),
        (b"<html>no</html>", exceptions.APIResponseValidationError, 500),
        (
            b'{"choices":[{"message":{"content":"\xff"}}]}',
            exceptions.APIResponseValidationError,
            500,
        ),
        (b"", exceptions.APIResponseValidationError, 500),
    ],
)
def test_a_success_that_is_none_is_an_error(
    answer: bytes, kind: type[exceptions.APIError], status: int
) -> None:
    """An error or nonsense at 200 is raised as what it is."""
    with pytest.raises(exceptions.APIError) as raised:
        adapter().parse(answer, Call(HELLO))
    assert (type(raised.value), raised.value.status_code) == (kind, status)


@pytest.mark.parametrize("size", [1, 7, 2**20])
def test_a_stream_has_one_id_one_role_and_one_end(size: int) -> None:
    """Repeated roles, ids and reasons to end are told once, whatever way the bytes are cut."""
    chunks = decode(
        chunk({"role": "assistant", "content": ""}),
        chunk({"role": "assistant", "content": "Hi"}, id="c2"),
        chunk({"content": ""}, "stop"),
        chunk({"content": ""}, "stop", usage=USAGE),
        DONE,
        size=size,
        **TELL,
    )
    assert {found.id for found in chunks} == {"c1"}
    assert {found.model for found in chunks} == {"gpt-4o"}
    deltas = [found.choices[0].delta for found in chunks]
    assert [delta.role for delta in deltas] == ["assistant", None, None, None]
    assert [found.choices[0].finish_reason for found in chunks] == [None, None, "stop", None]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5


def test_usage_is_known_even_if_the_caller_does_not_want_it() -> None:
    """The router counts; the caller sees no chunk that was not asked for."""
    decoder = adapter().decoder(Call(HELLO, stream=True))
    out: list[ChatCompletionChunk] = []
    decoder.feed(chunk({"content": "Hi"}, "stop") + chunk(None, usage=USAGE) + DONE, out)
    assert (len(out), out[0].usage, decoder.ended) == (1, None, True)
    assert decoder.usage is not None
    assert decoder.usage.prompt_tokens == 3


def test_a_chunk_without_choices_still_has_one() -> None:
    """`choices[0]` never fails, and Azure's early verdict has the id of the stream."""
    verdict = [{"prompt_index": 0}]
    chunks = decode(
        chunk(None, id="", prompt_filter_results=verdict),
        chunk({"content": "Hi"}, "stop"),
        chunk(None, usage=USAGE),
        DONE,
        **TELL,
    )
    assert [len(found.choices) for found in chunks] == [1, 1, 1]
    assert [found.id for found in chunks] == ["c1", "c1", "c1"]
    assert chunks[0].prompt_filter_results == verdict


def test_a_delta_may_be_null() -> None:
    """A last event without a delta can be read and dumped like all others."""
    event = b'data: {"id":"c1","choices":[{"index":0,"delta":null,"finish_reason":"stop"}]}\n\n'
    (last,) = decode(event, DONE)
    assert last.model_dump()["choices"][0]["delta"]["content"] is None
    assert last.choices[0].delta.provider_specific_fields == {}


def test_a_stream_may_end_without_done() -> None:
    """Some servers leave the marker out; a reason to end is enough."""
    assert decode(chunk({"content": "Hi"}, "stop"))[0].choices[0].delta.content == "Hi"


@pytest.mark.parametrize(
    "stream",
    [b"", chunk({"content": "Hi"}), chunk({"content": "Hi"}) + chunk({}, "stop")[:-30]],
    ids=["nothing", "no reason", "cut inside the last event"],
)
def test_a_stream_cut_short_is_an_error(stream: bytes) -> None:
    """Half an answer is never taken for a whole one."""
    with pytest.raises(exceptions.APIResponseValidationError, match="without a finish reason"):
        decode(stream)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (b'data: {"error":{"message":"no","code":429}}\n\n', exceptions.RateLimitError),
        (
            b'data: {"error":{"message":"no","status_code":503}}\n\n',
            exceptions.ServiceUnavailableError,
        ),
        (chunk({"content": ""}, "error", error={"code": 502}), exceptions.BadGatewayError),
        (chunk({"content": ""}, error={"code": 400}), exceptions.BadRequestError),
        (b"data: {oops\n\n", exceptions.APIResponseValidationError),
    ],
)
def test_an_error_inside_a_stream_is_raised(event: bytes, kind: type[exceptions.APIError]) -> None:
    """An error at status 200 has its own class, and the chunks before it are handed out."""
    decoder = adapter().decoder(Call(HELLO, stream=True))
    out: list[ChatCompletionChunk] = []
    with pytest.raises(exceptions.APIError) as raised:
        decoder.feed(chunk({"content": "Hi"}) + event, out)
    assert (type(raised.value), out[0].choices[0].delta.content) == (kind, "Hi")


def test_the_word_error_is_no_error() -> None:
    """An answer may talk about errors, in text and in arguments."""
    call = {"index": 0, "id": "1", "function": {"name": "f", "arguments": '{"error":1}'}}
    chunks = decode(
        chunk({"content": '"error"'}), chunk({"tool_calls": [call]}, "tool_calls"), DONE
    )
    assert len(chunks) == 2


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, {"code": "context_length_exceeded"}, exceptions.ContextWindowExceededError),
        (400, {"message": "maximum context length is 8"}, exceptions.ContextWindowExceededError),
        (413, {"message": "prompt is too long"}, exceptions.ContextWindowExceededError),
        (413, {"message": "too large"}, exceptions.RequestTooLargeError),
        (400, {"code": "content_filter"}, exceptions.ContentPolicyViolationError),
        (400, {"message": "Incorrect API key provided"}, exceptions.AuthenticationError),
        (429, {"code": "insufficient_quota"}, exceptions.RateLimitError),
        (498, {"code": "capacity_exceeded"}, exceptions.ServiceUnavailableError),
        (400, {"message": "temperature is too high"}, exceptions.BadRequestError),
        (403, {"type": "server_error"}, exceptions.PermissionDeniedError),
        (500, {"type": "server_error"}, exceptions.InternalServerError),
    ],
)
def test_a_code_or_word_says_more_than_the_status(
    status: int, answer: dict[str, str], kind: type[exceptions.APIError]
) -> None:
    """Too long, forbidden content and bad keys are told apart from other bad requests."""
    error = adapter().error(status, {}, json.dumps({"error": answer}).encode())
    assert (type(error), error.status_code) == (kind, status)


SIGNED = {"id": "1", "type": "function", "extra_content": {"google": {"thought_signature": "s"}}}
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"


@pytest.mark.parametrize("choices", [1, 2])
def test_unknown_fields_of_tool_calls_are_kept(choices: int) -> None:
    """What Google's servers put beside a call can be read, whole and in chunks."""
    called = {"message": {"tool_calls": [{**SIGNED, "function": {"name": "f", "arguments": "{}"}}]}}
    answer = {"choices": [{"index": index, **called} for index in range(choices)]}
    whole = adapter().parse(json.dumps(answer).encode(), Call(HELLO)).choices[-1].message
    piece = {"index": choices - 1, "delta": {"tool_calls": [{**SIGNED, "index": 0}]}}
    both = [{"index": 0, "delta": {}}] * (choices - 1) + [piece]
    event = b"data: " + json.dumps({"choices": both}).encode() + b"\n\n"
    out: list[ChatCompletionChunk] = []
    adapter().decoder(Call(HELLO, stream=True)).feed(event, out)
    for said in (whole, out[0].choices[-1].delta):
        (call,) = said.tool_calls or ()
        assert call.extra_content == call.model_dump()["extra_content"] == SIGNED["extra_content"]


@pytest.mark.parametrize(("base", "kept"), [(GOOGLE, True), (None, False)])
def test_signatures_go_back_where_they_came_from(base: str | None, kept: bool) -> None:
    """Google needs a call's signature again; servers that do not know it may refuse it."""
    message = parse({"tool_calls": [{**SIGNED, "function": {"name": "f"}}]}).choices[0].message
    call = Call([*HELLO, message.model_dump(exclude_none=True)])
    sent = json.loads(adapter(api_base=base).build(call).body)["messages"][1]["tool_calls"][0]
    assert ("extra_content" in sent) is kept
    assert sent["function"]["name"] == "f"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ({"error": {"message": "loading", "code": 503}}, "ServiceUnavailableError", "loading"),
        ({"choices": [{"message": {"content": "Hi"}}]}, "APIResponseValidationError", "JSON where"),
    ],
)
def test_json_instead_of_a_stream(answer: dict[str, Any], kind: str, words: str) -> None:
    """A gateway's JSON with status 200 is an error that says what came."""
    with pytest.raises(getattr(exceptions, kind), match=words):
        decode(json.dumps(answer).encode())
