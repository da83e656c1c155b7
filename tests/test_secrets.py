"""Keys: they go to the provider and nowhere else."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, ConfigurationError, Router

if TYPE_CHECKING:
    from conftest import Fleet

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]
KEY = "sk-hush-0123456789"
HEADER = "token-in-a-header-0123456789"
FORMATS = pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini"])


def texts(thing: Any) -> str:
    """Everything that a log, a debugger or another process could see of a thing."""
    seen = [str(thing), repr(thing), repr(pickle.dumps(thing)), repr(getattr(thing, "route", ""))]
    if isinstance(thing, APIError):
        seen += ["".join(traceback.format_exception(thing)), repr(vars(thing))]
    return "\n".join(seen)


def hidden(thing: Any) -> bool:
    """Whether no secret shows in any text of a thing."""
    text = texts(thing)
    return KEY not in text and HEADER not in text


async def failure(router: Router, **params: Any) -> APIError:
    """The error that a call, or reading its stream, ends in."""
    with pytest.raises(APIError) as caught:
        answer = await router.acompletion("smart", HI, **params)
        _ = [chunk async for chunk in answer]
    return caught.value


def secretly(upstream: Any, **more: Any) -> dict[str, Any]:
    """An entry with a secret key and a secret header."""
    headers = {"X-Gateway": f"Bearer {HEADER}"}
    return upstream.deployment("smart", id="d", api_key=KEY, extra_headers=headers, **more)


@FORMATS
async def test_key_reaches_the_provider(fleet: Fleet, wire: str) -> None:
    """The key goes over the wire in a header, never in the address or the body."""
    (upstream,) = await fleet.start(wire)
    router = await fleet.router({"smart": [secretly(upstream)]})
    await router.acompletion("smart", HI)
    (request,) = upstream.requests
    assert any(KEY in value for value in request.headers.values())
    assert KEY not in request.path + json.dumps(request.body)


@FORMATS
@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("secret", [KEY, HEADER])
async def test_provider_that_repeats_it(fleet: Fleet, wire: str, status: int, secret: str) -> None:
    """A provider that repeats the key in its complaint does not get it into the error."""
    (upstream,) = await fleet.start(wire, headers={"X-Echo": f"got {secret}"})
    router = await fleet.router({"smart": [secretly(upstream)]}, num_retries=0)
    upstream.fail(status, message=f"Incorrect API key provided: {secret}.")
    error = await failure(router)
    assert "Incorrect API key provided: [redacted]." in error.message
    assert hidden(error)


async def test_code_and_param_are_looked_at_too(fleet: Fleet) -> None:
    """Neither the error's code nor any other attribute repeats the key."""
    said = {"error": {"message": "no", "code": f"bad:{KEY}", "param": KEY, "type": KEY}}
    body = json.dumps(said).encode()
    raw = await fleet.raw(fleet.http(body, "400 Bad Request", X_Request_Id=f"r-{KEY}"))
    router = await fleet.router({"smart": [raw.deployment("smart", api_key=KEY)]}, num_retries=0)
    assert hidden(await failure(router))


@FORMATS
async def test_stream_that_repeats_it(fleet: Fleet, wire: str) -> None:
    """An error in the middle of a stream is cleaned like any other."""
    (upstream,) = await fleet.start(wire, answer="one two three")
    router = await fleet.router({"smart": [secretly(upstream)]}, num_retries=0)
    upstream.fail(500, message=f"{KEY} and {HEADER} broke", after_chunks=1)
    error = await failure(router, stream=True)
    assert error.partial_message.content == "one"
    assert hidden(error)


@pytest.mark.parametrize("body", [f"<html>{KEY}</html>", f'{{"oops": "{KEY}"}}', KEY])
async def test_answer_that_makes_no_sense(fleet: Fleet, body: str) -> None:
    """What cannot be understood is quoted without the key."""
    raw = await fleet.raw(fleet.http(body.encode()))
    router = await fleet.router({"smart": [raw.deployment("smart", api_key=KEY)]}, num_retries=0)
    assert hidden(await failure(router))


