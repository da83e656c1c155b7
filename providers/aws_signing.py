"""
AWS Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html.

    canonical request ──▶ string to sign ──▶ signature, with a key for one day, region and service

The path of a request is encoded once for the wire and once more for the signature: what is sent
as `%3A` is signed as `%253A`. botocore is the oracle of the tests; it is not needed to sign.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

ALGORITHM = "AWS4-HMAC-SHA256"
DEFAULT_PORTS = {"http": 80, "https": 443}


class Keys(NamedTuple):
    """An access key with its secret; temporary ones come with a token.

    `region` is where the profile that the keys come from wants to be, if it says so.
    """

    access_key: str
    secret_key: str
    token: str | None = None
    region: str | None = None

    def __repr__(self) -> str:
        return "Keys(…)"


class Signer(NamedTuple):
    """Signs requests to one service in one region."""

    region: str
    service: str

    def sign(
        self,
        keys: Keys,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        now: float,
        method: str = "POST",
    ) -> dict[str, str]:
        """The headers that carry the signature; all of `headers` are signed as they are.

        `now` is seconds since the epoch. AWS refuses a signature that is older than 5 minutes.
        """
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        added = {"X-Amz-Date": moment}
        if keys.token:
            added["X-Amz-Security-Token"] = keys.token
        parts = urlsplit(url)
        signed = canonical_headers({"host": host_of(parts), **headers, **added})
        names = ";".join(signed)
        canonical = "\n".join(
            (
                method,
                encode_path(parts.path or "/"),
                canonical_query(parts.query),
                "".join(f"{name}:{value}\n" for name, value in signed.items()),
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"{ALGORITHM}\n{moment}\n{scope}\n{digest}"
        key = signing_key(keys.secret_key, moment[:8], self.region, self.service)
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        added["Authorization"] = (
            f"{ALGORITHM} Credential={keys.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return added


@lru_cache(maxsize=256)
def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of one day, region and service; the same for all requests of that day."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


@lru_cache(maxsize=256)
def encode_path(path: str) -> str:
    """A path as AWS encodes it; the second time if it is encoded already."""
    return quote(path, safe="/~")


def canonical_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Lower-case names in order, and values with single spaces."""
    lowered = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    return dict(sorted(lowered.items()))


def canonical_query(query: str) -> str:
    """The parameters of a query in order, encoded as AWS encodes."""
    if not query:
        return ""
    pairs = sorted(
        (quote(name, safe="~"), quote(value, safe="~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def host_of(parts: SplitResult) -> str:
    """The `Host` header as HTTP clients send it: without a port that goes without saying."""
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(f":{DEFAULT_PORTS.get(parts.scheme)}")
