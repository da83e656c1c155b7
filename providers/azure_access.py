"""
Who is calling Azure: a key, a token of Microsoft Entra, or something that gives tokens.

What the target says comes before what the environment says, and in both a key comes first:

    api_key                                  AZURE_API_KEY, AZURE_OPENAI_API_KEY
    azure_ad_token                           AZURE_AD_TOKEN, AZURE_OPENAI_AD_TOKEN
    azure_ad_token_provider                  a callable that gives a token, asked for every call
    azure_credential                         a credential of azure-identity, or its class's name
    tenant_id, client_id, client_secret      AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET

Last comes DefaultAzureCredential, where a variable tells that there is something for it to find:
the identity of a workload, or of the machine.
https://learn.microsoft.com/python/api/overview/azure/identity-readme
"""

from __future__ import annotations

import hashlib
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import APIConnectionError, AuthenticationError, BadRequestError
from .base import Secret
from .catalog import from_environment
from .extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Mapping

    from .base import Credential, Target

KEY_ENV = ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY")
TOKEN_ENV = ("AZURE_AD_TOKEN", "AZURE_OPENAI_AD_TOKEN")
APPLICATION = {
    "tenant_id": "AZURE_TENANT_ID",
    "client_id": "AZURE_CLIENT_ID",
    "client_secret": "AZURE_CLIENT_SECRET",
}
"""The settings of an application with a secret, and the variables that may hold them."""

SCOPE = "https://cognitiveservices.azure.com/.default"
AUTHORITY_ENV = ("AZURE_AUTHORITY_HOST",)

HINTS = (
    "AZURE_TOKEN_CREDENTIALS",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "IDENTITY_ENDPOINT",
    "MSI_ENDPOINT",
)
"""Variables that tell of an identity which DefaultAzureCredential finds. Without one it is not
tried: it would ask the network and start programs, to say after seconds that a key is missing."""

KINDS = ("ClientSecretCredential", "DefaultAzureCredential", "ManagedIdentityCredential")
"""Credentials of azure-identity that a target may ask for by name."""


class Access(NamedTuple):
    """What opens a deployment: headers, with the secret in them, or a credential."""

    headers: Mapping[str, str]
    secret: str | None = None
    credential: Credential | None = None


@dataclass(frozen=True, slots=True)
class EntraCredential:
    """Tokens by way of azure-identity; `kind` is the name of its class."""

    kind: str
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    scope: str = SCOPE
    authority: str | None = None

    @property
    def identity(self) -> Hashable:
        """See :class:`Credential`."""
        secret = hashlib.sha256((self.client_secret or "").encode()).digest()
        return self.kind, self.tenant_id, self.client_id, secret, self.scope, self.authority

    def fetch(self) -> Secret:
        """A token; see :meth:`Credential.fetch`."""
        library = import_extra("azure.identity", "azure", "Microsoft Entra")
        try:
            with self._open(library) as credential:
                return get_token(credential, self.scope)
        except ValueError as error:
            raise AuthenticationError(f"{self.kind}: {error}") from error

    def _open(self, library: Any) -> Any:
        """The credential of azure-identity, to be closed after use."""
        # a private cloud's authority is unknown to Microsoft, which must not be asked about it
        options = {"disable_instance_discovery": True} if self.authority else {}
        match self.kind:
            case "ClientSecretCredential":
                return library.ClientSecretCredential(
                    self.tenant_id, self.client_id, self.client_secret, **options
                )
            case "ManagedIdentityCredential":
                return library.ManagedIdentityCredential(client_id=self.client_id)
        return library.DefaultAzureCredential(
            managed_identity_client_id=self.client_id,
            workload_identity_client_id=self.client_id,
        )


@dataclass(frozen=True, slots=True)
class GivenCredential:
    """Tokens from a credential of azure-identity (or an object like one) of the caller's."""

    credential: Any = field(repr=False)
    scope: str = SCOPE

    @property
    def identity(self) -> Hashable:
        """See :class:`Credential`."""
        return self.credential, self.scope

    def fetch(self) -> Secret:
        """A token; see :meth:`Credential.fetch`."""
        return get_token(self.credential, self.scope)


@dataclass(frozen=True, slots=True)
class TokenProvider:
    """Tokens from a callable, as `azure.identity.get_bearer_token_provider` makes it.

    It keeps the token itself and alone knows when it ends, so it is asked for every call.
    """

    provider: Callable[[], str] = field(repr=False)

    @property
    def identity(self) -> Hashable:
        """See :class:`Credential`."""
        return "azure_ad_token_provider", self.provider

    def fetch(self) -> Secret:
        """A token; see :meth:`Credential.fetch`."""
        with translated_errors("azure_ad_token_provider"):
            token = self.provider()
        if not isinstance(token, str) or not token:
            raise AuthenticationError(
                f"azure_ad_token_provider gave {type(token).__name__}, not a token as text; pass "
                "a synchronous callable such as azure.identity.get_bearer_token_provider(…)"
            )
        return Secret(token, time.time())


