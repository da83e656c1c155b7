"""What the Bedrock adapter promises, from literal messages, answers and streams."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from polyroute.exceptions import (
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    ImageFetchError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
    UnsupportedParamsError,
)
from polyroute.providers import Call, File, Request, Target, resolve
from polyroute.providers.aws_signing import Keys
from polyroute.providers.bedrock import BedrockAdapter, make_adapter
from polyroute.providers.bedrock_invoke import InvokeAdapter
from polyroute.providers.bedrock_models import parse_name

if TYPE_CHECKING:
    from polyroute.schemas import ChatCompletion, ChatCompletionChunk

SONNET = "anthropic.claude-3-5-sonnet-20241022-v2:0"
SONNET_37 = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
SONNET_45 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA, NOVA_2 = "us.amazon.nova-pro-v1:0", "us.amazon.nova-2-lite-v1:0"
LLAMA, MISTRAL = "meta.llama3-1-70b-instruct-v1:0", "mistral.mistral-large-2402-v1:0"
PROFILE = "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abc"
KEYS = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret-of-the-test"}
REGION = {"aws_region_name": "us-east-1"}
HELLO = [{"role": "user", "content": "Hello"}]
CACHED = {"cache_control": {"type": "ephemeral"}}
POINT = {"cachePoint": {"type": "default"}}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
TIME = {"type": "function", "function": {"name": "time", "parameters": SCHEMA}}
CALLED = {"id": "call 1/a", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
NAMED = {"type": "function", "function": {"name": "weather"}}
JSON_CITY = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
USAGE = {"inputTokens": 12, "outputTokens": 9, "totalTokens": 21}


@pytest.fixture(autouse=True)
def _no_aws_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID",
                 "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK",
                 "AWS_PROFILE", "AWS_ENDPOINT_URL"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


def adapter(model: str = SONNET, **settings: Any) -> BedrockAdapter:
    return BedrockAdapter(
        Target("bedrock", model, settings={**REGION, **KEYS, **settings}), clock=lambda: 1e9
    )


def request(messages: list[Any], model: str = SONNET, **params: Any) -> Request:
    return adapter(model).build(Call(messages, params))


def body(messages: list[Any], model: str = SONNET, **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(request(messages, model, **params).body)
    return built


def turns(*messages: dict[str, Any], model: str = SONNET) -> Any:
    return body(list(messages), model)["messages"]


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def parse(content: list[Any], stop: str = "end_turn", **params: Any) -> ChatCompletion:
    answer = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop,
        "usage": USAGE,
        "metrics": {"latencyMs": 5},
    }
    return adapter().parse(json.dumps(answer).encode(), Call(HELLO, params))


def frame(payload: Any, **headers: str) -> bytes:
    named = b"".join(
        bytes([len(name) + 1]) + f":{name}".encode() + b"\x07" + struct.pack(">H", len(value))
        + value.encode()
        for name, value in ((name.replace("_", "-"), value) for name, value in headers.items())
    )  # fmt: skip
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(named) + len(data), len(named))
    message = prelude + struct.pack(">I", crc32(prelude)) + named + data
    return message + struct.pack(">I", crc32(message))


def event(kind: str, **payload: Any) -> bytes:
    return frame(payload, event_type=kind, message_type="event")


def piece(index: int, **delta: Any) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta=delta)


def stop_block(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index)


def start_tool(index: int, name: str = "weather", **fields: Any) -> bytes:
    use = {"toolUseId": f"t{index}", "name": name, **fields}
    return event("contentBlockStart", contentBlockIndex=index, start={"toolUse": use})


def ended(reason: str = "end_turn") -> bytes:
    return event("messageStop", stopReason=reason) + event(
        "metadata", usage=USAGE, metrics={"latencyMs": 7}
    )


def stream(*events: bytes, cut: int = 10_000, **params: Any) -> list[ChatCompletionChunk]:
    data = event("messageStart", role="assistant") + b"".join(events)
    decoder = adapter().decoder(Call(HELLO, params, stream=True))
    out: list[ChatCompletionChunk] = []
    for start in range(0, len(data), cut):
        decoder.feed(data[start : start + cut], out)
    decoder.finish(out)
    return out


def error(status: int, name: str, message: str) -> APIError:
    headers = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/"}
    return adapter().error(status, headers, json.dumps({"message": message}).encode())


@pytest.mark.parametrize(
    ("name", "path", "host"),
    [
        (SONNET, "anthropic.claude-3-5-sonnet-20241022-v2%3A0", "us-east-1.amazonaws.com"),
        (f"converse/{NOVA}", "us.amazon.nova-pro-v1%3A0", "us-east-1.amazonaws.com"),
        ("eu-west-1/amazon.nova-lite-v1:0", "amazon.nova-lite-v1%3A0", "eu-west-1.amazonaws.com"),
        ("cn-north-1/x.y", "x.y", "cn-north-1.amazonaws.com.cn"),
        (PROFILE, PROFILE.replace(":", "%3A").replace("/", "%2F"), "us-west-2.amazonaws.com"),
        (f"{SONNET_45}/{PROFILE}", PROFILE.replace(":", "%3A").replace("/", "%2F"),
         "us-west-2.amazonaws.com"),
    ],
)  # fmt: skip
def test_a_name_says_model_region_and_host(name: str, path: str, host: str) -> None:
    """The name on the wire is one encoded step of the path; the region in front is not sent."""
    target = Target("bedrock", name, api_key="b")
    if parse_name(name).region is None:
        target = replace(target, settings={"aws_region_name": "us-east-1"})
    made = BedrockAdapter(target)
    url = made.build(Call(HELLO)).url
    assert url == f"https://bedrock-runtime.{host}/model/{path}/converse"


def test_the_region_of_the_settings_comes_first() -> None:
    """aws_region_name wins over the name's region, that over the endpoint's."""
    assert adapter(f"eu-west-1/{SONNET}", aws_region_name="us-west-2").access.region == "us-west-2"
    target = Target("bedrock", SONNET, "key", "https://x.bedrock-runtime.eu-north-1.vpce.aws")
    assert BedrockAdapter(target).access.region == "eu-north-1"


def test_streams_have_an_endpoint_of_their_own() -> None:
    """A streamed call goes to converse-stream, below whatever base the caller gives."""
    made = adapter(aws_bedrock_runtime_endpoint="http://127.0.0.1:9/bedrock/")
    url = made.build(Call(HELLO, stream=True)).url
    assert url.startswith("http://127.0.0.1:9/bedrock/model/")
    assert url.endswith("/converse-stream")


def test_without_a_region_the_error_says_what_to_do() -> None:
    """No region is guessed."""
    with pytest.raises(BadRequestError, match="aws_region_name"):
        BedrockAdapter(Target("bedrock", SONNET, "key")).build(Call(HELLO))


@pytest.mark.parametrize("name", [f"agent/{SONNET}", f"invoke/{NOVA}"])
def test_other_apis_of_bedrock_are_refused(name: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(BadRequestError, match=f"write bedrock/{name.partition('/')[2]}"):
        make_adapter(Target("bedrock", name, settings={**REGION, **KEYS}))


class TestInvoke:
    """Claude by InvokeModel, in Anthropic's own format."""

    def invoke(self, **fields: Any) -> InvokeAdapter:
        target = Target("bedrock", f"invoke/{SONNET}", settings={**REGION, **KEYS}, **fields)
        made = make_adapter(target)
        assert isinstance(made, InvokeAdapter)
        return made

    @pytest.mark.parametrize(
        ("stream", "method"), [(False, "invoke"), (True, "invoke-with-response-stream")]
    )
    def test_the_body_is_anthropics(self, stream: bool, method: str) -> None:
        """Without model and stream, which the address says, and with a version and beta flags."""
        call = Call(
            HELLO,
            {"max_tokens": 9, "service_tier": "flex", "betas": ["b"]},
            stream=stream,
            extra_headers={"Anthropic-Beta": "a, c", "x-own": "1"},
        )
        request = self.invoke().build(call)
        assert request.url.endswith(f"/model/{SONNET.replace(':', '%3A')}/{method}")
        assert json.loads(request.body) == {
            "anthropic_version": "bedrock-2023-05-31",
            "anthropic_beta": ["a", "c", "b"],
            "max_tokens": 9,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        }
        assert request.headers["X-Amzn-Bedrock-Service-Tier"] == "flex"
        assert request.headers["x-own"] == "1"
        assert not any(name.lower() == "anthropic-beta" for name in request.headers)
        assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256")

    def test_an_error_inside_a_stream_is_awss(self) -> None:
        """Events are Anthropic's, errors are AWS's."""
        decoder = self.invoke().decoder(Call(HELLO, stream=True))
        with pytest.raises(RateLimitError, match="slow down"):
            slow = {"message": "slow down"}
            event = frame(slow, message_type="exception", exception_type="throttlingException")
            decoder.feed(event, [])

    def test_a_stream_that_is_cut_is_no_answer(self) -> None:
        """Without Anthropic's own end nothing is made up."""
        decoder = self.invoke().decoder(Call(HELLO, stream=True))
        start = {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 1}}}
        payload = base64.b64encode(json.dumps(start).encode()).decode()
        decoder.feed(event("chunk", bytes=payload), [])
        with pytest.raises(APIResponseValidationError, match="stop reason"):
            decoder.finish([])


