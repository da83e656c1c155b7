"""What the splitter of AWS event streams promises, from frames written out here."""

from __future__ import annotations

import struct
import uuid
from zlib import crc32

import pytest

from polyroute.exceptions import APIResponseValidationError
from polyroute.providers.aws_events import EventMessage, EventSplitter

LIMIT = 2**20


def header(name: str, kind: int, value: bytes = b"") -> bytes:
    return bytes([len(name)]) + name.encode() + bytes([kind]) + value


def text(name: str, value: str) -> bytes:
    return header(name, 7, struct.pack(">H", len(value)) + value.encode())


def frame(payload: bytes, headers: bytes = b"") -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))


HELLO = frame(b'{"a":1}', text(":event-type", "metadata"))
STREAM = HELLO + frame(b"") + frame(b"x" * 300, text("a", "b") + text("c", ""))


def split(data: bytes, cut: int, limit: int = LIMIT) -> list[EventMessage]:
    splitter = EventSplitter(limit)
    pieces = (data[start : start + cut] for start in range(0, len(data), cut))
    return [message for piece in pieces for message in splitter.feed(piece)]


@pytest.mark.parametrize("cut", [1, 2, 7, 16, 300, 10_000])
def test_any_cut_gives_the_same_messages(cut: int) -> None:
    """However the bytes are cut, the same messages come out, whole."""
    assert split(STREAM, cut) == [
        ({":event-type": "metadata"}, b'{"a":1}'),
        ({}, b""),
        ({"a": "b", "c": ""}, b"x" * 300),
    ]


def test_every_type_of_header_is_read() -> None:
    """Booleans, numbers, bytes, times and UUIDs are values as well as text."""
    name = uuid.UUID(int=7)
    headers = b"".join(
        (
            header("yes", 0),
            header("no", 1),
            header("byte", 2, b"\xff"),
            header("short", 3, struct.pack(">h", -2)),
            header("int", 4, struct.pack(">i", 3)),
            header("long", 5, struct.pack(">q", 2**40)),
            header("bytes", 6, b"\x00\x02ab"),
            text("text", "hi"),
            header("time", 8, struct.pack(">q", 1000)),
            header("uuid", 9, name.bytes),
        )
    )
    (message,) = split(frame(b"", headers), 3)
    assert list(message.headers.values()) == [
        True, False, -1, -2, 3, 2**40, b"ab", "hi", 1000, name,
    ]  # fmt: skip


@pytest.mark.parametrize("position", range(len(HELLO)))
def test_any_damaged_byte_is_noticed(position: int) -> None:
    """No byte can change without an exception; what came before is handed out."""
    damaged = bytearray(HELLO)
    damaged[position] ^= 0x10
    splitter = EventSplitter(LIMIT)
    messages = splitter.feed(HELLO + bytes(damaged) + HELLO)
    assert next(messages).payload == b'{"a":1}'
    with pytest.raises(APIResponseValidationError):
        list(messages)


def test_a_message_beyond_the_limit_is_refused_at_its_beginning() -> None:
    """The length is believed before the rest has come, so memory stays bounded."""
    huge = frame(b"x" * 5000)
    with pytest.raises(APIResponseValidationError, match="larger than 1000"):
        split(huge[:12], 12, limit=1000)


@pytest.mark.parametrize(
    "headers",
    [
        header("a", 7, b"\x00\x09short"),
        header("a", 99),
        header("a", 5, b"\x00"),
        b"\x05ab",
        header("a", 7, b"\x00\x02\xff\xfe"),
    ],
)
def test_headers_that_make_no_sense_are_an_error(headers: bytes) -> None:
    """Right checksums around wrong headers do not help."""
    with pytest.raises(APIResponseValidationError):
        split(frame(b"", headers), 1000)


@pytest.mark.parametrize("lengths", [(8, 0), (20, 12), (16, 2**31)])
def test_lengths_that_cannot_be_are_an_error(lengths: tuple[int, int]) -> None:
    """A message is never shorter than its frame, nor its headers longer than it."""
    prelude = struct.pack(">II", *lengths)
    with pytest.raises(APIResponseValidationError):
        split(prelude + struct.pack(">I", crc32(prelude)), 12)


def test_text_instead_of_a_stream_is_an_error() -> None:
    """A page or a JSON document is no event stream."""
    with pytest.raises(APIResponseValidationError, match="<html>"):
        split(b"<html><body>Bad gateway</body></html>", 1000)


def test_an_unfinished_message_is_known() -> None:
    """A cut stream leaves something pending, a whole one nothing."""
    splitter = EventSplitter(LIMIT)
    assert list(splitter.feed(HELLO[:-1])) == []
    assert splitter.pending
    assert len(list(splitter.feed(HELLO[-1:]))) == 1
    assert not splitter.pending


def test_many_small_reads_of_a_large_message_take_linear_time() -> None:
    """A megabyte in pieces of 16 bytes is put together without looking at it again and again."""
    (message,) = split(frame(b"x" * 2**20), 16, limit=2**21)
    assert len(message.payload) == 2**20
