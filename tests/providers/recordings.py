"""
Recorded real traffic, and which adapter reads it.

The recordings are other projects' data and stay outside: POLYROUTE_SHARED names the folder that
holds `recordings/`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from polyroute.providers import Call, Target, adapter

from .readers import read_choices

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = os.environ.get("POLYROUTE_SHARED", "")

PREFIXES = {
    "alibaba": "dashscope",
    "bedrock": "openai",
    "crusoe": "openai",
    "snowflake": "openai",
    "together": "together_ai",
}
"""Recorded providers whose chat is in OpenAI's format, under the prefix of ours that reads it."""

FORMATS = {"converse": "bedrock", "generateContent": "gemini", "messages": "anthropic"}
SOME_MODEL = {"anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-pro"}
SETTINGS = {"aws_region_name": "us-east-1", "vertex_project": "some-project"}

BY_INVOKE = re.compile(r"claude-(?!instant)")
"""Models of Bedrock's InvokeModel that are spoken to in Anthropic's format."""

EVENT_STREAM = "application/vnd.amazon.eventstream"


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
        kind = self.headers.get("content-type", "")
        objects = self.format == "gemini" and self.body.startswith(b"[")  # without alt=sse
        events = self.body.lstrip().startswith((b"data:", b"event:", b":"))
        return objects or events or (self.status == 200 and kind == EVENT_STREAM)

    def adapter(self) -> Any:
        model = self.request.get("model") or SOME_MODEL.get(self.format, "some-model")
        base = "http://127.0.0.1:1"
        if self.provider == "ollama" and self.format == "openai":
            base += "/v1"
        if self.provider == "bedrock" and self.format == "anthropic":
            model = f"invoke/{model}"
        key = "key-of-the-test"
        return adapter(Target(self.provider, model, key, base, settings=SETTINGS))

    def call(self) -> Call:
        return Call(
            [{"role": "user", "content": "hi"}],
            {"stream_options": {"include_usage": True}},
            stream=self.streamed,
        )

    def answers(self) -> list[dict[str, Any]]:
        """The JSON of the answer or of each event, by the plainest reading there is."""
        if self.streamed and self.provider == "bedrock":
            return list(frames(self.body))
        if not self.streamed or self.body.startswith(b"["):
            answer = json.loads(self.body)
            return answer if isinstance(answer, list) else [answer]
        text = self.body.decode().replace("\r\n", "\n")
        payloads = [
            "\n".join(line[5:] for line in event.split("\n") if line.startswith("data:"))
            for event in text.split("\n\n")
        ]
        return [
            json.loads(payload) for payload in payloads if payload.strip() not in ("", "[DONE]")
        ]


def frames(stream: bytes) -> Iterator[dict[str, Any]]:
    """The messages of an AWS event stream under their types."""
    while stream:
        total, headers = struct.unpack(">II", stream[:8])
        kind = re.search(rb":(?:event|exception)-type\x07..(\w+)", stream[:total], re.DOTALL)
        payload = json.loads(stream[12 + headers : total - 4])
        chunk = kind[1] == b"chunk"  # InvokeModel's: in the model's own format
        yield (
            json.loads(base64.b64decode(payload["bytes"])) if chunk else {kind[1].decode(): payload}
        )
        stream = stream[total:]


def load() -> list[Recording]:
    """Every recording of a chat."""
    found = []
    for path in sorted(Path(SHARED, "recordings").glob("*/*.json")) if SHARED else ():
        record = json.loads(path.read_text())
        reader = reader_of(record)
        if reader is None:
            continue
        request, response = record["request"], record["response"]
        encoded = response.get("body_base64")
        asked = re.search(r"/model/([^/]+)/", request["path"])
        model = {"model": asked[1].replace("%3A", ":")} if asked else {}
        found.append(
            Recording(
                name=f"{path.parent.name}/{path.stem}",
                provider=reader[0],
                format=reader[1],
                request={**(request["body"] or {}), **model},
                status=response["status"],
                headers={name.lower(): value for name, value in response["headers"].items()},
                body=base64.b64decode(encoded) if encoded else response["body"].encode(),
            )
        )
    return found


def reader_of(record: dict[str, Any]) -> tuple[str, str] | None:
    """The prefix and format of the adapter that reads a recording, None if it is no chat."""
    recorded, path = record["provider"], record["request"]["path"]
    if record["endpoint"] == "invoke":
        return ("bedrock", "anthropic") if BY_INVOKE.search(path) else None
    shape = FORMATS.get(record["endpoint"])
    if shape is not None:
        return "vertex_ai" if recorded == "vertex" else shape, shape
    if record["endpoint"] != "chat" or (recorded == "cohere" and "/v1/chat" in path):
        return None  # Cohere's first version is another format
    if recorded == "cohere" or (recorded == "ollama" and path.endswith("/api/chat")):
        return recorded, recorded
    provider = PREFIXES.get(recorded, recorded)
    return "openai" if provider == "gemini" else provider, "openai"


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


def recorded(pattern: str) -> Any:
    """Run a test for each record of another operation, by the pattern of its path."""
    paths = sorted(Path(SHARED, "recordings").glob(pattern)) if SHARED else []
    params = [pytest.param(json.loads(path.read_text()), id=path.stem) for path in paths]
    return pytest.mark.parametrize("record", params or [NONE])


def every(wanted: Any) -> Any:
    """Run a test for each recording that is `wanted`."""
    chosen = [pytest.param(found, id=found.name) for found in RECORDINGS if wanted(found)]
    return pytest.mark.parametrize("recording", chosen or [NONE])


def fails_late(recording: Recording) -> bool:
    """The answer carries an error although its status is 200, and before its end."""
    for event in recording.answers():
        if isinstance(event, dict) and (event.get("error") or event.get("type") == "error"):
            return True
        if any(choice.get("finish_reason") for choice in read_choices(event)):
            return False
    return False


def kind(recording: Recording) -> str:
    """Which of the four ways an exchange can go."""
    if recording.status >= 300:
        return "failure"
    if fails_late(recording):
        return "late failure"
    return "stream" if recording.streamed else "whole"
