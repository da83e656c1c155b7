"""
polyroute: an asyncio-first router for language-model calls.

    from polyroute import Router

    router = Router(model_list=[...])
    answer = await router.acompletion(model="smart", messages=[...])

`docs/` has one concept per page. Names are loaded when they are first used, so that importing
the package costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .familiar import ALIASES as _ALIASES, REFUSED as _REFUSED, Package as _Package

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import exceptions as exceptions, schemas as _schemas
    from .exceptions import (
        APIConnectionError as APIConnectionError,
        APIError as APIError,
        APIResponseValidationError as APIResponseValidationError,
        AuthenticationError as AuthenticationError,
        BadGatewayError as BadGatewayError,
        BadRequestError as BadRequestError,
        ConfigurationError as ConfigurationError,
        ConflictError as ConflictError,
        ContentPolicyViolationError as ContentPolicyViolationError,
        ContextWindowExceededError as ContextWindowExceededError,
        ImageFetchError as ImageFetchError,
        InternalServerError as InternalServerError,
        NotFoundError as NotFoundError,
        OverloadedError as OverloadedError,
        PermissionDeniedError as PermissionDeniedError,
        PolyrouteError as PolyrouteError,
        RateLimitError as RateLimitError,
        RequestTooLargeError as RequestTooLargeError,
        ServiceUnavailableError as ServiceUnavailableError,
        StreamInterruptedError as StreamInterruptedError,
        Timeout as Timeout,
        UnprocessableEntityError as UnprocessableEntityError,
        UnsupportedParamsError as UnsupportedParamsError,
    )
    from .models import (
        ModelInfo as ModelInfo,
        TokenCount as TokenCount,
        completion_cost as completion_cost,
        cost_per_token as cost_per_token,
        estimate_tokens as estimate_tokens,
        get_max_tokens as get_max_tokens,
        get_model_info as get_model_info,
        model_cost as model_cost,
        register_model as register_model,
        token_counter as token_counter,
        trim_messages as trim_messages,
    )
    from .models.capabilities import (
        supports_assistant_prefill as supports_assistant_prefill,
        supports_audio_input as supports_audio_input,
        supports_audio_output as supports_audio_output,
        supports_computer_use as supports_computer_use,
        supports_function_calling as supports_function_calling,
        supports_parallel_function_calling as supports_parallel_function_calling,
        supports_pdf_input as supports_pdf_input,
        supports_prompt_caching as supports_prompt_caching,
        supports_reasoning as supports_reasoning,
        supports_response_schema as supports_response_schema,
        supports_system_messages as supports_system_messages,
        supports_tool_choice as supports_tool_choice,
        supports_url_context as supports_url_context,
        supports_video_input as supports_video_input,
        supports_vision as supports_vision,
        supports_web_search as supports_web_search,
    )
    from .providers import (
        Compatible as Compatible,
        get_llm_provider as get_llm_provider,
        get_supported_openai_params as get_supported_openai_params,
    )
    from .router import (
        ChatStream as ChatStream,
        FolderPrompts as FolderPrompts,
        Prompt as Prompt,
        PromptStore as PromptStore,
        Router as Router,
        SyncStream as SyncStream,
        abatch_completion as abatch_completion,
        abatch_completion_models as abatch_completion_models,
        abatch_completion_models_all_responses as abatch_completion_models_all_responses,
        acompletion as acompletion,
        aembedding as aembedding,
        aimage_generation as aimage_generation,
        amoderation as amoderation,
        arerank as arerank,
        aspeech as aspeech,
        atext_completion as atext_completion,
        atranscription as atranscription,
        batch_completion as batch_completion,
        batch_completion_models as batch_completion_models,
        batch_completion_models_all_responses as batch_completion_models_all_responses,
        completion as completion,
        embedding as embedding,
        image_generation as image_generation,
        moderation as moderation,
        rerank as rerank,
        speech as speech,
        stream_chunk_builder as stream_chunk_builder,
        text_completion as text_completion,
        transcription as transcription,
    )
    from .schemas import (
        Attempt as Attempt,
        ChatCompletion as ChatCompletion,
        ChatCompletionChunk as ChatCompletionChunk,
        Delta as Delta,
        Embedding as Embedding,
        EmbeddingResponse as EmbeddingResponse,
        Function as Function,
        Image as Image,
        ImageResponse as ImageResponse,
        Message as Message,
        Moderation as Moderation,
        RerankResponse as RerankResponse,
        Route as Route,
        Speech as Speech,
        TextCompletion as TextCompletion,
        Transcription as Transcription,
        Usage as Usage,
    )
    from .strategies import (
        Strategy as Strategy,
    )

    ChatCompletionDeltaToolCall = _schemas.DeltaToolCall
    ChatCompletionMessageToolCall = _schemas.ToolCall
    Choices = _schemas.Choice
    CustomStreamWrapper = ChatStream
    InvalidRequestError = BadRequestError
    MidStreamFallbackError = StreamInterruptedError
    ModelResponse = ChatCompletion
    ModelResponseStream = ChatCompletionChunk
    OpenAIError = APIError
    StreamingChoices = _schemas.ChunkChoice
    TextCompletionResponse = TextCompletion
    TranscriptionResponse = Transcription

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

set_verbose: bool = False
verbose: bool = False
"""Whether the route of each single-model call is logged; both names mean the same."""

logger_fn: Callable[[dict[str, Any]], object] | None = None
"""Called with a dictionary about each single-model call when it has ended."""

prompts: PromptStore | None = None
"""Where the prompts are that single-model calls name by `prompt_id`."""

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
        "TokenCount",
        "completion_cost",
        "cost_per_token",
        "estimate_tokens",
        "get_max_tokens",
        "get_model_info",
        "model_cost",
        "register_model",
        "token_counter",
        "trim_messages",
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
    ".providers": (
        "Compatible",
        "get_llm_provider",
        "get_supported_openai_params",
    ),
    ".router": (
        "ChatStream",
        "FolderPrompts",
        "Prompt",
        "PromptStore",
        "Router",
        "SyncStream",
        "abatch_completion",
        "abatch_completion_models",
        "abatch_completion_models_all_responses",
        "acompletion",
        "aembedding",
        "aimage_generation",
        "amoderation",
        "arerank",
        "aspeech",
        "atext_completion",
        "atranscription",
        "batch_completion",
        "batch_completion_models",
        "batch_completion_models_all_responses",
        "completion",
        "embedding",
        "image_generation",
        "moderation",
        "rerank",
        "speech",
        "stream_chunk_builder",
        "text_completion",
        "transcription",
    ),
    ".schemas": (
        "Attempt",
        "ChatCompletion",
        "ChatCompletionChunk",
        "Embedding",
        "EmbeddingResponse",
        "Image",
        "ImageResponse",
        "Message",
        "Moderation",
        "RerankResponse",
        "Route",
        "Speech",
        "TextCompletion",
        "Transcription",
        "Usage",
    ),
    ".strategies": ("Strategy",),
}
_HOME = {name: (home, name) for home, names in _HOMES.items() for name in names} | _ALIASES

__all__ = sorted([*_HOME, "exceptions"])


def __getattr__(name: str) -> Any:
    if name == "exceptions":
        return import_module(".exceptions", __name__)
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name not in _HOME:
        hint = f": {_REFUSED[name]}" if name in _REFUSED else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    home, named = _HOME[name]
    value = globals()[name] = getattr(import_module(home, __name__), named)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


sys.modules[__name__].__class__ = _Package
