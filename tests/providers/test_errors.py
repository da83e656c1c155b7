"""How the body and the headers of an error are read."""

from __future__ import annotations

import pickle

import pytest

from polyroute import exceptions
from polyroute.providers import Call, Target
from polyroute.providers.errors import make_error, read_error, retry_after

BODIES = {
    "OpenAI": (
        b'{"error":{"message":"no","type":"t","code":"c","param":"p"}}',
        ("no", "c", "t", "p"),
    ),
    "text": (b'{"error":"no such model"}', ("no such model", None, None, None)),
    "code as number": (b'{"error":{"message":"no","code":429}}', ("no", "429", None, None)),
    "at the top": (b'{"object":"error","message":"no","type":"t"}', ("no", None, "t", None)),
    "in a list": (b'[{"error":{"message":"no","status":"S"}}]', ("no", None, "S", None)),
    "detail": (b'{"detail":"Invalid API Key"}', ("Invalid API Key", None, None, None)),
    "complaints": (
        b'{"detail":[{"loc":["body",0,"x"],"msg":"bad"},{"loc":["y"],"msg":"worse"}]}',
        ("body.0.x: bad; y: worse", None, None, None),
    ),
    "nested complaints": (
        b'{"message":{"detail":[{"loc":["body","foo"],"msg":"extra"}]},"code":"3"}',
        ("body.foo: extra", "3", None, None),
    ),
    "unknown JSON": (b'{"oops":1}', ('{"oops":1}', None, None, None)),
    "HTML": (
        b"<html><head><style>p{}</style></head><body><h1>502  Bad</h1></body></html>",
        ("502 Bad", None, None, None),
    ),
    "plain text": (b" upstream is\n gone ", ("upstream is gone", None, None, None)),
    "no text": (b"\xff\xfe", ("\ufffd\ufffd", None, None, None)),
    "nothing": (b"", ("no message", None, None, None)),
}

TARGET = Target(
    "openai", "gpt-4o", "sk-very-secret", headers={"X-Token": "Bearer token-of-the-proxy"}
)


@pytest.mark.parametrize(("body", "details"), BODIES.values(), ids=BODIES)
def test_every_shape_of_error_has_a_message(body: bytes, details: tuple[str | None, ...]) -> None:
    """Message, code, type and parameter are found wherever a provider puts them."""
    assert tuple(read_error(body)) == details


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 40.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, fractions, milliseconds and dates are understood, nonsense is ignored."""
    assert retry_after(headers, now=60.0) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, exceptions.BadRequestError),
        (401, exceptions.AuthenticationError),
        (402, exceptions.PermissionDeniedError),
        (403, exceptions.PermissionDeniedError),
        (404, exceptions.NotFoundError),
        (408, exceptions.Timeout),
        (409, exceptions.ConflictError),
        (413, exceptions.RequestTooLargeError),
        (418, exceptions.BadRequestError),
        (422, exceptions.UnprocessableEntityError),
        (429, exceptions.RateLimitError),
        (500, exceptions.InternalServerError),
        (502, exceptions.BadGatewayError),
        (503, exceptions.ServiceUnavailableError),
        (504, exceptions.Timeout),
        (520, exceptions.InternalServerError),
        (529, exceptions.OverloadedError),
    ],
)
def test_a_status_has_its_class(status: int, kind: type[exceptions.APIError]) -> None:
    """An error without a telling code is classed by its status, which it keeps."""
    error = make_error(TARGET, status, {}, b"{}")
    assert (type(error), error.status_code) == (kind, status)


def test_an_error_carries_what_the_answer_said() -> None:
    """Code, parameter, id of the request, wait and body are attributes."""
    body = b'{"error":{"message":"slow down","code":"rate","param":"n"}}'
    headers = {"x-request-id": "req_1", "retry-after": "2"}
    error = make_error(TARGET, 429, headers, body)
    assert (error.message, error.code, error.param) == ("slow down", "rate", "n")
    assert (error.request_id, error.retry_after, error.body) == ("req_1", 2.0, body.decode())
    assert (error.llm_provider, error.model) == ("openai", "gpt-4o")


def test_no_secret_is_in_an_error() -> None:
    """A key or header that the provider repeats is gone from every text of the error."""
    body = b'{"error":{"message":"bad key sk-very-secret via token-of-the-proxy"}}'
    error = make_error(TARGET, 401, {"x-echo": "Bearer token-of-the-proxy"}, body)
    shown = f"{error} {error!r} {error.body} {error.response_headers} {pickle.dumps(error)!r}"
    assert "very-secret" not in shown
    assert "token-of-the-proxy" not in shown
    assert error.message == "bad key [redacted] via [redacted]"


def test_a_long_body_is_shortened() -> None:
    """A megabyte of HTML does not end up in logs."""
    error = make_error(TARGET, 502, {}, b"<html>" + b"x " * 2**20)
    assert len(error.body or "") == 2000
    assert len(error.message) <= 500


def test_secrets_among_the_settings() -> None:
    """Tokens and secrets that are settings are cleaned away too, and a call shows none."""
    settings = {"azure_ad_token": "ey-token", "client_secret": "hush-hush", "region": "here"}
    target = Target("azure", "gpt", settings=settings)
    body = b'{"error":{"message":"ey-token of hush-hush is not from here","code":"ey-token"}}'
    error = make_error(target, 401, {"x-request-id": "r-ey-token"}, body)
    assert error.message == "[redacted] of [redacted] is not from here"
    assert (error.code, error.request_id) == ("[redacted]", "r-[redacted]")
    call = Call([], secret="ey-token", extra_headers={"Authorization": "ey-token"})
    assert repr(call) == "Call(0 messages, params=[])"
