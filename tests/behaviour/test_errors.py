"""Errors say what happened, carry everything along, and give nothing away."""

from __future__ import annotations

import asyncio
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    PolyrouteError,
    RateLimitError,
    RequestTooLargeError,
    ServiceUnavailableError,
    StreamInterruptedError,
    Timeout,
    UnprocessableEntityError,
)

from .helpers import ask, failure, in_flight, read

if TYPE_CHECKING:
    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

SECRET = "sk-this-is-a-secret-0123456789"
KINDS = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: Timeout,
    409: ConflictError,
    413: RequestTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: InternalServerError,
    502: BadGatewayError,
    503: ServiceUnavailableError,
    504: Timeout,
    529: OverloadedError,
}
GEMINIS = (400, 401, 403, 404, 429, 500, 503, 504)
"""The statuses that Gemini has, each with a name of its own."""


@pytest.mark.parametrize(
    ("wire", "status", "kind"),
    [
        (wire, status, kind)
        for wire in ("openai", "anthropic", "gemini")
        for status, kind in KINDS.items()
        if wire != "gemini" or status in GEMINIS
    ],
)
async def test_kind(fleet: Fleet, wire: str, status: int, kind: type[APIError]) -> None:
    """Each status is its class, and the error knows everything there is to know."""
    (upstream,) = await fleet.start(wire)
    router = await fleet.router({"smart": [upstream]}, num_retries=0)
    upstream.fail(status, message="because of that", retry_after=3)
    error = await failure(router)
    assert type(error) is kind
    assert error.status_code == status
    assert "because of that" in error.message
    assert error.model == "loopback-model"
    assert error.llm_provider == wire
    assert error.retry_after == 3
    assert "because of that" in error.body
    assert len(error.route.attempts) == 1
    if wire != "gemini":
        assert error.request_id == "request-1"


@pytest.mark.parametrize("status", KINDS)
async def test_pickled(fleet: Fleet, status: int) -> None:
    """An error comes out of a pickle as it went in, its route too."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, num_retries=0)
    upstream.fail(status, retry_after=2)
    error = await failure(router)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert (again.status_code, again.retry_after, again.route) == (status, 2, error.route)


async def test_interrupted_stream_is_pickled(fleet: Fleet) -> None:
    """So does a broken stream, with its partial message."""
    (upstream,) = await fleet.start("openai", answer="one two three")
    router = await fleet.router({"smart": [upstream]})
    upstream.cut(after_chunks=2)
    with pytest.raises(StreamInterruptedError) as caught:
        await read(await ask(router, stream=True))
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  our own bytes
    assert again.partial_message.content == "one two"
    assert again.route == caught.value.route


@pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("how", ["401", "500", "dead", "hang", "stream", "rubbish"])
async def test_no_secrets(fleet: Fleet, wire: str, how: str) -> None:
    """No key is in an error, its repr, its traceback or its pickle, even if a provider says it."""
    (upstream,) = await fleet.start(wire, answer="one two three")
    entry = upstream.deployment("smart")
    entry["litellm_params"] |= {"api_key": SECRET, "extra_headers": {"X-Token": SECRET + "-2"}}
    router = await fleet.router({"smart": [entry]}, num_retries=1, timeout=0.15)
    match how:
        case "dead":
            upstream.kill()
        case "hang":
            upstream.hang(times=None)
        case "stream":
            upstream.fail(500, after_chunks=1, message=f"bad key {SECRET}", times=None)
        case "rubbish":
            upstream.cut(times=None)
        case status:
            upstream.fail(int(status), message=f"bad key {SECRET}", times=None)
    with pytest.raises(APIError) as caught:
        if how == "stream":
            await read(await ask(router, stream=True))
        await ask(router)
    error = caught.value
    told = "".join(traceback.format_exception(error))
    told += f"{error}{error!r}{error.body}{error.__dict__}{error.route}{pickle.dumps(error)!r}"
    assert SECRET not in told
    assert SECRET not in repr(router)


async def test_one_base(fleet: Fleet) -> None:
    """Every failed call is an APIError and a PolyrouteError; a Timeout is a TimeoutError too."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, num_retries=0)
    upstream.hang(times=1)
    error = await failure(router, timeout=0.05)
    assert isinstance(error, TimeoutError)
    assert isinstance(error, APIConnectionError)
    upstream.kill()
    error = await failure(router)
    assert isinstance(error, PolyrouteError)
    assert not isinstance(error, TimeoutError)


async def test_concurrent_errors_are_objects_of_their_own(fleet: Fleet) -> None:
    """Two calls never get the same error object: each has its own route."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, num_retries=0, disable_cooldowns=True)
    upstream.fail(500, times=None)
    errors = await asyncio.gather(*(failure(router) for _ in range(20)))
    assert len({id(error) for error in errors}) == 20
    assert len({id(error.route) for error in errors}) == 20


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("num_retries", -1),
        ("num_retries", "two"),
        ("fallbacks", "backup"),
        ("stream_timeout", 0),
        ("stream_idle_timeout", -1),
        ("force_timeout", "soon"),
        ("on_stream_break", "restart"),
        ("priority", "high"),
        ("retry_policy", {"Timeout": -1}),
        ("retry_policy", {"NoSuchError": 1}),
        ("tags", 7),
    ],
)
async def test_options_that_are_wrong(fleet: Fleet, option: str, wrong: Any) -> None:
    """A wrong option is refused before anything is sent, by its name."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    error = await failure(router, **{option: wrong})
    assert isinstance(error, BadRequestError)
    assert option in error.message
    assert upstream.requests == []


async def test_oversized_answer(fleet: Fleet) -> None:
    """An answer beyond max_body_bytes is a typed error, not memory; the connection is closed."""
    (upstream,) = await fleet.start("openai", answer="x" * 200_000)
    router = await fleet.router({"smart": [upstream]}, max_body_bytes=100_000, num_retries=0)
    assert isinstance(await failure(router), APIResponseValidationError)
    assert in_flight(router) == 0


async def test_callers_exceptions_pass(fleet: Fleet) -> None:
    """An exception of the caller's own inside a stream's block is not changed."""
    (upstream,) = await fleet.start("openai", answer="a b")
    router = await fleet.router({"smart": [upstream]})
    with pytest.raises(KeyError, match="mine"):
        async with await ask(router, stream=True) as stream:
            async for _ in stream:
                raise KeyError("mine")


async def test_call_policy_takes_litellms_names(fleet: Fleet) -> None:
    """A call's retry_policy understands the names that the Router's does."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, num_retries=2)
    upstream.fail(500, times=None)
    error = await failure(router, retry_policy={"InternalServerErrorRetries": 0})
    assert len(error.route.attempts) == 1
