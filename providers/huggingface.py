"""
Hugging Face: OpenAI's format before many providers.

https://huggingface.co/docs/inference-providers/tasks/chat-completion. The router takes
``org/model:provider``; `huggingface/provider/org/model` says the same in this library's order.
An address of one's own (`api_base`) is a dedicated endpoint or a TGI server, whose model names
are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalog import IMAGES, MAX_TOKENS, NOT_ELSEWHERE, OLD_FUNCTIONS, Compatible
from .openai import OpenAIAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import File, Target

HUGGINGFACE = Compatible(
    base_url="https://router.huggingface.co/v1",
    key_env=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    base_env=("HF_API_BASE", "HUGGINGFACE_API_BASE"),
    base_path="/v1",
    rename=MAX_TOKENS,
    refuses=NOT_ELSEWHERE
    | OLD_FUNCTIONS
    | {"logit_bias", "metadata", "parallel_tool_calls", "service_tier", "user"},
    media=IMAGES,
)

ROUTER = "router.huggingface.co"


class HuggingFaceAdapter(OpenAIAdapter):
    """Chat completions of one model at the router, or at an endpoint of one's own."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, HUGGINGFACE)
        if ROUTER in self.url:
            self.model: str = routed_name(target.model)

    def convert_messages(
        self, messages: list[dict[str, Any]], files: Mapping[str, File]
    ) -> list[dict[str, Any]]:
        """The messages; what the model said is a text or calls, and never null."""
        return [convert_silence(each) for each in super().convert_messages(messages, files)]


def convert_silence(message: dict[str, Any]) -> dict[str, Any]:
    """The message without empty content beside calls, and with empty text elsewhere."""
    if message.get("content"):
        return message
    if message.get("tool_calls"):
        return {name: value for name, value in message.items() if name != "content"}
    return {**message, "content": ""}


def routed_name(model: str) -> str:
    """The router's name of a model: the provider, if one is named first, goes to the end."""
    provider, _, name = model.partition("/")
    return f"{name}:{provider}" if "/" in name and ":" not in name else model
