"""
Hugging Face: OpenAI's format before many providers.

https://huggingface.co/docs/inference-providers/tasks/chat-completion. The router takes
``org/model:provider``; `huggingface/provider/org/model` says the same in this library's order.
An address of one's own (`api_base`) is a dedicated endpoint or a TGI server, whose model names
are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalog import MAX_TOKENS, Compatible
from .openai import OpenAIAdapter

if TYPE_CHECKING:
    from .base import Target

HUGGINGFACE = Compatible(
    base_url="https://router.huggingface.co/v1",
    key_env=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    base_env=("HF_API_BASE", "HUGGINGFACE_API_BASE"),
    base_path="/v1",
    rename=MAX_TOKENS,
)

ROUTER = "router.huggingface.co"


class HuggingFaceAdapter(OpenAIAdapter):
    """Chat completions of one model at the router, or at an endpoint of one's own."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, HUGGINGFACE)
        if ROUTER in self.url:
            self.model = routed_name(target.model)


def routed_name(model: str) -> str:
    """The router's name of a model: the provider, if one is named first, goes to the end."""
    provider, _, name = model.partition("/")
    return f"{name}:{provider}" if "/" in name and ":" not in name else model
