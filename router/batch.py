"""
Many chats at once: many conversations with one model, or one with many models.

Nothing here outlives the call that began it: whoever stops waiting, or has an answer that
suffices, cancels the rest and waits for its end, so that its connections are closed.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..exceptions import BadRequestError, PolyrouteError
from .progress import progress_bar
from .stream import ChatStream
from .sync import SyncStream, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from ..schemas import ChatCompletion

Outcome: TypeAlias = "ChatCompletion | PolyrouteError"
"""What stands in a batch's list: an answer, or the error that came instead."""

MOST_AT_ONCE = 100
"""Chats that run side by side, unless the caller says otherwise."""


class Batches(ABC):
    """The batches of a Router: each chat is routed, retried and falls back like any other."""

    @abstractmethod
    async def acompletion(self, model: str, messages: Iterable[Any], **params: Any) -> Any:
        """Answer one chat."""

    async def abatch_completion(
        self,
        model: str | Sequence[str] | None = None,
        messages: Iterable[Any] = (),
        *,
        models: Sequence[str] | None = None,
        max_workers: int = MOST_AT_ONCE,
        progress: bool = False,
        **params: Any,
    ) -> list[Any]:
        """Answer many chats side by side. An error stands in the place of its answer.

        Args:
            model: the alias that answers all conversations; the list has their order. A list
                of aliases is taken for `models`.
            messages: conversations; with `models` also a single one.
            models: aliases that answer each conversation, instead of `model`: for one
                conversation the list has an answer of each, for many a list of such lists.
            max_workers: how many chats run at the same time.
            progress: show a bar on a terminal.
            params: as of :meth:`acompletion`, for every chat.

        Raises:
            BadRequestError: neither or both of `model` and `models`, or `messages` are no list.
        """
        if (model is None) == (models is None):
            raise BadRequestError("a batch wants either model= or models=", param="model")
        if model is not None and not isinstance(model, str):
            model, models = None, model
        aliases = _names(models) if models is not None else [str(model)]
        listed = _listed(messages)
        single = models is not None and _is_conversation(listed)
        conversations = [listed] if single else as_conversations(listed)
        work = [(alias, each) for each in conversations for alias in aliases]
        outcomes = await answer_all(
            self.acompletion, work, params, max_workers=max_workers, progress=progress
        )
        if models is None or single:
            return outcomes
        width = len(aliases)
        return [outcomes[start : start + width] for start in range(0, len(outcomes), width)]

    def batch_completion(
        self,
        model: str | Sequence[str] | None = None,
        messages: Iterable[Any] = (),
        **params: Any,
    ) -> list[Any]:
        """The synchronous twin of :meth:`abatch_completion`."""
        return run(self.abatch_completion(model, messages, **params))

    async def abatch_completion_models(
        self, models: Sequence[str], messages: Iterable[Any], **params: Any
    ) -> ChatCompletion | ChatStream:
        """The answer of the alias that is first to answer; the others are cancelled.

        Raises:
            APIError: none of them has answered; it is the first one's error.
        """
        first: ChatCompletion | ChatStream = await answer_first(
            self.acompletion, models, messages, params
        )
        return first

    def batch_completion_models(
        self, models: Sequence[str], messages: Iterable[Any], **params: Any
    ) -> ChatCompletion | SyncStream:
        """The synchronous twin of :meth:`abatch_completion_models`."""
        return as_sync(run(self.abatch_completion_models(models, messages, **params)))


async def answer_all(
    complete: Callable[..., Awaitable[Any]],
    work: Sequence[tuple[str, Any]],
    params: Mapping[str, Any],
    *,
    max_workers: int = MOST_AT_ONCE,
    progress: bool = False,
) -> list[Outcome]:
    """The answers to pairs of model and conversation, in their order, errors in their places.

    Raises:
        BadRequestError: `stream` or `max_workers` is not for a batch.
    """
    if params.get("stream"):
        raise BadRequestError("the answers of a batch are whole; leave stream out", param="stream")
    if not isinstance(max_workers, int) or max_workers < 1:
        raise BadRequestError(
            f"max_workers must be a whole number from 1 on, not {max_workers!r:.60}",
            param="max_workers",
        )
    outcomes: dict[int, Outcome] = {}
    waiting = iter(enumerate(work))
    with progress_bar(len(work), shown=progress) as advance:

        async def answer() -> None:
            for place, (model, messages) in waiting:
                try:
                    outcomes[place] = await complete(model, messages, **params)
                except PolyrouteError as error:
                    outcomes[place] = error
                advance()

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(min(max_workers, len(work))):
                    workers.create_task(answer())
        except BaseExceptionGroup as failed:  # a bug, which must not look like many
            error = failed.exceptions[0]
            raise error from error.__cause__
    return [outcomes[place] for place in range(len(work))]


async def answer_first(
    complete: Callable[..., Awaitable[Any]],
    models: Sequence[str],
    messages: Iterable[Any],
    params: Mapping[str, Any],
) -> Any:
    """The answer of the model that is first to answer.

    Raises:
        APIError: none of them has answered; it is the first one's error.
    """
    listed = list(messages)
    tasks = [asyncio.ensure_future(complete(model, listed, **params)) for model in _names(models)]
    winner = None
    try:
        winner = await _first(tasks)
        return winner.result()
    finally:
        await _end([task for task in tasks if task is not winner])


async def _first(tasks: Sequence[asyncio.Future[Any]]) -> asyncio.Future[Any]:
    """The first task that succeeds.

    Raises:
        PolyrouteError: all have failed; it is that of the first in the list.
    """
    waiting = set(tasks)
    while waiting:
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                error = task.exception()
                if error is None:
                    return task
                if not isinstance(error, PolyrouteError):
                    raise error
    raise tasks[0].exception() or asyncio.CancelledError


async def _end(losers: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel what still runs, wait for its end, and close what came in too late."""
    for task in losers:
        task.cancel()
    if losers:
        await asyncio.wait(losers)
    for task in losers:
        if not task.cancelled() and task.exception() is None:
            answer = task.result()
            if isinstance(answer, ChatStream):
                await answer.aclose()


def as_conversations(messages: Iterable[Any]) -> list[Any]:
    """Conversations, each a list of messages.

    Raises:
        BadRequestError: it is one conversation, or nothing of the kind.
    """
    listed = _listed(messages)
    if _is_conversation(listed):
        raise BadRequestError(
            "messages is one conversation; a batch with one model wants a list of them: "
            "messages=[[…], […]]",
            param="messages",
        )
    return listed


def as_sync(answer: ChatCompletion | ChatStream) -> ChatCompletion | SyncStream:
    """An answer for a synchronous caller."""
    return SyncStream(answer) if isinstance(answer, ChatStream) else answer


def _listed(messages: Iterable[Any]) -> list[Any]:
    if isinstance(messages, str | bytes | Mapping) or not hasattr(messages, "__iter__"):
        raise BadRequestError(
            f"messages must be a list of conversations, not {type(messages).__name__}",
            param="messages",
        )
    return list(messages)


def _is_conversation(listed: Sequence[Any]) -> bool:
    """Whether these are messages, and not conversations."""
    return bool(listed) and not isinstance(listed[0], list | tuple)


def _names(models: Sequence[str]) -> list[str]:
    if isinstance(models, str) or not models:
        raise BadRequestError(
            f"models must be a list of at least one name, not {models!r:.60}", param="models"
        )
    return list(models)
