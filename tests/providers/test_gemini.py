"""Gemini: what goes over the wire, what comes back, and what each error means."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from polyroute.exceptions import (
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    ContextWindowExceededError,
    ImageFetchError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
    UnsupportedParamsError,
)
from polyroute.providers.base import Call, File, Target
from polyroute.providers.gemini import GeminiAdapter, convert_call, model_url
from polyroute.providers.gemini_schema import convert_schema

PNG = "iVBORw0KGgo="
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
TOO_LONG = "The input token count (9) exceeds the maximum number of tokens allowed (8)."
ASK_WEATHER: dict[str, Any] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
        }
    ],
}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def target(model: str = "gemini-2.5-flash", **settings: Any) -> Target:
    return Target("gemini", model, api_key="secret-key", **settings)


def body_of(*messages: dict[str, Any], model: str = "gemini-2.5-flash", **params: Any) -> Any:
    return convert_call(Call(list(messages or (user("Hi"),)), params), target(model))[0]


def config_of(model: str = "gemini-2.5-flash", **params: Any) -> Any:
    return body_of(model=model, **params).get("generationConfig")


def parts_of(*content: dict[str, Any], model: str = "gemini-2.5-flash") -> Any:
    return body_of(user(list(content)), model=model)["contents"][0]["parts"]


def answer(*parts: dict[str, Any], finish: str = "STOP", **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-x", **more}


def parse(body: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return GeminiAdapter(target()).parse(raw, Call([user("Hi")]))


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)


def stream(raw: bytes, cut: int = 1 << 20, *, usage: bool = False) -> tuple[list[Any], Any]:
    params = {"stream_options": {"include_usage": True}} if usage else {}
    decoder = GeminiAdapter(target()).decoder(Call([user("Hi")], params, stream=True))
    chunks: list[Any] = []
    for start in range(0, len(raw), cut):
        decoder.feed(raw[start : start + cut], chunks)
    decoder.finish(chunks)
    return chunks, decoder


def error(status: int, body: Any, headers: dict[str, str] | None = None) -> APIError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return GeminiAdapter(target()).error(status, headers or {}, raw)


def rpc(code: int, status: str, message: str = "no", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": message, "details": [*details]}}


@pytest.mark.parametrize(
    "base",
    [
        None,
        "https://generativelanguage.googleapis.com",
        "https://generativelanguage.googleapis.com/v1beta/",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
    ],
)
def test_the_address_is_the_same_however_much_of_it_is_given(base: str | None) -> None:
    """A base may be a bare host, a version below it, or the whole address of a method."""
    assert model_url(target(api_base=base)) == (
        "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
    )


def test_a_stream_has_a_method_of_its_own_and_the_key_stays_out_of_the_url() -> None:
    """Streams ask for server-sent events; the key goes in a header, where no log writes it."""
    request = GeminiAdapter(target()).build(Call([user("Hi")], stream=True))
    assert request.url.endswith("/models/gemini-2.5-flash:streamGenerateContent?alt=sse")
    assert request.headers["x-goog-api-key"] == "secret-key"
    assert "secret" not in request.url


def test_system_messages_leave_the_conversation_and_turns_are_merged() -> None:
    """Instructions stand apart; what one side says in several messages is one turn."""
    body = body_of(
        {"role": "system", "content": "Be brief."},
        user("one"),
        {"role": "developer", "content": "Be kind."},
        user("two"),
        {"role": "assistant", "content": ""},
        user("three"),
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "one"}, {"text": "two"}, {"text": "three"}]}
        ],
    }


def test_an_instruction_alone_is_said_by_the_user() -> None:
    """Gemini wants a conversation, so nothing is made up where there is only an instruction."""
    body = body_of({"role": "system", "content": "Tell a joke."})
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Tell a joke."}]}]


def test_gemma_is_instructed_by_the_user() -> None:
    """A model without system instructions reads them in the conversation."""
    body = body_of({"role": "system", "content": "Be brief."}, user("Hi"), model="gemma-3-27b-it")
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Be brief."}, {"text": "Hi"}]}]
    }


def test_parallel_results_are_one_turn_and_find_their_functions() -> None:
    """Results name the function whose call they answer and stay apart from what follows."""
    clock = {"id": "call_2", "function": {"name": "clock", "arguments": ""}}
    both = {"role": "assistant", "tool_calls": [*ASK_WEATHER["tool_calls"], clock]}
    contents = body_of(
        user("Weather and time?"),
        both,
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": '{"hour": 12}'},
        user("Thanks"),
    )["contents"]
    assert contents[1]["parts"][1] == {"functionCall": {"name": "clock", "args": {}}}
    assert contents[2:] == [
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "weather", "response": {"content": "sunny"}}},
                {"functionResponse": {"name": "clock", "response": {"hour": 12}}},
            ],
        },
        {"role": "user", "parts": [{"text": "Thanks"}]},
    ]


def test_the_old_function_messages_are_understood() -> None:
    """`function_call` and the role `function` say the same as tool calls and results."""
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    contents = body_of(user("Hi"), call, {"role": "function", "name": "f", "content": "1"})[
        "contents"
    ]
    assert contents[1]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]
    assert contents[2]["parts"][0]["functionResponse"]["name"] == "f"


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ({"role": "tool", "tool_call_id": "lost", "content": "1"}, "'lost'"),
        (user([{"type": "hologram", "hologram": {}}]), "'hologram'"),
        (user([{"type": "image_url", "image_url": {}}]), "image_url"),
    ],
)
def test_what_gemini_cannot_be_told_is_named(message: dict[str, Any], named: str) -> None:
    """A message that cannot be expressed is refused with what is wrong about it."""
    with pytest.raises(BadRequestError, match=named):
        body_of(user("Hi"), message)


def test_signatures_and_ids_go_back_where_they_came_from() -> None:
    """An answer put back into the conversation carries what Gemini has signed."""
    call = {"functionCall": {"name": "weather", "args": {"city": "Rome"}, "id": "g1"}}
    parts = [{"text": "Let me see.", "thoughtSignature": "s1"}, {**call, "thoughtSignature": "s2"}]
    message = parse(answer(*parts)).choices[0].message.model_dump(exclude_none=True)
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "sunny"}
    contents = body_of(user("Hi"), message, result)["contents"]
    assert contents[1]["parts"] == parts
    assert contents[2]["parts"][0]["functionResponse"]["id"] == "g1"


def test_gemini_3_accepts_tool_calls_of_other_models() -> None:
    """An unsigned call gets Google's stand-in where a signature is compulsory, else nothing."""
    messages = (user("Hi"), ASK_WEATHER, {"role": "tool", "tool_call_id": "call_1", "content": "1"})
    new = body_of(*messages, model="gemini-3-flash-preview")["contents"][1]["parts"][0]
    old = body_of(*messages)["contents"][1]["parts"][0]
    assert new["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in old


def test_foreign_thoughts_and_cache_marks_stay_behind() -> None:
    """Another provider's signed thoughts and cache marks would be errors here."""
    text = {"type": "text", "text": "yes", "cache_control": {"type": "ephemeral"}}
    blocks = [{"type": "thinking", "thinking": "hm", "signature": "anthropic's"}]
    said = {"role": "assistant", "content": [*blocks, text], "thinking_blocks": blocks}
    assert body_of(user("Hi"), said)["contents"][1]["parts"] == [{"text": "yes"}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{PNG}"}},
            {"inlineData": {"mimeType": "image/jpeg", "data": PNG}},
        ),
        (
            {"type": "image_url", "image_url": {"url": "gs://b/x", "format": "image/png"}},
            {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/x"}},
        ),
        (
            {"type": "video_url", "video_url": "https://youtu.be/abc"},
            {"fileData": {"fileUri": "https://youtu.be/abc"}},
        ),
        (
            {"type": "file", "file": {"file_data": PNG, "filename": "a.pdf"}},
            {"inlineData": {"mimeType": "application/pdf", "data": PNG}},
        ),
        (
            {
                "type": "file",
                "file": {"file_id": "files/abc", "video_metadata": {"start_offset": "1s"}},
            },
            {
                "fileData": {
                    "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"
                },
                "videoMetadata": {"startOffset": "1s"},
            },
        ),
        (
            {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": PNG}},
        ),
    ],
)
def test_media_go_inline_or_by_uri(part: dict[str, Any], expected: dict[str, Any]) -> None:
    """What the caller holds is sent along; what Google holds is pointed to."""
    assert parts_of(part) == [expected]


def test_pictures_on_the_web_are_fetched_first() -> None:
    """Only URLs that Google does not open are asked for, and what was fetched is sent."""
    url = "https://example.com/cat.png"
    part = {"type": "image_url", "image_url": {"url": url}}
    mine = {"type": "image_url", "image_url": {"url": "gs://b/x.png"}}
    call = Call([user([part, mine, part])])
    adapter = GeminiAdapter(target())
    assert adapter.files(call) == (url,)
    with pytest.raises(ImageFetchError):
        adapter.build(call)
    call.files[url] = File(b"cat", "image/png; charset=binary")
    sent = json.loads(adapter.build(call).body)["contents"][0]["parts"][0]["inlineData"]
    assert sent == {"mimeType": "image/png", "data": base64.b64encode(b"cat").decode()}


def test_an_endpoint_that_opens_urls_gets_the_url() -> None:
    """Vertex AI fetches by itself, if it is told the type."""
    part = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png?x=1"}}
    body, _ = convert_call(Call([user([part])]), target(), opens_urls=True)
    assert body["contents"][0]["parts"] == [
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/cat.png?x=1"}}
    ]


@pytest.mark.parametrize("media_type", ["image/svg+xml", "application/octet-stream"])
def test_unusable_media_are_refused_before_google_does(media_type: str) -> None:
    """SVG and data of unknown type are refused with what would help."""
    with pytest.raises(BadRequestError, match=r"PNG|format"):
        parts_of({"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{PNG}"}})


