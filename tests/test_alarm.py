"""Limits of time: they ring once, for the right task, and leave no timer behind."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import anyio
import pytest

from polyroute.router.alarm import MOST_QUEUES, Alarms

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.anyio

USUAL = pytest.mark.parametrize("usual", [True, False])


@pytest.fixture
async def alarms() -> Alarms:
    """The limits of the test's own loop."""
    return Alarms(asyncio.get_running_loop())


def timers(alarms: Alarms) -> list[asyncio.TimerHandle]:
    """The timers that wait in the queues of usual limits."""
    return [queue.timer for queue in alarms._queues.values() if queue.timer is not None]


@USUAL
async def test_rings(alarms: Alarms, usual: bool) -> None:
    """A block that takes longer ends in TimeoutError, and the task is not cancelled."""
    with pytest.raises(TimeoutError), alarms.limit(0.01, usual=usual):
        await asyncio.sleep(10)
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(0)


@USUAL
async def test_does_not_ring_in_time(alarms: Alarms, usual: bool) -> None:
    """A block that ends in time never hears of its limit."""
    with alarms.limit(0.01, usual=usual):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)


@USUAL
async def test_cancellation_from_outside_passes(alarms: Alarms, usual: bool) -> None:
    """A task cancelled by somebody else is cancelled, not timed out."""

    async def work() -> None:
        with alarms.limit(10, usual=usual):
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@USUAL
async def test_both_at_once(alarms: Alarms, usual: bool) -> None:
    """A cancellation in the same moment as the alarm is not swallowed by it."""

    async def work() -> None:
        with alarms.limit(0.01, usual=usual):
            asyncio.get_running_loop().call_later(0.01, task.cancel)
            await asyncio.sleep(10)

    task = asyncio.create_task(work())
    await asyncio.wait([task])
    assert task.cancelled()


@USUAL
async def test_what_comes_at_the_last_moment(alarms: Alarms, usual: bool) -> None:
    """An alarm that rings when the awaited has just come still ends the block, and only it."""
    loop = asyncio.get_running_loop()
    waited = loop.create_future()
    with pytest.raises(TimeoutError), alarms.limit(0.01, usual=usual):
        loop.call_later(0.005, waited.set_result, None)
        loop.call_soon(time.sleep, 0.02)  # both are due when the loop looks again
        await waited
    assert waited.done()
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(0)


async def test_errors_of_the_block_pass(alarms: Alarms) -> None:
    """Whatever the block raises leaves it as it is."""
    with pytest.raises(ZeroDivisionError), alarms.limit(10, usual=True):
        1 / 0  # noqa: B018


async def test_nested(alarms: Alarms) -> None:
    """The inner limit ends the inner block; the outer goes on."""
    with alarms.limit(10, usual=True):
        with pytest.raises(TimeoutError), alarms.limit(0.01, usual=True):
            await asyncio.sleep(10)
        await asyncio.sleep(0)


async def test_outer_rings_through_the_inner(alarms: Alarms) -> None:
    """The outer limit is the outer block's TimeoutError, whatever limit lies inside."""
    inner = []
    with pytest.raises(TimeoutError), alarms.limit(0.01, usual=False):
        try:
            with alarms.limit(10, usual=False):
                await asyncio.sleep(10)
        except BaseException as error:
            inner.append(type(error))
            raise
    assert inner == [asyncio.CancelledError]


@USUAL
async def test_inside_a_scope_of_anyio(alarms: Alarms, usual: bool) -> None:
    """A cancelled scope around the block is the scope's affair, an alarm inside the block's own."""
    with anyio.move_on_after(0.01) as scope, alarms.limit(10, usual=usual):
        await asyncio.sleep(10)
    assert scope.cancelled_caught
    with anyio.move_on_after(10) as scope:
        with pytest.raises(TimeoutError), alarms.limit(0.01, usual=usual):
            await asyncio.sleep(10)
        await asyncio.sleep(0)
    assert not scope.cancelled_caught


@USUAL
async def test_inside_asyncio_timeout(alarms: Alarms, usual: bool) -> None:
    """asyncio.timeout around a block, or inside it, keeps its own count."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            with alarms.limit(10, usual=usual):
                await asyncio.sleep(10)
    with pytest.raises(TimeoutError), alarms.limit(0.01, usual=usual):
        async with asyncio.timeout(10):
            await asyncio.sleep(10)
    assert asyncio.current_task().cancelling() == 0


async def test_many_under_one_limit_have_one_timer(alarms: Alarms) -> None:
    """A thousand blocks under the same limit need a single timer."""

    async def work() -> None:
        with alarms.limit(10, usual=True):
            await asyncio.sleep(0.001)

    tasks = [asyncio.create_task(work()) for _ in range(1000)]
    await asyncio.sleep(0)
    assert len(timers(alarms)) == 1
    await asyncio.gather(*tasks)


async def test_each_rings_at_its_own_time(alarms: Alarms) -> None:
    """Blocks that began one after the other end one after the other."""
    loop = asyncio.get_running_loop()

    async def work(after: float) -> float:
        await asyncio.sleep(after)
        start = loop.time()
        with pytest.raises(TimeoutError), alarms.limit(0.03, usual=True):
            await asyncio.sleep(10)
        return loop.time() - start

    times = await asyncio.gather(*(work(number * 0.01) for number in range(5)))
    assert all(0.029 <= waited < 0.05 for waited in times)


async def test_later_block_is_not_rung_by_an_old_timer(alarms: Alarms) -> None:
    """The timer of a block that has ended does not end one that came later."""
    with alarms.limit(0.03, usual=True):
        await asyncio.sleep(0.02)
    with alarms.limit(0.03, usual=True):
        await asyncio.sleep(0.02)


async def test_own_limits_are_not_collected(alarms: Alarms) -> None:
    """Callers who give each call a limit of its own do not fill the memory."""
    for number in range(3 * MOST_QUEUES):
        with alarms.limit(1 + number / 1000, usual=True):
            pass
    assert len(alarms._queues) <= MOST_QUEUES + 1
    with pytest.raises(TimeoutError), alarms.limit(0.01, usual=True):
        await asyncio.sleep(10)


async def test_close_lets_timers_go(alarms: Alarms) -> None:
    """Nobody waits for the timers of limits that nobody is under."""
    with alarms.limit(1000, usual=True):
        pass
    (timer,) = timers(alarms)
    alarms.close()
    assert timer.cancelled()


def test_needs_a_task() -> None:
    """Outside of any task a limit says what it needs."""
    loop = asyncio.new_event_loop()

    def enter() -> Generator[None, None, None]:
        with pytest.raises(RuntimeError, match="needs a running task"):
            Alarms(loop).limit(1, usual=True).__enter__()
        loop.stop()
        yield

    loop.call_soon(lambda: next(enter()))
    loop.run_forever()
    loop.close()
