"""
How a model of Vertex AI is reached: its address, and the token that opens it.

https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations. An address names a project
and a location; the project may be known only once the credential has told its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError
from .catalog import from_environment
from .google_credentials import GoogleCredential

if TYPE_CHECKING:
    from .base import Call, Credential, Target
    from .vertex_models import Model

BASE_ENV = ("VERTEXAI_API_BASE", "VERTEX_API_BASE")
PROJECT_ENV = ("VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT")
LOCATION_ENV = (
    "VERTEXAI_LOCATION",
    "VERTEX_LOCATION",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_REGION",
    "CLOUD_ML_REGION",
)

VERSION = "v1"
LOCATION = "us-central1"
ONLY_GLOBAL = re.compile(r"gemini-(?:[3-9]|\d\d)|claude")
"""Models that no single region has, or hardly one: they are asked for at `global`."""

PROJECT = "{project}"
"""Stands in an address for the project that the credential will tell."""

METHOD = re.compile(r":(?:raw|streamRaw)?[pP]redict$|:(?:(?:streamG|g)enerate|embed)Content$")
COMPLETE = re.compile(r"/(?:models|endpoints)/[^/]+(?:/chat/completions)?$")
"""Addresses that end with the model."""

API_KEY = re.compile(r"AIza|AQ\.")
"""What Google's API keys begin with; any other `api_key` is taken for an access token."""


class Access:
    """The address and the headers of one model."""

    def __init__(self, target: Target, model: Model) -> None:
        account = setting(target, "credentials")
        key = None if account else target.api_key or setting(target, "access_token")
        self.target: Target = replace(target, api_key=key)
        self.credential: Credential | None = None
        self._headers = {"Content-Type": "application/json"}
        by_key = key is not None and API_KEY.match(key) is not None
        if key is None:
            self.credential = GoogleCredential(account)
        elif by_key:
            self._headers["x-goog-api-key"] = key
        else:
            self._headers["Authorization"] = f"Bearer {key}"
        self._headers.update(target.headers)
        project = model.project or setting(target, "project") or from_environment(PROJECT_ENV)
        self._url = model_url(target, model, express=by_key and project is None)
        if project is not None:
            self._url = self._url.replace(PROJECT, project)
        if PROJECT in self._url and self.credential is None:
            raise self._no_project()

    def url(self, call: Call) -> str:
        """The model's address, without a method.

        Raises:
            BadRequestError: nobody knows the project; names where it can be said.
        """
        if PROJECT not in self._url:
            return self._url
        if not call.secret.project:
            raise self._no_project()
        return self._url.replace(PROJECT, call.secret.project)

    def headers(self, call: Call) -> dict[str, str]:
        """The headers, without the call's own."""
        if self.credential is None:
            return self._headers
        headers = {"Authorization": f"Bearer {call.secret.token}", **self._headers}
        if call.secret.quota_project:
            headers["x-goog-user-project"] = call.secret.quota_project
        return headers

    def _no_project(self) -> BadRequestError:
        return BadRequestError(
            "no project of Google Cloud is named: pass vertex_project or set "
            f"{' or '.join(PROJECT_ENV)}",
            model=self.target.model,
            llm_provider=self.target.provider,
            param="vertex_project",
        )


def setting(target: Target, name: str) -> Any:
    """A setting, under either prefix that is in use; None if it is not there or empty."""
    return target.settings.get(f"vertex_{name}") or target.settings.get(f"vertex_ai_{name}") or None


def model_url(target: Target, model: Model, *, express: bool = False) -> str:
    """The model's address, from a base that may be a host, go on to a location, or be all of it.

    With `express` it has no project and no location, as an API key alone wants it:
    https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview
    """
    location = "global" if express else find_location(target, model)
    given = target.api_base or from_environment(BASE_ENV)
    base = (given or f"https://{host(location)}").partition("?")[0].rstrip("/")
    base = METHOD.sub("", base)
    if COMPLETE.search(base):
        return base
    if re.search(r"/locations/[^/]+$", base):
        return f"{base}/{model.resource}"
    if not re.search(r"/v\d+(?:beta\d+)?$", base):
        base = f"{base}/{version_of(target)}"
    place = "" if express else f"projects/{PROJECT}/locations/{location}/"
    return f"{base}/{place}{model.resource}"


def find_location(target: Target, model: Model) -> str:
    """Where the model is asked for."""
    said = model.location or setting(target, "location") or from_environment(LOCATION_ENV)
    return said or ("global" if ONLY_GLOBAL.match(model.name) else LOCATION)


def host(location: str) -> str:
    """The host of a location: of the whole world, of a continent, or of a region."""
    if location == "global":
        return "aiplatform.googleapis.com"
    if "-" not in location:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def version_of(target: Target) -> str:
    """The API's version; other providers' versions that a caller passes along do not count."""
    given = target.api_version or ""
    return given if re.fullmatch(r"v\d+(?:beta\d+)?", given) else VERSION