def test_detail_is_the_pictures_own_from_gemini_3_on() -> None:
    """Older models have one resolution for all pictures: the highest that any asks for."""
    part = {"type": "image_url", "image_url": {"url": "gs://b/x.png", "detail": "high"}}
    new = body_of(user([part]), model="gemini-3-pro-preview")
    assert new["contents"][0]["parts"][0]["mediaResolution"] == {"level": "MEDIA_RESOLUTION_HIGH"}
    assert body_of(user([part]))["generationConfig"] == {"mediaResolution": "MEDIA_RESOLUTION_HIGH"}


def test_parameters_have_googles_names() -> None:
    """OpenAI's parameters and Google's own, in either spelling, meet in `generationConfig`."""
    body = body_of(
        temperature=0,
        top_p=0.9,
        max_tokens=5,
        max_completion_tokens=7,
        stop="X",
        n=2,
        seed=1,
        logprobs=True,
        top_logprobs=3,
        top_k=4,
        safety_settings=[],
        service_tier="default",
    )
    assert body["generationConfig"] == {
        "temperature": 0,
        "topP": 0.9,
        "maxOutputTokens": 7,
        "stopSequences": ["X"],
        "candidateCount": 2,
        "seed": 1,
        "responseLogprobs": True,
        "logprobs": 3,
        "topK": 4,
    }
    assert (body["safetySettings"], body["serviceTier"]) == ([], "standard")


