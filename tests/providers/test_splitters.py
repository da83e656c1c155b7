"""What the splitters of all streams promise: bytes in any cut, whole events out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from polyroute.exceptions import APIResponseValidationError
from polyroute.providers.gemini_stream import EitherSplitter, ObjectSplitter
from polyroute.providers.lines import LineSplitter
from polyroute.providers.sse import Splitter

if TYPE_CHECKING:
    from collections.abc import Callable


class Format(NamedTuple):
    """A splitter, and how an event looks before and after it."""

    make: Callable[[int], Any]
    head: bytes
    tail: bytes
    event: bytes = b'{"text":"%s"}'

    def framed(self, *texts: bytes) -> bytes:
        """The stream of events with these texts."""
        return b"".join(self.head + self.event % text + self.tail for text in texts)


FORMATS = {
    "events": Format(Splitter, b"data: ", b"\n\n"),
    "lines": Format(LineSplitter, b"", b"\n"),
    "objects": Format(ObjectSplitter, b",\r\n", b"\r\n"),
    "either, as events": Format(EitherSplitter, b"data: ", b"\n\n"),
    "either, as objects": Format(EitherSplitter, b"[", b","),
}
formats = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)

STREAMS: dict[str, tuple[type[Any], bytes, list[bytes]]] = {
    "events": (Splitter, b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    "events, CRLF": (Splitter, b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    "events, CR": (Splitter, b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    "events, mixed ends": (
        Splitter,
        b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\r\n",
        [b"a", b"b", b"c"],
    ),
    "events, BOM": (Splitter, b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    "events, comments": (Splitter, b": hello\n\n: x\ndata: a\n\n:\n\n", [b"a"]),
    "events, several lines": (Splitter, b"data: a\ndata: b\n\n", [b"a\nb"]),
    "events, other fields": (Splitter, b"event: e\nid: 1\ndata: a\nretry: 5\n\n", [b"a"]),
    "events, no space": (Splitter, b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
    "events, empty lines": (Splitter, b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n", [b"a", b"b"]),
    "events, text like an end": (
        Splitter,
        b'data: {"a":"\\n\\n"}\n\n',
        [b'{"a":"\\n\\n"}'],
    ),
    "events, no end": (Splitter, b"data: a\n\ndata: b", [b"a", b"b"]),
    "events, one end only": (Splitter, b"data: a\n\ndata: b\n", [b"a", b"b"]),
    "events, nothing": (Splitter, b"", []),
    "lines": (LineSplitter, b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
    "lines, CRLF": (LineSplitter, b'{"a":1}\r\n{"b":2}\r\n', [b'{"a":1}', b'{"b":2}']),
    "lines, empty": (LineSplitter, b'\n\n{"a":1}\n \n\n{"b":2}\n\n', [b'{"a":1}', b'{"b":2}']),
    "lines, no end": (LineSplitter, b'{"a":1}\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
    "lines, nothing": (LineSplitter, b"", []),
    "objects": (ObjectSplitter, b'[{"a":1},\n{"b":{}}]', [b'{"a":1}', b'{"b":{}}']),
    "objects, braces in text": (
        ObjectSplitter,
        b'[{"a":"}{\\"}\\\\"},{}]',
        [b'{"a":"}{\\"}\\\\"}', b"{}"],
    ),
    "objects, no end": (ObjectSplitter, b'[{"a":1},{"b', [b'{"a":1}', b'{"b']),
    "objects, nothing": (ObjectSplitter, b"[]", []),
    "either, nothing": (EitherSplitter, b" \n", []),
}


def split(splitter: Any, stream: bytes, size: int) -> list[bytes]:
    """What a splitter makes of a stream that arrives in pieces."""
    found: list[bytes] = []
    for start in range(0, len(stream), size):
        found += splitter.feed(stream[start : start + size])
    return [*found, *splitter.finish()]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 2**20])
@pytest.mark.parametrize(("make", "stream", "events"), STREAMS.values(), ids=STREAMS)
def test_oddities_are_read_the_same_in_every_cut(
    make: Callable[[int], Any], stream: bytes, events: list[bytes], size: int
) -> None:
    """Line ends, comments, empty lines and quotes mean the same wherever the bytes are cut."""
    assert split(make(2**20), stream, size) == events


@formats
@pytest.mark.parametrize("size", [1, 2, 7, 2**20])
def test_every_cut_gives_the_same_events(form: Format, size: int) -> None:
    """Events are whole, letters of many bytes too."""
    texts = (b"a", "😀é".encode(), b"")
    assert split(form.make(2**20), form.framed(*texts), size) == [
        form.event % text for text in texts
    ]


@formats
def test_an_event_is_handed_out_when_its_end_arrives(form: Format) -> None:
    """Nothing waits for the event after it."""
    splitter = form.make(100)
    stream = form.framed(b"a")
    assert splitter.feed(stream[:10]) == []
    assert splitter.feed(stream[10:]) == [form.event % b"a"]
    assert splitter.feed(form.framed(b"b") + form.head) == [form.event % b"b"]


@formats
def test_a_large_event_is_joined_once(form: Format) -> None:
    """A megabyte in reads of a kilobyte costs a fixed number of joins, not one for each read."""
    stream = form.framed(b"x" * 2**20)
    splitter = form.make(2**21)
    joins = 0

    def count(_frame: Any, event: str, function: Any) -> None:
        nonlocal joins
        joins += event == "c_call" and getattr(function, "__name__", "") == "join"

    sys.setprofile(count)
    try:
        events = split(splitter, stream, 1024)
    finally:
        sys.setprofile(None)
    assert (len(events[0]) > 2**20, joins <= 4) == (True, True)


@formats
@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("ended", [False, True])
def test_an_event_beyond_the_limit_is_an_error(form: Format, size: int, ended: bool) -> None:
    """What grows beyond it is refused, by name, even if it comes whole in one read."""
    stream = form.framed(b"a", b"x" * 100)
    with pytest.raises(APIResponseValidationError, match="larger than 50 bytes"):
        split(form.make(50), stream if ended else stream[: -len(form.tail) - 2], size)


@formats
@pytest.mark.parametrize("size", [7, 1000])
def test_many_short_events_are_no_long_one(form: Format, size: int) -> None:
    """The limit is one event's, not the stream's or one read's."""
    assert len(split(form.make(50), form.framed(*[b"0123456789"] * 100), size)) == 100


@pytest.mark.parametrize(
    ("stream", "document"),
    [(b' {"error": 1}\n', b'{"error": 1}'), (b"data: {}", b""), (b"<html>", b""), (b"", b"")],
)
def test_a_document_instead_of_events(stream: bytes, document: bytes) -> None:
    """JSON that came where events were asked for can be had as it is."""
    splitter = Splitter(100)
    splitter.feed(stream)
    assert splitter.document() == document
