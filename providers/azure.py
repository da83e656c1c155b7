"""
Azure OpenAI: OpenAI's chat at an address of one's own, with deployments in the place of models.

https://learn.microsoft.com/azure/ai-foundry/openai/reference. The address names the deployment
and the version of the API; the v1 API (an address that ends in `/openai/v1`) has neither.
Who may call, and with what, is the matter of `azure_access.py`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from .azure_access import find_access
from .catalog import IMAGES, NO_KEY, Compatible, from_environment
from .openai import OpenAIAdapter
from .openai_messages import OPENAI_KEYS, OPENAI_ROLES
from .openai_service import SERVICE, OpenAIService

if TYPE_CHECKING:
    from .base import Call, Credential, Request, Target

AZURE = Compatible(
    base_env=("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"),
    placeholder_key=NO_KEY,
    message_keys=OPENAI_KEYS,
    roles=OPENAI_ROLES,
    media=IMAGES | {"file", "input_audio"},
)

VERSION_ENV = ("AZURE_API_VERSION", "OPENAI_API_VERSION")
VERSION = "2025-04-01-preview"
"""The last version with a date; it knows every parameter of the reasoning models."""
MODELS_VERSION = "2024-05-01-preview"
"""The same for addresses of Foundry that end in `/models`, where the body names the model."""
STREAMS_USAGE_SINCE = "2024-09-01"
"""Older versions refuse `stream_options`."""

V1_VERSIONS = frozenset({"v1", "latest", "preview"})
"""What people write as a version when they mean the v1 API."""

ROUTES = re.compile(r"(?:o|gpt5)_series/")
"""LiteLLM's way to say that a deployment is of a reasoning model."""
REASONS = re.compile(r"(?:^|[^a-z0-9])(?:o[134](?![a-z0-9])|gpt-?5(?!.*chat))", re.IGNORECASE)
"""Names of deployments that say the same; people put their own words around the model's."""


class AzureService(OpenAIService):
    """Who calls and where: the base of every service of a deployment.

    It comes before the class of OpenAI's service: ``class AzureAdapter(AzureService, …)``.
    """

    version: str | None

    def __init__(self, target: Target, row: Compatible = AZURE) -> None:
        access = find_access(target)
        deployment = ROUTES.sub("", target.model, count=1)
        url, self.version = service_url(target, deployment, self.path)
        super().__init__(replace(target, model=deployment, api_key=access.secret), row)
        self.url = url
        self.credential: Credential | None = access.credential
        self.headers: dict[str, str] = {
            "Content-Type": "application/json",
            **access.headers,
            **target.headers,
        }

    def request(self, body: dict[str, Any], call: Call, dropped: tuple[str, ...] = ()) -> Request:
        """The request with this body, opened by the key or by the call's own token."""
        request = super().request(body, call, dropped)
        if self.credential is not None:
            request.headers = {"Authorization": f"Bearer {call.secret}", **request.headers}
        return request


class AzureAdapter(AzureService, OpenAIAdapter):
    """Chat completions of one deployment."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        if self.version is not None and self.version < STREAMS_USAGE_SINCE:
            self.row: Compatible = replace(AZURE, stream_usage=False)
        self._reasoning = is_reasoning(target)


def is_reasoning(target: Target) -> bool:
    """Whether the deployment's model is one of OpenAI's that reason.

    The setting `base_model` tells which model it is, else its own name has to.
    """
    base_model = target.settings.get("base_model")
    if base_model:
        return REASONS.search(base_model) is not None
    return ROUTES.match(target.model) is not None or REASONS.search(target.model) is not None


def service_url(target: Target, deployment: str, service: str) -> tuple[str, str | None]:
    """The address of a deployment's service, and the version of the API where it has a date.

    The base may be the resource's, or go on to `/openai`, to the deployment, or to the end.

    Raises:
        BadRequestError: there is no base; names the variables that may hold it.
    """
    base, _, query = AZURE.base(target).partition("?")
    base = SERVICE.sub("", base.rstrip("/"))
    asked = dict(parse_qsl(query))
    version = target.api_version or asked.pop("api-version", None) or from_environment(VERSION_ENV)
    if base.endswith("/openai/v1") or version in V1_VERSIONS:
        path = base if base.endswith("/openai/v1") else f"{base.removesuffix('/openai')}/openai/v1"
        if version in V1_VERSIONS - {"v1"}:
            asked["api-version"] = version
        version = None
    elif base.endswith("/models"):
        path, version = base, version or MODELS_VERSION
        asked["api-version"] = version
    else:
        version = asked["api-version"] = version or VERSION
        path = deployment_url(base, deployment)
    return f"{path}{service}" + (f"?{urlencode(asked)}" if asked else ""), version


def deployment_url(base: str, deployment: str) -> str:
    """The address of a deployment, below a base that may name it already."""
    if re.search(r"/deployments/[^/]+$", base):
        return base
    resource = re.sub(r"(?:/openai)?(?:/deployments)?$", "", base)
    return f"{resource}/openai/deployments/{quote(deployment, safe='')}"
