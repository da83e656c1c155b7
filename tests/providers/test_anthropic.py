"""What the Anthropic adapter promises, from literal messages, answers and streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from polyroute.exceptions import (
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    UnsupportedParamsError,
)
from polyroute.providers import Call, File, Request, Target
from polyroute.providers.anthropic import AnthropicAdapter

if TYPE_CHECKING:
    from polyroute.schemas import ChatCompletion, ChatCompletionChunk

SONNET = "claude-3-5-sonnet-20241022"
HELLO = [{"role": "user", "content": "Hello"}]
CACHED = {"type": "ephemeral"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
CALLED = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"c":1}'},
}
EVENT = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 9}},
    "required": ["name"],
}
JSON_EVENT = {"type": "json_schema", "json_schema": {"name": "event", "schema": EVENT}}


def adapter(model: str = SONNET, **target: Any) -> AnthropicAdapter:
    return AnthropicAdapter(Target("anthropic", model, **{"api_key": "sk-1", **target}))


def request(messages: list[Any], model: str = SONNET, **params: Any) -> Request:
    return adapter(model).build(Call(messages, params))


def body(messages: list[Any], model: str = SONNET, **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(request(messages, model, **params).body)
    return built


def turns(*messages: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(turn["role"], turn["content"]) for turn in body(list(messages))["messages"]]


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def answer(*content: dict[str, Any], call: Call | None = None, **fields: Any) -> ChatCompletion:
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": SONNET,
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
        **fields,
    }
    return adapter().parse(json.dumps(whole).encode(), call or Call(HELLO))


def stream_of(
    *blocks: tuple[dict[str, Any], list[dict[str, Any]]], stop: str = "end_turn"
) -> bytes:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 3}}},
        {"type": "ping"},
    ]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    end = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 7}}
    events += [end, {"type": "message_stop"}]
    return b"".join(event_bytes(event) for event in events)


def event_bytes(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def read(data: bytes, call: Call | None = None, step: int = 10**9) -> list[ChatCompletionChunk]:
    decoder = adapter().decoder(call or Call(HELLO, stream=True))
    chunks: list[ChatCompletionChunk] = []
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step], chunks)
    decoder.finish(chunks)
    return chunks


def error(status: int, kind: str, message: str, **headers: str) -> APIError:
    answered = json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    return adapter().error(status, headers, answered)


TEXT_STREAM = stream_of(
    (
        {"type": "text", "text": ""},
        [{"type": "text_delta", "text": "Hel"}, {"type": "text_delta", "text": "lo"}],
    )
)


@pytest.mark.parametrize(
    "base", ["https://a.example", "https://a.example/v1/", "https://a.example/v1/messages"]
)
def test_address(base: str) -> None:
    """An address may be the bare host, end in /v1, or be the endpoint itself."""
    assert adapter(api_base=base).url == "https://a.example/v1/messages"


def test_key_and_version() -> None:
    """The key goes into x-api-key, beside the version of the API."""
    headers = adapter().headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == ("sk-1", "2023-06-01")


def test_newer_version_wants_a_bearer() -> None:
    """From version 2026-10-21 on the key is a bearer token and sampling is refused."""
    newer = adapter(api_version="2026-10-21")
    assert newer.headers["Authorization"] == "Bearer sk-1"
    assert "x-api-key" not in newer.headers
    with pytest.raises(UnsupportedParamsError, match="temperature"):
        newer.build(Call(HELLO, {"temperature": 0.5}))


def test_other_providers_versions_do_not_count() -> None:
    """A version such as Azure's previews leaves Anthropic's own in place."""
    assert adapter(api_version="2024-08-01-preview").version == "2023-06-01"


def test_missing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the error names the variable to set."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    with pytest.raises(AuthenticationError, match="ANTHROPIC_API_KEY"):
        adapter(api_key=None)


def test_beta_flags_are_merged() -> None:
    """The caller's anthropic-beta flags stand beside those that tools need."""
    call = Call(
        HELLO,
        {"tools": [{"type": "computer_20250124", "display_width_px": 1, "display_height_px": 1}]},
        extra_headers={"Anthropic-Beta": "mine-2025-01-01", "X-A": "1"},
    )
    headers = adapter().build(call).headers
    assert headers["anthropic-beta"] == "mine-2025-01-01,computer-use-2025-01-24"
    assert headers["X-A"] == "1"


