"""
polyroute: an asyncio-first router for language-model calls.

    from polyroute import Router

    router = Router(model_list=[...])
    answer = await router.acompletion(model="smart", messages=[...])

`docs/` has one concept per page. Names are loaded when they are first used, so that importing
the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import exceptions
    from .exceptions import (
        APIConnectionError,
        APIError,
        APIResponseValidationError,
        AuthenticationError,
        BadGatewayError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        ContentPolicyViolationError,
        ContextWindowExceededError,
        ImageFetchError,
        InternalServerError,
        NotFoundError,
        OverloadedError,
        PermissionDeniedError,
        PolyrouteError,
        RateLimitError,
        RequestTooLargeError,
        ServiceUnavailableError,
        StreamInterruptedError,
        Timeout,
        UnprocessableEntityError,
        UnsupportedParamsError,
    )
    from .models import (
        ModelInfo,
        completion_cost,
        cost_per_token,
        get_max_tokens,
        get_model_info,
        model_cost,
        register_model,
    )
    from .models.capabilities import (
        supports_assistant_prefill,
        supports_audio_input,
        supports_audio_output,
        supports_computer_use,
        supports_function_calling,
        supports_parallel_function_calling,
        supports_pdf_input,
        supports_prompt_caching,
        supports_reasoning,
        supports_response_schema,
        supports_system_messages,
        supports_tool_choice,
        supports_url_context,
        supports_video_input,
        supports_vision,
        supports_web_search,
    )
    from .providers import Compatible
    from .router import ChatStream, Router, SyncStream, acompletion, completion
    from .schemas import (
        Attempt,
        ChatCompletion,
        ChatCompletionChunk,
        Message,
        Route,
        Usage,
    )
    from .strategies import Strategy

    __version__: str

api_key: str | None = None
"""Key for single-model calls to any provider that has none of its own here."""

openai_key: str | None = None
anthropic_key: str | None = None
cohere_key: str | None = None

drop_params: bool = False
"""Whether single-model calls leave out parameters that the target cannot take."""

num_retries: int | None = None
"""Further attempts of single-model calls; None means 0."""

request_timeout: float | None = None
"""Seconds for single-model calls that say nothing; None means 600."""

_HOMES = {
    ".exceptions": (
        "APIConnectionError",
        "APIError",
        "APIResponseValidationError",
        "AuthenticationError",
        "BadGatewayError",
        "BadRequestError",
        "ConfigurationError",
        "ConflictError",
        "ContentPolicyViolationError",
        "ContextWindowExceededError",
        "ImageFetchError",
        "InternalServerError",
        "NotFoundError",
        "OverloadedError",
        "PermissionDeniedError",
        "PolyrouteError",
        "RateLimitError",
        "RequestTooLargeError",
        "ServiceUnavailableError",
        "StreamInterruptedError",
        "Timeout",
        "UnprocessableEntityError",
        "UnsupportedParamsError",
    ),
    ".models": (
        "ModelInfo",
        "completion_cost",
        "cost_per_token",
        "get_max_tokens",
        "get_model_info",
        "model_cost",
        "register_model",
    ),
    ".models.capabilities": (
        "supports_assistant_prefill",
        "supports_audio_input",
        "supports_audio_output",
        "supports_computer_use",
        "supports_function_calling",
        "supports_parallel_function_calling",
        "supports_pdf_input",
        "supports_prompt_caching",
        "supports_reasoning",
        "supports_response_schema",
        "supports_system_messages",
        "supports_tool_choice",
        "supports_url_context",
        "supports_video_input",
        "supports_vision",
        "supports_web_search",
    ),
    ".providers": ("Compatible",),
    ".router": ("ChatStream", "Router", "SyncStream", "acompletion", "completion"),
    ".schemas": (
        "Attempt",
        "ChatCompletion",
        "ChatCompletionChunk",
        "Message",
        "Route",
        "Usage",
    ),
    ".strategies": ("Strategy",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME, "exceptions"])


def __getattr__(name: str) -> Any:
    if name == "exceptions":
        return import_module(".exceptions", __name__)
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