def test_bedrocks_own_names_need_no_prefix() -> None:
    """A name such as us.anthropic.claude-… can only be Bedrock's."""
    assert resolve(SONNET_37) == ("bedrock", SONNET_37)
    assert resolve(f"bedrock_converse/{NOVA}") == ("bedrock", NOVA)


def test_keys_sign() -> None:
    """With keys a request carries a signature over its body, type and time."""
    made = adapter(aws_session_token="token-of-the-test")
    headers = made.build(Call(HELLO, extra_headers={"X-A": "1"})).headers
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATEST/20010909/")
    assert (
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"
        in (headers["Authorization"])
    )
    assert (headers["X-A"], headers["X-Amz-Security-Token"]) == ("1", "token-of-the-test")


def test_an_api_key_is_a_bearer_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bedrock's API keys go as they are, from the target or the environment."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "from-environment")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for key, expected in ((None, "from-environment"), ("mine", "mine")):
        made = BedrockAdapter(Target("bedrock", SONNET, key)).build(Call(HELLO))
        assert made.headers["Authorization"] == f"Bearer {expected}"


def test_keys_of_the_settings_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a deployment says about itself is not overruled by what happens to be set."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "from-environment")
    assert "Credential=AKIATEST" in adapter().build(Call(HELLO)).headers["Authorization"]


