"""
Prompts that providers keep for a while: each is stored once and used until it expires.

Only for providers whose caches are made beforehand and have a name (Google's); the adapter says
what is to be stored and under which key, here it is sent. Nothing of this may cost an answer:
whatever goes wrong, the call goes out as if there were no caches, and the failure is remembered
for a while.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

from cachetools import LRUCache
from msgspec.structs import replace

from ..exceptions import APIError
from ..providers import ContextCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..providers import CachingAdapter, Call, NewCache
    from .transport import Here, Transport

MOST = 1000
"""Caches that are remembered; the least recently used are forgotten first."""

SHARE_OF_LIFE = 0.9
"""How much of its time a cache is used for: it must not expire under a call."""

SHARE_OF_LIMIT = 0.5
"""How much of an attempt's time storing may take."""

PAUSE = 60.0
"""Seconds without another try after storing has failed, or a cache was lost."""

LONG_PAUSE = 3600.0
"""The same after a refusal that another try would meet again, such as of too short a prompt."""

GONE = frozenset({403, 404})
"""What Google answers to the name of a cache that has expired or was deleted."""

logger: logging.Logger = logging.getLogger("polyroute")


class Known(NamedTuple):
    """What is known under a key until some time of the clock: a name; None: it failed."""

    name: str | None
    until: float


class Caches:
    """The caches of one Router, across its deployments: a key never fits two of them."""

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._clock = clock
        self._known: LRUCache[str, Known] = LRUCache(MOST)
        self._pending: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Event] = {}

    async def find(self, adapter: CachingAdapter, call: Call, here: Here, limit: float) -> Call:
        """The call with the cache that serves it, stored now if it is not there yet.

        `limit` is the seconds that the attempt may take. Whoever wants what is being stored at
        the moment waits for it.
        """
        wanted = adapter.new_cache(call)
        if wanted is None:
            return call
        running = (asyncio.get_running_loop(), wanted.key)
        if (pending := self._pending.get(running)) is not None:
            await pending.wait()
        elif self._look(wanted.key) is None:
            pending = self._pending[running] = asyncio.Event()
            try:
                made = await self._store(wanted, adapter, here, limit * SHARE_OF_LIMIT)
            finally:
                del self._pending[running]
                pending.set()
            return replace(call, cache=made)
        known = self._look(wanted.key)
        return replace(call, cache=ContextCache(known.name)) if known and known.name else call

    def without(self, call: Call) -> Call:
        """The call without its cache, which is gone."""
        name = call.cache.name if call.cache else None
        lost = next((key for key, known in list(self._known.items()) if known.name == name), None)
        if lost is not None:
            self._known[lost] = Known(None, self._clock() + PAUSE)
        return replace(call, cache=None)

    def _look(self, key: str) -> Known | None:
        known = self._known.get(key)
        return known if known is not None and known.until > self._clock() else None

    async def _store(
        self, wanted: NewCache, adapter: CachingAdapter, here: Here, limit: float
    ) -> ContextCache | None:
        """Store a prompt and remember how that went; None if it could not be done."""
        begun = self._clock()
        try:
            with here.alarms.limit(limit, usual=False):
                response = await self._transport.send(wanted.request, here)
                body = await self._transport.read(response, here)
            if response.status >= 300:
                raise adapter.error(response.status, response.headers, body)
            made = adapter.parse_cache(body)
        except (APIError, TimeoutError) as error:
            again = not isinstance(error, APIError) or error.again
            pause = PAUSE if again else LONG_PAUSE
            self._known[wanted.key] = Known(None, self._clock() + pause)
            logger.warning("a prompt cannot be cached and is sent whole: %s", type(error).__name__)
            return None
        self._known[wanted.key] = Known(made.name, begun + wanted.seconds * SHARE_OF_LIFE)
        return made
