"""Lines of a stream (NDJSON): bytes in any cut, whole lines out."""

from __future__ import annotations

from ..exceptions import APIResponseValidationError


class LineSplitter:
    """Collects bytes and hands out every complete line that is not empty.

    Each byte is looked at once, however small the reads: the pieces of a long line are joined
    when its end is there and not before.
    """

    __slots__ = ("_limit", "_size", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends (LF or CRLF).

        Raises:
            APIResponseValidationError: a line grows beyond the limit.
        """
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(data)
            return []
        whole = data[:end]
        if self._tail:
            whole = b"".join([*self._tail, whole])
            self._tail.clear()
            self._size = 0
        self._keep(data[end + 1 :])
        lines = [line for line in map(bytes.strip, whole.split(b"\n")) if line]
        if len(whole) > self._limit and max(map(len, lines), default=0) > self._limit:
            raise self._too_large()
        return lines

    def finish(self) -> list[bytes]:
        """The last line, if the connection ended without its end."""
        rest = b"".join(self._tail).strip()
        self._tail.clear()
        return [rest] if rest else []

    def document(self) -> bytes:
        """None: a document would be a line."""
        return b""

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        self._tail.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise self._too_large()

    def _too_large(self) -> APIResponseValidationError:
        return APIResponseValidationError(
            f"a line of the stream is larger than {self._limit} bytes"
        )