def get_token(credential: Any, scope: str) -> Secret:
    """A token from a credential of azure-identity.

    Raises:
        AuthenticationError: it gives none.
        APIConnectionError: whoever gives tokens could not be reached.
    """
    with translated_errors(type(credential).__name__):
        token = credential.get_token(scope)
    return Secret(token.token, token.expires_on)


@contextmanager
def translated_errors(source: str) -> Generator[None, None, None]:
    """Let nothing of azure-identity leak out of this module."""
    try:
        yield
    except _azure_errors("AzureError") as error:
        # a refusal may wrap a connection that failed
        for found in (error, error.__cause__):
            if _is_trouble(found):
                raise APIConnectionError(f"{source}: {_first_line(error)}") from error
        raise AuthenticationError(f"{source} gave no token: {_first_line(error)}") from error


def _is_trouble(error: BaseException | None) -> bool:
    """Whether an error of azure-core says something else than no."""
    refusal = _azure_errors("ClientAuthenticationError")
    return isinstance(error, _azure_errors("AzureError")) and not isinstance(error, refusal)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _azure_errors(name: str) -> tuple[type[Exception], ...]:
    """A class of azure-core's exceptions; none if nobody has imported them."""
    module = sys.modules.get("azure.core.exceptions")
    return () if module is None else (getattr(module, name),)


def find_access(target: Target) -> Access:
    """What opens a target.

    Raises:
        AuthenticationError: nothing does; names what would.
        BadRequestError: a setting is of no known kind.
    """
    settings = target.settings
    if target.api_key:
        return _by_key(target.api_key)
    if settings.get("azure_ad_token"):
        return _by_token(settings["azure_ad_token"])
    if settings.get("azure_ad_token_provider"):
        return Access({}, credential=TokenProvider(_callable(settings["azure_ad_token_provider"])))
    if settings.get("azure_credential") or settings.get("client_secret"):
        return Access({}, credential=given_credential(target))
    key, token = from_environment(KEY_ENV), from_environment(TOKEN_ENV)
    if key:
        return _by_key(key)
    if token:
        return _by_token(token)
    return Access({}, credential=found_credential(target))


def _by_key(key: str) -> Access:
    return Access({"api-key": key}, key)


def _by_token(token: str) -> Access:
    return Access({"Authorization": f"Bearer {token}"}, token)


def _callable(provider: Any) -> Callable[[], str]:
    if callable(provider):
        found: Callable[[], str] = provider
        return found
    raise BadRequestError(
        f"azure_ad_token_provider is of type {type(provider).__name__}; it must be a callable "
        "that gives a token",
        param="azure_ad_token_provider",
    )


def given_credential(target: Target) -> Credential:
    """The credential that a target's settings ask for."""
    asked = target.settings.get("azure_credential") or "ClientSecretCredential"
    if callable(getattr(asked, "get_token", None)):
        return GivenCredential(asked, _scope(target))
    if asked not in KINDS:
        raise BadRequestError(
            f"azure_credential is {asked!r:.60}; it must be a credential of azure-identity or "
            f"one of {', '.join(KINDS)}",
            param="azure_credential",
        )
    return _entra(asked, target)


def found_credential(target: Target) -> Credential:
    """The credential that the environment points to."""
    if all(_application(target).values()):
        return _entra("ClientSecretCredential", target)
    if from_environment(HINTS):
        return _entra("DefaultAzureCredential", target)
    raise AuthenticationError(
        f"no API key for {target.provider}: pass api_key or set {' or '.join(KEY_ENV)}; for "
        f"Microsoft Entra pass azure_ad_token or azure_ad_token_provider, set {TOKEN_ENV[0]} or "
        f"{', '.join(APPLICATION.values())}, or pass azure_credential='DefaultAzureCredential'",
        model=target.model,
        llm_provider=target.provider,
    )


def _entra(kind: str, target: Target) -> EntraCredential:
    application = _application(target)
    missing = [name for name, value in application.items() if not value]
    if kind == "ClientSecretCredential" and missing:
        wanted = ", ".join(f"{name} ({APPLICATION[name]})" for name in missing)
        raise AuthenticationError(
            f"{target.provider} has no {wanted} to go with the rest of the application",
            model=target.model,
            llm_provider=target.provider,
        )
    return EntraCredential(
        kind, scope=_scope(target), authority=from_environment(AUTHORITY_ENV), **application
    )


def _application(target: Target) -> dict[str, str | None]:
    return {
        name: target.settings.get(name) or from_environment((variable,))
        for name, variable in APPLICATION.items()
    }


def _scope(target: Target) -> str:
    return target.settings.get("azure_scope") or from_environment(("AZURE_SCOPE",)) or SCOPE
