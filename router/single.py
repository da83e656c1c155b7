"""Calls for single models, without a Router: `polyroute.completion` and its siblings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from .operations import MODERATOR
from .singles import singles
from .stream import ChatStream
from .sync import SyncStream, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..schemas import (
        ChatCompletion,
        EmbeddingResponse,
        ImageResponse,
        Moderation,
        RerankResponse,
        Speech,
        TextCompletion,
        Transcription,
    )


@overload
async def acompletion(
    model: str, messages: Iterable[Any], *, stream: Literal[False] | None = False, **params: Any
) -> ChatCompletion: ...


@overload
async def acompletion(
    model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
) -> ChatStream: ...


@overload
async def acompletion(
    model: str, messages: Iterable[Any], *, stream: bool | None, **params: Any
) -> ChatCompletion | ChatStream: ...


async def acompletion(
    model: str, messages: Iterable[Any], *, stream: bool | None = False, **params: Any
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
    return await singles().acompletion(model, messages, bool(stream), params)


@overload
def completion(
    model: str, messages: Iterable[Any], *, stream: Literal[False] | None = False, **params: Any
) -> ChatCompletion: ...


@overload
def completion(
    model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
) -> SyncStream: ...


@overload
def completion(
    model: str, messages: Iterable[Any], *, stream: bool | None, **params: Any
) -> ChatCompletion | SyncStream: ...


def completion(
    model: str, messages: Iterable[Any], *, stream: bool | None = False, **params: Any
) -> ChatCompletion | SyncStream:
    """The synchronous twin of :func:`acompletion`; a stream is an ordinary iterator."""
    answer = run(acompletion(model, messages, stream=stream, **params))
    return SyncStream(answer) if isinstance(answer, ChatStream) else answer


async def aembedding(model: str, input: Any, **params: Any) -> EmbeddingResponse:
    """Turn texts into vectors; see :meth:`Router.aembedding`."""
    return await singles().aembedding(model, input, **params)


def embedding(model: str, input: Any, **params: Any) -> EmbeddingResponse:
    """The synchronous twin of :func:`aembedding`."""
    return singles().embedding(model, input, **params)


async def arerank(
    model: str, query: str, documents: Iterable[Any], **params: Any
) -> RerankResponse:
    """Rank documents by how well they answer a query; see :meth:`Router.arerank`."""
    return await singles().arerank(model, query, documents, **params)


def rerank(model: str, query: str, documents: Iterable[Any], **params: Any) -> RerankResponse:
    """The synchronous twin of :func:`arerank`."""
    return singles().rerank(model, query, documents, **params)


@overload
async def atext_completion(
    model: str, prompt: Any, *, stream: Literal[False] | None = False, **params: Any
) -> TextCompletion: ...


@overload
async def atext_completion(
    model: str, prompt: Any, *, stream: Literal[True], **params: Any
) -> ChatStream: ...


@overload
async def atext_completion(
    model: str, prompt: Any, *, stream: bool | None, **params: Any
) -> TextCompletion | ChatStream: ...


async def atext_completion(
    model: str, prompt: Any, *, stream: bool | None = False, **params: Any
) -> TextCompletion | ChatStream:
    """Continue a text; see :meth:`Router.atext_completion`."""
    return await singles().continue_text(model, prompt, bool(stream), params)


@overload
def text_completion(
    model: str, prompt: Any, *, stream: Literal[False] | None = False, **params: Any
) -> TextCompletion: ...


@overload
def text_completion(
    model: str, prompt: Any, *, stream: Literal[True], **params: Any
) -> SyncStream: ...


@overload
def text_completion(
    model: str, prompt: Any, *, stream: bool | None, **params: Any
) -> TextCompletion | SyncStream: ...


def text_completion(
    model: str, prompt: Any, *, stream: bool | None = False, **params: Any
) -> TextCompletion | SyncStream:
    """The synchronous twin of :func:`atext_completion`; a stream is an ordinary iterator."""
    answer = run(singles().continue_text(model, prompt, bool(stream), params))
    return SyncStream(answer) if isinstance(answer, ChatStream) else answer


async def aimage_generation(prompt: str, model: str, **params: Any) -> ImageResponse:
    """Draw images; see :meth:`Router.aimage_generation`."""
    return await singles().aimage_generation(prompt, model, **params)


def image_generation(prompt: str, model: str, **params: Any) -> ImageResponse:
    """The synchronous twin of :func:`aimage_generation`."""
    return singles().image_generation(prompt, model, **params)


async def amoderation(input: Any, model: str = MODERATOR, **params: Any) -> Moderation:
    """Judge whether content is objectionable; see :meth:`Router.amoderation`."""
    return await singles().amoderation(input, model, **params)


def moderation(input: Any, model: str = MODERATOR, **params: Any) -> Moderation:
    """The synchronous twin of :func:`amoderation`."""
    return singles().moderation(input, model, **params)


async def atranscription(model: str, file: Any, **params: Any) -> Transcription:
    """Write down what is said in a recording; see :meth:`Router.atranscription`."""
    return await singles().atranscription(model, file, **params)


def transcription(model: str, file: Any, **params: Any) -> Transcription:
    """The synchronous twin of :func:`atranscription`."""
    return singles().transcription(model, file, **params)


async def aspeech(
    model: str, input: str, voice: str | Mapping[str, Any] | None = None, **params: Any
) -> Speech:
    """Say a text aloud; see :meth:`Router.aspeech`."""
    return await singles().aspeech(model, input, voice, **params)


def speech(
    model: str, input: str, voice: str | Mapping[str, Any] | None = None, **params: Any
) -> Speech:
    """The synchronous twin of :func:`aspeech`."""
    return singles().speech(model, input, voice, **params)
