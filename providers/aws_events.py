"""
AWS event streams (`application/vnd.amazon.eventstream`): bytes in any cut, whole messages out.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html describes a message:

    4 bytes   length of the whole message
    4 bytes   length of the headers
    4 bytes   checksum (CRC-32) of these eight
    …         headers: name, type, value
    …         payload
    4 bytes   checksum of everything before
"""

from __future__ import annotations

import struct
import uuid
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from ..exceptions import APIResponseValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRELUDE = struct.Struct(">III")
CHECKSUM = struct.Struct(">I")
LENGTH = struct.Struct(">H")
FRAME = PRELUDE.size + CHECKSUM.size
"""The least bytes a message has: no headers, no payload."""

NUMBERS: dict[int, struct.Struct] = {
    2: struct.Struct(">b"),
    3: struct.Struct(">h"),
    4: struct.Struct(">i"),
    5: struct.Struct(">q"),
    8: struct.Struct(">q"),  # milliseconds since the epoch
}
"""Types of header values that are numbers; 0 and 1 are true and false."""

BYTES, STRING, UUID = 6, 7, 9


class EventMessage(NamedTuple):
    """One message of a stream."""

    headers: Mapping[str, Any]
    payload: bytes


class EventSplitter:
    """Collects bytes and hands out every whole message, its checksums verified.

    Bytes that wait for the rest of their message are looked at once, however small the reads.
    """

    __slots__ = ("_buffer", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[EventMessage]:
        """The messages that `data` completes, one by one: those before a damaged one come.

        Raises:
            APIResponseValidationError: a message is damaged, or larger than the limit.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= PRELUDE.size:
                total, headers_length = self._read_prelude(start)
                end = start + total
                if len(buffer) < end:
                    break
                whole, start = bytes(buffer[start:end]), end
                yield read_message(whole, headers_length)
        finally:
            del buffer[:start]

    def finish(self) -> tuple[()]:
        """Nothing: a message that is cut off cannot be checked."""
        return ()

    def document(self) -> bytes:
        """None: what is no message is damaged; see :meth:`feed`."""
        return b""

    def _read_prelude(self, start: int) -> tuple[int, int]:
        """The lengths of the message and of its headers."""
        total, headers_length, checksum = PRELUDE.unpack_from(self._buffer, start)
        if crc32(self._buffer[start : start + 8]) != checksum:
            prelude = bytes(self._buffer[start : start + PRELUDE.size])
            raise damaged(f"no message begins with {prelude!r}, its checksum is wrong")
        if total > self._limit:
            raise damaged(f"a message of {total} bytes is larger than {self._limit}")
        if headers_length > total - FRAME:
            raise damaged("the headers of a message are longer than the message")
        return total, headers_length


def read_message(whole: bytes, headers_length: int) -> EventMessage:
    """The message in these bytes.

    Raises:
        APIResponseValidationError: its checksum or its headers are wrong.
    """
    body = len(whole) - CHECKSUM.size
    if crc32(memoryview(whole)[:body]) != CHECKSUM.unpack_from(whole, body)[0]:
        raise damaged("the checksum of a message is wrong")
    split = PRELUDE.size + headers_length
    return EventMessage(read_headers(whole[PRELUDE.size : split]), whole[split:body])


@lru_cache(maxsize=256)
def read_headers(data: bytes) -> Mapping[str, Any]:
    """The headers of a message; nearly all of a stream have the same few.

    Raises:
        APIResponseValidationError: they cannot be read.
    """
    headers: dict[str, Any] = {}
    position = 0
    try:
        while position < len(data):
            end = position + 1 + data[position]
            name = data[position + 1 : end].decode()
            headers[name], position = _read_value(data, end + 1, data[end])
        if position > len(data):
            raise damaged("the last header of a message is cut off")
    except (IndexError, struct.error, ValueError) as error:
        raise damaged(f"the headers of a message cannot be read: {error}") from error
    return MappingProxyType(headers)


def _read_value(data: bytes, position: int, kind: int) -> tuple[Any, int]:
    """A header's value, and where it ends."""
    if kind in (0, 1):
        return kind == 0, position
    if kind in NUMBERS:
        form = NUMBERS[kind]
        return form.unpack_from(data, position)[0], position + form.size
    if kind == UUID:
        return uuid.UUID(bytes=data[position : position + 16]), position + 16
    if kind not in (BYTES, STRING):
        raise damaged(f"a header of a message has the unknown type {kind}")
    start = position + LENGTH.size
    end = start + LENGTH.unpack_from(data, position)[0]
    value = data[start:end]
    return (value.decode() if kind == STRING else value), end


def damaged(what: str) -> APIResponseValidationError:
    """The exception for a stream that is not what it should be."""
    return APIResponseValidationError(f"the event stream cannot be read: {what}")