def test_the_callers_user_is_left_out_and_said_to_be() -> None:
    """Google has no place for `user`; the call is answered and the route tells."""
    body, dropped = convert_call(Call([user("Hi")], {"user": "u1"}), target())
    assert (list(body), dropped) == (["contents"], ("user",))


def test_extra_body_reaches_into_objects() -> None:
    """What the caller adds to an object leaves its other fields alone."""
    call = Call([user("Hi")], {"temperature": 1}, extra_body={"generationConfig": {"topK": 2}})
    body, _ = convert_call(call, target())
    assert body["generationConfig"] == {"temperature": 1, "topK": 2}


def test_what_gemini_cannot_do_is_refused_or_dropped() -> None:
    """A parameter without a counterpart is never ignored silently."""
    params = {"logit_bias": {"1": 1}, "parallel_tool_calls": False}
    with pytest.raises(UnsupportedParamsError, match="logit_bias"):
        convert_call(Call([user("Hi")], params), target())
    _, dropped = convert_call(Call([user("Hi")], params, drop_params=True), target())
    assert set(dropped) == {"logit_bias", "parallel_tool_calls"}


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("gemini-2.5-flash", "low", {"includeThoughts": True, "thinkingBudget": 1024}),
        ("gemini-2.5-flash", "high", {"includeThoughts": True, "thinkingBudget": 24576}),
        ("gemini-2.5-flash", "none", {"includeThoughts": False, "thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"includeThoughts": False, "thinkingBudget": 128}),
        (
            "gemini-3-flash-preview",
            "minimal",
            {"includeThoughts": True, "thinkingLevel": "minimal"},
        ),
        ("gemini-3.1-pro-preview", "minimal", {"includeThoughts": True, "thinkingLevel": "low"}),
    ],
)
def test_effort_is_a_budget_and_later_a_level(model: str, effort: str, expected: Any) -> None:
    """Each generation gets the effort in its own terms, and never less than it can do."""
    assert config_of(model, reasoning_effort=effort) == {"thinkingConfig": expected}


