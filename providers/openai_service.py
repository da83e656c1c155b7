"""
What every service of a provider with OpenAI's manners shares: address, key, errors.

https://platform.openai.com/docs/api-reference/introduction. Chat, images and the rest are
subclasses: each says the path of its service, and translates calls and answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ..exceptions import APIResponseValidationError, BadRequestError
from .base import Request
from .errors import ErrorDetails, make_error, read_error
from .openai_errors import classify
from .openai_repair import error_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..exceptions import APIError
    from .base import Call, Credential, Target
    from .catalog import Compatible

SERVICE = re.compile(
    r"/(?:chat/completions|completions|embeddings|images/generations|moderations|rerank|responses"
    r"|audio/(?:speech|transcriptions))$"
)
"""What an address may end with that leads all the way to one of the services."""

_encode = msgspec.json.Encoder().encode


class OpenAIService:
    """One service for one target, as its row says."""

    path: ClassVar[str]
    """Where the service lies, below the base URL."""

    credential: Credential | None = None

    def __init__(self, target: Target, row: Compatible) -> None:
        target = row.with_key(target)
        self.target: Target = target
        self.row = row
        self.url: str = f"{SERVICE.sub('', row.base(target))}{self.path}"
        self.headers: Mapping[str, str] = {
            "Content-Type": "application/json",
            **row.headers,
            "Authorization": f"Bearer {target.api_key}",
            **target.headers,
        }
        self.model: str = row.model_name(target.model)

    def files(self, call: Call) -> Sequence[str]:
        """None: URLs go as they are; see :meth:`Adapter.files`."""
        return ()

    def request(self, body: dict[str, Any], call: Call, dropped: tuple[str, ...] = ()) -> Request:
        """The request with this body, and with what the caller lays over body and headers."""
        if call.extra_body:
            body = {**body, **call.extra_body}
        headers = {**self.headers, **call.extra_headers} if call.extra_headers else self.headers
        return Request(self.url, headers, encode(body), dropped)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        details = read_error(body)
        kind = classify(status, details)
        return make_error(self.target, status, headers, body, details=details, kind=kind)

    def unreadable(self, body: bytes, reason: str) -> APIError:
        """The exception for a 2xx body that is an error after all, or makes no sense."""
        details = read_error(body)
        status = error_status(body)
        if status is None:
            details = ErrorDetails(f"the answer cannot be understood ({reason}): {details.message}")
            return make_error(
                self.target, 200, {}, body, details=details, kind=APIResponseValidationError
            )
        return make_error(
            self.target, status, {}, body, details=details, kind=classify(status, details)
        )


def encode(body: Mapping[str, Any]) -> bytes:
    """The body as JSON.

    Raises:
        BadRequestError: it holds something that JSON cannot say; names it.
    """
    try:
        return _encode(body)
    except (TypeError, UnicodeEncodeError, RecursionError, OverflowError) as error:
        raise BadRequestError(f"the request cannot be written as JSON: {error}") from error