async def test_header_of_the_call(fleet: Fleet) -> None:
    """A secret that the caller gives in extra_headers is one as well."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, num_retries=0)
    upstream.fail(401, message=f"unknown: {HEADER}")
    error = await failure(router, extra_headers={"Authorization": f"Bearer {HEADER}"})
    assert hidden(error)


async def test_unreachable_host(fleet: Fleet) -> None:
    """Connection errors name the address and no key."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [secretly(upstream)]}, num_retries=0)
    upstream.kill()
    assert hidden(await failure(router))


@pytest.mark.parametrize("base", [f"http://user:{KEY}@[::1/v1", f"http://u:{KEY}@127.0.0.1:9"])
async def test_password_in_the_address(fleet: Fleet, base: str) -> None:
    """A password inside an address is not repeated by the error about that address."""
    params = {"model": "openai/x", "api_base": base, "api_key": "k"}
    entry = {"model_name": "smart", "litellm_params": params}
    router = await fleet.router({"smart": [entry]}, num_retries=0)
    assert hidden(await failure(router))


async def test_answers_and_streams(fleet: Fleet) -> None:
    """An answer with its route and headers can be pickled, and holds no secret."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [secretly(upstream)]})
    answer = await router.acompletion("smart", HI)
    assert hidden(answer)
    again = pickle.loads(pickle.dumps(answer))  # noqa: S301  our own bytes
    assert again.response_headers == answer.response_headers
    assert again.route == answer.route
    stream = await router.acompletion("smart", HI, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(hidden(chunk) for chunk in chunks)
    assert hidden(stream.route)


async def test_router_and_its_parts(fleet: Fleet) -> None:
    """Neither the Router nor anything that it is made of shows a secret."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [secretly(upstream)]})
    await router.acompletion("smart", HI)
    (deployment,) = router._aliases.deployments.values()
    parts = [router, router.stats(), deployment, deployment.target, router._engine, *router.aliases]
    text = "".join(f"{part}{part!r}" for part in parts)
    assert KEY not in text
    assert HEADER not in text


@pytest.mark.parametrize("works", [True, False])
async def test_logs(fleet: Fleet, caplog: pytest.LogCaptureFixture, works: bool) -> None:
    """No log of any level holds a key; `verbose` tells the route."""
    caplog.set_level(logging.DEBUG)
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [secretly(upstream)]}, num_retries=0)
    told: list[dict[str, Any]] = []
    said = {"verbose": True, "logger_fn": told.append}
    if works:
        await router.acompletion("smart", HI, **said)
    else:
        upstream.fail(500, message=KEY)
        await failure(router, **said)
    assert ("answered smart: d (first: ok)" in caplog.text) is works
    assert KEY not in caplog.text + repr(told)
    assert (told[0]["exception"] is None) is works
    assert told[0]["route"].attempts[0].deployment_id == "d"


async def test_configuration_errors() -> None:
    """A wrong entry is described without its values."""
    params = {"model": "openai/x", "api_key": {"value": KEY}, "timeout": KEY, "extra_headers": KEY}
    with pytest.raises(ConfigurationError) as caught:
        Router(model_list=[{"model_name": "smart", "litellm_params": params}])
    assert "api_key" in str(caught.value)
    assert KEY not in "".join(traceback.format_exception(caught.value))


async def test_ids_tell_nothing(fleet: Fleet) -> None:
    """An id made from the configuration depends on the key without showing it."""
    (upstream,) = await fleet.start("openai")
    ids = [
        Router(model_list=[upstream.deployment("smart", api_key=key)]).stats()[0]["id"]
        for key in (KEY, KEY + "x")
    ]
    assert ids[0] != ids[1]
    assert KEY not in ids[0]
