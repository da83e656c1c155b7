"""What can be made to go wrong with an upstream."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Fault:
    """One scripted failure.

    Attributes:
        kind: `fail` answers with an error, `hang` says nothing more, `drop` closes the connection.
        times: how many requests it still meets; None for every request to come.
        after_chunks: it strikes after so many chunks of content; None: before anything is said.
    """

    kind: Literal["fail", "hang", "drop"]
    times: int | None = 1
    after_chunks: int | None = None
    status: int = 500
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Script:
    """Faults in the order in which they strike."""

    def __init__(self) -> None:
        self._faults: deque[Fault] = deque()

    def add(self, fault: Fault) -> None:
        """Append a fault.

        Raises:
            ValueError: it would never strike.
        """
        if fault.times is not None and fault.times < 1:
            raise ValueError(f"times must be at least 1, or None for always, not {fault.times}")
        self._faults.append(fault)

    def next(self) -> Fault | None:
        """The fault that meets the next request, None if it is to be answered."""
        if not self._faults:
            return None
        fault = self._faults[0]
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._faults.popleft()
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        self._faults.clear()
