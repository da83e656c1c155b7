"""
Access tokens of Google Cloud, by way of google-auth.

https://cloud.google.com/docs/authentication/application-default-credentials. Without credentials
of one's own, google-auth finds what the machine has: the file that
GOOGLE_APPLICATION_CREDENTIALS names, the login of gcloud, or the metadata server.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import APIConnectionError, AuthenticationError
from .base import Secret
from .extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class GoogleToken(NamedTuple):
    """A token, the project it comes from, and the one that pays if that is another."""

    token: str
    project: str | None = None
    quota_project: str | None = None

    def __repr__(self) -> str:
        return f"GoogleToken(…, {self.project!r})"


class GoogleCredential:
    """Tokens for one account.

    Args:
        given: the account as JSON text, a dictionary, the path of a file, or credentials of
            google-auth; None: whatever the machine has.
    """

    __slots__ = ("_given", "identity")

    def __init__(self, given: Any = None) -> None:
        self._given = given
        self.identity: Hashable = ("google", _fingerprint(given))

    def fetch(self) -> Secret:
        """A token; see :meth:`Credential.fetch`."""
        transport = import_extra("google.auth.transport.requests", "google", "Google Cloud")
        with translated_errors():
            credentials, project = self._credentials()
            credentials.refresh(transport.Request())
        project = project or getattr(credentials, "project_id", None)
        token = GoogleToken(
            credentials.token,
            project if isinstance(project, str) else None,
            getattr(credentials, "quota_project_id", None),
        )
        expiry = credentials.expiry  # in UTC, without saying so
        return Secret(token, expiry and expiry.replace(tzinfo=UTC).timestamp())

    def _credentials(self) -> tuple[Any, str | None]:
        """The credentials of google-auth, and the project they name."""
        library = import_extra("google.auth", "google", "Google Cloud")
        found: tuple[Any, str | None]
        if self._given is None:
            found = library.default(scopes=SCOPES)
        elif isinstance(self._given, str | dict):
            with warnings.catch_warnings():
                # the warning is about files of strangers; these are the caller's own
                warnings.simplefilter("ignore", DeprecationWarning)
                found = library.load_credentials_from_dict(read_account(self._given), SCOPES)
        else:
            found = self._given, None
        return found


def read_account(given: str | dict[str, Any]) -> dict[str, Any]:
    """An account from a dictionary, from JSON text, or from the file at a path.

    Raises:
        AuthenticationError: there is no such file, or it holds something else.
    """
    if isinstance(given, dict):
        return given
    text, source = given, "vertex_credentials"
    if not given.lstrip().startswith("{"):
        source = given
        try:
            text = Path(given).expanduser().read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise AuthenticationError(f"the credentials at {given!r} cannot be read") from error
    try:
        account = json.loads(text)
    except ValueError:
        account = None
    if isinstance(account, dict):
        return account
    raise AuthenticationError(f"{source} holds no account of Google Cloud as a JSON object")


def _fingerprint(given: Any) -> Hashable:
    """What tells accounts apart and says nothing about them."""
    if given is None:
        return os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    if isinstance(given, str | dict):
        text = given if isinstance(given, str) else json.dumps(given, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
    fingerprint: Hashable = given
    return fingerprint


@contextmanager
def translated_errors() -> Generator[None, None, None]:
    """Let nothing of google-auth leak out of this module."""
    library = import_extra("google.auth.exceptions", "google", "Google Cloud")
    try:
        yield
    except library.TransportError as error:
        raise APIConnectionError(f"Google gave no access token: {_reason(error)}") from error
    except (library.GoogleAuthError, ValueError) as error:
        raise AuthenticationError(
            f"Google gave no access token: {_reason(error)}; pass vertex_credentials, set "
            "GOOGLE_APPLICATION_CREDENTIALS, or log in with "
            "`gcloud auth application-default login`"
        ) from error


def _reason(error: Exception) -> Any:
    """What an error says first; google-auth appends bodies and causes."""
    return error.args[0] if error.args else type(error).__name__
