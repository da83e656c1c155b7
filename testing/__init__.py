"""
Tools for testing what is built on polyroute, without mocks: real servers on the loopback.

    from polyroute import Router
    from polyroute.testing import Upstream

    async with Upstream("anthropic", answer="Hello") as upstream:
        upstream.fail(status=429, retry_after=1)
        async with Router(model_list=[upstream.deployment("smart")]) as router:
            ...
        assert upstream.requests[0].body["messages"]

An :class:`Upstream` speaks a provider's wire format and fails on request; :class:`Reply` and
:class:`ToolUse` script what it says; :class:`FakeClock` is time that passes when told to.
"""

from __future__ import annotations

from .clock import FakeClock
from .exchange import Received
from .reply import Reply, ToolUse
from .upstream import Upstream

__all__ = ["FakeClock", "Received", "Reply", "ToolUse", "Upstream"]
