"""
Everything that can go wrong, and what the router does about it.

    PolyrouteError
    ├── ConfigurationError                  the Router's own settings are wrong (also a ValueError)
    └── APIError                            a call could not be answered
        ├── APIConnectionError              no answer came: refused, reset, unresolvable
        │   └── Timeout                     the deadline passed (also a TimeoutError)
        ├── BadRequestError                 400: this request is wrong wherever it goes
        │   ├── UnsupportedParamsError      the target cannot do what a parameter asks
        │   ├── ContextWindowExceededError  the prompt is too long for this model
        │   ├── ContentPolicyViolationError the provider refuses the content
        │   ├── ImageFetchError             an image or file of the request could not be had
        │   └── RequestTooLargeError        413
        ├── AuthenticationError             401: the key is missing or wrong
        ├── PermissionDeniedError           403, and 402: the account is out of credit
        ├── NotFoundError                   404: no such model, alias or deployment
        ├── ConflictError                   409
        ├── UnprocessableEntityError        422
        ├── RateLimitError                  429
        ├── InternalServerError             500
        │   └── APIResponseValidationError  a 2xx answer that cannot be understood
        ├── BadGatewayError                 502
        ├── ServiceUnavailableError         503
        │   └── OverloadedError             529
        └── StreamInterruptedError          a stream broke off after content had been delivered

Each class carries its policy as class attributes (see :class:`APIError`), so the engine
asks the error what to do and never looks at types or texts. `docs/errors.md` shows the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .schemas import Message, Route, Usage

Fallback = Literal["always", "context_window", "content_policy", "on_request", "never"]
Health = Literal["failure", "rate_limit", "rest", "untouched"]


class PolyrouteError(Exception):
    """Base of every exception that polyroute raises on purpose."""


class ConfigurationError(PolyrouteError, ValueError):
    """A Router, deployment or setting is wrong; the message says where and what to do."""


class APIError(PolyrouteError):
    """A call could not be answered.

    Attributes:
        message: what happened, without secrets.
        status_code: the HTTP status, or the one that describes it best.
        model: the model or alias that was asked.
        llm_provider: the provider that answered, e.g. ``"anthropic"``.
        code: the provider's own error code, if it sent one.
        param: the parameter the provider complains about, if it named one.
        request_id: the provider's id of the request, for its support.
        retry_after: seconds after which the provider wants to be asked again.
        body: the provider's answer as text, shortened and free of secrets.
        response_headers: headers of the provider's answer (lower-case names).
        route: every attempt made for this call.

    Policy, as class attributes:
        elsewhere: another deployment of the group may answer.
        again: the same deployment may answer later.
        fallback: when other groups are asked. ``always``, only through
            ``context_window``/``content_policy`` fallbacks first, only
            ``on_request`` (``fallback_on_bad_request``), or ``never``.
        health: what the deployment's circuit makes of it.
    """

    default_status: ClassVar[int] = 500
    elsewhere: ClassVar[bool] = True
    again: ClassVar[bool] = True
    fallback: ClassVar[Fallback] = "always"
    health: ClassVar[Health] = "failure"

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        model: str | None = None,
        llm_provider: str | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        body: str | None = None,
        response_headers: Mapping[str, str] | None = None,
        route: Route | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code: int = self.default_status if status_code is None else status_code
        self.model = model
        self.llm_provider = llm_provider
        self.code = code
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after
        self.body = body
        self.response_headers: dict[str, str] = dict(response_headers or {})
        self.route = route

    def __str__(self) -> str:
        where = " ".join(part for part in (self.llm_provider, self.model) if part)
        return f"{where}: {self.message}" if where else self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r}, status_code={self.status_code})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.message, dict(self.__dict__))


def _revive(kind: type[APIError], message: str, state: dict[str, Any]) -> APIError:
    """Rebuild a pickled error with its attributes as they were."""
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class APIConnectionError(APIError):
    """No answer came: the connection was refused, reset, or the name did not resolve.

    Attributes:
        stale: the connection had been used before and was closed when the request came, by a
            server that does so: that says nothing about the deployment's health.
    """

    stale: bool = False


class Timeout(APIConnectionError, TimeoutError):
    """A limit of time passed: the caller's deadline, an attempt's own limit, or a 408/504."""

    default_status = 408


class BadRequestError(APIError):
    """400: the request is wrong and no other deployment would like it better."""

    default_status = 400
    elsewhere = False
    again = False
    fallback: ClassVar[Fallback] = "on_request"
    health: ClassVar[Health] = "untouched"


class UnsupportedParamsError(BadRequestError):
    """The target cannot do what a parameter asks; another deployment may be able to."""

    elsewhere = True
    fallback: ClassVar[Fallback] = "always"


class ContextWindowExceededError(BadRequestError):
    """The prompt is longer than the model's context window; a larger one may take it."""

    elsewhere = True
    fallback: ClassVar[Fallback] = "context_window"


