"""
Bedrock's errors: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.

An error has a name: in the header `x-amzn-errortype`, in the body's `__type`, or, inside a
stream, in the header of its event. The status follows from the name, and the class from both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from ..exceptions import (
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    PermissionDeniedError,
    RateLimitError,
)
from .errors import ErrorDetails, make_error, read_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Target

STATUSES: dict[str, int] = {
    "AccessDeniedException": 403,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelStreamErrorException": 424,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 429,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "ValidationException": 400,
}
"""The status of each error; inside a stream there is only its name."""

CLASSES: dict[str, type[APIError]] = {
    "AccessDeniedException": PermissionDeniedError,
    "ExpiredTokenException": AuthenticationError,
    "IncompleteSignature": AuthenticationError,
    "IncompleteSignatureException": AuthenticationError,
    "InvalidClientTokenId": AuthenticationError,
    "InvalidSignatureException": AuthenticationError,
    "MissingAuthenticationToken": AuthenticationError,
    "MissingAuthenticationTokenException": AuthenticationError,
    "ModelErrorException": InternalServerError,
    "ModelStreamErrorException": InternalServerError,
    "RequestExpired": AuthenticationError,
    "ServiceQuotaExceededException": RateLimitError,
    "SignatureDoesNotMatch": AuthenticationError,
    "ThrottlingException": RateLimitError,
    "TooManyRequestsException": RateLimitError,
    "UnrecognizedClientException": AuthenticationError,
}
"""Names that say more than the status does: a wrong key is a 403, a failing model a 424."""

TEXTS: tuple[tuple[re.Pattern[str], type[APIError]], ...] = (
    (
        re.compile(
            r"(?:input|prompt) is too long|too many input tokens|input tokens exceeded"
            r"|exceeds? (?:the )?(?:maximum|max|model'?s) (?:context|number of (?:input )?tokens)"
            r"|maximum context length|exceeds? (?:the )?context (?:limit|window|length)"
            r"|input length and `?max_tokens`? exceed|expected maxlength: \d+, actual"
            r"|reduce the length of the (?:prompt|messages|input)"
        ),
        ContextWindowExceededError,
    ),
    (
        re.compile(r"content filter(?:ing|s)? policy|blocked by (?:our|the) content filters?"),
        ContentPolicyViolationError,
    ),
)
"""Bad requests that are told apart by their words only."""

MALFORMED = (AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What reading an answer or event raises if it is not what it should be."""

CANONICAL = re.compile(
    r"(?:\s|\\n)*The Canonical String for this request should have been.*", re.DOTALL
)
"""What AWS adds when a signature is wrong: the signed headers, the session token among them."""


def convert_error(
    target: Target, status: int, headers: Mapping[str, str], body: bytes, name: str = ""
) -> APIError:
    """The exception for an error, as an HTTP answer or (status 200) inside a stream.

    `name` is the error's, where an event says it.
    """
    raw = _read(body)
    named = (name, headers.get("x-amzn-errortype", ""), str(raw.get("__type") or ""))
    name = next(filter(None, map(plain_name, named)), "")
    message = raw.get("message") or raw.get("Message") or read_error(body).message
    message = CANONICAL.sub("", str(message))
    original = raw.get("originalMessage")
    if original and original != message:
        message = f"{message} ({original})"
    details = ErrorDetails(message, code=name or None)
    body = CANONICAL.sub("", body.decode("utf-8", "replace")).encode()
    if status < 300:
        status = STATUSES.get(name, 500)
    kind = classify(status, name, details.message)
    return make_error(target, status, headers, body, details=details, kind=kind)


def event_error(target: Target, headers: Mapping[str, Any], payload: bytes) -> APIError:
    """The exception for an error inside a stream, modelled (`exception`) or not (`error`)."""
    name = headers.get(":exception-type") or headers.get(":error-code") or ""
    if not payload and headers.get(":error-message"):
        payload = msgspec.json.encode({"message": headers[":error-message"]})
    return convert_error(target, 200, {}, payload, str(name))


def plain_name(name: str) -> str:
    """The name without what AWS puts around it (`ns#Name:http://…`), upper-case at its start."""
    bare = name.partition(":")[0].rpartition("#")[2].rpartition(".")[2]
    return bare[:1].upper() + bare[1:]


def classify(status: int, name: str, message: str) -> type[APIError] | None:
    """The class by name or, for bad requests, by words; None: by the status."""
    if status == 400:
        for pattern, kind in TEXTS:
            if pattern.search(message.lower()):
                return kind
    return CLASSES.get(name)


def unreadable(target: Target, body: bytes, reason: str) -> APIError:
    """The exception for a 2xx body or event that is an error after all, or makes no sense."""
    raw = _read(body)
    if raw.get("__type") or (raw.keys() and raw.keys() <= {"message", "Message"}):
        return convert_error(target, 200, {}, body)
    text = body[:200].decode("utf-8", "replace")
    details = ErrorDetails(f"the answer cannot be understood ({reason}): {text}")
    return make_error(target, 200, {}, body, details=details, kind=APIResponseValidationError)


def _read(body: bytes) -> dict[str, Any]:
    """A JSON object, empty if the body is something else."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}