def test_half_a_pair_of_keys_is_an_error() -> None:
    """A key without its secret is not silently ignored."""
    with pytest.raises(AuthenticationError, match="aws_secret_access_key"):
        adapter(aws_secret_access_key=None)


def test_profiles_and_roles_are_fetched(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile's keys and region come from botocore, off the path of the call."""
    pytest.importorskip("botocore")
    (tmp_path / "keys").write_text("[p]\naws_access_key_id=AKIAP\naws_secret_access_key=s\n")
    (tmp_path / "config").write_text("[profile p]\nregion=eu-central-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    made = BedrockAdapter(Target("bedrock", SONNET, settings={"aws_profile_name": "p"}))
    assert made.credential is not None
    secret = made.credential.fetch()
    assert secret.value == Keys("AKIAP", "s", None, "eu-central-1")
    built = made.build(Call(HELLO, secret=secret.value))
    assert "bedrock-runtime.eu-central-1." in built.url
    assert "Credential=AKIAP/" in built.headers["Authorization"]
    other = BedrockAdapter(Target("bedrock", SONNET, settings={"aws_profile_name": "q"}))
    assert other.credential is not None
    assert other.credential.identity != made.credential.identity
    with pytest.raises(AuthenticationError, match="q"):
        other.credential.fetch()


def test_secrets_never_show() -> None:
    """AWS repeats what was signed when it refuses a signature: none of that reaches an error."""
    made = adapter(aws_session_token="token-of-the-test")
    message = (
        "The signature does not match; secret-of-the-test\n\nThe Canonical String for this request "
        "should have been\n'POST\nx-amz-security-token:token-of-the-test\n'"
    )
    failure = made.error(403, {"x-amzn-errortype": "InvalidSignatureException"},
                         json.dumps({"message": message}).encode())  # fmt: skip
    assert isinstance(failure, AuthenticationError)
    shown = f"{failure} {failure.body} {made.target!r}"
    assert "of-the-test" not in shown
    assert "Canonical" not in shown


def test_turns_alternate_and_the_user_begins() -> None:
    """Neighbours of one role become one turn; a conversation never begins with the assistant."""
    assert turns(
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": "b "},
        *HELLO,
        {"role": "user", "content": " "},
        {"role": "assistant", "content": "end "},
    ) == [
        {"role": "user", "content": [{"text": "."}]},
        {"role": "assistant", "content": [{"text": "a"}, {"text": "b "}]},
        {"role": "user", "content": [{"text": "Hello"}]},
        {"role": "assistant", "content": [{"text": "end"}]},
    ]


def test_the_system_prompt_stands_apart() -> None:
    """System and developer messages leave the turns, with their cache points."""
    built = body([{"role": "system", "content": "s", **CACHED}, *HELLO,
                  {"role": "developer", "content": [text("d"), text(" ")]}])  # fmt: skip
    assert built["system"] == [{"text": "s"}, POINT, {"text": "d"}]
    assert built["messages"] == [{"role": "user", "content": [{"text": "Hello"}]}]


def test_models_without_a_system_prompt_hear_it_from_the_user() -> None:
    """Titan and the first Mistral models take user and assistant only."""
    system = {"role": "system", "content": "s"}
    built = body([system, *HELLO], "amazon.titan-text-express-v1")
    assert built == {"messages": [{"role": "user", "content": [{"text": "s"}, {"text": "Hello"}]}]}


def test_cache_points_follow_what_they_end() -> None:
    """cache_control on a part, a message or a tool becomes a block behind it."""
    built = body([user({**text("a"), **CACHED}, text("b")) | CACHED], SONNET_37,
                 tools=[{**WEATHER, **CACHED}])  # fmt: skip
    assert built["messages"][0]["content"] == [{"text": "a"}, POINT, {"text": "b"}, POINT]
    assert built["toolConfig"]["tools"][1] == POINT
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    content = turns(user({**text("a"), **hour}))[0]["content"]
    assert content[1] == {"cachePoint": {"type": "default", "ttl": "1h"}}


def test_cache_points_stay_away_from_models_without_a_cache() -> None:
    """A hint that a model would refuse is no reason to refuse the call."""
    messages = [{**HELLO[0], **CACHED}]
    assert body(messages, LLAMA)["messages"][0]["content"] == [{"text": "Hello"}]
    nova = body(messages, NOVA, tools=[{**WEATHER, **CACHED}])
    assert POINT in nova["messages"][0]["content"]
    assert POINT not in nova["toolConfig"]["tools"]


def test_calls_and_results_of_tools() -> None:
    """Ids become valid, results go together and first, arguments that are no JSON are kept."""
    built = turns(
        *HELLO,
        {"role": "assistant", "content": None,
         "tool_calls": [CALLED, {**CALLED, "id": "x" * 80}, {"id": "c", "function": {
             "name": "my tool", "arguments": "oops"}}]},
        {"role": "user", "content": "And?"},
        {"role": "tool", "tool_call_id": "call 1/a", "content": "sunny"},
        {"role": "tool", "tool_call_id": "x" * 80, "content": "", "is_error": True},
        {"role": "tool", "tool_call_id": "c", "content": [
            text("see"), {"type": "json", "json": [1]},
            {"type": "image_url", "image_url": f"data:image/png;base64,{PIXEL}"}]},
    )  # fmt: skip
    first, long, other = (block["toolUse"] for block in built[1]["content"])
    assert first == {"toolUseId": "call_1_a", "name": "weather", "input": {"city": "Rome"}}
    assert len(long["toolUseId"]) == 64
    assert (other["name"], other["input"]) == ("my_tool", {"invalid_arguments": "oops"})
    *results, last = built[2]["content"]
    assert last == {"text": "And?"}
    assert [block["toolResult"] for block in results] == [
        {"toolUseId": "call_1_a", "content": [{"text": "sunny"}]},
        {"toolUseId": long["toolUseId"], "content": [{"text": "(no output)"}], "status": "error"},
        {"toolUseId": "c", "content": [{"text": "see"}, {"json": [1]},
            {"image": {"format": "png", "source": {"bytes": PIXEL}}}]},
    ]  # fmt: skip


def test_a_history_with_tools_gets_a_list_of_tools() -> None:
    """Bedrock refuses calls of tools in messages when no tools are offered."""
    messages = [*HELLO, {"role": "assistant", "tool_calls": [CALLED]},
                {"role": "tool", "tool_call_id": "call 1/a", "content": "x"}]  # fmt: skip
    for params in ({}, {"tools": [TIME], "tool_choice": "none"}):
        config = body(messages, **params)["toolConfig"]
        assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["weather"]
        assert "toolChoice" not in config


def test_old_functions_work() -> None:
    """`functions`, `function_call` and the role `function` are tools of today."""
    built = body(
        [*HELLO, {"role": "assistant", "function_call": CALLED["function"]},
         {"role": "function", "name": "weather", "content": "5"}],
        functions=[WEATHER["function"]], function_call={"name": "weather"},
    )  # fmt: skip
    use = built["messages"][1]["content"][0]["toolUse"]
    result = built["messages"][2]["content"][0]["toolResult"]
    assert use["toolUseId"] == result["toolUseId"]
    assert built["toolConfig"]["toolChoice"] == {"tool": {"name": "weather"}}
    answer = parse([{"toolUse": {"toolUseId": "t", "name": "weather", "input": {}}}], "tool_use",
                   functions=[WEATHER["function"]])  # fmt: skip
    called = answer.choices[0].message.function_call
    assert called is not None
    assert (called.name, called.arguments) == ("weather", "{}")
    assert answer.choices[0].finish_reason == "function_call"


def test_signed_reasoning_goes_back() -> None:
    """Thinking with its signature and hidden thinking return; unsigned thinking is dropped."""
    blocks = [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "redacted_thinking", "data": "cmVk"},
        {"type": "thinking", "thinking": "u"},
    ]
    history = turns(
        *HELLO, {"role": "assistant", "content": "a", "thinking_blocks": blocks}, *HELLO
    )
    assert history[1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "cmVk"}},
        {"text": "a"},
    ]


