"""A wide list of calls, and the models of all providers: what the suites over all of them ask."""

from __future__ import annotations

import base64
from typing import Any

from polyroute.providers import Call, File, Request, Target, adapter, resolve
from polyroute.providers.messages import fold_system, normalise_messages
from polyroute.providers.structured import normalise_response_format

MODELS = (
    "amazon-nova/nova-pro-v1",
    "anthropic/claude-3-5-sonnet-20241022",
    "anthropic/claude-opus-4-6",
    "anthropic/claude-sonnet-4-5",
    "azure/gpt-4o",
    "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock/meta.llama3-3-70b-instruct-v1:0",
    "bedrock/mistral.mistral-large-2407-v1:0",
    "bedrock/us.amazon.nova-pro-v1:0",
    "cerebras/gpt-oss-120b",
    "cohere/command-a-03-2025",
    "cohere/command-a-reasoning-08-2025",
    "dashscope/qwen-plus",
    "databricks/databricks-claude-sonnet-4",
    "deepseek/deepseek-chat",
    "fireworks_ai/deepseek-v3",
    "gemini/gemini-2.0-flash",
    "gemini/gemini-2.5-pro",
    "gemini/gemini-3-pro-preview",
    "groq/openai/gpt-oss-120b",
    "hosted_vllm/some-model",
    "huggingface/together/deepseek-ai/DeepSeek-R1",
    "lambda/llama3.3-70b-instruct-fp8",
    "mistral/magistral-medium-latest",
    "mistral/mistral-large-latest",
    "moonshot/kimi-k2",
    "nscale/meta-llama/Llama-3.1-8B-Instruct",
    "ollama/llama3",
    "openai/gpt-4o",
    "openai/gpt-5",
    "openai/o3",
    "openai_like/some-model",
    "openrouter/anthropic/claude-sonnet-4",
    "perplexity/sonar-pro",
    "replicate/meta/meta-llama-3-8b-instruct",
    "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "vertex_ai/claude-sonnet-4-5",
    "vertex_ai/gemini-2.5-pro",
    "vertex_ai/meta/llama-3.3-70b-instruct-maas",
    "vertex_ai/mistral-large-2411",
    "xai/grok-3-mini",
    "zai/glm-4.6",
)
"""At least one model of every provider, more where they differ in what may be sent."""

NEED_BASE = frozenset({"azure", "databricks", "hosted_vllm", "ollama", "openai_like"})
SETTINGS = {
    "aws_access_key_id": "id",
    "aws_secret_access_key": "secret",
    "aws_region_name": "us-east-1",
    "vertex_project": "project",
    "vertex_location": "us-central1",
}

PNG = File(b"\x89PNG\r\n\x1a\n" + bytes(20), "image/png")
PNG_URL = f"data:image/png;base64,{base64.b64encode(PNG.data).decode()}"
PDF_URL = f"data:application/pdf;base64,{base64.b64encode(b'%PDF-1.4 %%EOF').decode()}"
WAV = base64.b64encode(b"RIFF0000WAVE").decode()
EPHEMERAL = {"type": "ephemeral"}

Message = dict[str, Any]


def user(*content: Any, **more: Any) -> Message:
    return {"role": "user", "content": content[0] if len(content) == 1 else [*content], **more}


def assistant(content: Any = None, **more: Any) -> Message:
    return {"role": "assistant", "content": content, **more}


def system(content: Any) -> Message:
    return {"role": "system", "content": content}


def text(words: str, **more: Any) -> Message:
    return {"type": "text", "text": words, **more}


def image(url: str, **more: Any) -> Message:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def called(id: str = "call_1", name: str = "get_weather", arguments: str = '{"a": 1}') -> Message:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(id: str, content: Any, **more: Any) -> Message:
    return {"role": "tool", "tool_call_id": id, "content": content, **more}


HI = [user("Hi")]
SCHEMA = {
    "type": "object",
    "properties": {
        "location": {"type": "string", "description": "A city"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": ["integer", "null"], "minimum": 1},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "area": {"$ref": "#/$defs/Area"},
    },
    "required": ["location"],
    "additionalProperties": False,
    "$defs": {"Area": {"type": "object", "properties": {"size": {"type": "number"}}}},
}
WEATHER = {"name": "get_weather", "description": "The weather", "parameters": SCHEMA}
TOOL = {"type": "function", "function": WEATHER}
CLOCK = {"type": "function", "function": {"name": "now"}}
TOOLS = [TOOL, CLOCK]
PERSON = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "ages": {"type": "array", "items": {}}},
            "required": ["name", "ages"],
            "additionalProperties": False,
        },
    },
}
PARALLEL = [
    user("Weather in Boston and Paris, and the time?"),
    assistant(tool_calls=[called("call_a"), called("call_b"), called("call_c", "now", "")]),
    result("call_a", "sunny", name="get_weather"),
    result("call_b", [text("rain")]),
    result("call_c", '{"hour": 1}'),
]
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}

