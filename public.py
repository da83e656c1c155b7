"""
Every name of the package, where it comes from, and what LiteLLM calls it.

`polyroute/__init__.py` loads this when the first of them is used.
"""

from . import exceptions as exceptions
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
    InvalidRequestError as InvalidRequestError,
    MidStreamFallbackError as MidStreamFallbackError,
    NotFoundError as NotFoundError,
    OpenAIError as OpenAIError,
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
    Choice as Choice,
    ChunkChoice as ChunkChoice,
    Delta as Delta,
    DeltaToolCall as DeltaToolCall,
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
    ToolCall as ToolCall,
    Transcription as Transcription,
    Usage as Usage,
)
from .strategies import (
    Strategy as Strategy,
)

# LiteLLM's names of types
ChatCompletionDeltaToolCall = DeltaToolCall
ChatCompletionMessageToolCall = ToolCall
Choices = Choice
CustomStreamWrapper = ChatStream
ModelResponse = ChatCompletion
ModelResponseStream = ChatCompletionChunk
StreamingChoices = ChunkChoice
TextCompletionResponse = TextCompletion
TranscriptionResponse = Transcription