def test_system_messages_leave_the_turns() -> None:
    """System and developer messages become system blocks and keep their cache_control."""
    built = body(
        [
            {"role": "system", "content": [{**text("Be brief."), "cache_control": CACHED}]},
            *HELLO,
            {"role": "developer", "content": "In German."},
        ],
        system="First.",
    )
    assert built["system"] == [
        text("First."),
        {**text("Be brief."), "cache_control": CACHED},
        text("In German."),
    ]
    assert len(built["messages"]) == 1


def test_neighbours_become_one_turn() -> None:
    """Consecutive messages of one role are one turn of several blocks."""
    user = {"role": "user", "content": "one"}
    assert turns(user, {"role": "user", "content": "two"}) == [("user", [text("one"), text("two")])]


def test_blank_content_is_left_out() -> None:
    """Blank text, which the API refuses, disappears; the user speaks first all the same."""
    said = {"role": "assistant", "content": "Hi"}
    assert turns({"role": "user", "content": " "}, said, *HELLO) == [
        ("user", [text(".")]),
        ("assistant", [text("Hi")]),
        ("user", [text("Hello")]),
    ]


def test_prefill() -> None:
    """A final assistant message loses trailing blanks; with prefix it begins the answer."""
    messages = [*HELLO, {"role": "assistant", "content": "{ ", "prefix": True}]
    assert turns(*messages)[-1] == ("assistant", [text("{")])
    whole = answer(text('"a": 1}'), call=Call(messages))
    assert whole.choices[0].message.content == '{"a": 1}'


def test_tool_results_share_a_turn() -> None:
    """Tool calls become tool_use blocks, and all results one user turn before its text."""
    calls = [CALLED, {**CALLED, "id": "call:2"}]
    converted = turns(
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call:2", "content": "rain", "cache_control": CACHED},
        {"role": "user", "content": "So?"},
    )
    assert converted[1][1][1] == {
        "type": "tool_use",
        "id": "call_2",
        "name": "weather",
        "input": {"c": 1},
    }
    assert converted[2][1] == [
        {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"},
        {
            "type": "tool_result",
            "tool_use_id": "call_2",
            "content": "rain",
            "cache_control": CACHED,
        },
        text("So?"),
    ]


def test_tool_history_without_tools() -> None:
    """A history of tool calls brings its tools along, which the API demands, and forbids them."""
    built = body([*HELLO, {"role": "assistant", "content": "", "tool_calls": [CALLED]}])
    assert built["tools"] == [{"name": "weather", "input_schema": {"type": "object"}}]
    assert built["tool_choice"] == {"type": "none"}


def test_old_function_calls() -> None:
    """function_call and its function message become a tool call and result with one id."""
    converted = turns(
        *HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": ""}},
        {"role": "function", "name": "f", "content": "1"},
    )
    assert converted[1][1][0]["id"] == converted[2][1][0]["tool_use_id"]
    assert converted[1][1][0]["input"] == {}


def test_arguments_that_are_no_json() -> None:
    """Another model's broken arguments stay readable instead of ending the conversation."""
    broken = {"id": "c", "function": {"name": "f", "arguments": '{"a": '}}
    converted = turns(*HELLO, {"role": "assistant", "tool_calls": [broken]})
    assert converted[1][1][0]["input"] == {"invalid_arguments": '{"a": '}


def test_thinking_goes_back() -> None:
    """Signed and redacted thinking goes back before the text; unsigned thinking does not."""
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    redacted = {"type": "redacted_thinking", "data": "x"}
    foreign = {"type": "thinking", "thinking": "mine"}
    message = {
        "role": "assistant",
        "content": "Paris",
        "reasoning_content": "hm",
        "thinking_blocks": [thinking, foreign, redacted],
    }
    assert turns(*HELLO, message)[1][1] == [thinking, redacted, text("Paris")]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{PIXEL}"}},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/jpeg", "data": PIXEL},
            },
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/cat.png?x=1"}},
            {"type": "image", "source": {"type": "url", "url": "https://a.example/cat.png?x=1"}},
        ),
        (
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PIXEL}"}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PIXEL},
            },
        ),
        (
            {"type": "file", "file": {"file_id": "https://a.example/doc.pdf"}},
            {"type": "document", "source": {"type": "url", "url": "https://a.example/doc.pdf"}},
        ),
        (
            {"type": "file", "file": {"file_id": "file_1"}},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        ),
        (
            {"type": "file", "file": {"file_data": "SGk=", "filename": "a.txt"}},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "Hi"},
            },
        ),
    ],
)
def test_media(part: dict[str, Any], block: dict[str, Any]) -> None:
    """Images and files become image and document blocks with the right source."""
    message = {"role": "user", "content": [{**part, "cache_control": CACHED}]}
    assert turns(message) == [("user", [{**block, "cache_control": CACHED}])]


