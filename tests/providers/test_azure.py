"""Azure OpenAI: addresses of deployments, keys and tokens, and what Azure alone answers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from polyroute.exceptions import (
    APIConnectionError,
    AuthenticationError,
    BadRequestError,
    ContentPolicyViolationError,
    NotFoundError,
)
from polyroute.providers import Call, Request, Target
from polyroute.providers.azure import AzureAdapter

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

HOST = "https://team.openai.azure.com"
FOUNDRY = "https://team.services.ai.azure.com"
DATED = f"{HOST}/openai/deployments/mine/chat/completions?api-version="
TENANT = "00000000-0000-0000-0000-000000000001"
SAFE = {"hate": {"filtered": False, "severity": "safe"}}
HELLO = [{"role": "user", "content": "Hello"}]

pytestmark = pytest.mark.usefixtures("nowhere")


def adapter(model: str = "mine", **fields: Any) -> AzureAdapter:
    return AzureAdapter(Target("azure", model, **{"api_base": HOST, "api_key": "key", **fields}))


def without_key(**settings: Any) -> AzureAdapter:
    return adapter(api_key=None, settings=settings)


def build(made: AzureAdapter, secret: Any = None, stream: bool = False, **params: Any) -> Request:
    return made.build(Call(HELLO, params, stream=stream, ask_usage=True, secret=secret))


def body(made: AzureAdapter, **params: Any) -> dict[str, Any]:
    built: dict[str, Any] = json.loads(build(made, **params).body)
    return built


@pytest.mark.parametrize(
    ("base", "version", "url"),
    [
        (HOST, None, f"{DATED}2025-04-01-preview"),
        (f"{HOST}/", "2024-10-21", f"{DATED}2024-10-21"),
        (f"{HOST}/openai", "2024-10-21", f"{DATED}2024-10-21"),
        (f"{HOST}/openai/deployments/mine", "2024-10-21", f"{DATED}2024-10-21"),
        (f"{DATED}2024-06-01", None, f"{DATED}2024-06-01"),
        (f"{DATED}2024-06-01", "2024-10-21", f"{DATED}2024-10-21"),
        (f"{HOST}/openai/v1/", "2024-10-21", f"{HOST}/openai/v1/chat/completions"),
        (HOST, "v1", f"{HOST}/openai/v1/chat/completions"),
        (HOST, "preview", f"{HOST}/openai/v1/chat/completions?api-version=preview"),
        (
            f"{FOUNDRY}/models",
            None,
            f"{FOUNDRY}/models/chat/completions?api-version=2024-05-01-preview",
        ),
    ],
)
def test_every_form_of_a_base_leads_to_the_deployment(
    base: str, version: str | None, url: str
) -> None:
    """The resource, a part of the way, the whole way, the v1 API and Foundry's models."""
    assert build(adapter(api_base=base, api_version=version)).url == url


def test_the_environment_says_where(nowhere: pytest.MonkeyPatch) -> None:
    """Base, version and key come from Azure's usual variables."""
    nowhere.setenv("AZURE_OPENAI_ENDPOINT", HOST)
    nowhere.setenv("OPENAI_API_VERSION", "2024-10-21")
    nowhere.setenv("AZURE_OPENAI_API_KEY", "found")
    request = build(AzureAdapter(Target("azure", "mine")))
    assert request.url == f"{DATED}2024-10-21"
    assert request.headers["api-key"] == "found"
    assert "Authorization" not in request.headers


def test_what_is_missing_is_named() -> None:
    """Neither a missing base nor a missing key needs guessing."""
    with pytest.raises(BadRequestError, match="api_base or AZURE_API_BASE or AZURE_OPENAI_ENDP"):
        AzureAdapter(Target("azure", "mine", api_key="key"))
    with pytest.raises(AuthenticationError, match="AZURE_API_KEY or AZURE_OPENAI_API_KEY"):
        without_key()


