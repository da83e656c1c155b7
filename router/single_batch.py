"""Batches for single models, without a Router: `polyroute.batch_completion` and its siblings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .batch import MOST_AT_ONCE, answer_all, answer_first, as_conversations, as_sync
from .single import acompletion
from .sync import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..schemas import ChatCompletion
    from .batch import Outcome
    from .stream import ChatStream
    from .sync import SyncStream


async def abatch_completion(
    model: str,
    messages: Iterable[Any],
    *,
    max_workers: int = MOST_AT_ONCE,
    progress: bool = False,
    **params: Any,
) -> list[Outcome]:
    """Answer many conversations with one model, side by side.

    Args:
        model: ``"provider/model"``, or a bare name that says whose it is.
        messages: conversations, each a list of messages.
        max_workers: how many run at the same time.
        progress: show a bar on a terminal, by rich or tqdm.
        params: as of :func:`acompletion`, for every chat; a `timeout` is that of each.

    Returns:
        Answers in the order of the conversations; where one failed, its exception.

    Raises:
        BadRequestError: `messages` are no list of conversations, or `stream` was asked for.
    """
    work = [(model, conversation) for conversation in as_conversations(messages)]
    return await answer_all(acompletion, work, params, max_workers=max_workers, progress=progress)


def batch_completion(model: str, messages: Iterable[Any], **params: Any) -> list[Outcome]:
    """The synchronous twin of :func:`abatch_completion`."""
    return run(abatch_completion(model, messages, **params))


async def abatch_completion_models(
    models: Sequence[str], messages: Iterable[Any], **params: Any
) -> ChatCompletion | ChatStream:
    """The answer of the model that is first to answer; the others are cancelled.

    Args:
        models: names of models, each as for :func:`acompletion`.
        messages: one conversation.
        params: as of :func:`acompletion`. With ``stream=True`` the first model whose stream has
            content wins.

    Raises:
        APIError: none of them has answered; it is the first one's error.
    """
    first: ChatCompletion | ChatStream = await answer_first(acompletion, models, messages, params)
    return first


def batch_completion_models(
    models: Sequence[str], messages: Iterable[Any], **params: Any
) -> ChatCompletion | SyncStream:
    """The synchronous twin of :func:`abatch_completion_models`."""
    return as_sync(run(abatch_completion_models(models, messages, **params)))


async def abatch_completion_models_all_responses(
    models: Sequence[str], messages: Iterable[Any], *, progress: bool = False, **params: Any
) -> list[Outcome]:
    """The answers of all models to one conversation, in the order of the models.

    Where one failed, its exception stands in its place.
    """
    listed = list(messages)
    work = [(model, listed) for model in models]
    return await answer_all(acompletion, work, params, progress=progress)


def batch_completion_models_all_responses(
    models: Sequence[str], messages: Iterable[Any], **params: Any
) -> list[Outcome]:
    """The synchronous twin of :func:`abatch_completion_models_all_responses`."""
    return run(abatch_completion_models_all_responses(models, messages, **params))
