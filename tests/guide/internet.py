"""
The providers that the guide names, on the loopback: each under its own name, with a certificate
that says so, in its own wire format.

Chat, embeddings, rankings and images come from `polyroute.testing`; what its formats do not speak
is in `OTHERS`.
"""

from __future__ import annotations

import itertools
import json
import re
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trustme
from aiohttp import web

from polyroute.testing import Reply, ToolUse
from polyroute.testing.openai_images import PIXEL
from polyroute.testing.upstream import FORMATS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    Body = dict[str, Any]

VECTOR = [0.25, -0.5, 0.75]
LOOPBACK = {"127.0.0.1", "localhost", "::1", None}
TOKENS = "oauth2.googleapis.com"
GOOGLE_ACCOUNT = {
    "type": "authorized_user",
    "client_id": "client",
    "client_secret": "secret",
    "refresh_token": "refresh",
}
"""What the file of somebody holds who has logged in with gcloud."""


def cohere_chat(body: Body) -> Body:
    """https://docs.cohere.com/reference/chat."""
    message = {"role": "assistant", "content": [{"type": "text", "text": say(body).text}]}
    usage = {"tokens": {"input_tokens": 5, "output_tokens": 3}}
    return {"id": "chat", "finish_reason": "COMPLETE", "message": message, "usage": usage}


def cohere_embed(body: Body) -> Body:
    """https://docs.cohere.com/reference/embed."""
    vectors = [VECTOR for _ in body["texts"]]
    meta = {"billed_units": {"input_tokens": 4}}
    return {"id": "embed", "embeddings": {"float": vectors}, "texts": body["texts"], "meta": meta}


def vertex_predict(body: Body) -> Body:
    """https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api."""
    statistics = {"token_count": 3, "truncated": False}
    text = {"values": VECTOR, "statistics": statistics}
    return {"predictions": [vertex_prediction(one, text) for one in body["instances"]]}


def vertex_prediction(instance: Body, text: Body) -> Body:
    """What is predicted for one instance, of the text models or the multimodal one."""
    if "content" in instance:
        return {"embeddings": text}
    return {f"{kind}Embedding": VECTOR for kind in ("text", "image") if kind in instance}


def bedrock_image(_: Body) -> Body:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-1-0-text-image.html."""
    artifact = {"seed": 1, "base64": PIXEL, "finishReason": "SUCCESS"}
    return {"result": "success", "artifacts": [artifact]}


def google_token(_: Body) -> Body:
    """https://developers.google.com/identity/protocols/oauth2."""
    return {"access_token": "loopback-token", "expires_in": 3600, "token_type": "Bearer"}


OTHERS: dict[str, Callable[[Body], Body]] = {
    r"/token": google_token,
    r"/v2/chat": cohere_chat,
    r"/v2/embed": cohere_embed,
    r".*:predict": vertex_predict,
    r"/model/[^/]+/invoke": bedrock_image,
}


def say(body: Body) -> Reply:
    """What a model says: it uses the first tool it has, once, and JSON where that is wanted."""
    sent = json.dumps(body)
    if "tools" in body and "tool_call_id" not in sent:
        tool = body["tools"][0]
        name = tool.get("function", tool)["name"]
        wanted = {"action": "screenshot"} if name == "computer" else {"objects": ["a cat"]}
        return Reply(tools=[ToolUse(name, wanted if "image" in sent or name == "computer" else {})])
    if "response_format" in body:
        return Reply('{"benefits": ["clean"]}')
    return Reply("Hello from here!")


class Internet:
    """Answers every request, whichever host it is for, and remembers who was asked.

    Attributes:
        asked: hosts and bodies, in order; requests for tokens are not among them.
        authority: what clients must trust.
    """

    def __init__(self, *hosts: str) -> None:
        self.asked: list[tuple[str, Body]] = []
        self.authority = trustme.CA()
        self._hosts = (*hosts, TOKENS)
        self._numbers = itertools.count(1)
        self._port = 0

    @asynccontextmanager
    async def serve(self) -> AsyncGenerator[Internet, None]:
        """Be there."""
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*self._hosts).configure_cert(tls)
        runner = web.ServerRunner(web.Server(self._answer))
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            self._port = runner.addresses[0][1]
            yield self
        finally:
            await runner.cleanup()

    def resolve(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        """As `socket.getaddrinfo`: every name leads here."""
        if host not in LOOPBACK:
            assert host in self._hosts, f"nobody expected a request to {host}"
            port = self._port
        address = ("127.0.0.1", int(port))
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)]

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        text = await request.text()
        body = json.loads(text) if text.startswith("{") else {}
        if request.host != TOKENS:
            self.asked.append((request.host, body))
        for pattern, answer in OTHERS.items():
            if re.fullmatch(pattern, request.path):
                return web.json_response(answer(body))
        for format in FORMATS.values():
            question = format.question(next(self._numbers), request.path, body)
            if question is None:
                continue
            problem = format.problem(question)
            if problem:
                return web.json_response(format.error(400, problem), status=400)
            if question.stream:
                events = b"".join(event.data for event in format.events(say(body), question))
                return web.Response(body=events, content_type="text/event-stream")
            return web.json_response(format.whole(say(body), question))
        return web.json_response({}, status=404)
