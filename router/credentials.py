"""
Secrets that must be fetched: bearer tokens, rotating keys.

Fetched in a thread, kept until shortly before they expire, and fetched once however many calls
want them at the same time.
"""

from __future__ import annotations

import asyncio
import time
from copy import copy
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from ..exceptions import APIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..providers.base import Credential, Secret

EARLY = 120.0
"""Seconds before its end at which a secret is fetched anew."""

LIFETIME = 300.0
"""Seconds for which a secret without an end is kept before it is asked for again."""


class Secrets:
    """The secrets of one Router.

    Args:
        now: seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float] = time.time, most: int = 1000) -> None:
        self._now = now
        self._known: LRUCache[Any, tuple[Any, float]] = LRUCache(most)
        self._fetching: dict[Any, asyncio.Task[Secret]] = {}

    async def get(self, credential: Credential) -> Any:
        """The secret's value, fetched if it is not known or soon ends.

        Raises:
            AuthenticationError: it cannot be had; an error of its own for each who waits, since
                a route is written into it.
        """
        identity = credential.identity
        known = self._known.get(identity)
        if known is not None and self._now() < known[1]:
            return known[0]
        key = (identity, asyncio.get_running_loop())
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(credential.fetch))
            self._fetching[key] = task
            task.add_done_callback(lambda done: self._fetched(key, done))
        try:
            return (await asyncio.shield(task)).value
        except APIError as error:
            raise copy(error) from error.__cause__

    def _fetched(self, key: tuple[Any, Any], task: asyncio.Task[Secret]) -> None:
        """Keep what has come; a failure is seen by whoever waits, and nobody may."""
        self._fetching.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        secret, now = task.result(), self._now()
        lasts = LIFETIME if secret.expires is None else secret.expires - now
        self._known[key[0]] = secret.value, now + lasts - min(EARLY, lasts / 10)
