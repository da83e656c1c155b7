"""What type checkers must see of the public surface; checked, never run."""

from __future__ import annotations

from typing import assert_type

import polyroute
from polyroute import ChatCompletion, ChatStream, Router, SyncStream


async def a_router_types_its_answers(router: Router) -> None:
    whole = await router.acompletion("smart", [{"role": "user", "content": "Hi"}])
    assert_type(whole, ChatCompletion)
    assert_type(whole.choices[0].message.content, str | None)
    stream = await router.acompletion("smart", [], stream=True)
    assert_type(stream, ChatStream)
    async for chunk in stream:
        assert_type(chunk.choices[0].delta.content, str | None)


def the_synchronous_twins_too(router: Router) -> None:
    assert_type(router.completion("smart", []), ChatCompletion)
    assert_type(router.completion("smart", [], stream=True), SyncStream)
    assert_type(polyroute.completion("gpt-4o", []), ChatCompletion)
    assert_type(polyroute.completion("gpt-4o", [], stream=True), SyncStream)


async def single_models_too() -> None:
    assert_type(await polyroute.acompletion("gpt-4o", []), ChatCompletion)
    assert_type(await polyroute.acompletion("gpt-4o", [], stream=True), ChatStream)


def errors_have_their_attributes(error: polyroute.RateLimitError) -> None:
    assert_type(error.retry_after, float | None)
    assert_type(error.status_code, int)