class ContentPolicyViolationError(BadRequestError):
    """The provider refuses the content of the request."""

    fallback: ClassVar[Fallback] = "content_policy"


class ImageFetchError(BadRequestError):
    """An image or file that the request points to could not be fetched or is not usable."""


class RequestTooLargeError(BadRequestError):
    """413: the body of the request is larger than the provider takes."""

    default_status = 413


class AuthenticationError(APIError):
    """401: the key is missing or refused."""

    default_status = 401
    again = False
    health: ClassVar[Health] = "rest"


class PermissionDeniedError(APIError):
    """403: the key may not do this. 402: the account behind it has no credit."""

    default_status = 403
    again = False
    health: ClassVar[Health] = "rest"


class NotFoundError(APIError):
    """404: the model, deployment or alias does not exist."""

    default_status = 404
    again = False
    health: ClassVar[Health] = "rest"


class ConflictError(APIError):
    """409: the provider asks to try again."""

    default_status = 409


class UnprocessableEntityError(APIError):
    """422: the request is well formed and still wrong."""

    default_status = 422
    elsewhere = False
    again = False
    fallback: ClassVar[Fallback] = "on_request"
    health: ClassVar[Health] = "untouched"


class RateLimitError(APIError):
    """429: too many requests or tokens; `retry_after` says when to come back, if known."""

    default_status = 429
    health: ClassVar[Health] = "rate_limit"


class InternalServerError(APIError):
    """500: the provider failed."""


class APIResponseValidationError(InternalServerError):
    """The provider answered with success, but the answer cannot be understood."""


class BadGatewayError(APIError):
    """502: something between us and the provider failed."""

    default_status = 502


class ServiceUnavailableError(APIError):
    """503: the provider is down or does not take more work."""

    default_status = 503


class OverloadedError(ServiceUnavailableError):
    """529: the provider is overloaded."""

    default_status = 529


class StreamInterruptedError(APIError):
    """A stream broke off after content had been delivered.

    Attributes:
        partial_message: what had arrived, put together.
        usage: tokens as far as the provider reported them, else None.
    """

    default_status = 502

    def __init__(
        self,
        message: str,
        *,
        partial_message: Message | None = None,
        usage: Usage | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, **details)
        self.partial_message = partial_message
        self.usage = usage


BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PermissionDeniedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: NotFoundError,
    408: Timeout,
    409: ConflictError,
    413: RequestTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: InternalServerError,
    502: BadGatewayError,
    503: ServiceUnavailableError,
    504: Timeout,
    529: OverloadedError,
}
"""The class of an HTTP status when the provider's own code says nothing more precise."""


def error_class(status: int) -> type[APIError]:
    """The class for an HTTP status; an unknown one goes by its hundred."""
    found = BY_STATUS.get(status)
    if found is not None:
        return found
    return BadRequestError if 400 <= status < 500 else InternalServerError


InvalidRequestError = BadRequestError
MidStreamFallbackError = StreamInterruptedError
OpenAIError = APIError
"""LiteLLM's other names of the same."""

__all__ = [
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
    "InvalidRequestError",
    "MidStreamFallbackError",
    "NotFoundError",
    "OpenAIError",
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
]
