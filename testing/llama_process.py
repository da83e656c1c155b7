"""
llama.cpp's HTTP server out of the xllamacpp wheel: ``python llama_process.py PORT MODEL``.

A program of its own, so that it can be killed; it also ends when its standard input closes, which
happens however its parent ends. See :class:`polyroute.testing.llama.LlamaServer`.
"""

from __future__ import annotations

import sys

import xllamacpp  # type: ignore[import-untyped,import-not-found,unused-ignore]


def main() -> None:
    """Serve a model until standard input closes."""
    port, model = sys.argv[1:]
    settings = xllamacpp.CommonParams()
    settings.model.path = model
    settings.hostnames = ["127.0.0.1"]
    settings.port = int(port)
    settings.n_ctx = 8192
    settings.n_parallel = 4
    settings.cpuparams.n_threads = 1
    settings.sampling.temp = 0.0
    settings.use_jinja = True
    server = xllamacpp.Server(settings)
    sys.stdout.write(f"listening {server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
