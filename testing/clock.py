"""Time that passes only when a test says so."""

from __future__ import annotations


class FakeClock:
    """A clock for ``Router(clock=…)``: call it for the seconds, `advance` it to let them pass."""

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start

    def __call__(self) -> float:
        """The seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: `seconds` is negative; this clock is monotonic like the real one.
        """
        if seconds < 0:
            raise ValueError(f"a monotonic clock does not go back, not by {seconds} s either")
        self._now += seconds

    def __repr__(self) -> str:
        return f"FakeClock({self._now})"
