"""Everything that waits: the way of one call, its connections, its books."""

from .assembly import stream_chunk_builder
from .prompts import FolderPrompts, Prompt, PromptStore
from .router import Router
from .single import (
    acompletion,
    aembedding,
    aimage_generation,
    amoderation,
    arerank,
    aspeech,
    atext_completion,
    atranscription,
    completion,
    embedding,
    image_generation,
    moderation,
    rerank,
    speech,
    text_completion,
    transcription,
)
from .single_batch import (
    abatch_completion,
    abatch_completion_models,
    abatch_completion_models_all_responses,
    batch_completion,
    batch_completion_models,
    batch_completion_models_all_responses,
)
from .stream import ChatStream
from .sync import SyncStream

__all__ = [
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
]
