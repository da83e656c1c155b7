"""Requests as they go over the wire: our own way, and aiohttp's session's, are the same."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import BadRequestError, Router

if TYPE_CHECKING:
    from conftest import Fleet

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]
BODY = json.dumps(
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello!"}}]}
).encode()


async def ask(router: Router, **params: Any) -> Any:
    return await router.acompletion("smart", HI, **params)


async def test_both_ways_send_the_same(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request line and the headers are what aiohttp's session would have sent."""
    raw = await fleet.raw(fleet.http(BODY, Content_Length=str(len(BODY))))
    for proxies in ({}, {"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}):
        for name, value in proxies.items():
            monkeypatch.setenv(name, value)
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        await ask(router, extra_headers={"content-type": "application/json", "X-Mine": "é"})
    own, sessions = (head.decode().splitlines() for head in raw.heads)
    assert own[0] == sessions[0] == "POST /v1/chat/completions HTTP/1.1"
    assert sorted(own) == sorted(sessions)


@pytest.mark.usefixtures("way")
async def test_large_body(fleet: Fleet) -> None:
    """A body that no socket takes at once arrives whole."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    text = "€" * 300_000
    await router.acompletion("smart", [{"role": "user", "content": text}])
    assert upstream.requests[-1].body["messages"][0]["content"] == text


@pytest.mark.usefixtures("way")
async def test_many_requests_in_one_turn(fleet: Fleet) -> None:
    """Requests that go out together are each sent once, whoever leaves meanwhile."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    for turn in range(2):  # on new connections, then on those
        texts = {f"{turn}.{number}" for number in range(30)}
        calls = [
            asyncio.ensure_future(router.acompletion("smart", [{"role": "user", "content": text}]))
            for text in sorted(texts)
        ]
        quitter = asyncio.ensure_future(ask(router))
        await asyncio.sleep(0)
        quitter.cancel()
        await asyncio.gather(*calls)
        with pytest.raises(asyncio.CancelledError):
            await quitter
        received = [call.body["messages"][0]["content"] for call in upstream.requests]
        assert sorted(text for text in received if text.startswith(f"{turn}.")) == sorted(texts)
    assert router.stats()[0]["in_flight"] == 0


@pytest.mark.usefixtures("way")
async def test_informational_answers_are_passed_over(fleet: Fleet) -> None:
    """Early hints come before the answer and are none."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    raw = await fleet.raw(hints, fleet.http(BODY, Content_Length=str(len(BODY))))
    router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
    assert (await ask(router)).choices[0].message.content == "Hello!"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("end", ["length", "chunked", "close", "HTTP/1.0"])
async def test_every_way_to_end_a_body(fleet: Fleet, end: str) -> None:
    """A body may have a length, come in chunks, or end with its connection."""
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    answers = {
        "length": fleet.http(BODY, Content_Length=str(len(BODY))),
        "chunked": fleet.http(chunks, Transfer_Encoding="chunked"),
        "close": fleet.http(BODY, Connection="close"),
        "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    }
    raw = await fleet.raw(answers[end])
    router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
    assert (await ask(router)).choices[0].message.content == "Hello!"


@pytest.mark.usefixtures("way")
async def test_name_and_password_in_the_address(fleet: Fleet) -> None:
    """They go as basic authorisation where the provider's key goes elsewhere."""
    (upstream,) = await fleet.start("gemini")
    entry = upstream.deployment("smart", id="a")
    params = dict(entry["litellm_params"])
    params["api_base"] = params["api_base"].replace("http://", "http://me:secret@")
    router = await fleet.router({"smart": [{**entry, "litellm_params": params}]})
    await ask(router)
    assert upstream.requests[-1].headers["authorization"] == "Basic bWU6c2VjcmV0"


async def test_length_is_not_the_callers(fleet: Fleet) -> None:
    """A header that says something else about the body than is true is not sent."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, num_retries=0)
    headers = {"Content-Length": "3"}
    answer = await ask(router, extra_headers=headers)
    assert answer.choices[0].message.content == "Hello!"
    assert int(upstream.requests[-1].headers["content-length"]) > 3


async def test_header_with_a_line_end(fleet: Fleet) -> None:
    """Whatever finds its way into a header cannot begin another one."""
    (upstream,) = await fleet.start("openai")
    entry = upstream.deployment("smart", id="a")
    router = await fleet.router({"smart": [entry]}, num_retries=0)
    (deployment,) = router._aliases.deployments.values()
    adapter = deployment.adapter()
    adapter.headers = {**adapter.headers, "X-Bad": "a\r\nX-Worse: b"}
    with pytest.raises(BadRequestError, match="line end"):
        await ask(router)
    assert not upstream.requests
