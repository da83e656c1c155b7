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
    from . import exceptions as exceptions
    from .exceptions import (
        APIConnectionError as APIConnectionError,
    )
    from .exceptions import (
        APIError as APIError,
    )
    from .exceptions import (
        APIResponseValidationError as APIResponseValidationError,
    )
    from .exceptions import (
        AuthenticationError as AuthenticationError,
    )
    from .exceptions import (
        BadGatewayError as BadGatewayError,
    )
    from .exceptions import (
        BadRequestError as BadRequestError,
    )
    from .exceptions import (
        ConfigurationError as ConfigurationError,
    )
    from .exceptions import (
        ConflictError as ConflictError,
    )
    from .exceptions import (
        ContentPolicyViolationError as ContentPolicyViolationError,
    )
    from .exceptions import (
        ContextWindowExceededError as ContextWindowExceededError,
    )
    from .exceptions import (
        ImageFetchError as ImageFetchError,
    )
    from .exceptions import (
        InternalServerError as InternalServerError,
    )
    from .exceptions import (
        NotFoundError as NotFoundError,
    )
    from .exceptions import (
        OverloadedError as OverloadedError,
    )
    from .exceptions import (
        PermissionDeniedError as PermissionDeniedError,
    )
    from .exceptions import (
        PolyrouteError as PolyrouteError,
    )
    from .exceptions import (
        RateLimitError as RateLimitError,
    )
    from .exceptions import (
        RequestTooLargeError as RequestTooLargeError,
    )
    from .exceptions import (
        ServiceUnavailableError as ServiceUnavailableError,
    )
    from .exceptions import (
        StreamInterruptedError as StreamInterruptedError,
    )
    from .exceptions import (
        Timeout as Timeout,
    )
    from .exceptions import (
        UnprocessableEntityError as UnprocessableEntityError,
    )
    from .exceptions import (
        UnsupportedParamsError as UnsupportedParamsError,
    )
    from .models import (
        ModelInfo as ModelInfo,
    )
    from .models import (
        completion_cost as completion_cost,
    )
    from .models import (
        cost_per_token as cost_per_token,
    )
    from .models import (
        get_max_tokens as get_max_tokens,
    )
    from .models import (
        get_model_info as get_model_info,
    )
    from .models import (
        model_cost as model_cost,
    )
    from .models import (
        register_model as register_model,
    )
    from .models.capabilities import (
        supports_assistant_prefill as supports_assistant_prefill,
    )
    from .models.capabilities import (
        supports_audio_input as supports_audio_input,
    )
    from .models.capabilities import (
        supports_audio_output as supports_audio_output,
    )
    from .models.capabilities import (
        supports_computer_use as supports_computer_use,
    )
    from .models.capabilities import (
        supports_function_calling as supports_function_calling,
    )
    from .models.capabilities import (
        supports_parallel_function_calling as supports_parallel_function_calling,
    )
    from .models.capabilities import (
        supports_pdf_input as supports_pdf_input,
    )
    from .models.capabilities import (
        supports_prompt_caching as supports_prompt_caching,
    )
    from .models.capabilities import (
        supports_reasoning as supports_reasoning,
    )
    from .models.capabilities import (
        supports_response_schema as supports_response_schema,
    )
    from .models.capabilities import (
        supports_system_messages as supports_system_messages,
    )
    from .models.capabilities import (
        supports_tool_choice as supports_tool_choice,
    )
    from .models.capabilities import (
        supports_url_context as supports_url_context,
    )
    from .models.capabilities import (
        supports_video_input as supports_video_input,
    )
    from .models.capabilities import (
        supports_vision as supports_vision,
    )
    from .models.capabilities import (
        supports_web_search as supports_web_search,
    )
    from .providers import (
        Compatible as Compatible,
    )
    from .router import (
        ChatStream as ChatStream,
    )
    from .router import (
        Router as Router,
    )
    from .router import (
        SyncStream as SyncStream,
    )
    from .router import (
        acompletion as acompletion,
    )
    from .router import (
        completion as completion,
    )
    from .schemas import (
        Attempt as Attempt,
    )
    from .schemas import (
        ChatCompletion as ChatCompletion,
    )
    from .schemas import (
        ChatCompletionChunk as ChatCompletionChunk,
    )
    from .schemas import (
        Message as Message,
    )
    from .schemas import (
        Route as Route,
    )
    from .schemas import (
        Usage as Usage,
    )
    from .strategies import (
        Strategy as Strategy,
    )

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