def test_uploaded_files_need_a_beta_flag() -> None:
    """A file by its id is announced in the anthropic-beta header."""
    part = {"type": "file", "file": {"file_id": "file_1"}}
    headers = request([{"role": "user", "content": [part]}]).headers
    assert headers["anthropic-beta"] == "files-api-2025-04-14"


def test_http_images_are_fetched() -> None:
    """An http image, which Anthropic does not fetch, is asked for and sent inline."""
    url = "http://a.example/cat"
    call = Call([{"role": "user", "content": [{"type": "image_url", "image_url": url}]}])
    assert adapter().files(call) == (url,)
    call.files[url] = File(b"GIF89a", "image/gif")
    (turn,) = json.loads(adapter().build(call).body)["messages"]
    source = {"type": "base64", "media_type": "image/gif", "data": "R0lGODlh"}
    assert turn["content"] == [{"type": "image", "source": source}]


@pytest.mark.parametrize(
    "url", ["data:image/svg+xml;base64,PHN2Zz4=", "data:image/png;base64,...", "gs://bucket/a.png"]
)
def test_unreadable_media(url: str) -> None:
    """SVG, broken base64 and other clouds' addresses are refused before they are sent."""
    part = {"type": "image_url", "image_url": {"url": url}}
    with pytest.raises(BadRequestError):
        request([{"role": "user", "content": [part]}])


def test_parameters() -> None:
    """OpenAI's parameters arrive under Anthropic's names, its own as they are."""
    built = body(
        HELLO, max_completion_tokens=9, stop="END", temperature=1.6, top_k=5, user="u-1", n=1
    )
    del built["model"], built["messages"]
    assert built == {
        "max_tokens": 9,
        "stop_sequences": ["END"],
        "temperature": 1,
        "top_k": 5,
        "metadata": {"user_id": "u-1"},
    }


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-haiku-20240307", 4_096),
        (SONNET, 8_192),
        ("claude-opus-4-20250514", 32_000),
        ("claude-4-sonnet-20250514", 64_000),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 64_000),
        ("claude-opus-5", 128_000),
    ],
)
def test_default_limit(model: str, limit: int) -> None:
    """Without a limit of the caller's, the model's own is sent, for the API wants one."""
    assert body(HELLO, model)["max_tokens"] == limit


def test_unsupported_parameters() -> None:
    """What Claude cannot do is refused, or left out by drop_params, and named either way."""
    with pytest.raises(UnsupportedParamsError, match="seed"):
        request(HELLO, seed=1)
    built = adapter().build(Call(HELLO, {"seed": 1, "max_tokens": 5}, drop_params=True))
    assert (built.dropped, "seed" in json.loads(built.body)) == (("seed",), False)


def test_functions_become_tools() -> None:
    """A function's schema, description and cache_control move into a tool."""
    function = {**WEATHER["function"], "description": "Weather", "cache_control": CACHED}
    built = body(HELLO, tools=[{"type": "function", "function": function}])
    assert built["tools"] == [
        {
            "name": "weather",
            "description": "Weather",
            "input_schema": {"type": "object", "properties": {}},
            "cache_control": CACHED,
        }
    ]


@pytest.mark.parametrize(
    ("choice", "converted"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "tool", "name": "weather"},
        ),
    ],
)
def test_tool_choice(choice: Any, converted: dict[str, Any]) -> None:
    """Each of OpenAI's choices of tools has its counterpart."""
    assert body(HELLO, tools=[WEATHER], tool_choice=choice)["tool_choice"] == converted


def test_no_parallel_calls() -> None:
    """parallel_tool_calls=False forbids several calls at once."""
    choice = body(HELLO, tools=[WEATHER], parallel_tool_calls=False)["tool_choice"]
    assert choice == {"type": "auto", "disable_parallel_tool_use": True}


