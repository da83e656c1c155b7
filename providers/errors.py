"""From an answer that is an error to the exception that says so."""

from __future__ import annotations

import email.utils
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..exceptions import APIError, APIResponseValidationError, error_class
from ..schemas import request_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import Target

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are no JSON, or of another shape than expected."""

MAX_BODY = 2000
"""Characters of a provider's answer that an exception keeps."""


class ErrorDetails(NamedTuple):
    """What an error body says: its message, and the provider's own code, type and parameter."""

    message: str
    code: str | None = None
    type: str | None = None
    param: str | None = None


def read_error(body: bytes | Any) -> ErrorDetails:
    """The details of an error body: JSON in any of the usual shapes, HTML, text, or nothing."""
    if isinstance(body, bytes):
        text = body.decode("utf-8", "replace").strip()
        try:
            body = msgspec.json.decode(text)
        except UNREADABLE:
            return ErrorDetails(_readable(text))
    if isinstance(body, list):
        body = body[0] if body else {}
    if not isinstance(body, dict):
        return ErrorDetails(_readable(str(body)))
    inner = body.get("error") or body.get("errors") or body
    if isinstance(inner, list):
        inner = inner[0] if inner else {}
    if not isinstance(inner, dict):
        inner = {**body, "message": str(inner)}
    message = next(
        (
            _sentence(value)
            for value in (inner.get("message"), inner.get("detail"), inner.get("msg"))
            if value
        ),
        "",
    )
    return ErrorDetails(
        message or _readable(msgspec.json.encode(inner).decode()),
        _text(inner.get("code")),
        _text(inner.get("type") or inner.get("status")),
        _text(inner.get("param")),
    )


def _sentence(value: Any) -> str:
    """Text of a message that may be FastAPI's list of complaints, each with a place."""
    match value:
        case str():
            return value
        case {"detail": detail}:
            return _sentence(detail)
        case {"loc": [*place], "msg": str(what)}:
            return f"{'.'.join(map(str, place))}: {what}"
        case [*complaints]:
            return "; ".join(map(_sentence, complaints))
    return msgspec.json.encode(value).decode()


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _readable(text: str) -> str:
    """Text for people: an HTML page gives its words."""
    if "<" in text and re.search(r"<(html|!doctype|body|head|title)", text, re.IGNORECASE):
        text = re.sub(r"(?is)<(script|style).*?</\1>|<[^>]*>", " ", text)
    text = " ".join(text.split())
    return text[:500] or "no message"


def make_error(
    target: Target,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    details: ErrorDetails | None = None,
    kind: type[APIError] | None = None,
) -> APIError:
    """The exception for an error answer.

    `details` is what the body says, if the caller has read it already; `kind` the class, where
    the provider's own code is more precise than the status.
    """
    details = details or read_error(body)

    def clean(text: str | None) -> str | None:
        return None if text is None else redact(text, target)

    return (kind or error_class(status))(
        redact(details.message, target),
        status_code=status if status >= 300 else None,
        model=target.model,
        llm_provider=target.provider,
        code=clean(details.code or details.type),
        param=clean(details.param),
        request_id=clean(request_id(headers)),
        retry_after=retry_after(headers),
        body=redact(body[:MAX_BODY].decode("utf-8", "replace"), target),
        response_headers={name.lower(): redact(value, target) for name, value in headers.items()},
    )


def unreadable(target: Target, body: bytes, reason: str) -> APIError:
    """The exception for a 2xx body that makes no sense."""
    details = ErrorDetails(
        f"the answer cannot be understood ({reason}): {read_error(body).message}"
    )
    return make_error(target, 200, {}, body, details=details, kind=APIResponseValidationError)


def redact(text: str, target: Target) -> str:
    """The text without the target's secrets; some providers repeat the key they refuse."""
    return _without(text, target.secrets())


def redact_error(error: APIError, secrets: Iterable[str]) -> None:
    """Take secrets that only the call knows out of everything an error says."""
    secrets = tuple(secrets)
    for name in ("message", "code", "param", "request_id", "body"):
        value = getattr(error, name)
        if isinstance(value, str):
            setattr(error, name, _without(value, secrets))
    error.args = (error.message,)
    error.response_headers = {
        name: _without(value, secrets) for name, value in error.response_headers.items()
    }


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "[redacted]")
            text = text.replace(secret.removeprefix("Bearer "), "[redacted]")
    return text


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait, from `retry-after-ms`, or `Retry-After` as seconds or as a date.

    https://www.rfc-editor.org/rfc/rfc9110#name-retry-after; the first is Azure's and OpenAI's.
    """
    value = headers.get("retry-after-ms")
    if value is not None:
        seconds = _number(value)
        if seconds is not None:
            return max(0.0, seconds / 1000)
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        when = email.utils.parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None
    return max(0.0, when - (time.time() if now is None else now))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None