def test_media_find_their_blocks() -> None:
    """Images, documents, video and audio: inline, fetched, or in S3."""
    fetched = {"https://h/a b.csv": File(b"a,b", "application/octet-stream")}
    message = user(
        {"type": "image_url", "image_url": {"url": f"data:image/jpg;base64,{PIXEL}"}},
        {"type": "file", "file": {"file_id": "https://h/a b.csv"}},
        {"type": "file", "file": {"file_id": "s3://bucket/talk.mp4"}},
        {"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}},
        {"type": "guarded_text", "text": "g"},
    )
    made = adapter()
    assert made.files(Call([message])) == ("https://h/a b.csv",)
    built = json.loads(made.build(Call([message], files=fetched)).body)
    assert built["messages"][0]["content"] == [
        {"image": {"format": "jpeg", "source": {"bytes": PIXEL}}},
        {"document": {"format": "csv", "name": "a b", "source": {"bytes": "YSxi"}}},
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/talk.mp4"}}}},
        {"audio": {"format": "wav", "source": {"bytes": PIXEL}}},
        {"guardContent": {"text": {"text": "g"}}},
        {"text": "."},
    ]
    with pytest.raises(ImageFetchError):
        made.build(Call([message]))


def test_documents_have_valid_and_different_names() -> None:
    """Bedrock takes few characters in a document's name, and no name twice; it wants text too."""
    pdf = {"file_data": f"data:application/pdf;base64,{PIXEL}", "filename": "Köln_2024 (1).pdf"}
    part = {"type": "file", "file": pdf, "citations": {"enabled": True}}
    content = turns(user(part, part, {"type": "file", "file": {"file_data": PIXEL}}))[0]["content"]
    names = [block["document"]["name"] for block in content[:3]]
    assert names == ["K ln 2024 (1)", "K ln 2024 (1) 2", "document"]
    assert content[0]["document"]["citations"] == {"enabled": True}
    assert content[3] == {"text": "."}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "ftp://x/y.png"}},
        {"type": "image_url", "image_url": {"url": f"data:image/tiff;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
        {"type": "file", "file": {"file_id": "file-abc"}},
        {"type": "hologram"},
    ],
)
def test_what_bedrock_cannot_read_is_refused(part: dict[str, Any]) -> None:
    """The refusal is a bad request that names the trouble, before anything is sent."""
    with pytest.raises(BadRequestError):
        turns(user(part))