def test_own_tools_in_either_shape() -> None:
    """Anthropic's own tools are the same, flat or wrapped like a function."""
    flat = {"type": "computer_20241022", "name": "computer", "display_width_px": 1}
    function = {"name": "computer", "parameters": {"display_width_px": 1}}
    wrapped = {"type": "computer_20241022", "function": function}
    for tool in (flat, wrapped):
        built = request(HELLO, tools=[tool])
        assert json.loads(built.body)["tools"] == [flat]
        assert built.headers["anthropic-beta"] == "computer-use-2024-10-22"


def test_web_search_options() -> None:
    """web_search_options become the tool that searches the web."""
    place = {"type": "approximate", "approximate": {"city": "Rome"}}
    options = {"search_context_size": "low", "user_location": place}
    assert body(HELLO, web_search_options=options)["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "max_uses": 1,
            "user_location": {"type": "approximate", "city": "Rome"},
        }
    ]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-3-7-sonnet-20250219", {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        (
            "claude-opus-4-6",
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        (
            "claude-opus-4-7",
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "high"},
            },
        ),
    ],
)
def test_reasoning_effort(model: str, expected: dict[str, Any]) -> None:
    """reasoning_effort is a budget of thinking, or the effort of models that adapt it."""
    built = body(HELLO, model, reasoning_effort="high")
    assert {name: built.get(name) for name in expected} == expected


def test_reasoning_effort_within_the_limit() -> None:
    """Thinking stays within max_tokens, and is refused where it cannot."""
    model = "claude-3-7-sonnet-20250219"
    built = body(HELLO, model, reasoning_effort="high", max_tokens=2000)
    assert built["thinking"]["budget_tokens"] == 1999
    with pytest.raises(UnsupportedParamsError, match="max_tokens is 500"):
        request(HELLO, model, reasoning_effort="low", max_tokens=500)
    with pytest.raises(UnsupportedParamsError, match="reasoning_effort"):
        request(HELLO, reasoning_effort="low")


def test_schema_natively() -> None:
    """Newer models are bound to the schema itself; limits it cannot hold become words."""
    form = body(HELLO, "claude-sonnet-4-5", response_format=JSON_EVENT)["output_config"]["format"]
    assert form["schema"] == {
        "type": "object",
        "properties": {"name": {"type": "string", "description": "(maxLength: 9)"}},
        "required": ["name"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("free", [{"type": "object"}, {"$ref": "#"}])
def test_schema_that_cannot_be_bound(free: dict[str, Any]) -> None:
    """Free-form and recursive schemas go the older way, by a tool."""
    schema = {"type": "object", "properties": {"any": free}}
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    built = body(HELLO, "claude-sonnet-4-5", response_format=wanted)
    assert built["tool_choice"] == {"type": "tool", "name": "json_tool_call"}


def test_schema_by_a_tool() -> None:
    """Older models give the answer as a tool's input, which comes back as plain content."""
    built = body(HELLO, response_format=JSON_EVENT)
    assert built["tools"][0]["input_schema"] == EVENT
    call = Call(HELLO, {"response_format": JSON_EVENT})
    used = {"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {"name": "Fair"}}
    (choice,) = answer(used, call=call, stop_reason="tool_use").choices
    assert (choice.message.content, choice.finish_reason) == ('{"name":"Fair"}', "stop")
    assert choice.message.tool_calls is None


def test_answer_with_tool_calls() -> None:
    """Text and calls of tools come back in OpenAI's shape, the native reason beside ours."""
    used = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}
    (choice,) = answer(text("Let me see."), used, stop_reason="tool_use").choices
    assert choice.message.tool_calls is not None
    (call,) = choice.message.tool_calls
    assert (choice.message.content, choice.finish_reason) == ("Let me see.", "tool_calls")
    assert (call.id, call.function.arguments) == ("toolu_1", '{"city":"Rome"}')
    assert choice.provider_specific_fields["native_finish_reason"] == "tool_use"


def test_answer_to_old_functions() -> None:
    """A caller of `functions` gets a function_call, as OpenAI gave it."""
    used = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    call = Call(HELLO, {"functions": [{"name": "f"}]})
    (choice,) = answer(used, call=call, stop_reason="tool_use").choices
    assert choice.message.function_call is not None
    assert (choice.message.function_call.name, choice.finish_reason) == ("f", "function_call")


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "stop"),
    ],
)
def test_finish_reasons(native: str, reason: str) -> None:
    """Every reason to stop has its name in OpenAI's terms."""
    assert answer(text("x"), stop_reason=native).choices[0].finish_reason == reason