def test_a_thinking_budget_is_taken_in_anthropics_shape() -> None:
    """`thinking` names a budget; models that cannot think refuse it."""
    thinking = {"type": "enabled", "budget_tokens": 99}
    assert config_of(thinking=thinking)["thinkingConfig"] == {
        "includeThoughts": True,
        "thinkingBudget": 99,
    }
    with pytest.raises(UnsupportedParamsError, match="thinking"):
        config_of("gemini-2.0-flash", thinking=thinking)


def test_a_schema_goes_whole_where_the_model_reads_json_schema() -> None:
    """Only the first generation gets the schema in Google's own words."""
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {"const": "x"}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert config_of(response_format=wanted) == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    assert config_of("gemini-1.5-pro", response_format=wanted)["responseSchema"] == {
        "type": "OBJECT",
        "properties": {"a": {"type": "STRING", "enum": ["x"]}},
    }
    assert config_of(response_format={"type": "json_object"}) == {
        "responseMimeType": "application/json"
    }


def test_tools_of_all_spellings_meet() -> None:
    """Functions share one declaration list; Google's own tools stand one by one."""
    body = body_of(
        tools=[WEATHER, {"google_search": {}}, {"type": "code_execution"}, {"urlContext": {}}],
        functions=[{"name": "clock", "parameters": {"type": "object", "properties": {}}}],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )
    assert body["tools"][:3] == [{"googleSearch": {}}, {"codeExecution": {}}, {"urlContext": {}}]
    assert [f["name"] for f in body["tools"][3]["functionDeclarations"]] == ["weather", "clock"]
    assert "parameters" not in body["tools"][3]["functionDeclarations"][1]
    assert body["toolConfig"]["functionCallingConfig"] == {
        "mode": "ANY",
        "allowedFunctionNames": ["weather"],
    }


def test_a_search_can_be_asked_for_without_a_tool() -> None:
    """`web_search_options` is Google's search; a choice without functions is left out."""
    body = body_of(web_search_options={"search_context_size": "low"}, tool_choice="auto")
    assert body["tools"] == [{"googleSearch": {}}]
    assert "toolConfig" not in body


def test_schemas_lose_what_gemini_does_not_know() -> None:
    """References, lists of types, `allOf` and unknown keywords come out as Gemini's schema."""
    schema = {
        "$schema": "x",
        "type": "object",
        "additionalProperties": False,
        "required": ["a", "ghost"],
        "properties": {
            "a": {"type": ["string", "null"], "format": "email"},
            "b": {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}]},
            "c": {"allOf": [{"$ref": "#/$defs/C"}], "description": "see C"},
            "d": {"oneOf": [{"type": "string"}, {"type": "number"}], "description": "either"},
            "e": {"enum": [1, 2], "type": "integer"},
            "f": {"type": "array"},
        },
        "$defs": {"C": {"type": "object", "properties": {"again": {"$ref": "#/$defs/C"}}}},
    }
    assert convert_schema(schema) == {
        "type": "OBJECT",
        "required": ["a"],
        "properties": {
            "a": {"type": "STRING", "nullable": True},
            "b": {"type": "INTEGER", "nullable": True},
            "c": {
                "type": "OBJECT",
                "description": "see C",
                "properties": {"again": {"type": "OBJECT"}},
            },
            "d": {
                "anyOf": [
                    {"type": "STRING", "description": "either"},
                    {"type": "NUMBER", "description": "either"},
                ]
            },
            "e": {"type": "INTEGER"},
            "f": {"type": "ARRAY", "items": {"type": "OBJECT"}},
        },
    }


def test_an_answer_is_sorted_into_openais_fields() -> None:
    """Text, thoughts, calls, pictures and what OpenAI has no place for all arrive."""
    code = {"executableCode": {"language": "PYTHON", "code": "1"}}
    found = parse(
        answer(
            {"text": "hm", "thought": True},
            code,
            {"text": "Look: "},
            {"text": "it"},
            {"inlineData": {"mimeType": "image/png", "data": PNG}},
            {"functionCall": {"name": "f", "args": {"x": 1}}},
            createTime="2026-01-01T00:00:00.5Z",
        )
    )
    message = found.choices[0].message
    assert (found.id, found.model, found.created) == ("r1", "gemini-x", 1767225600)
    assert (message.content, message.reasoning_content) == ("Look: it", "hm")
    assert message.thinking_blocks == [{"type": "thinking", "thinking": "hm"}]
    assert message.images[0]["image_url"]["url"] == f"data:image/png;base64,{PNG}"
    assert message.provider_specific_fields == {"native_parts": [code]}
    assert message.tool_calls[0].id.startswith("call_")
    assert json.loads(message.tool_calls[0].function.arguments) == {"x": 1}
    assert found.choices[0].finish_reason == "tool_calls"
    assert found.choices[0].provider_specific_fields == {"native_finish_reason": "STOP"}


