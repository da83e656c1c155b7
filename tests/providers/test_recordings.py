"""
One contract for every provider, over recorded real traffic.

The recordings are other projects' data and stay outside: POLYROUTE_SHARED names the folder that
holds `recordings/`. Each recording is read twice, by the adapter and by a few plain lines here
(`read_openai`, `read_anthropic`, `read_cohere`, …) that know nothing of the adapter.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from polyroute import exceptions
from polyroute.providers import Call, Target, adapter

SHARED = os.environ.get("POLYROUTE_SHARED", "")

PREFIXES = {
    "alibaba": "dashscope",
    "bedrock": "openai",
    "crusoe": "openai",
    "snowflake": "openai",
    "together": "together_ai",
}
"""Recorded providers whose chat is in OpenAI's format, under the prefix of ours that reads it."""

FORMATS = {"messages": "anthropic", "generateContent": "gemini"}
SOME_MODEL = {"anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-pro"}

CLASSES = {
    401: exceptions.AuthenticationError,
    403: exceptions.PermissionDeniedError,
    404: exceptions.NotFoundError,
    429: exceptions.RateLimitError,
}
TOO_LONG = re.compile(r"maximum context|max context length|messages is too long")


@dataclass
class Said:
    """What one choice says: the least that must survive any translation."""

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)


@dataclass
class Recording:
    """One recorded exchange, and which adapter reads it."""

    name: str
    provider: str
    format: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def streamed(self) -> bool:
        return self.body.lstrip().startswith((b"data:", b"event:", b":"))

    def adapter(self) -> Any:
        model = self.request.get("model") or SOME_MODEL.get(self.format, "some-model")
        settings = {"vertex_project": "some-project"}
        base = "http://127.0.0.1:1"
        if self.provider == "ollama" and self.format == "openai":
            base += "/v1"
        key = "key-of-the-test"
        return adapter(Target(self.provider, model, key, base, settings=settings))

    def call(self) -> Call:
        return Call(
            [{"role": "user", "content": "hi"}],
            {"stream_options": {"include_usage": True}},
            stream=self.streamed,
        )

    def events(self) -> list[dict[str, Any]]:
        """The JSON of each event, by the plainest reading there is."""
        text = self.body.decode().replace("\r\n", "\n")
        payloads = [
            "\n".join(line[5:] for line in event.split("\n") if line.startswith("data:"))
            for event in text.split("\n\n")
        ]
        return [
            json.loads(payload) for payload in payloads if payload.strip() not in ("", "[DONE]")
        ]


def cohere_path(record: dict[str, Any]) -> str:
    """Where a request to Cohere went; its first version is another format."""
    return record["request"]["path"] if record["provider"] == "cohere" else ""


def load() -> list[Recording]:
    found = []
    for path in sorted(Path(SHARED, "recordings").glob("*/*.json")) if SHARED else ():
        record = json.loads(path.read_text())
        native = record["provider"] == "ollama" and record["request"]["path"].endswith("/api/chat")
        if record["endpoint"] == "chat" and "/v1/chat" not in cohere_path(record):
            shape = "cohere" if record["provider"] == "cohere" else "openai"
            shape = "ollama" if native else shape
            provider = PREFIXES.get(record["provider"], record["provider"])
            provider = "openai" if provider == "gemini" else provider
        elif record["endpoint"] in FORMATS:
            shape = FORMATS[record["endpoint"]]
            provider = "vertex_ai" if record["provider"] == "vertex" else shape
        else:
            continue
        response = record["response"]
        if record["endpoint"] == "generateContent" and response["body"].startswith("["):
            continue  # a stream without alt=sse, which we never ask for
        found.append(
            Recording(
                name=f"{path.parent.name}/{path.stem}",
                provider=provider,
                format=shape,
                request=record["request"]["body"] or {},
                status=response["status"],
                headers={name.lower(): value for name, value in response["headers"].items()},
                body=response["body"].encode(),
            )
        )
    return found


