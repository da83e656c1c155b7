"""Vertex AI: where models lie, how one gets in, and which format each maker's models speak."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from polyroute.exceptions import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    OverloadedError,
    RateLimitError,
)
from polyroute.providers import Call, File, Request, Target, adapter
from polyroute.providers.google_credentials import GoogleCredential, GoogleToken

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1"
GLOBAL = "https://aiplatform.googleapis.com/v1/projects/p/locations/global"
EUROPE = "https://aiplatform.eu.rep.googleapis.com"
GATE = "https://gate/google/v1/projects/p/locations/us-central1"
CLAUDE = "claude-sonnet-4-5@20250929"
LLAMA = "meta/llama-4-scout-17b-16e-instruct-maas"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
JSON_NAME = {"type": "json_schema", "json_schema": {"name": "name", "schema": SCHEMA}}
HELLO = [{"role": "user", "content": "Hello"}]
EXHAUSTED = b'{"error": {"code": 429, "message": "Exhausted.", "status": "RESOURCE_EXHAUSTED"}}'
USER = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}

pytestmark = pytest.mark.usefixtures("nowhere")


def made(model: str = "gemini-2.5-pro", **settings: Any) -> Any:
    reach = {"api_key": "token", "api_base": None, "api_version": None}
    given = {name: settings.pop(name, default) for name, default in reach.items()}
    return adapter(
        Target("vertex_ai", model, settings={"vertex_project": "p", **settings}, **given)
    )


def build(
    model: str = "gemini-2.5-pro",
    *,
    stream: bool = False,
    secret: Any = None,
    params: dict[str, Any] | None = None,
    **settings: Any,
) -> Request:
    built: Request = made(model, **settings).build(
        Call(HELLO, params or {}, stream=stream, secret=secret)
    )
    return built


def body(model: str, **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(build(model, params=params).body)
    return built


@pytest.mark.parametrize(
    ("model", "address"),
    [
        ("gemini-2.5-pro", f"{HERE}/publishers/google/models/gemini-2.5-pro:generateContent"),
        (
            "google/gemini-2.5-pro",
            f"{HERE}/publishers/google/models/gemini-2.5-pro:generateContent",
        ),
        ("gemini-3-pro", f"{GLOBAL}/publishers/google/models/gemini-3-pro:generateContent"),
        (CLAUDE, f"{GLOBAL}/publishers/anthropic/models/{CLAUDE}:rawPredict"),
        ("codestral@2501", f"{HERE}/publishers/mistralai/models/codestral@2501:rawPredict"),
        (LLAMA, f"{HERE}/endpoints/openapi/chat/completions"),
        ("gemma-4-26b-it-maas", f"{HERE}/endpoints/openapi/chat/completions"),
        ("1234", f"{HERE}/endpoints/1234:generateContent"),
        ("openai/1234", f"{HERE}/endpoints/1234/chat/completions"),
        (
            "projects/q/locations/eu/endpoints/7",
            f"{EUROPE}/v1/projects/q/locations/eu/endpoints/7:generateContent",
        ),
    ],
)
def test_a_name_leads_to_the_model(model: str, address: str) -> None:
    """Names with and without their maker, endpoints, and whole resource names."""
    assert build(model).url == address


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("gemini-2.5-pro", ":streamGenerateContent?alt=sse"),
        (CLAUDE, ":streamRawPredict"),
        ("mistral-medium-3", ":streamRawPredict"),
        (LLAMA, "/endpoints/openapi/chat/completions"),
    ],
)
def test_streams_have_methods_of_their_own(model: str, method: str) -> None:
    """Except where the body says that a stream is wanted."""
    assert build(model, stream=True).url.endswith(method)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_locations_have_hosts(location: str, host: str) -> None:
    """The world's, a continent's and a region's; LiteLLM's other prefix of settings does too."""
    url = build(vertex_ai_location=location).url
    assert url.startswith(f"https://{host}/v1/projects/p/locations/{location}/")


@pytest.mark.parametrize(
    "base",
    [
        "https://gate/google",
        "https://gate/google/v1/",
        GATE,
        f"{GATE}/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    ],
)
def test_every_form_of_a_base_leads_to_the_model(base: str) -> None:
    """A gateway may be named up to any point of the way."""
    address = build(api_base=base).url
    assert address == f"{GATE}/publishers/google/models/gemini-2.5-pro:generateContent"


def test_the_environment_and_the_credential_know_the_project(
    nowhere: pytest.MonkeyPatch,
) -> None:
    """Settings come first, then variables, then the project that the credential tells."""
    secret = GoogleToken("t", project="of-the-account", quota_project="payer")
    reach: dict[str, Any] = {"vertex_project": None, "api_key": None, "secret": secret}
    request = build(**reach)
    assert "/projects/of-the-account/" in request.url
    assert request.headers["Authorization"] == "Bearer t"
    assert request.headers["x-goog-user-project"] == "payer"
    nowhere.setenv("VERTEXAI_PROJECT", "of-the-machine")
    nowhere.setenv("VERTEXAI_LOCATION", "us-west1")
    assert "/projects/of-the-machine/locations/us-west1/" in build(**reach).url
    assert "/projects/own/" in build(**{**reach, "vertex_project": "own"}).url


def test_a_missing_project_is_named() -> None:
    """At once where nobody could tell it, else when the credential has not told it."""
    with pytest.raises(BadRequestError, match="vertex_project or set VERTEXAI_PROJECT"):
        made(vertex_project=None)
    with pytest.raises(BadRequestError, match="vertex_project"):
        build(vertex_project=None, api_key=None, secret=GoogleToken("t"))


def test_keys_tokens_and_accounts_are_told_apart() -> None:
    """An API key has a header and an address of its own; an account comes before both."""
    by_key = build(api_key="AIzaKey", vertex_project=None)
    assert by_key.headers["x-goog-api-key"] == "AIzaKey"
    assert by_key.url == (
        "https://aiplatform.googleapis.com/v1/publishers/google/models"
        "/gemini-2.5-pro:generateContent"
    )
    assert build().headers["Authorization"] == "Bearer token"
    by_setting = build(api_key=None, vertex_access_token="own")
    assert by_setting.headers["Authorization"] == "Bearer own"
    assert made(vertex_credentials=USER).credential is not None


def test_gemini_opens_pages_whose_type_is_plain() -> None:
    """What the address tells is left to Google; the rest is fetched."""
    images = ("https://x.test/cat.png", "https://x.test/cat")
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in images]
    assert made().files(Call([{"role": "user", "content": parts}])) == images[1:]


def test_a_tier_is_a_header() -> None:
    """Vertex AI has no field for it."""
    request = build(params={"service_tier": "flex"})
    assert request.headers["X-Vertex-AI-LLM-Shared-Request-Type"] == "flex"
    assert b"serviceTier" not in request.body


def test_claude_is_named_by_its_address() -> None:
    """The body has the version of the API and no model; beta flags are a header."""
    request = build(CLAUDE, params={"betas": ["context-1m-2025-08-07"], "max_tokens": 9})
    assert json.loads(request.body) == {
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }
    assert request.headers["anthropic-beta"] == "context-1m-2025-08-07"
    assert "anthropic-version" not in request.headers


def test_claude_is_given_no_urls() -> None:
    """Vertex AI opens none for it, so every page is fetched and sent."""
    url = "https://x.test/cat.png"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    call = Call([{"role": "user", "content": content}], files={url: File(b"cat", "image/png")})
    assert made(CLAUDE).files(call) == (url,)
    block = json.loads(made(CLAUDE).build(call).body)["messages"][0]["content"][0]
    assert block["source"] == {"type": "base64", "media_type": "image/png", "data": "Y2F0"}


def test_claude_answers_in_a_schema_by_a_tool() -> None:
    """Structured outputs are forbidden on Vertex AI until an organisation allows them."""
    built = body(CLAUDE, response_format=JSON_NAME)
    assert "output_config" not in built
    assert built["tool_choice"] == {"type": "tool", "name": built["tools"][0]["name"]}


def test_mistral_is_named_without_its_version() -> None:
    """In the body; and its parameters are Mistral's."""
    built = body("codestral@2501", seed=1)
    assert (built["model"], built["random_seed"]) == ("codestral", 1)