def test_usage_includes_the_cache() -> None:
    """prompt_tokens counts what was read from and written to the cache."""
    counts = {
        "input_tokens": 4,
        "output_tokens": 9,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 5},
        "service_tier": "standard",
    }
    usage = answer(text("x"), usage=counts).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.total_tokens) == (124, 133)
    assert usage.prompt_tokens_details == {
        "cached_tokens": 100,
        "cache_creation_tokens": 20,
        "text_tokens": 4,
    }
    assert usage.completion_tokens_details == {"text_tokens": 4, "reasoning_tokens": 5}
    assert usage["service_tier"] == "standard"


def test_searches_are_no_calls() -> None:
    """Anthropic's own tools are not the caller's to run; their blocks go back complete."""
    source = {"url": "https://a.example", "title": "A", "cited_text": "c"}
    blocks = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {**text("Found."), "citations": [{"type": "web_search_result_location", **source}]},
    ]
    message = answer(*blocks).choices[0].message
    assert (message.content, message.tool_calls) == ("Found.", None)
    assert message.annotations == [
        {
            "type": "url_citation",
            "url_citation": {
                "url": "https://a.example",
                "title": "A",
                "start_index": 0,
                "end_index": 6,
            },
        }
    ]
    assert turns(*HELLO, message.model_dump(exclude_none=True))[1] == ("assistant", blocks)


def test_unknown_fields_are_kept() -> None:
    """Fields that OpenAI does not know stay readable on the answer."""
    container = {"id": "c-1"}
    assert answer(text("x"), container=container).provider_specific_fields["container"] == container


@pytest.mark.parametrize("step", [1, 7, 10**9])
def test_stream_of_text(step: int) -> None:
    """A stream gives one id, the model asked for, the role once, however its bytes are cut."""
    chunks = read(TEXT_STREAM, step=step)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Hel", "lo", None]
    assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", None, None]
    assert {(chunk.id, chunk.model) for chunk in chunks} == {("msg_1", SONNET)}
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_stream_usage() -> None:
    """Usage is always known to the decoder, and a chunk of its own only when asked for."""
    decoder = adapter().decoder(Call(HELLO, stream=True))
    decoder.feed(TEXT_STREAM, [])
    assert decoder.ended
    assert decoder.usage is not None
    assert decoder.usage.total_tokens == 10
    asked = Call(HELLO, {"stream_options": {"include_usage": True}}, stream=True)
    assert read(TEXT_STREAM, asked)[-1].usage == decoder.usage


def test_stream_of_tool_calls() -> None:
    """Calls are numbered among themselves, arguments come in pieces, and none is `{}`."""
    data = stream_of(
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Ok"}]),
        (
            {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
            [{"type": "input_json_delta", "partial_json": piece} for piece in ("", '{"a"', ": 1}")],
        ),
        ({"type": "tool_use", "id": "t2", "name": "g", "input": {}}, []),
        stop="tool_use",
    )
    calls: dict[int, list[str]] = {}
    chunks = read(data)
    for chunk in chunks:
        for call in chunk.choices[0].delta.tool_calls or ():
            told = calls.setdefault(call.index, [call.id or "", call.function.name or "", ""])
            told[2] += call.function.arguments or ""
    assert calls == {0: ["t1", "f", '{"a": 1}'], 1: ["t2", "g", "{}"]}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_stream_of_thinking() -> None:
    """Thinking flows as reasoning_content; its block comes whole, signed, when it ends."""
    data = stream_of(
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "Let "},
                {"type": "thinking_delta", "thinking": "me"},
                {"type": "signature_delta", "signature": "c2ln"},
            ],
        ),
        ({"type": "redacted_thinking", "data": "x"}, []),
    )
    deltas = [chunk.choices[0].delta for chunk in read(data)]
    assert "".join(delta.reasoning_content or "" for delta in deltas) == "Let me"
    assert [block for delta in deltas for block in delta.thinking_blocks or ()] == [
        {"type": "thinking", "thinking": "Let me", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "x"},
    ]