@pytest.mark.parametrize(
    ("native", "expected"),
    [("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("OTHER", "stop")],
)
def test_reasons_to_end_are_openais(native: str, expected: str) -> None:
    """Google's reason is translated and kept."""
    choice = parse(answer(finish=native)).choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (expected, native)


def test_a_blocked_question_is_an_answer_that_was_filtered() -> None:
    """Google answers a blocked prompt without candidates; the caller sees the filter."""
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 3},
    }
    for choice in (parse(blocked).choices[0], stream(sse(blocked))[0][-1].choices[0]):
        assert choice.finish_reason == "content_filter"
        assert choice.native_finish_reason == "SAFETY"


def test_sources_are_citations_counted_in_characters() -> None:
    """Google counts bytes of UTF-8, OpenAI characters; the native metadata stays."""
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 3, "endIndex": 6}, "groundingChunkIndices": [0, 9]}
        ],
    }
    body = answer({"text": "é döt"})
    body["candidates"][0]["groundingMetadata"] = grounding
    choice = parse(body).choices[0]
    assert choice.message.annotations == [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": 2,
                "end_index": 4,
                "url": "https://a.example",
                "title": "A",
            },
        }
    ]
    assert choice.groundingMetadata == grounding


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"promptTokenCount": 8, "candidatesTokenCount": 9, "thoughtsTokenCount": 50}, (8, 59, 67)),
        (
            {
                "promptTokenCount": 8,
                "candidatesTokenCount": 9,
                "thoughtsTokenCount": 4,
                "totalTokenCount": 17,
            },
            (8, 9, 17),
        ),
        (
            {"promptTokenCount": 8, "toolUsePromptTokenCount": 90, "totalTokenCount": 98},
            (98, 0, 98),
        ),
    ],
)
def test_tokens_add_up(counts: dict[str, int], expected: tuple[int, int, int]) -> None:
    """Thoughts are completion whether or not they were counted in; tools' reading is prompt."""
    usage = parse(answer({"text": "x"}, usageMetadata=counts)).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == expected


def test_cached_tokens_are_told() -> None:
    """What came from Google's cache is named where OpenAI and Anthropic name it."""
    counts = {"promptTokenCount": 8, "cachedContentTokenCount": 6, "trafficType": "ON_DEMAND"}
    usage = parse(answer({"text": "x"}, usageMetadata=counts)).usage
    assert usage.prompt_tokens_details.cached_tokens == 6
    assert (usage.cache_read_input_tokens, usage.trafficType) == (6, "ON_DEMAND")


def test_log_probabilities_are_openais() -> None:
    """The chosen tokens come with the likeliest of each step."""
    body = answer({"text": "a"})
    token = {"token": "a", "logProbability": -0.5}
    body["candidates"][0]["logprobsResult"] = {
        "chosenCandidates": [token],
        "topCandidates": [{"candidates": [token]}],
    }
    shown = {"token": "a", "logprob": -0.5, "bytes": [97]}
    assert parse(body).choices[0].logprobs == {"content": [{**shown, "top_logprobs": [shown]}]}


