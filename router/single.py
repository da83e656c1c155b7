"""Calls for single models, without a Router: `polyroute.completion` and its siblings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from .singles import singles
from .stream import ChatStream
from .sync import SyncStream, run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..schemas import ChatCompletion


@overload
async def acompletion(
    model: str, messages: Iterable[Any], *, stream: Literal[False] = False, **params: Any
) -> ChatCompletion: ...


@overload
async def acompletion(
    model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
) -> ChatStream: ...


@overload
async def acompletion(
    model: str, messages: Iterable[Any], *, stream: bool, **params: Any
) -> ChatCompletion | ChatStream: ...


async def acompletion(
    model: str, messages: Iterable[Any], *, stream: bool = False, **params: Any
) -> ChatCompletion | ChatStream:
    """Answer a chat with a single model, whole or as a stream.

    Args:
        model: ``"provider/model"``, or a bare name that says whose it is (``"gpt-4o"``).
        messages: OpenAI-shaped messages; message objects of earlier answers go as they are.
        stream: True returns a :class:`ChatStream` once the first content is there.
        params: parameters of the model, `api_key`, `api_base`, `api_version`, and the options
            of :class:`Options`. `num_retries` is 0 unless said otherwise.

    Raises:
        APIError: there is no answer; the class says why.
    """
    return await singles().acompletion(model, messages, stream, params)


@overload
def completion(
    model: str, messages: Iterable[Any], *, stream: Literal[False] = False, **params: Any
) -> ChatCompletion: ...


@overload
def completion(
    model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
) -> SyncStream: ...


@overload
def completion(
    model: str, messages: Iterable[Any], *, stream: bool, **params: Any
) -> ChatCompletion | SyncStream: ...


def completion(
    model: str, messages: Iterable[Any], *, stream: bool = False, **params: Any
) -> ChatCompletion | SyncStream:
    """The synchronous twin of :func:`acompletion`; a stream is an ordinary iterator."""
    answer = run(acompletion(model, messages, stream=stream, **params))
    return SyncStream(answer) if isinstance(answer, ChatStream) else answer