def load_quoted() -> list[Recording]:
    """Errors that people quoted in public issues: the overloads and limits nobody records."""
    path = Path(SHARED, "recordings", "_quoted_errors.jsonl")
    lines = path.read_text().splitlines() if SHARED else []
    return [
        Recording(
            name=f"quoted/{number}-{quoted['provider']}",
            provider=quoted["provider"],
            format="error",
            request={"model": SOME_MODEL.get(quoted["provider"], "some-model")},
            status=quoted["response"]["status"],
            headers=quoted["response"]["headers"],
            body=json.dumps(quoted["response"]["body"]).encode(),
        )
        for number, quoted in enumerate(map(json.loads, lines))
        if quoted["provider"] != "bedrock"  # signs its requests: see its own tests
    ]


RECORDINGS = load() + load_quoted()
NONE = pytest.param(
    None,
    marks=pytest.mark.skip(reason="set POLYROUTE_SHARED to the folder that holds recordings/"),
)


def every(wanted: Any) -> Any:
    """Run a test for each recording that is `wanted`."""
    chosen = [pytest.param(found, id=found.name) for found in RECORDINGS if wanted(found)]
    return pytest.mark.parametrize("recording", chosen or [NONE])


def fails_late(recording: Recording) -> bool:
    """The answer carries an error although its status is 200, and before its end."""
    for event in recording.events() if recording.streamed else [json.loads(recording.body)]:
        if isinstance(event, dict) and (event.get("error") or event.get("type") == "error"):
            return True
        if any(choice.get("finish_reason") for choice in read_choices(event)):
            return False
    return False


def read_choices(answer: Any) -> list[dict[str, Any]]:
    """The choices of an answer in OpenAI's format, none of another's."""
    return answer.get("choices") or [] if isinstance(answer, dict) else []


def kind(recording: Recording) -> str:
    """Which of the four ways an exchange can go."""
    if recording.status >= 300:
        return "failure"
    if fails_late(recording):
        return "late failure"
    return "stream" if recording.streamed else "whole"


whole = every(lambda recording: kind(recording) == "whole")
stream = every(lambda recording: kind(recording) == "stream")
late_failure = every(lambda recording: kind(recording) == "late failure")
failure = every(lambda recording: kind(recording) == "failure")
whole_openai = every(lambda found: kind(found) == "whole" and found.format == "openai")
stream_openai = every(lambda found: kind(found) == "stream" and found.format == "openai")


def read_openai(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """OpenAI's format, whole (`message`) or in chunks (`delta`)."""
    said: dict[int, Said] = defaultdict(Said)
    pieces: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(lambda: ["", ""]))
    for answer in answers:
        for choice in answer.get("choices") or ():
            inner = choice["message"] if len(answers) == 1 else choice.get("delta") or {}
            mine = said[choice["index"]]
            content = inner.get("content") or ""
            for part in [{"text": content}] if isinstance(content, str) else content:
                mine.text += part.get("text") or ""
                mine.reasoning += "".join(piece["text"] for piece in part.get("thinking") or ())
            mine.reasoning += inner.get("reasoning_content") or inner.get("reasoning") or ""
            for position, call in enumerate(inner.get("tool_calls") or ()):
                index = position if len(answers) == 1 else call.get("index", position)
                piece = pieces[choice["index"]][index]
                piece[0] += call["function"].get("name") or ""
                piece[1] += call["function"].get("arguments") or ""
    for index, calls in pieces.items():
        said[index].calls = [(name, json.loads(text or "{}")) for name, text in calls.values()]
    return said