@pytest.mark.parametrize(
    ("model", "base_model", "limit"),
    [
        ("gpt-4o", None, "max_tokens"),
        ("o3-mini", None, "max_completion_tokens"),
        ("team-o4-mini", None, "max_completion_tokens"),
        ("gpt5", None, "max_completion_tokens"),
        ("gpt-5-chat", None, "max_tokens"),
        ("o_series/mine", None, "max_completion_tokens"),
        ("mine", "azure/o1", "max_completion_tokens"),
        ("my-o1", "azure/gpt-4o", "max_tokens"),
    ],
)
def test_reasoning_models_are_known(model: str, base_model: str | None, limit: str) -> None:
    """By the deployment's name, or by `base_model`, which knows better."""
    made = adapter(model, settings={"base_model": base_model})
    assert body(made, max_tokens=9)[limit] == 9
    assert "o_series" not in build(made).url


@pytest.mark.parametrize(("version", "asks"), [("2024-02-01", False), ("2024-10-21", True)])
def test_usage_of_streams_is_asked_for_where_it_is_known(version: str, asks: bool) -> None:
    """Versions before September 2024 refuse `stream_options`."""
    request = build(adapter(api_version=version), stream=True)
    assert ("stream_options" in json.loads(request.body)) is asks


def test_a_token_goes_where_a_key_does_not() -> None:
    """A token of Entra is a bearer token, and redacted like a key."""
    made = without_key(azure_ad_token="entra-token")
    assert build(made).headers["Authorization"] == "Bearer entra-token"
    assert "api-key" not in build(made).headers
    assert "entra-token" not in str(made.error(401, {}, b'{"error": "bad entra-token"}'))


def test_a_token_provider_is_asked_for_every_call() -> None:
    """It keeps its token itself, so what it gives ends at once for us."""
    made = without_key(azure_ad_token_provider=lambda: "fresh")
    assert made.credential is not None
    secret = made.credential.fetch()
    assert secret.value == "fresh"
    assert secret.expires is not None
    assert secret.expires <= time.time()
    assert build(made, secret=secret.value).headers["Authorization"] == "Bearer fresh"


def test_settings_of_another_kind_are_refused() -> None:
    """A provider that is no callable, one that gives no text, and an unknown credential."""
    with pytest.raises(BadRequestError, match="must be a callable"):
        without_key(azure_ad_token_provider="token")
    with pytest.raises(BadRequestError, match="DefaultAzureCredential"):
        without_key(azure_credential="Foo")
    made = without_key(azure_ad_token_provider=lambda: None)
    assert made.credential is not None
    with pytest.raises(AuthenticationError, match="gave NoneType"):
        made.credential.fetch()


def test_an_application_gets_a_token_for_its_secret(
    nowhere: pytest.MonkeyPatch,
    start_tokens: Callable[[ssl.SSLContext], Any],
    certified: tuple[ssl.SSLContext, str],
) -> None:
    """Tenant, client and secret are exchanged; a refusal and a silence differ."""
    pytest.importorskip("azure.identity")
    server = start_tokens(certified[0])
    nowhere.setenv("REQUESTS_CA_BUNDLE", certified[1])
    nowhere.setenv("AZURE_AUTHORITY_HOST", server.url)
    path = f"{server.url}/{TENANT}"
    server.answer = {
        "authorization_endpoint": path,
        "token_endpoint": path,
        "issuer": f"{path}/v2.0",
        "token_type": "Bearer",
        "expires_in": 3600,
        "access_token": "for-the-application",
    }
    made = without_key(tenant_id=TENANT, client_id="client", client_secret="secret")
    assert made.credential is not None
    assert "secret" not in repr(made.credential.identity)
    assert made.credential.fetch().value == "for-the-application"
    assert server.asked[-1]["client_secret"] == "secret"
    assert server.asked[-1]["scope"] == "https://cognitiveservices.azure.com/.default"

    server.status, server.answer["error"] = 401, "invalid_client"
    with pytest.raises(AuthenticationError, match="ClientSecretCredential gave no token"):
        made.credential.fetch()
    with pytest.raises(AuthenticationError, match="AZURE_CLIENT_ID"):
        without_key(tenant_id=TENANT, client_secret="secret")


