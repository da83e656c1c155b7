"""
xAI: OpenAI's chat completions, and its Responses where Grok is to search.

https://docs.x.ai/docs/guides/tools/overview. Live search in chat completions has ended
(410 Gone); `web_search_options` and xAI's own tools (``{"type": "x_search"}``) go to `/responses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Request
from .catalog import IMAGES, Compatible
from .openai import OpenAIAdapter
from .openai_messages import is_foreign
from .openai_service import encode
from .params import supported_params
from .responses import SUPPORTED, convert_messages, convert_params
from .responses_answer import ResponsesDecoder, convert_completion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schemas import ChatCompletion
    from .base import Call, Decoder, Target

XAI = Compatible(
    base_url="https://api.x.ai/v1",
    key_env=("XAI_API_KEY",),
    base_env=("XAI_API_BASE",),
    message_keys=frozenset({"reasoning_content"}),
    media=IMAGES,
)

KNOWN_OPTIONS = ("enable_image_understanding", "filters")
"""What xAI's web search can be told; OpenAI's hints on size and place are not among it."""


class XAIAdapter(OpenAIAdapter):
    """Chat with one Grok model."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, XAI)
        self.responses_url: str = f"{self.url.removesuffix('/chat/completions')}/responses"

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        if not searches(call):
            return super().build(call)
        params, dropped = supported_params(call, self.target, SUPPORTED)
        body: dict[str, Any] = {
            "model": self.model,
            "input": convert_messages(call.messages),
            **convert_params(params),
        }
        options = params.get("web_search_options")
        if options is not None:
            body["tools"] = [*body.get("tools", ()), convert_web_search(options)]
            dropped += tuple(
                f"web_search_options.{name}" for name in options if name not in KNOWN_OPTIONS
            )
        if call.stream:
            body["stream"] = True
        body.update(call.extra_body or {})
        headers = {**self.headers, **(call.extra_headers or {})}
        return Request(self.responses_url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return (
            convert_completion(body, self.target) if searches(call) else super().parse(body, call)
        )

    def decoder(self, call: Call) -> Decoder:  # type: ignore[override]
        """A decoder for one stream; see :class:`Decoder`."""
        return ResponsesDecoder(self.target, call) if searches(call) else super().decoder(call)


def searches(call: Call) -> bool:
    """Whether a call needs tools that xAI runs itself."""
    tools = call.params.get("tools") or ()
    own = any(tool.get("type", "function") != "function" and not is_foreign(tool) for tool in tools)
    return own or call.params.get("web_search_options") is not None


def convert_web_search(options: Mapping[str, Any]) -> dict[str, Any]:
    """xAI's tool for what of OpenAI's `web_search_options` it can be told."""
    return {
        "type": "web_search",
        **{name: options[name] for name in KNOWN_OPTIONS if name in options},
    }
