"""What the adapter for Ollama's own format promises, from literal messages, answers and lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import exceptions
from polyroute.providers import Call, File, Target
from polyroute.providers.ollama import OllamaAdapter, make_adapter
from polyroute.providers.openai import OpenAIAdapter

if TYPE_CHECKING:
    from polyroute.schemas import ChatCompletion, ChatCompletionChunk

HELLO = [{"role": "user", "content": "Hello"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
END = {"done": True, "done_reason": "stop", "prompt_eval_count": 3, "eval_count": 2}
WEATHER = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_API_BASE", raising=False)
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)


def adapter(model: str = "llama3.1", **target: Any) -> OllamaAdapter:
    return OllamaAdapter(Target("ollama", model, **target))


def body(messages: list[dict[str, Any]], model: str = "llama3.1", **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(adapter(model).build(Call(messages, params)).body)
    return built


def parse(message: dict[str, Any], **fields: Any) -> ChatCompletion:
    answer = {"model": "llama3.1", "message": message, **END, **fields}
    return adapter().parse(json.dumps(answer).encode(), Call(HELLO))


def line(content: str = "", **fields: Any) -> bytes:
    message = {"role": "assistant", "content": content, **fields.pop("message", {})}
    return json.dumps({"message": message, "done": False, **fields}).encode() + b"\n"


def decode(stream: bytes, size: int = 2**20) -> list[ChatCompletionChunk]:
    call = Call(HELLO, {"stream_options": {"include_usage": True}}, stream=True)
    decoder = adapter().decoder(call)
    out: list[ChatCompletionChunk] = []
    for start in range(0, len(stream), size):
        decoder.feed(stream[start : start + size], out)
    decoder.finish(out)
    return out


@pytest.mark.parametrize(
    ("base", "url"),
    [
        (None, "http://127.0.0.1:11434/api/chat"),
        ("http://h:1/", "http://h:1/api/chat"),
        ("http://h:1/api", "http://h:1/api/chat"),
        ("http://h:1/api/chat", "http://h:1/api/chat"),
        ("http://h:1/v1", "http://h:1/v1/chat/completions"),
        ("http://h:1/v1/chat/completions", "http://h:1/v1/chat/completions"),
    ],
)
def test_the_address_decides_the_format(base: str | None, url: str) -> None:
    """An address that ends in /v1 is spoken to in OpenAI's format, every other in Ollama's."""
    made = make_adapter(Target("ollama", "m", api_base=base))
    assert isinstance(made, OpenAIAdapter if "/v1" in url else OllamaAdapter)
    assert made.url == url


def test_a_server_of_ones_own_needs_no_key() -> None:
    """Without a key there is no header, with one it is sent."""
    assert "Authorization" not in adapter().build(Call(HELLO)).headers
    assert adapter(api_key="k").build(Call(HELLO)).headers["Authorization"] == "Bearer k"


def test_a_plain_call_says_that_it_is_no_stream() -> None:
    """Ollama streams unless it is told not to."""
    assert body(HELLO) == {"model": "llama3.1", "messages": HELLO, "stream": False}


def test_sampling_goes_into_options() -> None:
    """OpenAI's names and Ollama's own meet in `options`; what the caller puts there wins."""
    params = {
        "max_tokens": 9,
        "stop": "X",
        "seed": 7,
        "num_ctx": 4096,
        "keep_alive": "5m",
        "options": {"seed": 8},
    }
    sent = body(HELLO, **params)
    assert sent["options"] == {"num_predict": 9, "stop": ["X"], "seed": 8, "num_ctx": 4096}
    assert sent["keep_alive"] == "5m"


@pytest.mark.parametrize(
    ("model", "params", "think"),
    [
        ("qwen3", {"reasoning_effort": "low"}, True),
        ("qwen3", {"reasoning_effort": "none"}, False),
        ("gpt-oss:20b", {"reasoning_effort": "low"}, "low"),
        ("gpt-oss:20b", {"reasoning_effort": "minimal"}, "low"),
        ("qwen3", {"thinking": {"type": "enabled", "budget_tokens": 9}}, True),
        ("qwen3", {"thinking": {"type": "disabled"}}, False),
        ("qwen3", {"think": "high"}, "high"),
    ],
)
def test_effort_becomes_think(model: str, params: dict[str, Any], think: bool | str) -> None:
    """Only gpt-oss has levels; other models think or do not."""
    assert body(HELLO, model, **params)["think"] == think


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        ({"type": "json_object"}, "json"),
        (
            {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
            {"type": "object"},
        ),
        ({"type": "text"}, None),
    ],
)
def test_a_response_format_becomes_format(wanted: dict[str, Any], sent: Any) -> None:
    """A schema goes as it is, a JSON object is called json."""
    assert body(HELLO, response_format=wanted).get("format") == sent


def test_what_ollama_does_anyway_need_not_be_said() -> None:
    """One answer and free choice of tools are what there is; no choice means no tools."""
    tools = [{"type": "function", "function": {"name": "f", "strict": True}}]
    sent = body(HELLO, n=1, parallel_tool_calls=True, tool_choice="auto", tools=tools)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    assert sent["tools"] == [{"type": "function", "function": function}]
    assert "tools" not in body(HELLO, tools=tools, tool_choice="none")


@pytest.mark.parametrize("params", [{"n": 2}, {"tool_choice": "required"}, {"logit_bias": {}}])
def test_what_ollama_cannot_do_is_refused(params: dict[str, Any]) -> None:
    """The error names the parameter; with drop_params it is left out and reported."""
    (name,) = params
    with pytest.raises(exceptions.UnsupportedParamsError, match=name):
        adapter().build(Call(HELLO, params))
    request = adapter().build(Call(HELLO, params, drop_params=True))
    assert (request.dropped, name in json.loads(request.body)) == ((name,), False)


def test_images_lie_beside_the_text_as_base64() -> None:
    """Data URLs are opened, URLs of the web are fetched by the router."""
    parts = [
        {"type": "text", "text": "What "},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": "https://x/a.png"},
        {"type": "text", "text": "is it?"},
    ]
    call = Call([{"role": "user", "content": parts}])
    assert adapter().files(call) == ["https://x/a.png"]
    call.files["https://x/a.png"] = File(b"png", "image/png")
    sent = json.loads(adapter().build(call).body)["messages"]
    assert sent == [{"role": "user", "content": "What is it?", "images": [PIXEL, "cG5n"]}]


def test_what_cannot_be_said_names_the_message() -> None:
    """Audio, which Ollama does not take, is refused by the message's place."""
    audio = {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}}
    with pytest.raises(exceptions.BadRequestError, match=r"messages\[1\].*input_audio"):
        body([*HELLO, {"role": "user", "content": [audio]}])


