"""What type checkers must see of the public surface; checked, never run."""

from __future__ import annotations

from typing import assert_type

import polyroute
from polyroute import (
    ChatCompletion,
    ChatStream,
    EmbeddingResponse,
    ImageResponse,
    Router,
    SyncStream,
    TextCompletion,
)


async def a_router_types_its_answers(router: Router) -> None:
    whole = await router.acompletion("smart", [{"role": "user", "content": "Hi"}])
    assert_type(whole, ChatCompletion)
    assert_type(whole.choices[0].message.content, str | None)
    stream = await router.acompletion("smart", [], stream=True)
    assert_type(stream, ChatStream)
    async for chunk in stream:
        assert_type(chunk.choices[0].delta.content, str | None)


async def whether_it_streams_may_be_open(router: Router, stream: bool) -> None:
    assert_type(await router.acompletion("smart", [], stream=stream), ChatCompletion | ChatStream)
    assert_type(await router.acompletion("smart", [], stream=False), ChatCompletion)
    assert_type(await router.acompletion("smart", [], stream=None), ChatCompletion)
    assert_type(router.completion("smart", [], stream=stream), ChatCompletion | SyncStream)
    assert_type(
        await polyroute.acompletion("gpt-4o", [], stream=stream), ChatCompletion | ChatStream
    )
    assert_type(polyroute.completion("gpt-4o", [], stream=stream), ChatCompletion | SyncStream)
    assert_type(
        await router.atext_completion("base", "Hi", stream=stream), TextCompletion | ChatStream
    )
    assert_type(polyroute.text_completion("base", "Hi", stream=stream), TextCompletion | SyncStream)


def the_synchronous_twins_too(router: Router) -> None:
    assert_type(router.completion("smart", []), ChatCompletion)
    assert_type(router.completion("smart", [], stream=True), SyncStream)
    assert_type(polyroute.completion("gpt-4o", []), ChatCompletion)
    assert_type(polyroute.completion("gpt-4o", [], stream=True), SyncStream)


async def single_models_too() -> None:
    assert_type(await polyroute.acompletion("gpt-4o", []), ChatCompletion)
    assert_type(await polyroute.acompletion("gpt-4o", [], stream=True), ChatStream)
    assert_type(await polyroute.acompletion("gpt-4o", [], stream=False, n=2), ChatCompletion)
    assert_type(await polyroute.atext_completion("davinci-002", "Hi"), TextCompletion)
    assert_type(polyroute.text_completion("davinci-002", "Hi", stream=True), SyncStream)


def errors_have_their_attributes(error: polyroute.RateLimitError) -> None:
    assert_type(error.retry_after, float | None)
    assert_type(error.status_code, int)


async def images_too(router: Router) -> None:
    answer = await router.aimage_generation("A cat", "painter")
    assert_type(answer, ImageResponse)
    assert_type(answer.data[0].url, str | None)
    assert_type(answer.usage.total_tokens, int)
    assert_type(polyroute.image_generation("A cat", "dall-e-3"), ImageResponse)


async def rankings_and_texts_too(router: Router) -> None:
    answer = await router.arerank("rank", "a query", ["a text"])
    assert_type(answer.results[0].relevance_score, float)
    assert_type(polyroute.transcription("whisper-1", b"sound").text, str)
    assert_type(polyroute.speech("tts-1", "Hi", "alloy").content, bytes)
    assert_type(router.moderation("Hi").results[0].flagged, bool)
    assert_type(await router.atext_completion("base", "Hi"), TextCompletion)
    assert_type(await router.atext_completion("base", "Hi", stream=True), ChatStream)


async def batches_return_errors_in_their_place() -> None:
    for outcome in await polyroute.abatch_completion("gpt-4o", [[], []]):
        assert_type(outcome, ChatCompletion | polyroute.PolyrouteError)


async def embeddings_too(router: Router) -> None:
    assert_type(await router.aembedding("vectors", ["a", "b"]), EmbeddingResponse)
    assert_type(polyroute.embedding("text-embedding-3-small", "a").data[0].index, int)


def names_of_litellm_are_types(answer: polyroute.ModelResponse, choice: polyroute.Choices) -> None:
    assert_type(answer, ChatCompletion)
    assert_type(choice.message.content, str | None)


def prices_are_numbers(answer: ChatCompletion) -> None:
    assert_type(polyroute.completion_cost(completion_response=answer), float)
    assert_type(answer.route.cost, float | None)
    assert_type(polyroute.supports_vision("gpt-4o"), bool)


def settings_are_typed() -> None:
    polyroute.openai_key = "sk-…"
    polyroute.drop_params = True
    polyroute.request_timeout = 30
    assert_type(polyroute.num_retries, int | None)
