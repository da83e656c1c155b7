"""
Which exception an error in OpenAI's format is.

https://platform.openai.com/docs/guides/error-codes. Providers that speak the format add codes of
their own; where only the words of a bad request tell what it was, these are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..exceptions import (
    BY_STATUS,
    AuthenticationError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    ServiceUnavailableError,
)

if TYPE_CHECKING:
    from ..exceptions import APIError
    from .errors import ErrorDetails

ERROR_CODES: dict[str, type[APIError]] = {
    "ResponsibleAIPolicyViolation": ContentPolicyViolationError,
    "capacity_exceeded": ServiceUnavailableError,
    "contentFilter": ContentPolicyViolationError,
    "content_filter": ContentPolicyViolationError,
    "content_policy_violation": ContentPolicyViolationError,
    "context_length_exceeded": ContextWindowExceededError,
    "exceed_context_size_error": ContextWindowExceededError,
    "insufficient_quota": RateLimitError,
    "invalid_api_key": AuthenticationError,
    "moderation_blocked": ContentPolicyViolationError,
    "overloaded_error": OverloadedError,
    "rate_limit_error": RateLimitError,
    "rate_limit_exceeded": RateLimitError,
    "server_error": InternalServerError,
    "string_above_max_length": ContextWindowExceededError,
}
"""Error codes and types that say more than the status."""

TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|maximum (?:context|prompt|input|sequence) length"
    r"|(?:prompt|input|messages?)\b.{0,40}\b(?:too long|too many tokens|exceeds? the (?:model|max))"
    r"|reduce the length of the (?:messages|prompt|input)|inputs? tokens? \+ .*max_new_tokens",
    re.IGNORECASE,
)
REJECTED = re.compile(
    r"safety system|(?:rejected|blocked) by .{0,20}moderation|content polic|\bNSFW\b", re.IGNORECASE
)
BAD_KEY = re.compile(r"(?:incorrect|invalid|wrong) api.?key", re.IGNORECASE)


def classify(status: int, details: ErrorDetails) -> type[APIError] | None:
    """The class that the provider's code or, for bad requests, its words ask for."""
    for code in (details.code, details.type):
        kind = ERROR_CODES.get(code or "")
        if kind is not None and (kind is not InternalServerError or status not in BY_STATUS):
            return kind  # some servers call every error of theirs a server_error
    if status in (400, 413, 422) and TOO_LONG.search(details.message):
        return ContextWindowExceededError
    if status in (400, 403, 422) and REJECTED.search(details.message):
        return ContentPolicyViolationError
    if status == 400 and BAD_KEY.search(details.message):
        return AuthenticationError
    return None
