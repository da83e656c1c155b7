"""
Amazon Bedrock's Converse API, which speaks one format for the models of all makers.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html

    bedrock.py            the address, who signs
    bedrock_models.py     names of models, what each family can do
    bedrock_params.py     parameters: `build_body`;  bedrock_tools.py  `convert_tools`
    bedrock_messages.py   `convert_messages`;  bedrock_media.py  images, documents, video, audio
    bedrock_answer.py     `parse_answer`, `convert_usage`, FINISH_REASONS
    bedrock_stream.py     `ConverseDecoder`;  aws_events.py  the frames of its streams
    bedrock_errors.py     names of errors and their classes
    aws_credentials.py    keys, roles, tokens;  aws_signing.py  signatures
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..exceptions import AuthenticationError, BadRequestError
from .aws_credentials import REGION_ENV, find_identity
from .aws_signing import Keys, Signer
from .base import Request
from .bedrock_answer import parse_answer
from .bedrock_errors import convert_error
from .bedrock_media import urls_to_fetch
from .bedrock_models import family_of, parse_name
from .bedrock_params import build_body
from .bedrock_stream import ConverseDecoder
from .catalog import from_environment
from .openai import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, Credential, Target

SERVICE = "bedrock"
ENDPOINT_ENV = (
    "AWS_BEDROCK_RUNTIME_ENDPOINT",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL",
)

DOMAINS = (
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
)
"""Where a region's services are, by how its name begins."""

BETA_HEADER = "anthropic-beta"
_REGION_IN_HOST = re.compile(r"//(?:[^/]*\.)?bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")


class BedrockAdapter:
    """Converse and ConverseStream for one target.

    Args:
        target: the model, how to reach it, and who calls.
        clock: seconds since the epoch; signatures carry the time.
    """

    credential: Credential | None = None

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.time) -> None:
        identity = find_identity(target)
        name = parse_name(target.model)
        self.credential = identity.credential
        self.family = family_of(name.family)
        self.endpoint = endpoint_of(target)
        self.region = find_region(target, name.region, self.endpoint)
        self._clock = clock
        self._bearer = identity.bearer
        self._keys = identity.keys
        # AWS repeats what it was sent when it refuses a signature: all of it is redacted
        hidden = {**target.headers, **identity.secrets()}
        self.target = replace(target, model=name.model, headers=hidden)
        given = {name: value for name, value in target.headers.items() if not is_beta(name)}
        self.headers = {"Content-Type": "application/json", **given}
        self.betas = betas_of(target.headers)

    def files(self, call: Call) -> tuple[str, ...]:
        """URLs that must be fetched: Bedrock opens none but S3's."""
        return urls_to_fetch(call.messages)

    def build(self, call: Call) -> Request:
        """The request, signed; see :meth:`Adapter.build`."""
        extra = call.extra_headers or {}
        betas = [*self.betas, *betas_of(extra)]
        body, dropped = build_body(call, self.target, self.family, betas)
        headers = {
            **self.headers,
            **{name: value for name, value in extra.items() if not is_beta(name)},
        }
        content = encode(body)
        model = call.params.get("model_id") or self.target.model
        keys = call.secret if isinstance(call.secret, Keys) else self._keys
        region = self.region or (keys.region if keys else None)
        url = self.url(str(model), region, stream=call.stream)
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

    def url(self, model: str, region: str | None, *, stream: bool) -> str:
        """Where a model is called.

        Raises:
            BadRequestError: neither a region nor an endpoint is known.
        """
        base = self.endpoint or runtime_endpoint(self._known(region))
        return f"{base}/model/{encode_model(model)}/{'converse-stream' if stream else 'converse'}"

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return parse_answer(body, call, self.target)

    def decoder(self, call: Call) -> ConverseDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return ConverseDecoder(self.target, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)

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


def endpoint_of(target: Target) -> str | None:
    """The base URL that the caller or the environment gives; None for the region's own."""
    given = (
        target.settings.get("aws_bedrock_runtime_endpoint")
        or target.api_base
        or from_environment(ENDPOINT_ENV)
    )
    return str(given).rstrip("/") if given else None


def runtime_endpoint(region: str) -> str:
    """The base URL of a region's own endpoint."""
    domain = next(domain for prefix, domain in DOMAINS if region.startswith(prefix))
    return f"https://bedrock-runtime.{region}.{domain}"


def find_region(target: Target, named: str | None, endpoint: str | None) -> str | None:
    """The region: the settings', the model's, the endpoint's, the environment's."""
    given = target.settings.get("aws_region_name")
    if given or named:
        return str(given or named)
    found = _REGION_IN_HOST.search(endpoint) if endpoint else None
    return found[1] if found else from_environment(REGION_ENV)


def is_beta(name: str) -> bool:
    """Whether this header is Anthropic's list of beta flags, which Converse wants in the body."""
    return name.lower() == BETA_HEADER


def betas_of(headers: Mapping[str, str]) -> list[str]:
    """The beta flags in these headers."""
    return [
        flag.strip()
        for name, value in headers.items()
        if is_beta(name)
        for flag in value.split(",")
        if flag.strip()
    ]
