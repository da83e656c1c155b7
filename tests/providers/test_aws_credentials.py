"""What AWS credentials promise, with botocore and a token service on loopback."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from polyroute.exceptions import AuthenticationError
from polyroute.providers import Target
from polyroute.providers.aws_credentials import AwsCredential, find_identity
from polyroute.providers.aws_signing import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("botocore")

ROLE = "arn:aws:iam::123456789012:role/caller"
ANSWER = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result><Credentials>
<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>temporary</SecretAccessKey>
<SessionToken>token</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>
</Credentials></{0}Result></{0}Response>"""
REFUSAL = (
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
)


class Handler(BaseHTTPRequestHandler):
    """AWS's token service: roles whose name ends in `refused` may not be assumed."""

    asked: list[dict[str, str]]

    def do_POST(self) -> None:
        """Answer AssumeRole and AssumeRoleWithWebIdentity."""
        query = self.rfile.read(int(self.headers["content-length"])).decode()
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        self.asked.append(asked)
        refused = asked["RoleArn"].endswith("refused")
        text = REFUSAL if refused else ANSWER.format(asked["Action"])
        self.send_response(403 if refused else 200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(Handler, "asked", [], raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def credential(server: ThreadingHTTPServer, **settings: str) -> AwsCredential:
    given = {"aws_sts_endpoint": f"http://127.0.0.1:{server.server_port}", **settings}
    found = find_identity(Target("bedrock", "m", settings=given)).credential
    assert found is not None
    return found


def test_a_role_is_assumed_with_keys(service: ThreadingHTTPServer) -> None:
    """The role's temporary keys come with the time at which they end."""
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "s"}
    role = credential(service, **keys, aws_role_name=ROLE, aws_session_name="me",
                      aws_external_id="ext")  # fmt: skip
    assert role.fetch() == (Keys("ASIA", "temporary", "token"), 1893456000.0)
    (asked,) = Handler.asked
    assert (asked["RoleArn"], asked["RoleSessionName"], asked["ExternalId"]) == (ROLE, "me", "ext")
    assert "AKIA" not in repr(role)


def test_a_role_is_assumed_with_a_web_identity(
    service: ThreadingHTTPServer, tmp_path: Path
) -> None:
    """The identity's token may stand in a file, as containers get it; no keys are needed."""
    (tmp_path / "token").write_text("e30.e30.sig\n")
    role = credential(service, aws_role_name=ROLE, aws_region_name="eu-west-1",
                      aws_web_identity_token=str(tmp_path / "token"))  # fmt: skip
    assert role.fetch().value == Keys("ASIA", "temporary", "token", "eu-west-1")
    assert Handler.asked[0]["WebIdentityToken"] == "e30.e30.sig"


def test_a_refused_role_is_an_error_of_ours(service: ThreadingHTTPServer) -> None:
    """Nothing of botocore's leaves the module."""
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "s"}
    with pytest.raises(AuthenticationError, match="AccessDenied"):
        credential(service, **keys, aws_role_name=f"{ROLE}/refused").fetch()


def test_without_any_credentials_the_error_says_what_to_do(service: ThreadingHTTPServer) -> None:
    """The last link of the chain names the ways there are."""
    with pytest.raises(AuthenticationError, match="AWS_BEARER_TOKEN_BEDROCK"):
        credential(service).fetch()
    with pytest.raises(AuthenticationError, match="aws_role_name"):
        credential(service, aws_web_identity_token="e30").fetch()


def test_credentials_are_shared_by_what_they_are(service: ThreadingHTTPServer) -> None:
    """Equal settings give one identity, so the router fetches once for many deployments."""
    one, same = (credential(service, aws_profile_name="p") for _ in range(2))
    other = credential(service, aws_profile_name="q")
    assert one.identity == same.identity != other.identity
