"""
Limits of time around a few awaits, without a timer per call.

    with alarms.limit(30.0):      # TimeoutError when the block takes longer
        ...

First attempts of a Router run under the same few limits, so their ends come in the order of
their beginnings: one timer for the oldest does for all under the same limit. A timer handle per
call, as `asyncio.timeout` has, costs 5 % of a call; this costs a fifth of that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

MOST_QUEUES = 100
"""Different usual limits that are kept; callers who give each call its own start anew."""


class Alarm:
    """Cancels the running task when its time has come, and turns that into TimeoutError.

    A cancellation that comes from elsewhere passes as it is. An alarm that is only asked whether
    to ring (`gives_up`) asks again after each `pause`, and rings in any case at its `end`.
    """

    __slots__ = ("_cancelling", "_queue", "_rung", "_task", "end", "gives_up", "pause", "when")

    def __init__(
        self,
        queue: Queue,
        when: float,
        end: float = 0.0,
        gives_up: Callable[[], bool] | None = None,
    ) -> None:
        self._queue = queue
        self._rung = False
        self.when: float = when
        self.pause: float = when - queue.loop.time() if gives_up else 0.0
        self.end: float = end
        self.gives_up: Callable[[], bool] | None = gives_up

    def __enter__(self) -> None:
        queue = self._queue
        task = asyncio.current_task(queue.loop)
        if task is None:
            raise RuntimeError("a limit of time needs a running task")
        self._task = task
        self._cancelling = task.cancelling()
        queue.alarms[self] = None
        if queue.timer is None:
            queue.watch(self.when)

    def ring(self) -> None:
        """The time has come, or has it?"""
        now = self._queue.loop.time()
        if self.gives_up is not None and now < self.end and not self.gives_up():
            self.when = min(now + self.pause, self.end)
            queue = self._queue = Queue(self._queue.loop, single=True)
            queue.alarms[self] = None
            queue.watch(self.when)
        else:
            self._rung = True
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._rung:
            queue = self._queue
            del queue.alarms[self]
            if queue.single:
                queue.rest()
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


class Queue:
    """The alarms under one limit, oldest first, and the one timer that looks after them."""

    __slots__ = ("alarms", "loop", "single", "timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, *, single: bool = False) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self.single: bool = single
        self.alarms: dict[Alarm, None] = {}
        self.timer: asyncio.TimerHandle | None = None

    def watch(self, when: float) -> None:
        """Look at the alarms then."""
        self.timer = self.loop.call_at(when, self._look)

    def rest(self) -> None:
        """Nobody is to be looked after any more: let the timer go."""
        if self.timer is not None:
            self.timer.cancel()

    def _look(self) -> None:
        """Ring what is due and look again when the next one will be."""
        self.timer = None
        now = self.loop.time()
        while self.alarms:
            oldest = next(iter(self.alarms))
            if oldest.when > now:
                self.timer = self.loop.call_at(oldest.when, self._look)
                return
            del self.alarms[oldest]
            oldest.ring()


class Alarms:
    """The limits of one event loop."""

    __slots__ = ("_loop", "_queues")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queues: dict[float, Queue] = {}

    def limit(
        self,
        seconds: float,
        *,
        usual: bool,
        soft: float | None = None,
        gives_up: Callable[[], bool] | None = None,
    ) -> Alarm:
        """A limit for one block. One that is not `usual` has a timer of its own.

        After `soft` seconds, and again and again, `gives_up` may end the block early.
        """
        first = seconds if soft is None else soft
        queue = self._queues.get(first) if usual else Queue(self._loop, single=True)
        if queue is None:
            if len(self._queues) > MOST_QUEUES:
                self._queues.clear()
            queue = self._queues[first] = Queue(self._loop)
        now = self._loop.time()
        return Alarm(queue, now + first, now + seconds, gives_up)

    def close(self) -> None:
        """Forget the timers of limits that nobody is under."""
        for queue in self._queues.values():
            if queue.timer is not None and not queue.alarms:
                queue.timer.cancel()
        self._queues.clear()