CONVERSATIONS: dict[str, list[Message]] = {
    "plain": HI,
    "five roles": [system("s"), {"role": "developer", "content": "d"}, *HI, assistant("a"), *HI],
    "late system": [*HI, system("s"), assistant("a"), system([text("t"), text("u")]), *HI],
    "neighbours": [user("a"), user("b"), assistant("c"), assistant("d"), user("e")],
    "silence": [user(""), assistant(), assistant(""), user("x")],
    "system only": [system("s")],
    "assistant first": [assistant("x"), user("y")],
    "prefill": [*HI, assistant("The answer is", prefix=True)],
    "names": [user("x", name="bob"), assistant("y", name="al"), user("z")],
    "parallel results": PARALLEL,
    "results, then a question": [*PARALLEL, user("And now?")],
    "results, then an answer": [*PARALLEL, assistant("Sunny."), user("Thanks")],
    "arguments that are no JSON": [
        *HI,
        assistant(tool_calls=[called(arguments='{"a": ')]),
        result("call_1", "What?"),
    ],
    "foreign ids": [
        *HI,
        assistant("", tool_calls=[called("toolu_01:x/y.z")]),
        result("toolu_01:x/y.z", ""),
    ],
    "an image as result": [
        *HI,
        assistant(tool_calls=[called()]),
        result("call_1", [text("x"), image(PNG_URL)]),
    ],
    "old functions": [
        *HI,
        assistant(function_call={"name": "get_weather", "arguments": "{}"}),
        {"role": "function", "name": "get_weather", "content": "sunny"},
    ],
    "image as data": [user(text("x"), image(PNG_URL, detail="high"))],
    "images by URL": [
        user(
            image("https://a.example/a.png"),
            {"type": "image_url", "image_url": "https://a.example/b.png"},
            text("x"),
        )
    ],
    "image with format": [user(text("x"), image(PNG_URL, format="image/png"))],
    "image in a bucket": [user(text("x"), image("gs://bucket/a.png", format="image/png"))],
    "drawing": [user(text("x"), image("data:image/svg+xml;base64,PHN2Zy8+"))],
    "document": [
        user(text("x"), {"type": "file", "file": {"file_data": PDF_URL, "filename": "a.pdf"}})
    ],
    "nameless document": [
        user(
            text("x"),
            {"type": "file", "file": {"file_data": PDF_URL, "format": "application/pdf"}},
        )
    ],
    "document by URL": [
        user(text("x"), {"type": "file", "file": {"file_id": "https://a.example/a.pdf"}})
    ],
    "audio": [
        user(text("x"), {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}})
    ],
    "video": [
        user(text("x"), {"type": "video_url", "video_url": {"url": "https://a.example/a.mp4"}})
    ],
    "breakpoints": [
        system([text("s", cache_control=EPHEMERAL)]),
        user(text("u", cache_control={**EPHEMERAL, "ttl": "1h"}), text("v")),
        assistant("x", cache_control=EPHEMERAL),
        user("y", cache_control=EPHEMERAL),
    ],
    "thoughts": [
        *HI,
        assistant(
            "a",
            reasoning_content="hm",
            thinking_blocks=[THOUGHT, {"type": "redacted_thinking", "data": "eHg="}],
        ),
        *HI,
    ],
    "unsigned thoughts": [
        *HI,
        assistant("a", thinking_blocks=[{"type": "thinking", "thinking": "hm"}]),
        *HI,
    ],
    "thoughts as parts": [*HI, assistant([THOUGHT, text("a")]), *HI],
    "thoughts before calls": [
        *HI,
        assistant(
            reasoning_content="hm",
            thinking_blocks=[THOUGHT],
            tool_calls=[
                {
                    **called(),
                    "provider_specific_fields": {"thought_signature": "c2ln"},
                    "extra_content": {"google": {"thought_signature": "c2ln"}},
                }
            ],
            provider_specific_fields={"citations": []},
        ),
        result("call_1", "sunny"),
    ],
    "an answer put back": [
        *HI,
        assistant(
            "a",
            annotations=[{"type": "url_citation", "url_citation": {"url": "https://a.example"}}],
            **dict.fromkeys(("audio", "function_call", "images", "refusal", "tool_calls")),
            reasoning_content=None,
            provider_specific_fields={"x": 1},
        ),
        *HI,
    ],
    "a refusal put back": [*HI, assistant(refusal="No."), *HI],
    "refusals as parts": [*HI, assistant([{"type": "refusal", "refusal": "No."}]), *HI],
    "blocks put back": [*HI, assistant("a", content_blocks=[text("a")]), *HI],
}

