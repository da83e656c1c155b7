"""What the splitter of lines promises."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from polyroute.exceptions import APIResponseValidationError
from polyroute.providers.lines import LineSplitter

STREAMS = {
    "plain": (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
    "CRLF": (b'{"a":1}\r\n{"b":2}\r\n', [b'{"a":1}', b'{"b":2}']),
    "empty lines": (b'\n\n{"a":1}\n \n\n{"b":2}\n\n', [b'{"a":1}', b'{"b":2}']),
    "no end": (b'{"a":1}\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
    "letters of many bytes": ('"😀é"\n'.encode(), ['"😀é"'.encode()]),
    "nothing": (b"", []),
}


def split(stream: bytes, size: int, limit: int = 2**20) -> list[bytes]:
    splitter = LineSplitter(limit)
    found: list[bytes] = []
    for start in range(0, len(stream), size):
        found += splitter.feed(stream[start : start + size])
    return found + splitter.finish()


@pytest.mark.parametrize("size", [1, 2, 7, 2**20])
@pytest.mark.parametrize(("stream", "lines"), STREAMS.values(), ids=STREAMS)
def test_every_cut_gives_the_same_lines(stream: bytes, lines: list[bytes], size: int) -> None:
    """Lines are whole wherever the bytes are cut; empty ones do not count."""
    assert split(stream, size) == lines


def test_a_long_line_is_joined_once() -> None:
    """A megabyte in reads of a kilobyte costs a fixed number of joins, not one for each read."""
    joins = 0

    def count(_frame: Any, event: str, function: Any) -> None:
        nonlocal joins
        joins += event == "c_call" and getattr(function, "__name__", "") == "join"

    sys.setprofile(count)
    try:
        lines = split(b"x" * 2**20 + b"\n", 1024, limit=2**21)
    finally:
        sys.setprofile(None)
    assert (len(lines[0]), joins <= 2) == (2**20, True)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_without_end_is_an_error(size: int, end: bytes) -> None:
    """What grows beyond the limit is refused, by name, even if it comes whole in one read."""
    with pytest.raises(APIResponseValidationError, match="larger than 50 bytes"):
        split(b"a\n" + b"x" * 100 + end, size, limit=50)


def test_many_short_lines_are_no_long_one() -> None:
    """The limit is one line's, not the stream's."""
    assert len(split(b"0123456789\n" * 100, 7, limit=50)) == 100
    assert len(split(b"0123456789\n" * 100, 1000, limit=50)) == 100
