"""
Claude by Bedrock's InvokeModel: Anthropic's own Messages format, signed by AWS.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html.
``bedrock/invoke/NAME`` asks for it. The body is what `anthropic_body.py` builds, without the
model, with a version and the beta flags in it; a stream's events come one in each message of an
AWS event stream.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

import msgspec

from ..exceptions import BadRequestError
from .anthropic_answer import parse_answer
from .anthropic_body import build_body
from .anthropic_media import urls_to_fetch
from .anthropic_stream import MessagesDecoder
from .aws_events import EventSplitter
from .bedrock_access import Access, betas_of, without_betas
from .bedrock_errors import MALFORMED, convert_error, event_error, unreadable
from .bedrock_models import family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, Credential, Request, Target

ANTHROPIC_VERSION = "bedrock-2023-05-31"

TIER_HEADER = "X-Amzn-Bedrock-Service-Tier"
TIERS = frozenset({"default", "flex", "priority"})
"""Values of `service_tier` that Bedrock knows; it takes them as a header."""


class InvokeAdapter:
    """Messages of a Claude model.

    Args:
        target: the model, how to reach it, and who calls.
        clock: seconds since the epoch; signatures carry the time.

    Raises:
        BadRequestError: the model is another maker's, whose own format is not spoken here.
    """

    credential: Credential | None = None

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.time) -> None:
        self.access: Access = Access(target, clock)
        self.credential = self.access.credential
        self.target: Target = self.access.target
        if family_of(self.access.family).claude is None:
            raise BadRequestError(
                "invoke/ is for Claude, whose format is Anthropic's; polyroute calls others by "
                f"the Converse API: write bedrock/{target.model}",
                model=target.model,
                llm_provider=target.provider,
                param="model",
            )
        self.headers: dict[str, str] = without_betas(target.headers)
        self.betas: list[str] = betas_of(target.headers)

    def files(self, call: Call) -> tuple[str, ...]:
        """Every URL in the messages; see :meth:`Adapter.files`."""
        return urls_to_fetch(call.messages, opens_urls=False)

    def build(self, call: Call) -> Request:
        """The request, signed; see :meth:`Adapter.build`."""
        extra = call.extra_headers or {}
        body, betas, dropped = build_body(call, self.target)
        for name in ("model", "service_tier", "stream"):
            body.pop(name, None)
        body.setdefault("anthropic_version", ANTHROPIC_VERSION)
        flags = dict.fromkeys([*self.betas, *betas_of(extra), *sorted(betas)])
        if flags:
            body.setdefault("anthropic_beta", list(flags))
        headers = {**self.headers, **without_betas(extra)}
        if call.params.get("service_tier") in TIERS:
            headers.setdefault(TIER_HEADER, call.params["service_tier"])
        method = "invoke-with-response-stream" if call.stream else "invoke"
        return self.access.request(method, headers, body, call, dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return parse_answer(body, call, self.target)

    def decoder(self, call: Call) -> MessagesDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        splitter = ChunkSplitter(self.target, call.max_event_bytes)
        return MessagesDecoder(self.target, call, splitter)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)


class ChunkSplitter:
    """Hands out what the messages of an AWS event stream carry: Anthropic's own events."""

    def __init__(self, target: Target, limit: int) -> None:
        self._target = target
        self._split = EventSplitter(limit)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The events that `data` completes.

        Raises:
            APIError: one of them is an error, or makes no sense.
        """
        for headers, payload in self._split.feed(data):
            if headers.get(":message-type", "event") != "event":
                raise event_error(self._target, headers, payload)
            try:
                yield base64.b64decode(msgspec.json.decode(payload)["bytes"])
            except MALFORMED as error:
                raise unreadable(self._target, payload, str(error)) from error

    def finish(self) -> tuple[()]:
        """Nothing: a message that is cut off cannot be checked."""
        return self._split.finish()

    def document(self) -> bytes:
        """None: what is no message is damaged."""
        return self._split.document()