def test_parameters_find_their_places() -> None:
    """OpenAI's parameters, Converse's own fields, and the model's own ones."""
    built = body(
        HELLO, temperature=1.5, top_p=0.5, max_completion_tokens=7, stop="END", top_k=3,
        service_tier="flex", metadata={"team": "a"}, anthropic_beta=["x"], user="me",
        guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": "1"},
        inferenceConfig={"maxTokens": 9}, additionalModelRequestFields={"own": 1},
    )  # fmt: skip
    del built["messages"]
    assert built == {
        "inferenceConfig": {
            "temperature": 1,
            "topP": 0.5,
            "maxTokens": 9,
            "stopSequences": ["END"],
        },
        "additionalModelRequestFields": {"anthropic_beta": ["x"], "top_k": 3, "own": 1},
        "serviceTier": {"type": "flex"},
        "requestMetadata": {"team": "a"},
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    }


@pytest.mark.parametrize(
    ("model", "params", "fields"),
    [
        (SONNET_37, {"reasoning_effort": "low", "max_tokens": 4000},
         {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (SONNET_37, {"thinking": {"type": "enabled", "budget_tokens": 2000}},
         {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        ("anthropic.claude-opus-4-6-v1", {"reasoning_effort": "high"},
         {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        (NOVA_2, {"reasoning_effort": "minimal"},
         {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (NOVA_2, {"reasoning_effort": "none"}, {"reasoningConfig": {"type": "disabled"}}),
        ("openai.gpt-oss-120b-1:0", {"reasoning_effort": "medium"}, {"reasoning_effort": "medium"}),
        ("qwen.qwen3-32b-v1:0", {"reasoning_effort": "high"}, {"reasoning_config": "high"}),
        (NOVA, {"top_k": 5}, {"inferenceConfig": {"topK": 5}}),
        ("cohere.command-r-v1:0", {"top_k": 5}, {"k": 5}),
        (f"{SONNET_37}/{PROFILE}", {"reasoning_effort": "low"},
         {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
    ],
)  # fmt: skip
def test_each_family_has_its_spelling(model: str, params: Any, fields: Any) -> None:
    """top_k and reasoning go where the model's family wants them."""
    assert body(HELLO, model, **params)["additionalModelRequestFields"] == fields


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (SONNET, {"seed": 1}),
        (SONNET, {"reasoning_effort": "low"}),
        (LLAMA, {"top_k": 5}),
        (LLAMA, {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        (LLAMA, {"tools": [WEATHER], "tool_choice": "required"}),
        (NOVA, {"tools": [WEATHER], "parallel_tool_calls": False}),
    ],
)
def test_what_a_model_cannot_do_is_refused_or_dropped(model: str, params: Any) -> None:
    """Without drop_params an exception names the parameter; with it the request says it is gone."""
    with pytest.raises(UnsupportedParamsError):
        body(HELLO, model, **params)
    built = adapter(model).build(Call(HELLO, params, drop_params=True))
    (name,) = built.dropped
    assert name in params


def test_the_choice_of_tools() -> None:
    """auto, any and a named tool are Converse's; Mistral is offered the named one alone."""
    tools = [WEATHER, TIME]
    assert "toolChoice" not in body(HELLO, tools=tools)["toolConfig"]
    for choice, converted in (
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        (NAMED, {"tool": {"name": "weather"}}),
    ):
        assert body(HELLO, tools=tools, tool_choice=choice)["toolConfig"]["toolChoice"] == converted
    only = body(HELLO, MISTRAL, tools=tools, tool_choice=NAMED)["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in only["tools"]] == ["weather"]
    assert only["toolChoice"] == {"any": {}}
    with pytest.raises(BadRequestError, match="tool_choice"):
        body(HELLO, tools=tools, tool_choice="perhaps")


def test_anthropics_own_tools_go_around_converse() -> None:
    """computer_… and its like go to Claude as they are, with their beta flag."""
    computer = {"type": "computer_20250124", "name": "computer", "display_width_px": 1,
                "display_height_px": 1}  # fmt: skip
    built = body(HELLO, SONNET_37, tools=[computer, WEATHER])
    assert [tool["toolSpec"]["name"] for tool in built["toolConfig"]["tools"]] == ["weather"]
    assert built["additionalModelRequestFields"] == {
        "tools": [computer], "anthropic_beta": ["computer-use-2025-01-24"],
    }  # fmt: skip
    with pytest.raises(UnsupportedParamsError):
        body(HELLO, NOVA, tools=[computer])


def test_beta_flags_go_into_the_body() -> None:
    """Flags from the header, either parameter and the tools are one list, each once."""
    made = BedrockAdapter(
        Target("bedrock", SONNET_37, "key", headers={"Anthropic-Beta": "a, b"},
               settings={"aws_region_name": "us-east-1"})
    )  # fmt: skip
    call = Call(
        HELLO, {"betas": "c", "anthropic_beta": ["b"]}, extra_headers={"anthropic-beta": "d"}
    )
    built = made.build(call)
    assert json.loads(built.body)["additionalModelRequestFields"]["anthropic_beta"] == list("bcad")
    assert "anthropic-beta" not in {name.lower() for name in built.headers}


def test_json_by_schema_where_the_model_can() -> None:
    """Models with structured output are bound to the schema; it goes as text."""
    wanted = body(HELLO, SONNET_45, response_format=JSON_CITY)["outputConfig"]["textFormat"]
    definition = wanted["structure"]["jsonSchema"]
    assert (wanted["type"], definition["name"]) == ("json_schema", "city")
    assert json.loads(definition["schema"]) == {**SCHEMA, "additionalProperties": False}


def test_json_by_a_tool_elsewhere() -> None:
    """Other models must call a tool that takes the answer, as far as they can be made to."""
    config = body(HELLO, NOVA, response_format=JSON_CITY)["toolConfig"]
    assert config["toolChoice"] == {"tool": {"name": "json_tool_call"}}
    assert config["tools"][0]["toolSpec"]["inputSchema"] == {"json": SCHEMA}
    beside = body(HELLO, response_format={"type": "json_object"}, tools=[WEATHER])["toolConfig"]
    assert beside["toolChoice"] == {"any": {}}
    assert len(beside["tools"]) == 2
    assert "toolChoice" not in body(HELLO, LLAMA, response_format=JSON_CITY)["toolConfig"]
    thinking = body(HELLO, SONNET_37, response_format=JSON_CITY, reasoning_effort="low")
    assert "toolChoice" not in thinking["toolConfig"]


def test_the_json_tools_input_is_the_answer() -> None:
    """What the model gives to that tool comes back as content, whole and streamed."""
    use = {"toolUseId": "t", "name": "json_tool_call", "input": {"city": "Rome"}}
    answer = parse([{"text": "Sure:"}, {"toolUse": use}], "tool_use", response_format=JSON_CITY)
    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason) == ('{"city":"Rome"}', "stop")
    assert choice.message.tool_calls is None
    chunks = stream(
        start_tool(0, "json_tool_call"), piece(0, toolUse={"input": '{"city":'}),
        piece(0, toolUse={"input": '"Rome"}'}), stop_block(0), ended("tool_use"),
        response_format=JSON_CITY,
    )  # fmt: skip
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == '{"city":"Rome"}'
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_invalid_names_of_tools_come_back_as_the_caller_wrote_them() -> None:
    """Bedrock sees a valid name, the caller sees the one of the tool that was offered."""
    tool = {"type": "function", "function": {"name": "my.tool", "parameters": SCHEMA}}
    sent = body(HELLO, tools=[tool])["toolConfig"]["tools"][0]["toolSpec"]["name"]
    assert sent == "my_tool"
    use = {"toolUse": {"toolUseId": "t", "name": "my_tool", "input": {}}}
    (called,) = parse([use], "tool_use", tools=[tool]).choices[0].message.tool_calls or []
    assert called.function.name == "my.tool"
    chunks = stream(start_tool(0, "my_tool"), stop_block(0), ended("tool_use"), tools=[tool])
    (streamed,) = chunks[0].choices[0].delta.tool_calls or []
    assert streamed.function.name == "my.tool"


def test_an_answer_with_text_a_call_and_reasoning() -> None:
    """Every block has its place, and Bedrock's own words are kept."""
    answer = parse(
        [
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"text": "Checking."},
            {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Rome"}}},
        ],
        "tool_use",
    )
    message, choice = answer.choices[0].message, answer.choices[0]
    assert (message.content, message.reasoning_content) == ("Checking.", "hm")
    assert message.thinking_blocks == [{"type": "thinking", "thinking": "hm", "signature": "s"}]
    (called,) = message.tool_calls or []
    assert (called.id, called.function.arguments) == ("t1", '{"city":"Rome"}')
    assert (choice.finish_reason, choice.native_finish_reason) == ("tool_calls", "tool_use")
    assert answer.provider_specific_fields["metrics"] == {"latencyMs": 5}
    assert answer.model == SONNET


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("stop_sequence", "stop"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_tool_use", "stop"),
        ("something_new", "stop"),
    ],
)
def test_reasons_to_end(native: str, reason: str) -> None:
    """OpenAI's word for each of Bedrock's, which stays readable beside it."""
    choice = parse([{"text": "x"}], native).choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (reason, native)


def test_cached_tokens_are_part_of_the_prompt() -> None:
    """Bedrock counts cached tokens apart; OpenAI's `prompt_tokens` includes them."""
    usage = {**USAGE, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 5, "totalTokens": 126}
    answer = {"output": {"message": {"content": []}}, "stopReason": "end_turn", "usage": usage}
    counted = adapter().parse(json.dumps(answer).encode(), Call(HELLO)).usage
    assert counted is not None
    assert (counted.prompt_tokens, counted.total_tokens) == (117, 126)
    assert counted.prompt_tokens_details is not None
    assert counted.prompt_tokens_details.cached_tokens == 100
    assert counted.cache_creation_input_tokens == 5


def test_cited_answers_go_back_whole() -> None:
    """Citations get a stretch of the text, the web's an annotation; all blocks can return."""
    web = {"location": {"web": {"url": "https://a.b", "domain": "a.b"}}, "title": "A"}
    searched = {"toolUseId": "s", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}
    blocks = [
        {"toolUse": searched},
        {"text": "So: "},
        {"citationsContent": {"content": [{"text": "it is."}], "citations": [web]}},
    ]
    message = parse(blocks).choices[0].message
    assert (message.content, message.tool_calls) == ("So: it is.", None)
    (annotation,) = message.annotations or []
    assert annotation["url_citation"]["url"] == "https://a.b"
    assert (annotation["url_citation"]["start_index"], annotation["url_citation"]["end_index"]) == (
        4,
        10,
    )
    again = message.model_dump(exclude_none=True)
    assert turns(*HELLO, again, *HELLO)[1]["content"] == blocks
    assert turns(*HELLO, {**again, "content": "Else."}, *HELLO)[1]["content"] == [{"text": "Else."}]


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_stream_in_any_cut(cut: int) -> None:
    """Text, reasoning with its signature and calls arrive the same however the bytes are cut."""
    chunks = stream(
        piece(0, reasoningContent={"text": "hm"}), piece(0, reasoningContent={"signature": "s"}),
        stop_block(0), piece(1, text="Hel"), piece(1, text="lo"), stop_block(1),
        start_tool(2), piece(2, toolUse={"input": ""}), piece(2, toolUse={"input": '{"city":'}),
        piece(2, toolUse={"input": '"Rome"}'}), stop_block(2), start_tool(3, "time"), stop_block(3),
        ended("tool_use"), cut=cut, stream_options={"include_usage": True},
    )  # fmt: skip
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert [delta.role for delta in deltas] == ["assistant"] + [None] * (len(deltas) - 1)
    assert "".join(delta.content or "" for delta in deltas) == "Hello"
    assert [delta.thinking_blocks for delta in deltas if delta.thinking_blocks] == [
        [{"type": "thinking", "thinking": "hm", "signature": "s"}]
    ]
    calls = [call for delta in deltas for call in delta.tool_calls or ()]
    assert [(call.index, call.id, call.function.name) for call in calls if call.id] == [
        (0, "t2", "weather"),
        (1, "t3", "time"),
    ]
    arguments = ["".join(c.function.arguments or "" for c in calls if c.index == i) for i in (0, 1)]
    assert arguments == ['{"city":"Rome"}', "{}"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == [
        "tool_calls"
    ]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 21
    assert chunks[-1].provider_specific_fields["metrics"] == {"latencyMs": 7}


def test_usage_is_known_even_if_nobody_asked() -> None:
    """The router's books need it; the caller gets no chunk for it."""
    decoder = adapter().decoder(Call(HELLO, stream=True))
    out: list[ChatCompletionChunk] = []
    decoder.feed(piece(0, text="x") + stop_block(0) + ended(), out)
    assert decoder.ended
    assert decoder.usage is not None
    assert all(chunk.usage is None for chunk in out)


def test_a_stream_without_its_end_is_an_error() -> None:
    """Truncation is noticed, between events and within one."""
    whole = piece(0, text="Hello") + stop_block(0)
    for data in (whole, whole + ended()[:30]):
        with pytest.raises(APIResponseValidationError, match="stop reason"):
            stream(data)


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("throttlingException", RateLimitError, 429),
        ("modelStreamErrorException", InternalServerError, 424),
        ("internalServerException", InternalServerError, 500),
        ("serviceUnavailableException", ServiceUnavailableError, 503),
        ("validationException", BadRequestError, 400),
        ("somethingNewException", InternalServerError, 500),
    ],
)
def test_errors_inside_a_stream(name: str, kind: type[APIError], status: int) -> None:
    """An exception event ends the stream in the class its name asks for; what came before stays."""
    failing = frame({"message": "no", "originalMessage": "boom"}, exception_type=name,
                    message_type="exception")  # fmt: skip
    decoder = adapter().decoder(Call(HELLO, stream=True))
    out: list[ChatCompletionChunk] = []
    with pytest.raises(kind, match=r"no \(boom\)") as raised:
        decoder.feed(piece(0, text="Hel") + failing, out)
    assert (type(raised.value), raised.value.status_code) == (kind, status)
    assert [chunk.choices[0].delta.content for chunk in out] == ["Hel"]


def test_an_unmodelled_error_inside_a_stream() -> None:
    """AWS reports what is not in the model by headers alone."""
    failing = frame({}, error_code="InternalFailure", error_message="x", message_type="error")
    with pytest.raises(InternalServerError):
        stream(failing)


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (400, "ValidationException", "roles must alternate", BadRequestError),
        (400, "ValidationException", "Input is too long for requested model.",
         ContextWindowExceededError),
        (400, "ValidationException", "prompt is too long: 9 tokens > 8 maximum",
         ContextWindowExceededError),
        (400, "ServiceQuotaExceededException", "quota", RateLimitError),
        (403, "AccessDeniedException", "no access to the model", PermissionDeniedError),
        (403, "UnrecognizedClientException", "token is invalid", AuthenticationError),
        (403, "ExpiredTokenException", "token is expired", AuthenticationError),
        (404, "ResourceNotFoundException", "no such model", NotFoundError),
        (408, "ModelTimeoutException", "slow", Timeout),
        (424, "ModelErrorException", "the model failed", InternalServerError),
        (429, "ThrottlingException", "Too many requests", RateLimitError),
        (429, "ModelNotReadyException", "wait", RateLimitError),
        (500, "InternalServerException", "no", InternalServerError),
        (503, "ServiceUnavailableException", "no", ServiceUnavailableError),
    ],
)  # fmt: skip
def test_errors(status: int, name: str, message: str, kind: type[APIError]) -> None:
    """The error's name decides, then its words, then the status."""
    failure = error(status, name, message)
    assert (type(failure), failure.status_code, failure.code) == (kind, status, name)
    assert failure.message == message


def test_errors_of_the_gateway_before_bedrock() -> None:
    """Their body spells `Message`, or names the error in `__type`."""
    failure = adapter().error(403, {}, b'{"Message":"User is not authorized"}')
    assert (type(failure), failure.message) == (PermissionDeniedError, "User is not authorized")
    named = {"__type": "com.amazon.coral.service#ThrottlingException", "message": "slow down"}
    failure = adapter().error(400, {}, json.dumps(named).encode())
    assert (type(failure), failure.code) == (RateLimitError, "ThrottlingException")


@pytest.mark.parametrize("answer", [b"", b"<html>", b"{}", b"[]", b'{"output":{"message":{}'])
def test_answers_that_cannot_be_understood(answer: bytes) -> None:
    """A 2xx body that is no answer is a typed error, never a crash."""
    with pytest.raises(APIError):
        adapter().parse(answer, Call(HELLO))
