"""
Google's errors: https://cloud.google.com/apis/design/errors.

An error is a `google.rpc.Status`: an HTTP code, a status in words, a message, and details of
several types, of which `ErrorInfo` has a reason, `RetryInfo` a delay and `BadRequest` a field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from ..exceptions import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    ServiceUnavailableError,
    Timeout,
)
from .errors import ErrorDetails, make_error, read_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Target

REASONS: dict[str, type[APIError]] = {
    "API_KEY_EXPIRED": AuthenticationError,
    "API_KEY_INVALID": AuthenticationError,
    "RATE_LIMIT_EXCEEDED": RateLimitError,
}
"""Reasons that say more than the status: a wrong key is an INVALID_ARGUMENT."""

MESSAGES: tuple[tuple[re.Pattern[str], type[APIError]], ...] = (
    (
        re.compile(
            r"input token count.*(?:exceeds|only supports)|exceeds the maximum number of tokens"
        ),
        ContextWindowExceededError,
    ),
    (re.compile(r"api key (?:not valid|expired|not found)", re.IGNORECASE), AuthenticationError),
    (re.compile(r"payload size exceeds|request is too large", re.IGNORECASE), RequestTooLargeError),
    (
        re.compile(r"location is not supported|not available in your country|enable billing"),
        PermissionDeniedError,
    ),
    (
        re.compile(r"(?:blocked|violat|prohibited).*(?:safety|polic|usage guidelines|content)"),
        ContentPolicyViolationError,
    ),
)
"""What a 400 says in its text only."""

STATUSES: dict[str, type[APIError]] = {
    "ABORTED": ConflictError,
    "ALREADY_EXISTS": ConflictError,
    "CANCELLED": ServiceUnavailableError,
    "DATA_LOSS": InternalServerError,
    "DEADLINE_EXCEEDED": Timeout,
    "FAILED_PRECONDITION": BadRequestError,
    "INTERNAL": InternalServerError,
    "INVALID_ARGUMENT": BadRequestError,
    "NOT_FOUND": NotFoundError,
    "OUT_OF_RANGE": BadRequestError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "RESOURCE_EXHAUSTED": RateLimitError,
    "UNAUTHENTICATED": AuthenticationError,
    "UNAVAILABLE": ServiceUnavailableError,
    "UNKNOWN": InternalServerError,
}
"""Google's canonical codes. CANCELLED was not our doing when it reaches us as an answer."""


def convert_error(target: Target, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """The exception for an error answer, or for an error inside an answer with status 200."""
    found = read_error(body)
    rpc = read_status(body)
    named = rpc.get("status")
    info, retry, violations = read_details(rpc)
    reason = info.get("reason")
    details = ErrorDetails(
        message=found.message,
        code=_text(reason) or _text(named) or found.code,
        param=_first_field(violations),
    )
    code = rpc.get("code")
    if status < 300:
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
    error = make_error(
        target,
        status,
        headers,
        body,
        details=details,
        kind=classify(status, _text(named), _text(reason), found.message),
    )
    if error.retry_after is None:
        error.retry_after = _seconds(retry.get("retryDelay"))
    return error


def classify(
    status: int, named: str | None, reason: str | None, message: str
) -> type[APIError] | None:
    """The class by reason, by words for bad requests, by Google's status; None: by HTTP's."""
    if reason in REASONS:
        return REASONS[reason]
    if status == 499:
        return ServiceUnavailableError
    if 400 <= status < 500 and named in (None, "INVALID_ARGUMENT", "FAILED_PRECONDITION"):
        for pattern, kind in MESSAGES:
            if pattern.search(message):
                return kind
    return STATUSES.get(named or "")


def read_status(body: bytes) -> dict[str, Any]:
    """The `google.rpc.Status` of a body, empty if it is something else."""
    try:
        found = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list) and found:
        found = found[0]
    inner = found.get("error") if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else {}


def read_details(rpc: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """`ErrorInfo`, `RetryInfo` and the violations of `BadRequest`, each empty if missing."""
    details = rpc.get("details")
    by_type = {
        str(detail.get("@type", "")).rpartition(".")[2]: detail
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict)
    }
    return (
        by_type.get("ErrorInfo", {}),
        by_type.get("RetryInfo", {}),
        by_type.get("BadRequest", {}).get("fieldViolations"),
    )


def _first_field(violations: Any) -> str | None:
    match violations:
        case [{"field": str(name)}, *_]:
            return name or None
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(delay: Any) -> float | None:
    """A protobuf duration such as ``"34.07s"``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", delay) if isinstance(delay, str) else None
    return float(found[1]) if found else None
