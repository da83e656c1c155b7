"""What the signer promises: the signatures that AWS computes, and no secret in sight."""

from __future__ import annotations

import calendar
import json
import time
from pathlib import Path
from typing import Any

import pytest

from polyroute.providers.aws_signing import Keys, Signer

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "sigv4_vectors.json").read_text())
URL = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/a%3Ab%2Fc/converse"
NOON = calendar.timegm((2026, 1, 2, 12, 0, 0))


KEYS = Keys("AKIA", "secret")


def sign(url: str = URL, keys: Keys = KEYS, **headers: str) -> dict[str, str]:
    return Signer("eu-west-1", "bedrock").sign(keys, url, headers, b"{}", now=NOON)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["url"][8:50])
def test_signatures_are_those_of_the_vectors(vector: dict[str, Any]) -> None:
    """Each recorded request gets the `Authorization` that botocore gave it."""
    keys = Keys(vector["access_key"], vector["secret_key"], vector["session_token"])
    headers = Signer(vector["region"], vector["service"]).sign(
        keys,
        vector["url"],
        vector["headers"],
        vector["body"].encode(),
        now=calendar.timegm(time.strptime(vector["time"], "%Y%m%dT%H%M%SZ")),
        method=vector["method"],
    )
    assert headers["Authorization"] == vector["authorization"]


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "http://127.0.0.1:8080/model/arn%3Aaws%3Abedrock%3A%3A%3Ax%2Fy/converse-stream",
        "https://vpce.example:443/base/model/x~y/converse?b=2&a=%20%2F&a=",
    ],
)
@pytest.mark.parametrize("token", [None, "FwoGZXIvYXdzEA+/=="])
def test_botocore_signs_the_same(url: str, token: str | None) -> None:
    """Paths, ports, queries and tokens are signed as botocore signs them at the same second."""
    auth = pytest.importorskip("botocore.auth")
    awsrequest = pytest.importorskip("botocore.awsrequest")
    credentials = pytest.importorskip("botocore.credentials")
    ours = sign(url, Keys("AKIA", "secret", token), **{"Content-Type": "application/json"})
    request = awsrequest.AWSRequest(
        "POST", url, headers={"Content-Type": "application/json"}, data=b"{}"
    )
    signer = auth.SigV4Auth(
        credentials.Credentials("AKIA", "secret", token), "bedrock", "eu-west-1"
    )
    request.context["timestamp"] = ours["X-Amz-Date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    request.headers["X-Amz-Date"] = ours["X-Amz-Date"]
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert ours["Authorization"].endswith(f"Signature={signature}")


def test_the_time_is_the_callers() -> None:
    """The date of a signature is the given moment, in UTC."""
    headers = sign()
    assert headers["X-Amz-Date"] == "20260102T120000Z"
    assert "Credential=AKIA/20260102/eu-west-1/bedrock/aws4_request" in headers["Authorization"]


def test_a_port_that_goes_without_saying_is_not_signed() -> None:
    """Clients leave the default port out of `Host`, so the signature must not know it."""
    assert sign(URL.replace(".com/", ".com:443/")) == sign()


def test_keys_never_show() -> None:
    """Neither the text nor the representation of keys tells what they are."""
    assert "secret" not in f"{Keys('AKIA', 'secret', 'token')!r} {Keys('AKIA', 'secret')}"
