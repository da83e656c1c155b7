"""What xAI's adapter sends to Responses, and how it reads what comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polyroute import exceptions
from polyroute.providers import Call, Target
from polyroute.providers.xai import XAIAdapter

HELLO = [{"role": "user", "content": "Hello"}]
SEARCH: dict[str, Any] = {"web_search_options": {}}
CITATION = {"type": "url_citation", "url": "https://x", "title": "1", "start_index": 0}
USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "input_tokens_details": {"cached_tokens": 2},
    "output_tokens_details": {"reasoning_tokens": 3},
}
SEARCHED = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
CALLED = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}


def adapter() -> XAIAdapter:
    return XAIAdapter(Target("xai", "grok-4", "xai-key"))


def said(*texts: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [CITATION]} for text in texts]
    return {"type": "message", "role": "assistant", "content": content}


def parse(*output: dict[str, Any], **fields: Any) -> Any:
    answer = {"id": "r1", "status": "completed", "output": output, "usage": USAGE, **fields}
    return adapter().parse(json.dumps(answer).encode(), Call(HELLO, SEARCH))


def decode(*events: dict[str, Any]) -> list[Any]:
    call = Call(HELLO, {**SEARCH, "stream_options": {"include_usage": True}}, stream=True)
    decoder = adapter().decoder(call)
    out: list[Any] = []
    for event in events:
        decoder.feed(f"data: {json.dumps(event)}\n\n".encode(), out)
    decoder.finish(out)
    return out


def test_only_what_searches_goes_to_responses() -> None:
    """Functions stay with chat completions, xAI's own tools do not."""
    function = {"type": "function", "function": {"name": "f"}}
    plain = adapter().build(Call(HELLO, {"tools": [function]}))
    search = adapter().build(Call(HELLO, {"tools": [function, {"type": "x_search"}]}))
    assert plain.url == "https://api.x.ai/v1/chat/completions"
    assert search.url == "https://api.x.ai/v1/responses"
    tools = [{"type": "function", "name": "f"}, {"type": "x_search"}]
    assert json.loads(search.body)["tools"] == tools


def test_options_that_xai_lacks_are_reported() -> None:
    """A hint on the size of the context is left out, and the route will say so."""
    options = {"search_context_size": "high", "filters": {"allowed_domains": ["x.ai"]}}
    request = adapter().build(Call(HELLO, {"web_search_options": options, "max_tokens": 9}))
    assert json.loads(request.body) == {
        "model": "grok-4",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Hello"}],
            }
        ],
        "max_output_tokens": 9,
        "tools": [{"type": "web_search", "filters": {"allowed_domains": ["x.ai"]}}],
    }
    assert request.dropped == ("web_search_options.search_context_size",)


def test_a_conversation_becomes_items() -> None:
    """What the model said is output, calls and their results are items of their own."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "https://x/i.png"}}
    messages = [
        {"role": "user", "content": [image]},
        {"role": "assistant", "content": "Hm.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    assert json.loads(adapter().build(Call(messages, SEARCH)).body)["input"] == [
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_image", "image_url": "https://x/i.png"}],
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hm."}],
        },
        CALLED,
        {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    ]


def test_an_answer_is_a_completion() -> None:
    """Texts are joined and their annotations moved along; other items are kept."""
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    answer = parse(SEARCHED, thought, said("Oh. ", "Found."), CALLED)
    message = answer.choices[0].message
    assert (message.content, message.reasoning_content) == ("Oh. Found.", "Hm.")
    places = [note["url_citation"]["start_index"] for note in message.annotations]
    assert places == [0, 4]
    assert message.tool_calls[0].id == "c1"
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage.total_tokens == 15
    assert answer.usage.completion_tokens_details.reasoning_tokens == 3
    assert answer.output == [SEARCHED, CALLED]


def test_an_answer_cut_short_says_so() -> None:
    """An incomplete response ends for its length."""
    cut = {"reason": "max_output_tokens"}
    answer = parse(said("Oh"), status="incomplete", incomplete_details=cut)
    assert answer.choices[0].finish_reason == "length"


def test_a_response_that_failed_is_an_error() -> None:
    """It is one at status 200, whole or streamed."""
    failure = {"status": "failed", "error": {"code": "server_error", "message": "down"}}
    with pytest.raises(exceptions.InternalServerError, match="down"):
        parse(**failure)
    with pytest.raises(exceptions.InternalServerError, match="down"):
        decode({"type": "response.failed", "response": failure})


def test_a_stream_is_chunks() -> None:
    """Text, annotations and calls come in pieces, the end with the usage."""
    done = {"id": "r1", "status": "completed", "usage": USAGE}
    chunks = decode(
        {"type": "response.created", "response": {"id": "r1"}},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "Found."},
        {
            "type": "response.output_text.annotation.added",
            "output_index": 1,
            "annotation": CITATION,
        },
        {
            "type": "response.output_item.added",
            "output_index": 2,
            "item": {**CALLED, "arguments": ""},
        },
        {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"},
        {"type": "response.completed", "response": done},
    )
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert (deltas[0].role, deltas[0].content) == ("assistant", "Found.")
    assert deltas[1].annotations[0]["url_citation"]["url"] == "https://x"
    assert [delta.tool_calls[0].function.arguments for delta in deltas[2:4]] == ["", "{}"]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage.prompt_tokens == 10
    assert {chunk.id for chunk in chunks} == {"r1"}


def test_a_stream_without_its_end_is_cut_short() -> None:
    """Only a complete or incomplete response is an end."""
    with pytest.raises(exceptions.APIResponseValidationError, match="before the response"):
        decode({"type": "response.output_text.delta", "delta": "Fo"})
