"""
How Bedrock is reached: the address, and who signs.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api.html. Every API of the runtime
is a method below `/model/NAME/`: `converse`, `invoke`. The agents' runtime is a host of its own.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..exceptions import AuthenticationError, BadRequestError
from .aws_credentials import REGION_ENV, find_identity
from .aws_signing import Keys, Signer
from .base import Request
from .bedrock_models import parse_name
from .catalog import from_environment
from .openai_service import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .aws_credentials import AwsCredential
    from .base import Call, Target

SERVICE = "bedrock"
BETA_HEADER = "anthropic-beta"
RUNTIME, AGENT_RUNTIME = "bedrock-runtime", "bedrock-agent-runtime"
ENDPOINT_ENV = (
    "AWS_BEDROCK_RUNTIME_ENDPOINT",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL",
)
AGENT_ENDPOINT_ENV = ("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", *ENDPOINT_ENV)

DOMAINS = (
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
)
"""Where a region's services are, by how its name begins."""

_REGION_IN_HOST = re.compile(r"//(?:[^/]*\.)?bedrock(?:-agent)?-runtime(?:-fips)?\.([a-z0-9-]+)\.")


class Access:
    """The address of one model, and the signatures that open it.

    Args:
        target: the model, how to reach it, and who calls.
        clock: seconds since the epoch; signatures carry the time.
        host: which of the two runtimes is called.
    """

    def __init__(
        self, target: Target, clock: Callable[[], float] = time.time, host: str = RUNTIME
    ) -> None:
        identity = find_identity(target)
        name = parse_name(target.model)
        self.credential: AwsCredential | None = identity.credential
        self.family: str = name.family
        self.host = host
        self.endpoint: str | None = endpoint_of(target, host)
        self.region: str | None = find_region(target, name.region, self.endpoint)
        self._clock = clock
        self._bearer = identity.bearer
        self._keys = identity.keys
        # AWS repeats what it was sent when it refuses a signature: all of it is redacted
        hidden = {**target.headers, **identity.secrets()}
        self.target: Target = replace(target, model=name.model, headers=hidden)

    def request(
        self,
        method: str,
        headers: Mapping[str, str],
        body: dict[str, Any],
        call: Call,
        dropped: tuple[str, ...] = (),
    ) -> Request:
        """The request to a method of the model, signed.

        Raises:
            AuthenticationError: the call lacks the keys that the credential was to fetch.
            BadRequestError: neither a region nor an endpoint is known.
        """
        model = call.params.get("model_id") or self.target.model
        path = f"/model/{encode_model(str(model))}/{method}"
        return self.request_to(path, headers, encode(body), call, dropped)

    def request_to(
        self,
        path: str,
        headers: Mapping[str, str],
        content: bytes,
        call: Call,
        dropped: tuple[str, ...] = (),
    ) -> Request:
        """The request to a path of the host, signed; raises what `request` does."""
        keys = call.secret if isinstance(call.secret, Keys) else self._keys
        region = self.region or (keys.region if keys else None)
        url = f"{self.endpoint or runtime_endpoint(self._known(region), self.host)}{path}"
        headers = {"Content-Type": "application/json", **headers}
        if self._bearer:
            headers["Authorization"] = f"Bearer {self._bearer}"
        elif keys is not None:
            headers.update(self._sign(keys, region, url, headers, content))
        else:
            raise AuthenticationError(
                "the AWS credentials of this call have not been fetched",
                model=self.target.model,
                llm_provider=self.target.provider,
            )
        return Request(url, headers, content, dropped)

    def _sign(
        self, keys: Keys, region: str | None, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        """The signature; only headers that nobody on the way rewrites are part of it."""
        signed = {
            name: value
            for name, value in headers.items()
            if name.lower() == "content-type" or name.lower().startswith("x-amz-")
        }
        signer = Signer(self._known(region), SERVICE)
        return signer.sign(keys, url, signed, body, now=self._clock())

    def _known(self, region: str | None) -> str:
        if region:
            return region
        raise BadRequestError(
            f"no AWS region for {self.target.model}: pass aws_region_name, set "
            f"{' or '.join(REGION_ENV)}, or write bedrock/REGION/MODEL",
            model=self.target.model,
            llm_provider=self.target.provider,
        )


@lru_cache(maxsize=256)
def encode_model(model: str) -> str:
    """A model's name as one step of a path: `:` and `/` are encoded too."""
    return quote(model, safe="")


def endpoint_of(target: Target, host: str = RUNTIME) -> str | None:
    """The base URL that the caller or the environment gives; None for the region's own.

    An address of the runtime leads to the agents' runtime beside it.
    """
    given = (
        target.settings.get("aws_bedrock_runtime_endpoint")
        or target.api_base
        or from_environment(ENDPOINT_ENV if host == RUNTIME else AGENT_ENDPOINT_ENV)
    )
    return str(given).rstrip("/").replace(f"//{RUNTIME}", f"//{host}") if given else None


def runtime_endpoint(region: str, host: str = RUNTIME) -> str:
    """The base URL of a region's own endpoint."""
    domain = next(domain for prefix, domain in DOMAINS if region.startswith(prefix))
    return f"https://{host}.{region}.{domain}"


def find_region(target: Target, named: str | None, endpoint: str | None) -> str | None:
    """The region: the settings', the model's, the endpoint's, the environment's."""
    given = target.settings.get("aws_region_name")
    if given or named:
        return str(given or named)
    found = _REGION_IN_HOST.search(endpoint) if endpoint else None
    return found[1] if found else from_environment(REGION_ENV)


def without_betas(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without Anthropic's list of beta flags, which Bedrock wants in the body."""
    return {name: value for name, value in headers.items() if name.lower() != BETA_HEADER}


def betas_of(headers: Mapping[str, str]) -> list[str]:
    """The beta flags in these headers."""
    return [
        flag.strip()
        for name, value in headers.items()
        if name.lower() == BETA_HEADER
        for flag in value.split(",")
        if flag.strip()
    ]
