"""
Credentials for AWS: who signs, or which token is the bearer's.

    settings of the deployment          aws_access_key_id, aws_secret_access_key, aws_session_token
      …or where to fetch keys           aws_profile_name; aws_role_name, aws_session_name;
                                        aws_web_identity_token
    api_key                             an API key of Bedrock, sent as a bearer token
    the environment                     AWS_BEARER_TOKEN_BEDROCK, else AWS_ACCESS_KEY_ID, …
    botocore's chain                    profiles, single sign-on, containers, instances

The first that is there is taken. Keys that are known are used as they are; only those that must
be fetched need botocore. https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import AuthenticationError
from .aws_signing import Keys
from .base import Secret
from .catalog import from_environment
from .extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from .base import Target

BEARER_ENV = ("AWS_BEARER_TOKEN_BEDROCK",)
REGION_ENV = ("AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION")
SESSION_NAME = "polyroute"
STS_REGION = "us-east-1"
"""Where roles are assumed if no region is known; any gives the same keys."""

KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
FETCHED = ("aws_profile_name", "aws_role_name", "aws_web_identity_token")
"""Settings that say where keys are to be fetched."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: with a bearer token, with keys, or with keys that must be fetched."""

    bearer: str | None = field(default=None, repr=False)
    keys: Keys | None = None
    credential: AwsCredential | None = None

    def secrets(self) -> dict[str, str]:
        """What must not appear in any text, by a name for each."""
        if self.keys is not None:
            return {"secret": self.keys.secret_key, "token": self.keys.token or ""}
        return {"bearer": self.bearer or ""}


def find_identity(target: Target) -> Identity:
    """Who calls, by the order in the module's description.

    Raises:
        AuthenticationError: half a pair of keys.
    """
    settings = target.settings
    if any(settings.get(name) for name in FETCHED):
        return Identity(credential=AwsCredential(freeze(settings)))
    keys = find_keys(settings, "pass both aws_access_key_id and aws_secret_access_key")
    if keys is not None:
        return Identity(keys=keys)
    bearer = target.api_key or from_environment(BEARER_ENV)
    if bearer:
        return Identity(bearer=bearer)
    given = {name: os.environ.get(name.upper()) for name in KEYS}
    keys = find_keys(given, "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if keys is not None:
        return Identity(keys=keys)
    return Identity(credential=AwsCredential(freeze(settings)))


def find_keys(settings: Mapping[str, Any], advice: str) -> Keys | None:
    """The keys among these settings, None if there are none.

    Raises:
        AuthenticationError: there is only half of them.
    """
    access_key, secret_key, token = (settings.get(name) for name in KEYS)
    if not access_key and not secret_key:
        return None
    if not access_key or not secret_key:
        raise AuthenticationError(f"half a pair of AWS keys: {advice}")
    return Keys(str(access_key), str(secret_key), str(token) if token else None)


def freeze(settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The settings that concern AWS, in an order and form that can be compared."""
    return tuple(
        sorted(
            (name, str(value))
            for name, value in settings.items()
            if name.startswith("aws_") and value
        )
    )


@dataclass(frozen=True, slots=True)
class AwsCredential:
    """Keys from a profile, from an assumed role, or from wherever botocore finds some."""

    settings: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def identity(self) -> Hashable:
        """See :attr:`Credential.identity`."""
        return ("aws", self.settings)

    def fetch(self) -> Secret:
        """The keys; see :meth:`Credential.fetch`."""
        botocore = import_extra("botocore.session", "aws", "AWS credentials that must be fetched")
        exceptions = import_extra("botocore.exceptions", "aws", "fetching AWS credentials")
        settings = dict(self.settings)
        try:
            session = botocore.Session(profile=settings.get("aws_profile_name"))
            if settings.get("aws_role_name"):
                return assume_role(session, settings)
            if settings.get("aws_web_identity_token"):
                raise AuthenticationError("aws_web_identity_token needs aws_role_name beside it")
            return resolve_keys(session)
        except (exceptions.BotoCoreError, exceptions.ClientError, OSError) as error:
            raise AuthenticationError(f"AWS credentials cannot be had: {error}") from error


def resolve_keys(session: Any) -> Secret:
    """What botocore finds: it refreshes what it has before that ends, so it is asked anew soon.

    Raises:
        AuthenticationError: it finds nothing.
    """
    found = session.get_credentials()
    if found is None:
        raise AuthenticationError(
            "no AWS credentials: pass aws_access_key_id and aws_secret_access_key, "
            "aws_profile_name or api_key, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_BEARER_TOKEN_BEDROCK"
        )
    frozen = found.get_frozen_credentials()
    region = session.get_config_variable("region")
    return Secret(Keys(frozen.access_key, frozen.secret_key, frozen.token, region))


def assume_role(session: Any, settings: Mapping[str, str]) -> Secret:
    """The temporary keys of a role, assumed with the session's keys or with a web identity."""
    keys = find_keys(settings, "pass both aws_access_key_id and aws_secret_access_key")
    if keys is not None:
        session.set_credentials(keys.access_key, keys.secret_key, keys.token)
    region = settings.get("aws_region_name") or session.get_config_variable("region")
    service = session.create_client(
        "sts",
        region_name=region or from_environment(REGION_ENV) or STS_REGION,
        endpoint_url=settings.get("aws_sts_endpoint"),
    )
    request = {
        "RoleArn": settings["aws_role_name"],
        "RoleSessionName": settings.get("aws_session_name") or SESSION_NAME,
    }
    token = settings.get("aws_web_identity_token")
    if token:
        request["WebIdentityToken"] = read_token(token)
        answer = service.assume_role_with_web_identity(**request)
    else:
        if settings.get("aws_external_id"):
            request["ExternalId"] = settings["aws_external_id"]
        answer = service.assume_role(**request)
    made = answer["Credentials"]
    return Secret(
        Keys(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], region),
        made["Expiration"].timestamp(),
    )


def read_token(token: str) -> str:
    """A web identity token, which may stand in a file, as container platforms give it."""
    if token.startswith(("/", "~", ".")):
        return Path(token).expanduser().read_text().strip()
    return token
