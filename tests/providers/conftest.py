"""A server on the loopback that gives tokens, for credentials that must fetch one."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

CLOUDS = ("AZURE_", "CLOUD_ML_", "GCE_", "GOOGLE_", "IDENTITY_", "MSI_", "OPENAI_", "VERTEX")


class TokenServer:
    """Gives `answer` to whoever asks, and remembers what was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.status = 200
        self.answer: dict[str, Any] = {}
        self.asked: list[dict[str, str]] = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                path, _, query = self.path.partition("?")
                server.asked.append({"path": path, **dict(parse_qsl(body or query))})
                answer = json.dumps(server.answer).encode()
                self.send_response(server.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.send_header("metadata-flavor", "Google")
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET  # noqa: N815  the name is http.server's

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def start_tokens() -> Generator[Callable[..., TokenServer], None, None]:
    """Starts token servers and stops them after the test."""
    servers: list[TokenServer] = []

    def start(tls: ssl.SSLContext | None = None) -> TokenServer:
        servers.append(TokenServer(tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine that knows no cloud: no variables, nobody logged in."""
    for name in list(os.environ):
        if name.startswith(CLOUDS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "*")
    return monkeypatch


@pytest.fixture
def certified(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """TLS for 127.0.0.1, and the path of the certificate to trust."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    trusted, own = tmp_path / "trusted.pem", tmp_path / "own.pem"
    trusted.write_bytes(certificate)
    own.write_bytes(private + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    return context, str(trusted)
