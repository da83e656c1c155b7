"""
Server-sent events: bytes in any cut, payloads out.

The format is https://html.spec.whatwg.org/multipage/server-sent-events.html: events end at an
empty line, lines end with CR, LF or CRLF, `data:` lines of one event are joined, lines that
begin with a colon are comments. Event names are not reported: every provider here repeats
them inside the data.
"""

from __future__ import annotations

from ..exceptions import APIResponseValidationError

_BOM = b"\xef\xbb\xbf"


class Splitter:
    """Collects bytes and hands out the `data` of every complete event.

    Each byte is looked at once, however small the reads: a megabyte event that arrives in
    kilobytes is joined when its end is there and not before.
    """

    __slots__ = ("_held_cr", "_limit", "_size", "_started", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail: list[bytes] = []
        self._size = 0
        self._held_cr = False
        self._started = False

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes.

        Raises:
            APIResponseValidationError: an event grows beyond the limit.
        """
        if b"\r" in data or self._held_cr:
            data = self._unify_line_ends(data)
        if not self._started:
            data = self._skip_bom(data)
        if self._tail:
            crosses = data[:1] == b"\n" and self._tail[-1][-1:] == b"\n"
            if not crosses and b"\n\n" not in data:
                return self._keep(data)
            data = b"".join([*self._tail, data])
            self._tail.clear()
            self._size = 0
        end = data.rfind(b"\n\n")
        if end < 0:
            return self._keep(data)
        if end > self._limit:
            self._check(data[:end])
        payloads = _payloads(data[:end])
        if end + 2 < len(data):
            self._keep(data[end + 2 :])
        return payloads

    def document(self) -> bytes:
        """The JSON document that came instead of events, empty if there is none.

        Gateways answer the request for a stream with such an error, and with status 200.
        """
        rest = b"".join(self._tail).strip()
        return rest if rest.startswith(b"{") else b""

    def finish(self) -> list[bytes]:
        """The payload of a last event that the end of the connection cut off, if there is one."""
        rest = b"".join(self._tail)
        self._tail.clear()
        return _payloads(rest)

    def _keep(self, data: bytes) -> list[bytes]:
        if data:
            self._tail.append(data)
            self._size += len(data)
            if self._size > self._limit:
                raise self._too_large()
        return []

    def _check(self, events: bytes) -> None:
        """Hold events to the limit that arrived whole, in one large read."""
        if any(len(event) > self._limit for event in events.split(b"\n\n")):
            raise self._too_large()

    def _too_large(self) -> APIResponseValidationError:
        return APIResponseValidationError(
            f"an event of the stream is larger than {self._limit} bytes"
        )

    def _unify_line_ends(self, data: bytes) -> bytes:
        if self._held_cr:
            data = b"\r" + data
        self._held_cr = data.endswith(b"\r")
        if self._held_cr:
            data = data[:-1]
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _skip_bom(self, data: bytes) -> bytes:
        start = b"".join([*self._tail, data])
        self._tail.clear()
        self._size = 0
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._keep(start)
            return b""
        self._started = True
        return start.removeprefix(_BOM)


def _payloads(events: bytes) -> list[bytes]:
    """The payloads of whole events."""
    found = []
    for event in events.split(b"\n\n"):
        if event[:6] == b"data: " and b"\n" not in event:
            found.append(event[6:])
        elif event:
            lines = [
                line[5:].removeprefix(b" ")
                for line in event.split(b"\n")
                if line.startswith(b"data:")
            ]
            if lines:
                found.append(b"\n".join(lines))
    return found
