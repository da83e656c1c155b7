"""
DeepSeek: OpenAI's format, whose prefills have an address of their own.

https://api-docs.deepseek.com/guides/chat_prefix_completion. What all its calls share is a row of
`catalog.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalog import COMPATIBLE
from .openai import OpenAIAdapter

if TYPE_CHECKING:
    from .base import Call, Request, Target

DEEPSEEK = COMPATIBLE["deepseek"]
BASE_URL = DEEPSEEK.base_url


class DeepSeekAdapter(OpenAIAdapter):
    """Chat completions of one of DeepSeek's models."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, DEEPSEEK)
        usual = self.url == f"{BASE_URL}{self.path}"
        self.prefill_url: str = f"{BASE_URL}/beta{self.path}" if usual else self.url

    def request(self, body: dict[str, Any], call: Call, dropped: tuple[str, ...] = ()) -> Request:
        """The request with this body; a message with `prefix` goes to DeepSeek's beta address."""
        request = super().request(body, call, dropped)
        if any(message.get("prefix") for message in call.messages):
            request.url = self.prefill_url
        return request