def test_the_identity_of_the_machine_is_found(
    nowhere: pytest.MonkeyPatch, start_tokens: Callable[[], Any]
) -> None:
    """A managed identity serves where the environment tells of one, or a setting asks for it."""
    pytest.importorskip("azure.identity")
    server = start_tokens()
    server.answer = {"access_token": "of-the-machine", "expires_on": str(int(time.time()) + 3600)}
    nowhere.setenv("IDENTITY_ENDPOINT", f"{server.url}/token")
    nowhere.setenv("IDENTITY_HEADER", "header")
    for made in (
        without_key(),
        without_key(azure_credential="ManagedIdentityCredential", client_id="user-assigned"),
    ):
        assert made.credential is not None
        secret = made.credential.fetch()
        assert secret.value == "of-the-machine"
        assert secret.expires is not None
        assert secret.expires > time.time() + 3000
    assert server.asked[-1]["client_id"] == "user-assigned"


def test_a_credential_of_the_callers_own_is_used() -> None:
    """Any object that gives tokens like those of azure-identity; its errors are translated."""
    exceptions = pytest.importorskip("azure.core.exceptions")

    class Own:
        token = "own"
        expires_on = 99

        def get_token(self, scope: str) -> Own:
            if scope == "away":
                raise exceptions.ServiceRequestError("no route")
            return self

    made = without_key(azure_credential=Own())
    assert made.credential is not None
    assert made.credential.fetch() == ("own", 99)
    away = without_key(azure_credential=Own(), azure_scope="away")
    assert away.credential is not None
    with pytest.raises(APIConnectionError, match="no route"):
        away.credential.fetch()


def test_verdicts_of_the_content_filter_are_kept() -> None:
    """On the prompt beside the choices, on each answer in its choice."""
    answer = {
        "id": "chatcmpl-1",
        "model": "gpt-4o",
        "created": 1,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hi"},
                "content_filter_results": SAFE,
            }
        ],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": SAFE}],
    }
    parsed = adapter().parse(json.dumps(answer).encode(), Call(HELLO))
    assert parsed.choices[0].provider_specific_fields["content_filter_results"] == SAFE
    assert parsed.prompt_filter_results[0]["content_filter_results"] == SAFE


def test_a_stream_begins_with_the_verdict_on_the_prompt() -> None:
    """Azure's first event has no id and no choices; the caller sees the one id and an empty one."""
    decoder = adapter().decoder(Call(HELLO, stream=True))
    events = (
        {"id": "", "model": "", "object": "", "choices": [], "prompt_filter_results": [SAFE]},
        {"id": "c1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]},
        {"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    )
    chunks: list[Any] = []
    for event in events:
        decoder.feed(b"data: " + json.dumps(event).encode() + b"\n\n", chunks)
    decoder.finish(chunks)
    assert [chunk.id for chunk in chunks] == ["c1"] * 3
    assert chunks[0].prompt_filter_results == [SAFE]
    assert [chunk.choices[0].delta.content for chunk in chunks] == [None, "Hi", None]


def test_errors_have_their_classes() -> None:
    """A refused prompt and a deployment that does not exist."""
    refused = {"error": {"code": "content_filter", "message": "Filtered.", "status": 400}}
    missing = {"error": {"code": "DeploymentNotFound", "message": "Not there."}}
    assert isinstance(
        adapter().error(400, {}, json.dumps(refused).encode()), ContentPolicyViolationError
    )
    assert isinstance(adapter().error(404, {}, json.dumps(missing).encode()), NotFoundError)
