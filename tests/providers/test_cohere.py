"""What the adapter for Cohere promises, from literal messages, answers and events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import exceptions
from polyroute.providers import Call, Target
from polyroute.providers.cohere import CohereAdapter

if TYPE_CHECKING:
    from polyroute.schemas import ChatCompletion, ChatCompletionChunk

HELLO = [{"role": "user", "content": "Hello"}]
THINKER = "command-a-reasoning-08-2025"
USAGE = {
    "billed_units": {"input_tokens": 4, "output_tokens": 2},
    "tokens": {"input_tokens": 70, "output_tokens": 9, "image_tokens": 5, "reasoning_tokens": 7},
    "cached_tokens": 64,
}
CALL = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f"}}
NO_PARAMETERS = {"type": "object", "properties": {}}
SENT_TOOL = {"type": "function", "function": {"name": "f", "parameters": NO_PARAMETERS}}


def adapter(model: str = THINKER, **target: Any) -> CohereAdapter:
    return CohereAdapter(Target("cohere", model, "co-key", **target))


def body(messages: list[dict[str, Any]], model: str = THINKER, **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(adapter(model).build(Call(messages, params)).body)
    return built


def parse(message: dict[str, Any], **fields: Any) -> ChatCompletion:
    answer = {"id": "a", "finish_reason": "COMPLETE", "message": message, "usage": USAGE, **fields}
    return adapter().parse(json.dumps(answer).encode(), Call(HELLO))


def decode(*events: dict[str, Any], end: bool = True) -> list[ChatCompletionChunk]:
    start = {"type": "message-start", "id": "a", "delta": {"message": {"content": []}}}
    reason = {"finish_reason": "COMPLETE", "usage": USAGE}
    last = [{"type": "message-end", "delta": reason}] if end else []
    call = Call(HELLO, {"stream_options": {"include_usage": True}}, stream=True)
    decoder = adapter().decoder(call)
    out: list[ChatCompletionChunk] = []
    for event in [start, *events, *last]:
        decoder.feed(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode(), out)
    decoder.finish(out)
    return out


def event(kind: str, index: int = 0, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


@pytest.mark.parametrize(
    "base",
    ["", "https://api.cohere.com/", "https://api.cohere.com/v2", "https://api.cohere.com/v1/chat"],
)
def test_an_address_may_be_a_host_or_all_of_it(base: str) -> None:
    """Whatever part of it is given, version 2 of the chat is called."""
    assert adapter(api_base=base or None).url == "https://api.cohere.com/v2/chat"


@pytest.mark.parametrize("variable", ["COHERE_API_KEY", "CO_API_KEY"])
def test_the_key_may_lie_in_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both names of the variable are read, and what they hold stays secret."""
    for name in ("COHERE_API_KEY", "CO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "co-environment")
    made = CohereAdapter(Target("cohere", THINKER))
    assert made.headers["Authorization"] == "Bearer co-environment"
    assert "co-environment" not in str(made.error(401, {}, b'{"message": "co-environment?"}'))


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("max_completion_tokens", 9, {"max_tokens": 9}),
        ("top_p", 0.5, {"p": 0.5}),
        ("top_p", 1, {"p": 0.99}),
        ("k", 3, {"k": 3}),
        ("safety_mode", "STRICT", {"safety_mode": "STRICT"}),
        ("stop", "END", {"stop_sequences": ["END"]}),
        ("stream_options", {"include_usage": True}, {}),
        ("logprobs", True, {"logprobs": True}),
        ("n", 1, {}),
        ("reasoning_effort", "low", {"thinking": {"type": "enabled", "token_budget": 1024}}),
        ("reasoning_effort", "high", {"thinking": {"type": "enabled"}}),
        ("reasoning_effort", "none", {"thinking": {"type": "disabled"}}),
        (
            "thinking",
            {"type": "enabled", "budget_tokens": 77},
            {"thinking": {"type": "enabled", "token_budget": 77}},
        ),
        ("response_format", {"type": "json_object"}, {"response_format": {"type": "json_object"}}),
        (
            "response_format",
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
            {"response_format": {"type": "json_object", "json_schema": {"type": "object"}}},
        ),
        ("tools", [TOOL], {"tools": [SENT_TOOL]}),
    ],
)
def test_parameters_have_coheres_names(name: str, value: Any, sent: dict[str, Any]) -> None:
    """A parameter that Cohere calls otherwise is renamed, its own go as they are."""
    assert body(HELLO, **{name: value}) == {"model": THINKER, "messages": HELLO, **sent}


def test_what_cohere_cannot_do_is_refused() -> None:
    """Parameters that it lacks are named, all at once."""
    with pytest.raises(exceptions.UnsupportedParamsError, match="logit_bias, n, user"):
        body(HELLO, logit_bias={}, n=2, user="u")


