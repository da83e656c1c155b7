"""
The same model API as `upstream.c`, for machines without a C compiler.

    python -m benchmarks.upstream_python        prints the port it listens on

With many calls in flight it is slower than some of the clients, and their throughput is then its
own: it is there to run the benchmarks anywhere, not to publish their figures. It knows the same
scenarios (`lat`, `n`, `b`, `d` in the first segment of the path) and sends the same texts.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

WORDS = (" the", " quick", " brown", " fox", " jumps", " over", " a", " lazy", " dog", ".")
USAGE = {"prompt_tokens": 19, "completion_tokens": 20, "total_tokens": 39}
HEAD = "HTTP/1.1 200 OK\r\nx-request-id: req_7d3f0c5b9a1e4f2c8b6d\r\nserver: upstream\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent, write by write, after `latency` and with `pause` seconds in between."""

    writes: tuple[bytes, ...]
    latency: float
    pause: float


@cache
def render(scenario: str, stream: bool, with_usage: bool) -> Answer:
    """The answer of a scenario such as `n200-d1000`."""
    settings = {name: float(value) for name, value in re.findall(r"([a-z]+)([\d.]+)", scenario)}
    pause = settings.get("d", 0) / 1e6
    burst = int(settings.get("b", 0)) or (1 if pause else sys.maxsize)
    writes = stream_writes(int(settings.get("n", 20)), burst, with_usage) if stream else [whole()]
    return Answer(tuple(writes), settings.get("lat", 0) / 1e3, pause)


def whole() -> bytes:
    """An answer in one piece."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(WORDS),
        "refusal": None,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    body = encoded(kind="chat.completion", choices=[choice], usage=USAGE)
    length = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return (HEAD + length).encode() + body


def stream_writes(count: int, burst: int, with_usage: bool) -> list[bytes]:
    """A stream of `count` content chunks, `burst` of them in each write."""
    usage = {"usage": None} if with_usage else {}
    deltas: list[dict[str, Any]] = [{"content": WORDS[i % len(WORDS)]} for i in range(count)]
    events = [event(chunk({"role": "assistant", "content": ""}, **usage))]
    events += [event(chunk(delta, **usage)) for delta in deltas]
    tail = event(chunk({}, finish_reason="stop", **usage))
    if with_usage:
        tail += event(encoded(kind="chat.completion.chunk", choices=[], usage=USAGE))
    tail += event(b"[DONE]") + b"0\r\n\r\n"
    head = (
        HEAD
        + "content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    bursts = [b"".join(events[i : i + burst]) for i in range(0, len(events), burst)]
    bursts[0] = head.encode() + bursts[0]
    bursts[-1] += tail
    return bursts


def chunk(delta: dict[str, Any], *, finish_reason: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return encoded(kind="chat.completion.chunk", choices=[choice], **fields)


def encoded(*, kind: str, **fields: Any) -> bytes:
    common = {"id": "chatcmpl-1", "object": kind, "created": 1741569952, "model": "gpt-4o-mini"}
    return json.dumps(common | fields, separators=(",", ":")).encode()


def event(data: bytes) -> bytes:
    """A server-sent event as one HTTP chunk."""
    return b"%x\r\ndata: %s\n\n\r\n" % (len(data) + 8, data)


class Connection(asyncio.Protocol):
    """One client; its requests are answered in order, one at a time."""

    def __init__(self) -> None:
        self.input = b""
        self.answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        if self.answering:
            self.answering.cancel()

    def data_received(self, data: bytes) -> None:
        self.input += data
        if not self.answering:
            self.read_request()

    def read_request(self) -> None:
        """Take one request from the input, if it is complete, and answer it."""
        head, end, rest = self.input.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        size = int(length[1]) if length else 0
        if not end or len(rest) < size:
            return
        body, self.input = rest[:size], rest[size:]
        scenario = head.split(b"/", 2)[1].decode()
        stream = re.search(rb'"stream": *true', body) is not None
        answer = render(scenario, stream, b'"include_usage":' in body)
        if len(answer.writes) == 1 and not answer.latency:
            self.transport.write(answer.writes[0])
        else:
            self.answering = asyncio.create_task(self.send_slowly(answer))

    async def send_slowly(self, answer: Answer) -> None:
        await asyncio.sleep(answer.latency)
        for i, data in enumerate(answer.writes):
            if i:
                await asyncio.sleep(answer.pause)
            self.transport.write(data)
        self.answering = None
        self.read_request()


async def serve() -> None:
    """Listen until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
