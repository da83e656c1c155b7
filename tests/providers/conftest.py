"""A server on the loopback that gives tokens, for credentials that must fetch one."""

from __future__ import annotations

import json
import os
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
import trustme

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
    authority, trusted = trustme.CA(), tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(trusted)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context, str(trusted)
