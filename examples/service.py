"""An HTTP service with one Router: answers, streams, errors with their status, a status page.

aiohttp serves here because polyroute brings it; in any other framework the three handlers look the
same. A client that hangs up cancels its handler, and the Router gives everything back.
"""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web

from polyroute import APIError, ChatStream, Router
from polyroute.testing import Upstream

ROUTER = web.AppKey("router", Router)


async def chat(request: web.Request) -> web.StreamResponse:
    """POST /chat {"model": …, "messages": […], "stream": …}."""
    asked = await request.json()
    try:
        answer = await request.app[ROUTER].acompletion(
            asked["model"], asked["messages"], stream=bool(asked.get("stream")), timeout=30
        )
    except APIError as error:
        body = {"error": type(error).__name__, "message": error.message}
        return web.json_response(body, status=error.status_code)
    if isinstance(answer, ChatStream):
        return await forward(request, answer)
    return web.Response(body=answer.model_dump_json(), content_type="application/json")


async def forward(request: web.Request, stream: ChatStream) -> web.StreamResponse:
    """Send a stream on, as server-sent events."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    async with stream:
        await response.prepare(request)
        try:
            async for chunk in stream:
                await response.write(f"data: {chunk.model_dump_json()}\n\n".encode())
            await response.write(b"data: [DONE]\n\n")
        except APIError as error:
            await response.write(f"event: error\ndata: {type(error).__name__}\n\n".encode())
    return response


async def status(request: web.Request) -> web.Response:
    """GET /status: the state of every deployment."""
    return web.json_response(request.app[ROUTER].stats())


def make_app(router: Router) -> web.Application:
    """The service over a Router."""
    app = web.Application()
    app[ROUTER] = router
    app.router.add_post("/chat", chat)
    app.router.add_get("/status", status)
    return app


async def main() -> None:
    async with (
        Upstream("openai", answer="Hello from behind the service.") as upstream,
        Router(model_list=[upstream.deployment("smart", id="one")]) as router,
    ):
        runner = web.AppRunner(make_app(router))
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            await visit(f"http://127.0.0.1:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()


async def visit(address: str) -> None:
    """A client of the service."""
    messages = [{"role": "user", "content": "Hello?"}]
    async with aiohttp.ClientSession(address) as session:
        async with session.post("/chat", json={"model": "smart", "messages": messages}) as whole:
            print((await whole.json())["choices"][0]["message"]["content"])
        body = {"model": "smart", "messages": messages, "stream": True}
        async with session.post("/chat", json=body) as stream:
            print((await stream.text()).count("data: "), "events")
        async with session.post("/chat", json={"model": "smrt", "messages": messages}) as refused:
            print(refused.status, (await refused.json())["message"])
        async with session.get("/status") as page:
            print(await page.json())


if __name__ == "__main__":
    asyncio.run(main())
