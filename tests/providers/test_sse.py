"""What the splitter of server-sent events promises."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from polyroute.exceptions import APIResponseValidationError
from polyroute.providers.sse import Splitter

STREAMS = {
    "plain": (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "CR": (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "mixed ends": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\r\n", [b"a", b"b", b"c"]),
    "BOM": (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "comments": (b": hello\n\n: x\ndata: a\n\n:\n\n", [b"a"]),
    "several lines": (b"data: a\ndata: b\n\n", [b"a\nb"]),
    "other fields": (b"event: e\nid: 1\ndata: a\nretry: 5\n\n", [b"a"]),
    "no space": (b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
    "empty lines": (b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n", [b"a", b"b"]),
    "text that looks like an end": (b'data: {"a":"\\n\\n"}\n\n', [b'{"a":"\\n\\n"}']),
    "letters of many bytes": ("data: 😀é\n\n".encode(), ["😀é".encode()]),
    "no end": (b"data: a\n\ndata: b", [b"a", b"b"]),
    "one end only": (b"data: a\n\ndata: b\n", [b"a", b"b"]),
    "nothing": (b"", []),
}


def split(stream: bytes, size: int, limit: int = 2**20) -> list[bytes]:
    splitter = Splitter(limit)
    found: list[bytes] = []
    for start in range(0, len(stream), size):
        found += splitter.feed(stream[start : start + size])
    return found + splitter.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 2**20])
@pytest.mark.parametrize(("stream", "payloads"), STREAMS.values(), ids=STREAMS)
def test_every_cut_gives_the_same_events(stream: bytes, payloads: list[bytes], size: int) -> None:
    """Line ends, comments and several lines are read the same wherever the bytes are cut."""
    assert split(stream, size) == payloads


def test_an_event_is_handed_out_when_its_end_arrives() -> None:
    """Nothing waits for the event after it."""
    splitter = Splitter(100)
    assert splitter.feed(b"data: a\n") == []
    assert splitter.feed(b"\n") == [b"a"]
    assert splitter.feed(b"data: b\n\nda") == [b"b"]


def test_a_large_event_is_joined_once() -> None:
    """A megabyte in reads of a kilobyte costs a fixed number of joins, not one for each read."""
    stream = b"data: " + b"x" * 2**20 + b"\n\n"
    joins = 0

    def count(_frame: Any, event: str, function: Any) -> None:
        nonlocal joins
        joins += event == "c_call" and getattr(function, "__name__", "") == "join"

    sys.setprofile(count)
    try:
        payloads = split(stream, 1024, limit=2**21)
    finally:
        sys.setprofile(None)
    assert (len(payloads[0]), joins <= 4) == (2**20, True)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"", b"\n\n"])
def test_an_event_without_end_is_an_error(size: int, end: bytes) -> None:
    """What grows beyond the limit is refused, by name, even if it comes whole in one read."""
    with pytest.raises(APIResponseValidationError, match="larger than 50 bytes"):
        split(b"data: a\n\ndata: " + b"x" * 100 + end, size, limit=50)


def test_many_short_events_are_no_long_one() -> None:
    """The limit is one event's, not one read's."""
    assert len(split(b"data: 0123456789\n\n" * 100, 1000, limit=50)) == 100


@pytest.mark.parametrize(
    ("stream", "document"),
    [(b' {"error": 1}\n', b'{"error": 1}'), (b"data: {}", b""), (b"<html>", b""), (b"", b"")],
)
def test_a_document_instead_of_events(stream: bytes, document: bytes) -> None:
    """JSON that came where events were asked for can be had as it is."""
    splitter = Splitter(100)
    splitter.feed(stream)
    assert splitter.document() == document