def read_anthropic(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Anthropic's content blocks, whole or event by event."""
    said = Said()
    pieces: dict[int, list[str]] = {}
    for answer in answers:
        blocks = list(enumerate(answer.get("content") or ()))
        if answer.get("type") == "content_block_start":
            blocks = [(answer["index"], answer["content_block"])]
        for index, block in blocks:
            said.text += block.get("text") or "" if block["type"] == "text" else ""
            said.reasoning += block.get("thinking") or ""
            if block["type"] == "tool_use":
                pieces[index] = [block["name"], json.dumps(block["input"])]
        delta = answer.get("delta") or {}
        said.text += delta.get("text") or ""
        said.reasoning += delta.get("thinking") or ""
        if delta.get("partial_json") and answer["index"] in pieces:
            name, text = pieces[answer["index"]]
            pieces[answer["index"]] = [name, text.removeprefix("{}") + delta["partial_json"]]
    said.calls = [(name, json.loads(text)) for name, text in pieces.values()]
    return {0: said}


def read_gemini(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Gemini's parts, whole or event by event."""
    said: dict[int, Said] = defaultdict(Said)
    for answer in answers:
        if (answer.get("promptFeedback") or {}).get("blockReason"):
            said[0] = Said()  # the prompt is blocked: an answer that says nothing
        for candidate in answer.get("candidates") or ():
            mine = said[candidate.get("index", 0)]
            for part in (candidate.get("content") or {}).get("parts") or ():
                if part.get("thought"):
                    mine.reasoning += part.get("text") or ""
                else:
                    mine.text += part.get("text") or ""
                if "functionCall" in part:
                    call = part["functionCall"]
                    mine.calls.append((call["name"], call.get("args") or {}))
    return said


def read_ollama(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Ollama's message."""
    message = answers[0]["message"]
    functions = [call["function"] for call in message.get("tool_calls") or ()]
    calls = [(function["name"], function["arguments"]) for function in functions]
    return {0: Said(message["content"], message.get("thinking") or "", calls)}


def read_cohere(answers: list[dict[str, Any]]) -> dict[int, Said]:
    """Cohere's message, whole or event by event."""
    said = Said()
    pieces: dict[int, list[str]] = defaultdict(lambda: ["", ""])
    for answer in answers:
        message = answer.get("message") or (answer.get("delta") or {}).get("message") or {}
        content, calls = message.get("content") or [], message.get("tool_calls") or []
        for block in [content] if isinstance(content, dict) else content:
            said.text += block.get("text") or ""
            said.reasoning += block.get("thinking") or ""
        for position, call in enumerate([calls] if isinstance(calls, dict) else calls):
            piece = pieces[answer.get("index", position)]
            piece[0] += call["function"].get("name") or ""
            piece[1] += call["function"].get("arguments") or ""
    said.calls = [(name, json.loads(text or "{}")) for name, text in pieces.values()]
    return {0: said}


READERS = {
    "anthropic": read_anthropic,
    "cohere": read_cohere,
    "gemini": read_gemini,
    "ollama": read_ollama,
    "openai": read_openai,
}


def read_usage(format: str, answers: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Tokens of the prompt and in total, None if the provider did not count."""
    if format == "ollama":
        prompt = answers[0]["prompt_eval_count"]
        return prompt, prompt + answers[0]["eval_count"]
    if format == "gemini":
        counts = [answer["usageMetadata"] for answer in answers if "usageMetadata" in answer]
        if not counts or "totalTokenCount" not in counts[-1]:
            return None
        prompt = ("promptTokenCount", "toolUsePromptTokenCount")
        return sum(counts[-1].get(name, 0) for name in prompt), counts[-1]["totalTokenCount"]
    if format == "cohere":
        ends = [
            answer.get("usage") or (answer.get("delta") or {}).get("usage") for answer in answers
        ]
        tokens = next(usage["tokens"] for usage in reversed(ends) if usage)
        prompt = tokens["input_tokens"] + tokens.get("image_tokens", 0)
        return prompt, prompt + tokens["output_tokens"]
    merged: dict[str, Any] = {}
    for answer in answers:
        usage = answer.get("usage") or (answer.get("message") or {}).get("usage") or {}
        merged.update({name: value for name, value in usage.items() if value is not None})
    if not merged:
        return None
    if format == "openai":
        return merged["prompt_tokens"], merged["total_tokens"]
    cached = ("cache_creation_input_tokens", "cache_read_input_tokens")
    prompt = merged["input_tokens"] + sum(merged.get(name) or 0 for name in cached)
    return prompt, prompt + merged["output_tokens"]


def counted(answers: list[dict[str, Any]]) -> int | None:
    """The completion tokens as the provider counts them; some leave reasoning out."""
    counts = [answer["usage"] for answer in answers if answer.get("usage")]
    return counts[-1].get("completion_tokens") if counts else None


def said_by(messages: dict[int, Any]) -> dict[int, Said]:
    """The same three things, of messages that the adapter made."""
    return {
        index: Said(
            message.content or "",
            message.reasoning_content or "",
            [
                (call.function.name, json.loads(call.function.arguments or "{}"))
                for call in message.tool_calls or ()
            ],
        )
        for index, message in messages.items()
    }


def said_in(chunks: list[Any]) -> dict[int, Said]:
    """The same three things, of chunks that the adapter made, put together."""
    said: dict[int, Said] = defaultdict(Said)
    pieces: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(lambda: ["", ""]))
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        delta = choice.delta
        said[choice.index].text += delta.content or ""
        said[choice.index].reasoning += delta.reasoning_content or ""
        for call in delta.tool_calls or ():
            pieces[choice.index][call.index][0] += call.function.name or ""
            pieces[choice.index][call.index][1] += call.function.arguments or ""
    for index, calls in pieces.items():
        said[index].calls = [(name, json.loads(text or "{}")) for name, text in calls.values()]
    return said


def decode(recording: Recording, size: int) -> tuple[list[Any], Any]:
    """The chunks of a stream that arrives in reads of `size` bytes, and its decoder."""
    decoder = recording.adapter().decoder(recording.call())
    chunks: list[Any] = []
    for start in range(0, len(recording.body), size):
        decoder.feed(recording.body[start : start + size], chunks)
    decoder.finish(chunks)
    return chunks, decoder


def dump(chunks: list[Any], recording: Recording) -> str:
    """The chunks as text; ids and times that the provider did not send count as equal."""
    sent = recording.body.decode()
    text = json.dumps([chunk.model_dump() for chunk in chunks])
    for made in re.findall(r'"(?:id|created)": "?([^",]+)', text):
        text = text if made in sent else text.replace(made, "made up")
    return text


def read(recording: Recording) -> Any:
    """The answer, whole or in chunks."""
    if recording.streamed:
        return decode(recording, 7)
    return recording.adapter().parse(recording.body, recording.call())


def assert_kept(raw: dict[str, Any], record: Any) -> None:
    """Every field that the provider sent can be read from the record."""
    for name, value in raw.items():
        assert name in record, f"{name} is lost"
        if name not in record.__struct_fields__:
            assert record[name] == value == record.provider_specific_fields[name]


@whole
def test_a_whole_answer_says_what_the_provider_said(recording: Recording) -> None:
    """Text, reasoning, tool calls and usage equal a plain reading of the provider's JSON."""
    raw = json.loads(recording.body)
    raws = raw if isinstance(raw, list) else [raw]
    answer = recording.adapter().parse(recording.body, recording.call())
    messages = {choice.index: choice.message for choice in answer.choices}
    assert said_by(messages) == READERS[recording.format](raws)
    ends = [choice.finish_reason for choice in answer.choices]
    assert all(ends) or any(choice.get("finish_reason") == "" for choice in read_choices(raw))
    usage = read_usage(recording.format, raws)
    if usage:
        assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == usage
        assert answer.usage.completion_tokens in (usage[1] - usage[0], counted(raws))
    assert json.loads(answer.model_dump_json()) == answer.model_dump()


@whole_openai
def test_a_whole_answer_loses_no_field(recording: Recording) -> None:
    """Fields that OpenAI does not define are reachable, by name and as specific fields."""
    raw = json.loads(recording.body)
    answer = recording.adapter().parse(recording.body, recording.call())
    assert_kept(raw, answer)
    for before, choice in zip(raw["choices"], answer.choices, strict=True):
        assert_kept(before, choice)
        assert_kept(before["message"], choice.message)
    if raw.get("usage"):
        assert set(answer.usage) >= set(raw["usage"])


@stream
def test_a_stream_is_the_same_for_every_cut(recording: Recording) -> None:
    """Reads of one byte, of seven and of everything give the same chunks."""
    sizes = (1, 7, len(recording.body))
    dumps = [dump(decode(recording, size)[0], recording) for size in sizes]
    assert dumps[0] == dumps[2]
    assert dumps[1] == dumps[2]


@stream
def test_a_stream_says_what_the_provider_said(recording: Recording) -> None:
    """The chunks add up to a plain reading of the events, with one id, one role, one end each."""
    events = recording.events()
    chunks, decoder = decode(recording, len(recording.body))
    assert len({chunk.id for chunk in chunks}) == 1
    assert said_in(chunks) == READERS[recording.format](events)
    roles, ends = defaultdict(list), defaultdict(list)
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        roles[choice.index] += [choice.delta.role] if choice.delta.role else []
        ends[choice.index] += [choice.finish_reason] if choice.finish_reason else []
    assert all(found == ["assistant"] for found in roles.values())
    assert all(len(found) <= 1 for found in ends.values())
    raw_ends = {
        choice["index"]: choice["finish_reason"]
        for choice in (choice for event in events for choice in read_choices(event))
        if choice.get("finish_reason")
    }
    assert all(ends[index] == [reason] for index, reason in raw_ends.items())
    assert all(ends.values()) or recording.format == "openai"
    usage = read_usage(recording.format, events)
    if usage:
        assert (decoder.usage.prompt_tokens, decoder.usage.total_tokens) == usage
        assert decoder.usage.completion_tokens in (usage[1] - usage[0], counted(events))
        assert [chunk.usage for chunk in chunks if chunk.usage][-1] == decoder.usage


@stream_openai
def test_a_stream_loses_no_field(recording: Recording) -> None:
    """Fields that OpenAI does not define are reachable in some chunk."""
    chunks, _decoder = decode(recording, len(recording.body))
    kept = {name for chunk in chunks for name in chunk}
    kept_choice = {name for chunk in chunks for choice in chunk.choices for name in choice}
    kept_delta = {name for chunk in chunks for choice in chunk.choices for name in choice.delta}
    for event in recording.events():
        assert event.keys() <= kept
        for choice in event.get("choices") or ():
            assert choice.keys() <= kept_choice
            assert (choice.get("delta") or {}).keys() <= kept_delta


@stream
def test_a_stream_cut_short_is_an_error(recording: Recording) -> None:
    """A connection that ends before the provider has said so never looks like an end."""
    decoder = recording.adapter().decoder(recording.call())
    chunks: list[Any] = []
    decoder.feed(recording.body[: len(recording.body) // 3], chunks)
    if not any(choice.finish_reason for chunk in chunks for choice in chunk.choices):
        with pytest.raises(exceptions.APIResponseValidationError):
            decoder.finish(chunks)


@late_failure
def test_what_fails_at_200_raises(recording: Recording) -> None:
    """An error inside an answer is raised, with a message and a status of its own."""
    with pytest.raises(exceptions.APIError) as raised:
        read(recording)
    assert raised.value.message
    assert raised.value.status_code >= 400


@failure
def test_an_error_is_read(recording: Recording) -> None:
    """An error has its status, a message, and the class that its status or words ask for."""
    error = recording.adapter().error(recording.status, recording.headers, recording.body)
    assert isinstance(error, exceptions.APIError)
    assert error.status_code == recording.status
    assert error.message
    assert isinstance(error, CLASSES.get(recording.status, exceptions.APIError))
    if TOO_LONG.search(recording.body.decode()):
        assert isinstance(error, exceptions.ContextWindowExceededError)
    assert "key-of-the-test" not in f"{error!r} {error.body} {error.response_headers}"