def test_open_models_are_named_with_their_maker() -> None:
    """Also where the caller left the maker out; endpoints need no name."""
    assert body("llama-4-scout-17b")["model"] == "meta/llama-4-scout-17b"
    assert body("openai/1234")["model"] == ""
    assert build("1234", base_model="llama-3").url.endswith("/endpoints/1234/chat/completions")


@pytest.mark.parametrize("model", ["gemini-2.5-pro", CLAUDE, LLAMA, "mistral-medium-3"])
def test_googles_errors_are_read_for_every_model(model: str) -> None:
    """Google answers in the place of the maker when it is itself that refuses."""
    assert isinstance(made(model).error(429, {}, EXHAUSTED), RateLimitError)


def test_the_makers_errors_are_read_too() -> None:
    """An error of Anthropic's comes through as Anthropic wrote it."""
    overloaded = b'{"type": "error", "error": {"type": "overloaded_error", "message": "Later."}}'
    assert isinstance(made(CLAUDE).error(529, {}, overloaded), OverloadedError)
    assert made(LLAMA).error(400, {}, b'{"error": {"message": "No."}}').message == "No."


def test_a_service_account_signs_for_its_token(
    start_tokens: Callable[[], Any], tmp_path: Path, nowhere: pytest.MonkeyPatch
) -> None:
    """As a dictionary, as text, as a file, or as the file that the environment names."""
    pytest.importorskip("google.auth")
    server = start_tokens()
    server.answer = {"access_token": "signed-for", "expires_in": 3600, "token_type": "Bearer"}
    account = service_account(server.url)
    path = tmp_path / "account.json"
    path.write_text(json.dumps(account))
    nowhere.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    for given in (account, json.dumps(account), str(path), None):
        credential = GoogleCredential(given)
        secret = credential.fetch()
        assert secret.value == GoogleToken("signed-for", project="of-the-account")
        assert secret.expires is not None
        assert "PRIVATE" not in repr((credential.identity, credential, secret.value))
    assert server.asked[-1]["grant_type"].endswith(":jwt-bearer")

    server.status, server.answer = 400, {"error": "invalid_grant"}
    with pytest.raises(AuthenticationError, match="invalid_grant"):
        GoogleCredential(account).fetch()
    with pytest.raises(APIConnectionError):
        GoogleCredential({**account, "token_uri": "http://127.0.0.1:1/"}).fetch()


