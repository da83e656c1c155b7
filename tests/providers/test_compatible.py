"""What some providers of OpenAI's format add to it: reasoning, routes, sources, addresses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polyroute import exceptions
from polyroute.providers import Call, Target, adapter, resolve

HELLO = [{"role": "user", "content": "Hello"}]
BUDGET = {"type": "enabled", "budget_tokens": 9}


def body(provider: str, **params: Any) -> dict[str, Any]:
    made = adapter(Target(provider, "m", "k"))
    return json.loads(made.build(Call(HELLO, params)).body)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("provider", "asked", "sent"),
    [
        ("deepseek", {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ("moonshot", {"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
        ("zai", {"thinking": {"type": "enabled"}}, {"thinking": {"type": "enabled"}}),
        ("dashscope", {"reasoning_effort": "low"}, {"enable_thinking": True}),
        ("dashscope", {"reasoning_effort": "none"}, {"enable_thinking": False}),
        ("dashscope", {"thinking": BUDGET}, {"enable_thinking": True, "thinking_budget": 9}),
        ("openrouter", {"thinking": BUDGET}, {"reasoning": {"max_tokens": 9}}),
        ("openrouter", {"thinking": {"type": "disabled"}}, {"reasoning": {"effort": "none"}}),
        ("openrouter", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ("groq", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ("zai", {"user": "u", "max_completion_tokens": 9}, {"user_id": "u", "max_tokens": 9}),
        ("snowflake", {"max_tokens": 9}, {"max_completion_tokens": 9}),
    ],
)
def test_parameters_are_said_in_the_providers_words(
    provider: str, asked: dict[str, Any], sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reasoning above all has many names."""
    monkeypatch.setenv("SNOWFLAKE_HOST", "acme.snowflakecomputing.com")
    assert body(provider, **asked) == {"model": "m", "messages": HELLO, **sent}


@pytest.mark.parametrize(
    ("provider", "base", "url"),
    [
        ("databricks", "adb-1.azuredatabricks.net", "https://adb-1.azuredatabricks.net/serving-endpoints"),
        ("databricks", "https://dbc.cloud/serving-endpoints/", "https://dbc.cloud/serving-endpoints"),
        ("snowflake", "https://a.snowflakecomputing.com", "https://a.snowflakecomputing.com/api/v2/cortex/v1"),
        ("huggingface", "https://x.endpoints.huggingface.cloud", "https://x.endpoints.huggingface.cloud/v1"),
        ("custom", "http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
    ],
)  # fmt: skip
def test_a_host_is_address_enough(provider: str, base: str, url: str) -> None:
    """Where the path is known a host will do; a path that is given stays."""
    name, model = resolve(f"{provider}/m", has_base=True)
    made = adapter(Target(name, model, "k", base))
    assert made.build(Call(HELLO)).url == f"{url}/chat/completions"


@pytest.mark.parametrize(
    ("model", "base", "sent"),
    [
        ("together/deepseek-ai/DeepSeek-R1", None, "deepseek-ai/DeepSeek-R1:together"),
        ("deepseek-ai/DeepSeek-R1", None, "deepseek-ai/DeepSeek-R1"),
        ("deepseek-ai/DeepSeek-R1:fastest", None, "deepseek-ai/DeepSeek-R1:fastest"),
        ("acme/team/model", "https://x.endpoints.huggingface.cloud/v1", "acme/team/model"),
    ],
)
def test_hugging_faces_provider_goes_to_the_end(model: str, base: str | None, sent: str) -> None:
    """At the router only: an endpoint of one's own has its own names."""
    made = adapter(Target("huggingface", model, "k", base))
    assert json.loads(made.build(Call(HELLO)).body)["model"] == sent


def test_an_unknown_server_gets_no_foreign_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """`custom/` and unknown prefixes with an address are OpenAI-compatible, not OpenAI."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    assert resolve("custom/my-model", has_base=True) == ("openai_like", "my-model")
    assert resolve("acme/my-model", has_base=True) == ("openai_like", "acme/my-model")
    made = adapter(Target("openai_like", "my-model", None, "http://127.0.0.1:1/v1"))
    assert "sk-openai" not in str(made.build(Call(HELLO)).headers)


def test_a_custom_model_needs_an_address() -> None:
    """The error says where one can be given."""
    provider, model = resolve("custom/my-model")
    with pytest.raises(exceptions.BadRequestError, match="api_base or OPENAI_LIKE_API_BASE"):
        adapter(Target(provider, model))


def test_databricks_reasons_in_parts() -> None:
    """A content list gives reasoning and text."""
    summary = [{"type": "summary_text", "text": "Hm."}]
    parts = [{"type": "reasoning", "summary": summary}, {"type": "text", "text": "Hi"}]
    choice = {"index": 0, "message": {"role": "assistant", "content": parts}}
    made = adapter(Target("databricks", "m", "k", "https://dbc.cloud"))
    answer = {"id": "a", "choices": [{**choice, "finish_reason": "stop"}]}
    message = made.parse(json.dumps(answer).encode(), Call(HELLO)).choices[0].message
    assert (message.reasoning_content, message.content) == ("Hm.", "Hi")


SOURCES = {
    "citations": ["https://a", "https://b"],
    "search_results": [{"title": "A", "url": "https://a"}, {"title": "B", "url": "https://b"}],
}
PLACE = {"url": "https://b", "title": "B", "start_index": 7, "end_index": 10}


def test_perplexitys_pointers_are_annotations() -> None:
    """Numbers in brackets lead to the sources, which are kept as well."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "It is B[2], not [3]."}}
    answer = {"id": "a", "choices": [{**choice, "finish_reason": "stop"}], **SOURCES}
    made = adapter(Target("perplexity", "sonar", "k"))
    parsed = made.parse(json.dumps(answer).encode(), Call(HELLO))
    assert parsed.choices[0].message.annotations == [
        {"type": "url_citation", "url_citation": PLACE}
    ]
    assert parsed.citations == SOURCES["citations"]


def test_perplexitys_streams_annotate_at_their_end() -> None:
    """A pointer may be cut in two; the last chunk has them all."""
    decoder = adapter(Target("perplexity", "sonar", "k")).decoder(Call(HELLO, stream=True))
    out: list[Any] = []
    for text, end in (("It is B[", None), ("2]", "stop")):
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": end}
        event = {"id": "a", "choices": [choice], **SOURCES}
        decoder.feed(f"data: {json.dumps(event)}\n\n".encode(), out)
    assert [chunk.choices[0].delta.annotations for chunk in out] == [
        None,
        [{"type": "url_citation", "url_citation": PLACE}],
    ]
