"""
What a call needs of whoever answers it.

Most calls are a few short texts: for them `needs_of` adds up lengths, sees that nothing is
special, and returns None. Tokens are counted only where the characters do not already say that
the prompt fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..models.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..providers import Call
    from .filters import Members
    from .options import Options

TELLING = frozenset(
    {
        "audio",
        "functions",
        "modalities",
        "reasoning_effort",
        "response_format",
        "thinking",
        "tools",
        "web_search_options",
    }
)
"""Parameters that not every model takes."""

PARTS = {
    "image_url": "vision",
    "image": "vision",
    "input_audio": "audio_input",
    "video_url": "video_input",
    "file": "pdf_input",
    "document": "pdf_input",
}
"""Parts of messages that not every model takes."""

MEDIA: dict[str, str | None] = {
    "image": "vision",
    "audio": "audio_input",
    "video": "video_input",
    "text": None,
}
"""The same for files, by the first half of their media type; others are taken for PDF."""

TOKENS_PER_MESSAGE = 8
TOKENS_PER_PART = 3_000
TOKENS_PER_TOOL = 1_000
"""At most, about: what is not text is weighed only where a window is near."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What one call needs, beside room for its prompt.

    Attributes:
        musts: abilities without which it cannot be answered as it was asked.
        wishes: the same, and abilities without which `drop_params` would leave something out, or
            the answer would be a little worse. Who has them is asked first.
        operation: what the call is for.
        longest: tokens that the answer may have as the caller says; 0: nothing said.
        tags: what the caller wants, or with a leading ``!`` does not want, of a deployment.
        regions: where the call may be answered; empty: anywhere.
    """

    musts: frozenset[str] = frozenset()
    wishes: frozenset[str] = frozenset()
    operation: str = "chat"
    longest: float = 0
    tags: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


def needs_of(call: Call, options: Options, members: Members) -> Needs | None:
    """What a call needs; None if every member of the group meets that."""
    params = call.params
    if (
        call.plain is call.messages
        and 3 * call.characters + TOKENS_PER_MESSAGE * len(call.messages) <= members.window
        and not members.choosy
        and options.tags is None
        and options.allowed_model_region is None
        and (not params or (TELLING.isdisjoint(params) and _longest(params) <= members.longest))
    ):
        return None
    return _all_needs(call, options, members)


def _all_needs(call: Call, options: Options, members: Members) -> Needs:
    musts = {need for message in call.messages for need in _of_content(message.get("content"))}
    wishes = _of_params(call.params)
    if call.messages and _is_unfinished(call.messages[-1]):
        wishes["assistant_prefill"] = False
    if not call.drop_params:
        musts.update(name for name, required in wishes.items() if required)
    regions = options.allowed_model_region
    longest = _longest(call.params)
    return Needs(
        musts=frozenset(musts),
        wishes=frozenset(musts | wishes.keys()),
        operation=call.operation,
        longest=longest if longest > members.longest else 0,
        tags=options.tags or (),
        regions=members.regions if regions is None else regions,
    )


def _of_content(content: Any) -> set[str]:
    """What the parts of one message need."""
    if not isinstance(content, list | tuple):
        return set()
    found = set()
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        need = PARTS.get(kind) if isinstance(kind, str) else None
        if need == "pdf_input":
            need = _of_file(part)
        if need is not None:
            found.add(need)
    return found


def _of_file(part: Mapping[str, Any]) -> str | None:
    """What a file needs, by its media type."""
    file = part.get("file") or part.get("source") or {}
    if not isinstance(file, dict):
        return "pdf_input"
    media = file.get("format") or file.get("media_type") or ""
    data = file.get("file_data") or ""
    if not media and isinstance(data, str) and data.startswith("data:"):
        media = data[5:30]
    return MEDIA.get(str(media).partition("/")[0], "pdf_input")


def _of_params(params: Mapping[str, Any]) -> dict[str, bool]:
    """Abilities that the parameters ask for, and whether the answer would be wrong without."""
    asked: dict[str, bool] = {}
    if params.get("tools") or params.get("functions"):
        asked["function_calling"] = True
        if params.get("parallel_tool_calls"):
            asked["parallel_function_calling"] = False
    form = params.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        asked["response_schema"] = True
    effort = params.get("reasoning_effort")
    if params.get("thinking") or effort not in (None, "none"):
        asked["reasoning"] = False
    if params.get("web_search_options") is not None:
        asked["web_search"] = True
    if params.get("audio") or "audio" in (params.get("modalities") or ()):
        asked["audio_output"] = True
    return asked


def _is_unfinished(message: Mapping[str, Any]) -> bool:
    """Whether the model is to go on from its own words."""
    return message.get("role") == "assistant" and bool(message.get("content"))


def _longest(params: Mapping[str, Any]) -> float:
    """The longest answer that the caller asks for, in tokens; 0 if nothing is said."""
    said = params.get("max_completion_tokens") or params.get("max_tokens")
    return said if isinstance(said, int | float) else 0


def prompt_tokens(call: Call) -> int:
    """About how many tokens the prompt has, its tools among them."""
    return estimate_tokens(call.messages, call.params.get("tools"))


def most_tokens(call: Call) -> int:
    """A bound on the prompt's tokens that is cheap to have; nothing takes more than its bytes."""
    most = TOKENS_PER_TOOL * len(call.params.get("tools") or ())
    for message in call.messages:
        most += TOKENS_PER_MESSAGE + _most_of(message.get("content"))
        for made in message.get("tool_calls") or ():
            most += _most_of((made.get("function") or {}).get("arguments"))
    return most


def _most_of(content: Any) -> int:
    if isinstance(content, str):
        return len(content) if content.isascii() else 3 * len(content)
    if not isinstance(content, list | tuple):
        return 0
    return sum(
        _most_of(part["text"])
        if isinstance(part, dict) and isinstance(part.get("text"), str)
        else TOKENS_PER_PART
        for part in content
    )
