"""
What a deployment's model can do and how much it takes, as far as anybody says.

`model_info` comes first, then the catalogue, by the model or its `base_model`. Both only ever
speak of what they know: a model that nobody knows can do everything until it has shown otherwise.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from ..models import model_cost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .deployment import Deployment

ABILITIES = {
    "vision": "does not see images",
    "audio_input": "does not hear audio",
    "video_input": "does not see video",
    "pdf_input": "does not read PDF files",
    "function_calling": "calls no functions",
    "parallel_function_calling": "calls one function at a time",
    "response_schema": "keeps to no JSON schema",
    "reasoning": "does not reason",
    "web_search": "does not search the web",
    "assistant_prefill": "does not go on from an unfinished answer",
    "audio_output": "does not speak",
}
"""What a call may need, by the names after ``supports_``, and what is said of a model without."""

RELIABLE = frozenset({"vision", "audio_input", "video_input", "function_calling"})
"""Abilities that the catalogue has for nearly every model that has them: there its silence is an
answer. Elsewhere it only means that others are asked first."""

MODES = {
    "chat": "chat",
    "completion": "text_completion",
    "embedding": "embedding",
    "rerank": "rerank",
    "moderation": "moderation",
    "audio_speech": "speech",
    "audio_transcription": "transcription",
}
"""The catalogue's modes for which there is one operation. Models of other modes can do several."""


class Facts(NamedTuple):
    """What is known of one model.

    Attributes:
        lacks: abilities that it surely has not.
        unlisted: abilities that nobody says it has; all of `lacks` among them.
        window: tokens that a prompt may have, infinite if nobody says.
        longest: tokens that an answer may have, infinite if nobody says.
        operation: what it is for, None if nobody says or if it is for several things.
    """

    lacks: frozenset[str] = frozenset()
    unlisted: frozenset[str] = frozenset()
    window: float = inf
    longest: float = inf
    operation: str | None = None


UNKNOWN = Facts()


def facts_of(deployment: Deployment) -> Facts:
    """What is known of a deployment's model; looked up once."""
    known = deployment.facts
    if known is None:
        target = deployment.target
        model = target.settings.get("base_model") or target.model
        known = _catalogued(model, target.provider)
        if deployment.model_info:
            known = _overridden(known, deployment.model_info)
        deployment.facts = known
    return known


def takes_prefill(deployment: Deployment) -> bool:
    """Whether a deployment is known to go on from the beginning of an answer."""
    said = deployment.model_info.get("supports_assistant_prefill")
    if said is None:
        target = deployment.target
        entry = model_cost.find(target.settings.get("base_model") or target.model, target.provider)
        said = entry is not None and entry.get("supports_assistant_prefill")
    return bool(said)


@lru_cache(4096)
def _catalogued(model: str, provider: str) -> Facts:
    """What the catalogue says. An entry that lists no ability at all says nothing about them."""
    entry = model_cost.find(model, provider)
    if entry is None:
        return UNKNOWN
    unlisted: frozenset[str] = frozenset()
    if any(name.startswith("supports_") for name in entry):
        unlisted = frozenset(name for name in ABILITIES if not entry[f"supports_{name}"])
    return Facts(
        lacks=unlisted & RELIABLE,
        unlisted=unlisted,
        window=entry.get("max_input_tokens") or inf,
        longest=entry.get("max_output_tokens") or inf,
        operation=MODES.get(entry.get("mode", "")),
    )


def _overridden(known: Facts, info: Mapping[str, Any]) -> Facts:
    """The same under what the configuration says of this deployment."""
    said = {name: info[f"supports_{name}"] for name in ABILITIES if f"supports_{name}" in info}
    has = frozenset(name for name, able in said.items() if able)
    lacks = frozenset(said) - has
    return Facts(
        lacks=(known.lacks - has) | lacks,
        unlisted=(known.unlisted - has) | lacks,
        window=info.get("max_input_tokens", known.window),
        longest=info.get("max_output_tokens", known.longest),
        operation=MODES.get(info["mode"]) if "mode" in info else known.operation,
    )