def test_a_model_that_does_not_reason_is_not_asked_to() -> None:
    """An effort is refused there, unless it is none at all."""
    assert "thinking" not in body(HELLO, "command-a-03-2025", reasoning_effort="none")
    with pytest.raises(exceptions.UnsupportedParamsError, match="reasoning_effort"):
        body(HELLO, "command-r-08-2024", reasoning_effort="low")


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {}),
        ("none", {"tool_choice": "NONE"}),
        ("required", {"tool_choice": "REQUIRED"}),
        ({"type": "function", "function": {"name": "f"}}, {"tool_choice": "REQUIRED"}),
    ],
)
def test_a_tool_is_chosen_by_leaving_out_the_others(choice: Any, sent: dict[str, Any]) -> None:
    """Cohere has no named choice: one must be called, and there is only one."""
    other = {"type": "function", "function": {"name": "g"}}
    built = body(HELLO, tools=[TOOL, other], tool_choice=choice)
    assert {name: built[name] for name in built if name == "tool_choice"} == sent
    assert len(built["tools"]) == (1 if isinstance(choice, dict) else 2)


def test_a_choice_that_names_no_tool_is_wrong() -> None:
    """The error says what may be written."""
    with pytest.raises(exceptions.BadRequestError, match="auto, none, required"):
        body(HELLO, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "h"}})


def test_one_strict_tool_makes_all_strict() -> None:
    """`strict` is a parameter of the request here."""
    strict = {"type": "function", "function": {"name": "s", "strict": True}}
    built = body(HELLO, tools=[TOOL, strict])
    assert built["strict_tools"] is True
    assert all("strict" not in tool["function"] for tool in built["tools"])


def test_messages_have_only_what_the_schema_has() -> None:
    """Names and annotations of other providers are left out, plans and thoughts go back."""
    document = {"type": "document", "document": {"data": {"text": "d"}}}
    image = {"type": "image_url", "image_url": {"url": "https://x/i.png", "format": "png"}}
    text = {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "name": "Ann", "content": [text, image]},
        {
            "role": "assistant",
            "content": "Hm.",
            "reasoning_content": "I see.",
            "tool_calls": [{**CALL, "index": 0}],
            "tool_plan": "I will call f.",
        },
        {"role": "tool", "tool_call_id": "f_1", "name": "f", "content": [document]},
    ]
    thinking = {"type": "thinking", "thinking": "I see."}
    assert body(messages)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "t"},
                {"type": "image_url", "image_url": {"url": "https://x/i.png"}},
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [CALL],
            "tool_plan": "I will call f.",
            "content": [thinking, {"type": "text", "text": "Hm."}],
        },
        {"role": "tool", "tool_call_id": "f_1", "content": [document]},
    ]
    assert body(messages, "command-a-03-2025")["messages"][2]["content"] == "Hm."


def test_old_function_calls_become_tool_calls() -> None:
    """A function's result is that of the call before it."""
    called, answered = body(
        [
            {"role": "assistant", "content": None, "function_call": CALL["function"]},
            {"role": "function", "name": "f", "content": "sunny"},
        ]
    )["messages"]
    assert called["tool_calls"][0]["id"] == answered["tool_call_id"]
    assert answered["role"] == "tool"


def test_what_no_message_can_hold_is_refused() -> None:
    """The error names the message and says what would do."""
    with pytest.raises(exceptions.UnsupportedParamsError, match=r"messages\[0\].*text and image"):
        body([{"role": "user", "content": [{"type": "file", "file": {}}]}])
    with pytest.raises(exceptions.BadRequestError, match=r"messages\[0\].*tool_call_id"):
        body([{"role": "tool", "content": "sunny"}])


def test_an_answer_has_text_thoughts_and_calls() -> None:
    """Blocks become one message; what OpenAI's lacks is kept."""
    thinking = {"type": "thinking", "thinking": "Hm."}
    message = {
        "content": [thinking, {"type": "text", "text": "Hi"}],
        "tool_calls": [CALL],
        "tool_plan": "I will call f.",
    }
    answer = parse(message, finish_reason="TOOL_CALL")
    choice = answer.choices[0]
    assert (choice.message.reasoning_content, choice.message.content) == ("Hm.", "Hi")
    assert choice.message.tool_calls[0].model_dump(exclude_none=True) == CALL
    assert choice.message.tool_plan == "I will call f."
    assert choice.native_finish_reason == "TOOL_CALL"
    assert answer.billed_units == USAGE["billed_units"]


def test_all_tokens_are_counted() -> None:
    """Images count to the prompt, thoughts to the answer, whose counts include them."""
    usage = parse({"content": []}).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (75, 9, 84)
    assert usage.prompt_tokens_details == {"cached_tokens": 64, "image_tokens": 5}
    assert usage.completion_tokens_details == {"reasoning_tokens": 7}


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TIMEOUT", "length"),
        ("ERROR_TOXIC", "content_filter"),
    ],
)
def test_the_reason_to_end_is_openais(native: str, reason: str) -> None:
    """Each of Cohere's reasons has one of OpenAI's; an answer cut short never says stop."""
    assert parse({"content": []}, finish_reason=native).choices[0].finish_reason == reason