def test_a_turn_with_tools_goes_back() -> None:
    """Arguments become objects, reasoning goes back as thinking, results keep their link."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "hm"},
        {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "2"},
    ]
    assert body(messages)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "assistant",
            "content": "",
            "thinking": "hm",
            "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"x": 1}}}],
        },
        {"role": "tool", "content": "2", "tool_call_id": "c1"},
    ]


def test_a_whole_answer_has_openais_shape() -> None:
    """Text, reasoning, tokens and time are in their places, durations are kept."""
    answer = parse(
        {"role": "assistant", "content": "Hi", "thinking": "hm", "mood": "fine"},
        created_at="2025-08-20T09:45:30.391699123Z",
        total_duration=7,
    )
    message = answer.choices[0].message
    assert (message.content, message.reasoning_content, message.mood) == ("Hi", "hm", "fine")
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (3, 5)
    assert (answer.created, answer.total_duration) == (1755683130, 7)
    assert answer.choices[0].finish_reason == "stop"


def test_calls_of_tools_get_ids_and_text() -> None:
    """Arguments are JSON text, ids are made where the server gives none, and calling is no stop."""
    answer = parse({"content": "", "tool_calls": [WEATHER, {**WEATHER, "id": "mine"}]})
    calls = answer.choices[0].message.tool_calls or []
    assert [call.function.arguments for call in calls] == ['{"city":"Oslo"}'] * 2
    assert calls[0].id.startswith("call_")
    assert calls[1].id == "mine"
    assert answer.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("content", "reasoning", "text"),
    [
        ("<think>hm</think>Paris", "hm", "Paris"),
        ("\n<think>hm", "hm", ""),
        ("<thin air", "", "<thin air"),
        ("a <think>b</think>", "", "a <think>b</think>"),
        ("<think>1 </thin 2</think> <think>", "1 </thin 2", " <think>"),
        ("<thi", "", "<thi"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_think_tags_are_reasoning(content: str, reasoning: str, text: str, size: int) -> None:
    """Tags at the very beginning part reasoning from answer, also when they arrive in pieces."""
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    chunks = decode(b"".join(map(line, pieces)) + line(**END))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.reasoning_content or "" for delta in deltas) == reasoning
    assert "".join(delta.content or "" for delta in deltas) == text
    whole = parse({"content": content}).choices[0].message
    assert (whole.reasoning_content or "", whole.content) == (reasoning, text)


@pytest.mark.parametrize("size", [1, 7, 2**20])
def test_a_stream_is_the_same_for_every_cut(size: int) -> None:
    """Thinking, text, calls, end and usage come out alike, with one id and one role."""
    stream = (
        line(message={"thinking": "hm"})
        + line("Så ")
        + line("😀")
        + line(message={"tool_calls": [WEATHER]})
        + line(message={"tool_calls": [WEATHER]})
        + line(**END, total_duration=7)
        + b'{"error":"never read"}\n'
    )
    chunks = decode(stream, size)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert len({chunk.id for chunk in chunks}) == 1
    assert [delta.role for delta in deltas] == ["assistant", None, None, None, None, None]
    assert [delta.reasoning_content for delta in deltas if delta.reasoning_content] == ["hm"]
    assert [delta.content for delta in deltas if delta.content] == ["Så ", "😀"]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert [(call.index, call.function.name) for call in calls] == [(0, "weather"), (1, "weather")]
    assert calls[0].id != calls[1].id
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "tool_calls"
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.total_tokens, chunks[-1].total_duration) == (5, 7)


@pytest.mark.parametrize(
    "stream", [b"", line("Hi"), line("Hi") + line(**END)[:-9]], ids=["nothing", "no end", "cut"]
)
def test_a_stream_cut_short_is_an_error(stream: bytes) -> None:
    """Only `done` ends a stream."""
    with pytest.raises(exceptions.APIResponseValidationError, match="before it was done"):
        decode(stream)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (b'{"error":"out of memory"}\n', exceptions.InternalServerError),
        (b'{"error":"prompt too long"}\n', exceptions.ContextWindowExceededError),
        (b"oops\n", exceptions.APIResponseValidationError),
        (b'{"message":{"content":1}}\n', exceptions.APIResponseValidationError),
        (b'{"message":{"content":"\xff"}}\n', exceptions.APIResponseValidationError),
        (b"[]\n", exceptions.APIResponseValidationError),
    ],
)
def test_an_error_inside_an_answer_is_raised(event: bytes, kind: type[exceptions.APIError]) -> None:
    """An error or nonsense at status 200 is raised as what it is, in streams and in answers."""
    with pytest.raises(exceptions.APIError) as raised:
        decode(line("Hi") + event)
    assert type(raised.value) is kind
    with pytest.raises(kind):
        adapter().parse(event, Call(HELLO))


def test_an_unfinished_answer_is_an_error() -> None:
    """An answer that is not done is not passed off as one."""
    with pytest.raises(exceptions.APIResponseValidationError):
        parse({"content": "Hi"}, done=False)


def test_a_missing_model_is_not_found() -> None:
    """Errors are text at Ollama; the status says the class."""
    error = adapter().error(404, {}, b'{"error":"model \'x\' not found"}')
    assert type(error) is exceptions.NotFoundError
    assert error.message == "model 'x' not found"
