"""Everything that translates: one module per wire format, compatible providers as rows."""

from .base import (
    Adapter,
    CachingAdapter,
    Call,
    ChatAdapter,
    ContextCache,
    Decoder,
    File,
    NewCache,
    Operation,
    Pending,
    Request,
    Target,
)
from .catalog import COMPATIBLE, Compatible
from .lookup import Provider, get_llm_provider, get_supported_openai_params
from .registry import adapter, resolve

__all__ = [
    "COMPATIBLE",
    "Adapter",
    "CachingAdapter",
    "Call",
    "ChatAdapter",
    "Compatible",
    "ContextCache",
    "Decoder",
    "File",
    "NewCache",
    "Operation",
    "Pending",
    "Provider",
    "Request",
    "Target",
    "adapter",
    "get_llm_provider",
    "get_supported_openai_params",
    "resolve",
]
