"""Secrets that are fetched: off the loop, once, in time."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import AuthenticationError, Timeout
from polyroute.providers import COMPATIBLE
from polyroute.providers.base import Secret
from polyroute.providers.openai import OpenAIAdapter
from polyroute.router.credentials import LIFETIME, Secrets

if TYPE_CHECKING:
    from conftest import Fleet

    from polyroute import Router
    from polyroute.providers import Call, Request
    from polyroute.testing import FakeClock, Upstream

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]


@dataclass
class Token:
    """A credential that counts how often it is fetched, and where."""

    lasts: float | None = 3600.0
    identity: Any = "token"
    clock: Any = None
    threads: list[threading.Thread] = field(default_factory=list)
    failing: bool = False
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def fetch(self) -> Secret:
        self.threads.append(threading.current_thread())
        self.gate.wait(5)
        if self.failing:
            raise AuthenticationError("no token today")
        expires = None if self.lasts is None else self.clock() + self.lasts
        return Secret(f"value-{len(self.threads)}", expires)


@pytest.fixture
def secrets(clock: FakeClock) -> Secrets:
    """Secrets under a clock of the test's own."""
    return Secrets(clock)


async def test_fetched_in_a_thread(secrets: Secrets, clock: FakeClock) -> None:
    """Fetching never holds up the event loop."""
    token = Token(clock=clock)
    assert await secrets.get(token) == "value-1"
    assert token.threads[0] is not threading.current_thread()


async def test_kept(secrets: Secrets, clock: FakeClock) -> None:
    """A secret is fetched once while it lasts."""
    token = Token(clock=clock)
    for _ in range(5):
        await secrets.get(token)
        clock.advance(600)
    assert len(token.threads) == 1


async def test_fetched_anew_before_it_ends(secrets: Secrets, clock: FakeClock) -> None:
    """Two minutes before its end a secret is fetched anew."""
    token = Token(clock=clock)
    await secrets.get(token)
    clock.advance(3600 - 121)
    assert await secrets.get(token) == "value-1"
    clock.advance(2)
    assert await secrets.get(token) == "value-2"


async def test_short_lived(secrets: Secrets, clock: FakeClock) -> None:
    """A secret that lasts less than two minutes is still kept for most of its time."""
    token = Token(lasts=60, clock=clock)
    await secrets.get(token)
    clock.advance(50)
    assert await secrets.get(token) == "value-1"
    clock.advance(5)
    assert await secrets.get(token) == "value-2"


async def test_without_an_end(secrets: Secrets, clock: FakeClock) -> None:
    """A secret that says nothing of its end is asked for again after a while."""
    token = Token(lasts=None, clock=clock)
    await secrets.get(token)
    clock.advance(LIFETIME / 2)
    assert await secrets.get(token) == "value-1"
    clock.advance(LIFETIME)
    assert await secrets.get(token) == "value-2"


async def test_fetched_once_for_many(secrets: Secrets, clock: FakeClock) -> None:
    """However many calls want it at the same time, a secret is fetched once."""
    token = Token(clock=clock)
    values = await asyncio.gather(*(secrets.get(token) for _ in range(50)))
    assert (set(values), len(token.threads)) == ({"value-1"}, 1)


async def test_equal_identities_share(secrets: Secrets, clock: FakeClock) -> None:
    """Credentials of equal identity are one; others are fetched for themselves."""
    one, same, other = (Token(identity=name, clock=clock) for name in ("a", "a", "b"))
    for token in (one, same, other):
        await secrets.get(token)
    assert [len(token.threads) for token in (one, same, other)] == [1, 0, 1]


async def test_failure_is_told_and_tried_again(secrets: Secrets, clock: FakeClock) -> None:
    """A failed fetch is the caller's error, and the next call fetches again."""
    token = Token(clock=clock, failing=True)
    with pytest.raises(AuthenticationError, match="no token today"):
        await secrets.get(token)
    token.failing = False
    assert await secrets.get(token) == "value-2"


async def test_waiters_get_errors_of_their_own(secrets: Secrets, clock: FakeClock) -> None:
    """Calls that wait for the same failing fetch do not share one exception object."""
    token = Token(clock=clock, failing=True)
    errors = await asyncio.gather(*(secrets.get(token) for _ in range(3)), return_exceptions=True)
    assert len({id(error) for error in errors}) == 3


async def test_cancelled_waiter_harms_nobody(secrets: Secrets, clock: FakeClock) -> None:
    """A caller who leaves does not take the fetch away from the others."""
    token = Token(clock=clock)
    token.gate.clear()
    first, second = (asyncio.create_task(secrets.get(token)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    token.gate.set()
    assert await second == "value-1"


async def test_failure_that_nobody_waits_for(secrets: Secrets, clock: FakeClock) -> None:
    """A fetch that fails after its last waiter has left makes no noise."""
    token = Token(clock=clock, failing=True)
    token.gate.clear()
    waiter = asyncio.create_task(secrets.get(token))
    await asyncio.sleep(0.01)
    waiter.cancel()
    await asyncio.wait([waiter])
    noise: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    token.gate.set()
    while secrets._fetching:
        await asyncio.sleep(0.001)
    gc.collect()
    assert noise == []


def test_secret_hides_itself() -> None:
    """A secret's repr does not tell it."""
    assert "hush" not in repr(Secret("hush"))
    assert "hush" not in str(Secret("hush"))


class WithToken(OpenAIAdapter):
    """OpenAI's format with a fetched token instead of a key."""

    def build(self, call: Call) -> Request:
        call.extra_headers = {"Authorization": f"Bearer {call.secret}"}
        return super().build(call)


class TestCalls:
    """Through a Router, whose deployment needs the token."""

    async def router(self, fleet: Fleet, token: Token, **params: Any) -> tuple[Router, Upstream]:
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("smart", id="d", **params)
        router = await fleet.router({"smart": [entry]}, num_retries=0)
        (deployment,) = router._aliases.deployments.values()
        deployment._adapters["chat"] = WithToken(deployment.target, COMPATIBLE["openai"])
        deployment._adapters["chat"].credential = token
        return router, upstream

    async def test_token_is_there_when_the_request_is_built(self, fleet: Fleet) -> None:
        """The adapter finds the secret's value in the call."""
        router, upstream = await self.router(fleet, Token(clock=time.time))
        await router.acompletion("smart", HI)
        assert upstream.requests[0].headers["authorization"] == "Bearer value-1"

    async def test_failed_fetch_is_an_attempt_that_failed(self, fleet: Fleet) -> None:
        """The caller gets the credential's own error, on a route that shows it."""
        router, _ = await self.router(fleet, Token(failing=True))
        with pytest.raises(AuthenticationError, match="no token today") as caught:
            await router.acompletion("smart", HI)
        assert caught.value.route.attempts[0].error == "AuthenticationError"
        assert router.stats()[0]["in_flight"] == 0

    async def test_calls_at_once_get_their_own_routes(self, fleet: Fleet) -> None:
        """Calls that fail over the same fetch do not see each other's route."""
        router, _ = await self.router(fleet, Token(failing=True))
        calls = [router.acompletion("smart", HI) for _ in range(3)]
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert len({id(error.route) for error in errors}) == 3

    async def test_slow_fetch_is_one_attempt(self, fleet: Fleet) -> None:
        """num_retries=0 is one attempt also where the time passes before anything is sent."""
        token = Token(failing=True)
        token.gate.clear()
        router, _ = await self.router(fleet, token, timeout=0.02)
        with pytest.raises(Timeout) as caught:
            await router.acompletion("smart", HI)
        token.gate.set()
        assert len(caught.value.route.attempts) == 1