def test_the_machine_has_a_token(
    start_tokens: Callable[[], Any], nowhere: pytest.MonkeyPatch
) -> None:
    """On Google's own machines the metadata server gives it."""
    pytest.importorskip("google.auth")
    server = start_tokens()
    host = server.url.removeprefix("http://")
    nowhere.setenv("GCE_METADATA_HOST", host)
    nowhere.setenv("GCE_METADATA_IP", host)
    nowhere.setenv("GOOGLE_CLOUD_PROJECT", "of-the-machine")
    server.answer = {"access_token": "of-the-machine", "expires_in": 3600, "email": "me"}
    assert GoogleCredential().fetch().value == GoogleToken("of-the-machine", "of-the-machine")


def test_what_is_no_account_is_said_to_be_none(tmp_path: Path) -> None:
    """A file that is not there, text that is not JSON, JSON that is no account."""
    pytest.importorskip("google.auth")
    for given, words in (
        (str(tmp_path / "away.json"), "cannot be read"),
        ("{broken", "no account"),
        ({"type": "service_account"}, "Failed to load"),
    ):
        with pytest.raises(AuthenticationError, match=words):
            GoogleCredential(given).fetch()


def test_accounts_are_told_apart_without_being_told() -> None:
    """The same account has the same identity, another has another."""
    same = {GoogleCredential(USER).identity, GoogleCredential(dict(USER)).identity}
    assert len(same) == 1
    assert GoogleCredential({**USER, "client_id": "d"}).identity not in same


def service_account(server: str) -> dict[str, str]:
    """An account with a key of its own, whose tokens come from the server."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": "of-the-account",
        "private_key_id": "1",
        "private_key": private.decode(),
        "client_email": "me@of-the-account.iam.gserviceaccount.com",
        "token_uri": f"{server}/token",
    }