def test_stream_of_json() -> None:
    """The JSON tool's input streams as content, and the stream ends with stop."""
    piece = {"type": "input_json_delta", "partial_json": '{"a": 1}'}
    used = {"type": "tool_use", "id": "t", "name": "json_tool_call", "input": {}}
    call = Call(HELLO, {"response_format": {"type": "json_object"}}, stream=True)
    chunks = read(stream_of((used, [piece]), stop="tool_use"), call)
    assert [chunk.choices[0].delta.content for chunk in chunks] == ['{"a": 1}', None]
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_stream_of_searches_keeps_its_blocks() -> None:
    """The last chunk carries all blocks where OpenAI's shape cannot hold them."""
    query = {"type": "input_json_delta", "partial_json": '{"query": "x"}'}
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    words = ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Found."}])
    last = read(stream_of((search, [query]), words))[-1].choices[0].delta
    assert last["content_blocks"] == [{**search, "input": {"query": "x"}}, text("Found.")]


def test_stream_that_fails() -> None:
    """An error inside a stream raises its class; what came before it is delivered."""
    data = TEXT_STREAM[: TEXT_STREAM.index(b"event: content_block_stop")]
    failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    decoder = adapter().decoder(Call(HELLO, stream=True))
    chunks: list[ChatCompletionChunk] = []
    with pytest.raises(OverloadedError, match="Overloaded"):
        decoder.feed(data + event_bytes(failure), chunks)
    assert len(chunks) == 2


def test_stream_cut_short() -> None:
    """A stream without a reason to stop is an error, never an invented end."""
    with pytest.raises(APIResponseValidationError, match="stop reason"):
        read(TEXT_STREAM[: TEXT_STREAM.index(b"event: message_delta") + 40])


@pytest.mark.parametrize("data", [b"data: {nonsense\n\n", b'data: {"type": 5}\n\n'])
def test_stream_of_nonsense(data: bytes) -> None:
    """An event that is no JSON, or has other types, is a typed error."""
    with pytest.raises(APIResponseValidationError):
        read(data)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"content": null}', b'{"content": [1]}'])
def test_answer_of_nonsense(data: bytes) -> None:
    """A 200 that makes no sense is a typed error."""
    with pytest.raises(APIResponseValidationError):
        adapter().parse(data, Call(HELLO))


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (529, "overloaded_error", "Overloaded", OverloadedError),
        (429, "rate_limit_error", "slow down", RateLimitError),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 9 tokens > 8",
            ContextWindowExceededError,
        ),
        (
            400,
            "invalid_request_error",
            "input length and `max_tokens` exceed context limit: 9 + 9 > 8",
            ContextWindowExceededError,
        ),
        (
            400,
            "invalid_request_error",
            "Output blocked by content filtering policy",
            ContentPolicyViolationError,
        ),
        (400, "invalid_request_error", "Your credit balance is too low", PermissionDeniedError),
        (400, "invalid_request_error", "max_tokens: 9 > 8", BadRequestError),
    ],
)
def test_errors(status: int, kind: str, message: str, expected: type[APIError]) -> None:
    """Status, type and, where nothing else tells them apart, words give the class."""
    raised = error(status, kind, message)
    assert (type(raised), raised.message, raised.code) == (expected, message, kind)


def test_error_details() -> None:
    """An error carries Retry-After and the request's id, and a page of HTML its words."""
    assert error(429, "rate_limit_error", "slow", **{"retry-after": "7"}).retry_after == 7
    page = adapter().error(502, {}, b"<html><title>Bad Gateway</title></html>")
    assert (type(page), page.message) == (BadGatewayError, "Bad Gateway")
    body = b'{"type": "error", "error": {"type": "api_error"}, "request_id": "req_1"}'
    assert adapter().error(500, {}, body).request_id == "req_1"


@pytest.mark.parametrize("field", ["type", "text", "id", "name"])
def test_stream_of_wrong_types(field: str) -> None:
    """A block whose fields have types of their own is an error with a class, not a TypeError."""
    block = {"type": "text", "text": "", field: ["x"]}
    event = {"type": "content_block_start", "index": 0, "content_block": block}
    decoder = adapter().decoder(Call(HELLO, stream=True))
    with pytest.raises(APIResponseValidationError):
        decoder.feed(b"data: " + json.dumps(event).encode() + b"\n\n", [])


def test_usage_of_wrong_types() -> None:
    """Counts that are no numbers count as nothing."""
    usage = {
        "input_tokens": "many",
        "output_tokens": 2,
        "output_tokens_details": {"thinking_tokens": []},
    }
    counted = answer(text("Hi"), usage=usage).usage
    assert counted is not None
    assert (counted.prompt_tokens, counted.completion_tokens) == (0, 2)