PARAMETERS: dict[str, dict[str, Any]] = {
    "tools": {"tools": TOOLS},
    "strict tools": {"tools": [{"type": "function", "function": {**WEATHER, "strict": True}}]},
    "cached tools": {"tools": [{**TOOL, "cache_control": EPHEMERAL}]},
    "cached functions": {
        "tools": [{"type": "function", "function": {**WEATHER, "cache_control": EPHEMERAL}}]
    },
    "flat tools": {"tools": [{"type": "function", **WEATHER}]},
    **{
        f"choice {choice}": {"tools": TOOLS, "tool_choice": choice}
        for choice in ("auto", "none", "required")
    },
    "choice named": {
        "tools": TOOLS,
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    },
    "one call at a time": {"tools": TOOLS, "parallel_tool_calls": False},
    "calls in parallel": {"tools": TOOLS, "parallel_tool_calls": True},
    "functions": {"functions": [WEATHER], "function_call": "auto"},
    "a named function": {"functions": [WEATHER], "function_call": {"name": "get_weather"}},
    **{
        f"effort {level}": {"reasoning_effort": level}
        for level in ("none", "minimal", "low", "medium", "high", "xhigh")
    },
    "effort with tools": {"tools": TOOLS, "reasoning_effort": "high", "max_tokens": 5000},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 2048}},
    "no thinking": {"thinking": {"type": "disabled"}},
    "any JSON": {"response_format": {"type": "json_object"}},
    "a schema": {"response_format": PERSON},
    "a schema with tools": {"response_format": PERSON, "tools": [TOOL]},
    "text": {"response_format": {"type": "text"}},
    "sampling": {"temperature": 0.3, "top_p": 0.9, "seed": 7, "stop": ["A", "B"], "max_tokens": 9},
    "penalties": {"presence_penalty": 0.1, "frequency_penalty": 0.2},
    "one stop": {"stop": "X", "max_completion_tokens": 9},
    "two answers": {"n": 2},
    "one answer": {"n": 1},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "bias": {"logit_bias": {"50": -100}},
    "user": {"user": "somebody"},
    "metadata": {"metadata": {"user_id": "somebody"}},
    "store": {"store": True},
    "tier auto": {"service_tier": "auto"},
    "tier flex": {"service_tier": "flex"},
    "speech": {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
    "prediction": {"prediction": {"type": "content", "content": "x"}},
    "verbosity": {"verbosity": "low"},
    "web search": {"web_search_options": {}},
    "web search near": {
        "web_search_options": {
            "search_context_size": "high",
            "user_location": {"type": "approximate", "approximate": {"country": "US"}},
        }
    },
    "Google search": {"tools": [{"googleSearch": {}}]},
    "enterprise search": {"tools": [{"enterpriseWebSearch": {}}]},
    "code execution": {"tools": [{"code_execution": {}}]},
    "URL context": {"tools": [{"urlContext": {}}, TOOL]},
    "computer use": {
        "tools": [
            {
                "type": "computer_20250124",
                "name": "computer",
                "display_width_px": 800,
                "display_height_px": 600,
            }
        ]
    },
    "bash": {"tools": [{"type": "bash_20250124", "name": "bash"}]},
    "Claude's tools": {"tools": [{"name": "f", "input_schema": {"type": "object"}}]},
    "stream": {"stream": True},
    "stream with usage": {"stream": True, "stream_options": {"include_usage": True}},
    "no system": {"supports_system_message": False},
}

CALLS: dict[str, tuple[list[Message], dict[str, Any]]] = {
    **{name: (messages, {}) for name, messages in CONVERSATIONS.items()},
    **{name: ([system("s"), *HI], params) for name, params in PARAMETERS.items()},
    "parallel results with tools": (PARALLEL, {"tools": TOOLS}),
    "stream with tools": (PARALLEL, {"tools": TOOLS, "stream": True}),
    "old functions go on": (CONVERSATIONS["old functions"], {"functions": [WEATHER]}),
}


def build(model: str, messages: list[Message], params: dict[str, Any]) -> tuple[Target, Request]:
    """The request for a call, as the Router has it built, with every file at hand."""
    params = dict(params)
    provider, name = resolve(model)
    base = "http://127.0.0.1:1" if provider in NEED_BASE else None
    target = Target(
        provider, name, "some-key", params.pop("api_base", base), params.pop("api_version", None),
        settings=SETTINGS,
    )  # fmt: skip
    call = Call(normalise_messages(messages), stream=params.pop("stream", False), ask_usage=True)
    call.secret = "some-token"
    call.drop_params = params.pop("drop_params", False)
    call.extra_body, call.extra_headers = (
        params.pop("extra_body", None),
        params.pop("extra_headers", None),
    )
    if params.pop("supports_system_message", True) is False:
        call.messages = fold_system(call.messages)
    if "response_format" in params:
        params["response_format"] = normalise_response_format(params["response_format"])
    call.params = params
    speaker = adapter(target)
    call.files = dict.fromkeys(speaker.files(call), PNG)
    return target, speaker.build(call)