def test_a_generation_that_failed_is_no_answer() -> None:
    """ERROR is raised, whole or streamed, at status 200."""
    with pytest.raises(exceptions.InternalServerError, match="generation failed"):
        parse({"content": []}, finish_reason="ERROR")
    end = {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "out of memory"}}
    with pytest.raises(exceptions.InternalServerError, match="out of memory"):
        decode(end, end=False)


def test_citations_with_an_address_are_annotations() -> None:
    """Positions are those in the whole text; all citations stay as they are."""
    page = {"type": "document", "document": {"url": "https://x", "title": "X"}}
    tool = {"type": "tool", "tool_output": {"content": "y"}}
    citation = {"start": 0, "end": 2, "content_index": 1, "sources": [page, tool]}
    texts = [{"type": "text", "text": "Oh: "}, {"type": "text", "text": "it is"}]
    message = parse({"content": texts, "citations": [citation]}).choices[0].message
    place = {"url": "https://x", "title": "X", "start_index": 4, "end_index": 6}
    assert message.annotations == [{"type": "url_citation", "url_citation": place}]
    assert message.citations == [citation]


def test_log_probabilities_are_openais() -> None:
    """A piece of several tokens has the probability of all of them."""
    item = {"text": "Hi", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}
    (entry,) = parse({"content": []}, logprobs=[item]).choices[0].logprobs["content"]
    assert (entry["token"], entry["logprob"], entry["bytes"]) == ("Hi", -0.75, [72, 105])


def test_a_stream_says_everything_in_order() -> None:
    """Thoughts, text, plan and calls come in pieces, the role once, the usage last."""
    chunks = decode(
        event("content-start", content={"type": "thinking", "thinking": ""}),
        event("content-delta", content={"thinking": "Hm."}),
        event("content-end"),
        event("content-start", 1, content={"type": "text", "text": ""}),
        event("content-delta", 1, content={"text": "Hi"}),
        event("tool-plan-delta", tool_plan="I will call f."),
        event("tool-call-start", tool_calls={**CALL, "function": {"name": "f", "arguments": ""}}),
        event("tool-call-delta", tool_calls={"function": {"arguments": '{"a":1}'}}),
        event("tool-call-end"),
    )
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert [delta.role for delta in deltas] == ["assistant", *[None] * 5]
    assert [delta.reasoning_content for delta in deltas[:2]] == ["Hm.", None]
    assert deltas[1].content == "Hi"
    assert deltas[2].tool_plan == "I will call f."
    assert [delta.tool_calls[0].function.arguments for delta in deltas[3:5]] == ["", '{"a":1}']
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage.total_tokens == 84
    assert {chunk.id for chunk in chunks} == {"a"}


def test_a_streamed_call_without_arguments_has_empty_ones() -> None:
    """Cohere says nothing where OpenAI says ``{}``."""
    start = {**CALL, "function": {"name": "f", "arguments": ""}}
    chunks = decode(event("tool-call-start", tool_calls=start), event("tool-call-end"))
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert "".join(call.function.arguments for call in calls) == "{}"
    assert {call.index for call in calls} == {0}


def test_a_streamed_citation_comes_when_it_is_known() -> None:
    """It is an annotation of the text so far, and itself in the specific fields."""
    page = {"type": "document", "document": {"url": "https://x"}}
    citation = {"start": 0, "end": 2, "sources": [page]}
    chunks = decode(
        event("content-delta", content={"text": "It"}), event("citation-start", citations=citation)
    )
    delta = chunks[1].choices[0].delta
    assert delta.annotations[0]["url_citation"]["url"] == "https://x"
    assert delta.provider_specific_fields["citations"] == [citation]


def test_a_stream_without_its_end_is_cut_short() -> None:
    """Only message-end is an end."""
    with pytest.raises(exceptions.APIResponseValidationError, match="before the message did"):
        decode(event("content-delta", content={"text": "It"}), end=False)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, {"message": "too many tokens: size limit exceeded"}, "ContextWindowExceededError"),
        (400, {"message": "?", "error_type": "TOO_MANY_TOKENS"}, "ContextWindowExceededError"),
        (400, {"message": "too many tokens: max tokens must be less"}, "BadRequestError"),
        (401, {"message": "invalid api token"}, "AuthenticationError"),
        (429, {"message": "trial token rate limit exceeded"}, "RateLimitError"),
        (498, {"message": "a deny-listed token"}, "ContentPolicyViolationError"),
        (499, {"message": "request cancelled"}, "APIConnectionError"),
        (503, {}, "ServiceUnavailableError"),
    ],
)
def test_an_error_has_the_class_of_its_cause(
    status: int, answer: dict[str, Any], kind: str
) -> None:
    """Status, type and words say what went wrong; the message is Cohere's."""
    error = adapter().error(status, {}, json.dumps(answer).encode())
    assert type(error).__name__ == kind
    assert error.message == answer.get("message", error.message)
    assert error.status_code == status