def pieces_of_a_stream() -> list[dict[str, Any]]:
    call = {"functionCall": {"name": "f", "args": {"q": 'a"}{\\'}}, "thoughtSignature": "s"}
    return [
        {
            "responseId": "r",
            "candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}],
        },
        {"candidates": [{"content": {"parts": [{"text": "Grüße"}, call]}, "finishReason": "STOP"}]},
        {
            "candidates": [{"content": {"parts": [{"functionCall": {"name": "g"}}]}}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2},
        },
    ]


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
@pytest.mark.parametrize("array", [False, True])
def test_a_stream_is_the_same_however_it_is_cut(cut: int, array: bool) -> None:
    """One id, the role once, whole calls by index, one finish reason at the end, then usage."""
    events = pieces_of_a_stream()
    raw = json.dumps(events, indent=1).encode() if array else sse(*events)
    chunks, decoder = stream(raw, cut, usage=True)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert {chunk.id for chunk in chunks} == {"r"}
    assert {chunk.model for chunk in chunks} == {"gemini-2.5-flash"}
    assert [delta.role for delta in deltas] == ["assistant", None, None, None, None]
    assert (deltas[0].reasoning_content, deltas[1].content) == ("hm", "Grüße")
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert [(call.index, call.function.name) for call in calls] == [(0, "f"), (1, "g")]
    assert json.loads(calls[0].function.arguments) == {"q": 'a"}{\\'}
    assert calls[0].provider_specific_fields == {"thought_signature": "s"}
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert reasons == [None, None, None, "tool_calls", None]
    assert chunks[-1].usage == decoder.usage
    assert decoder.usage.total_tokens == 3


def test_usage_is_known_even_if_nobody_asked() -> None:
    """The stream shows usage only on request; the decoder always has it."""
    chunks, decoder = stream(sse(*pieces_of_a_stream()))
    assert all(chunk.usage is None for chunk in chunks)
    assert decoder.usage.prompt_tokens == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b": ping\n\n",
        sse({"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]}),
        sse({"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]})[:-9],
        b'[{"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]}, {"cand',
    ],
)
def test_a_stream_without_a_finish_reason_was_cut(raw: bytes) -> None:
    """A connection that ends early never passes for a whole answer."""
    with pytest.raises(APIResponseValidationError, match="without a finish reason"):
        stream(raw)


def test_an_error_inside_a_stream_is_raised_after_what_came_before() -> None:
    """A stream that began with success may still fail, with the class that the status names."""
    decoder = GeminiAdapter(target()).decoder(Call([], stream=True))
    chunks: list[Any] = []
    first = {"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]}
    with pytest.raises(ServiceUnavailableError, match="overloaded"):
        decoder.feed(sse(first, rpc(503, "UNAVAILABLE", "overloaded")), chunks)
    assert chunks[0].choices[0].delta.content == "Hel"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, rpc(400, "INVALID_ARGUMENT", "Bad role."), BadRequestError),
        (
            400,
            rpc(400, "INVALID_ARGUMENT", "no", BAD_KEY),
            AuthenticationError,
        ),
        (
            400,
            rpc(400, "INVALID_ARGUMENT", TOO_LONG),
            ContextWindowExceededError,
        ),
        (
            400,
            rpc(400, "FAILED_PRECONDITION", "User location is not supported."),
            PermissionDeniedError,
        ),
        (401, rpc(401, "UNAUTHENTICATED"), AuthenticationError),
        (403, rpc(403, "PERMISSION_DENIED"), PermissionDeniedError),
        (404, [rpc(404, "NOT_FOUND")], NotFoundError),
        (499, rpc(499, "CANCELLED"), ServiceUnavailableError),
        (503, rpc(503, "UNAVAILABLE"), ServiceUnavailableError),
        (504, rpc(504, "DEADLINE_EXCEEDED"), Timeout),
        (502, b"<html><title>502</title>Bad Gateway</html>", BadGatewayError),
        (500, b"\xff\xfe", APIError),
        (429, b"null", RateLimitError),
    ],
)
def test_errors_have_the_class_that_google_means(
    status: int, body: Any, kind: type[APIError]
) -> None:
    """Reason, words and status decide in this order; nonsense is judged by the HTTP status."""
    found = error(status, body)
    assert isinstance(found, kind)
    assert found.status_code == status


def test_a_rate_limit_says_when_to_come_back() -> None:
    """The delay stands in the body; a header goes before it."""
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    body = rpc(429, "RESOURCE_EXHAUSTED", "quota", retry)
    assert error(429, body).retry_after == 34.5
    assert error(429, body, {"retry-after": "3"}).retry_after == 3


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b"7", b'{"candidates": [{"content": 1}]}', b'{"a": "\xff"}']
)
def test_nonsense_with_status_200_is_no_answer(body: bytes) -> None:
    """A body that cannot be understood is an error, never an empty message."""
    with pytest.raises(APIResponseValidationError, match="cannot be understood"):
        parse(body)


def test_a_key_in_an_error_is_not_repeated() -> None:
    """What Google echoes of the key does not reach messages or bodies."""
    found = error(400, rpc(400, "INVALID_ARGUMENT", "bad key secret-key"))
    assert "secret-key" not in f"{found} {found.body}"
