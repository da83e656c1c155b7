"""Questions that are answered with yes or no: what a model can do, as far as anybody says."""

from __future__ import annotations

from .catalogue import model_cost


def supports(model: str, capability: str, custom_llm_provider: str | None = None) -> bool:
    """Whether a model is known to have a capability; False for a model that is not known.

    Args:
        model: by any of its names.
        capability: what follows ``supports_`` in the catalogue, e.g. ``"vision"``.
        custom_llm_provider: whose model it is, where the name does not say.
    """
    found = model_cost.find(model, custom_llm_provider)
    return found is not None and found[f"supports_{capability}"] is True


def supports_assistant_prefill(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model goes on from an unfinished message of its own."""
    return supports(model, "assistant_prefill", custom_llm_provider)


def supports_audio_input(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model takes audio."""
    return supports(model, "audio_input", custom_llm_provider)


def supports_audio_output(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model answers in audio."""
    return supports(model, "audio_output", custom_llm_provider)


def supports_computer_use(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model can be given a screen, a mouse and a keyboard."""
    return supports(model, "computer_use", custom_llm_provider)


def supports_function_calling(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model calls functions."""
    return supports(model, "function_calling", custom_llm_provider)


def supports_parallel_function_calling(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model calls several functions at once."""
    return supports(model, "parallel_function_calling", custom_llm_provider)


def supports_pdf_input(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model takes PDF files."""
    return supports(model, "pdf_input", custom_llm_provider)


def supports_prompt_caching(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model has a cheaper price for prompts it has seen."""
    return supports(model, "prompt_caching", custom_llm_provider)


def supports_reasoning(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model thinks before it answers."""
    return supports(model, "reasoning", custom_llm_provider)


def supports_response_schema(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model can be bound to a JSON schema."""
    return supports(model, "response_schema", custom_llm_provider)


def supports_system_messages(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model takes system messages."""
    return supports(model, "system_messages", custom_llm_provider)


def supports_tool_choice(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model can be told which tool to call."""
    return supports(model, "tool_choice", custom_llm_provider)


def supports_url_context(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model reads web pages it is given the address of."""
    return supports(model, "url_context", custom_llm_provider)


def supports_video_input(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model takes video."""
    return supports(model, "video_input", custom_llm_provider)


def supports_vision(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model takes images."""
    return supports(model, "vision", custom_llm_provider)


def supports_web_search(model: str, custom_llm_provider: str | None = None) -> bool:
    """Whether the model searches the web by itself."""
    return supports(model, "web_search", custom_llm_provider)
