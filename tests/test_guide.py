"""
LiteLLM's guide, block by block: polyroute is in LiteLLM's place, the providers on the loopback.

`tests/guide/blocks` holds the Python blocks of the guide as they stand. What a reader has in scope
at a block (imports and small helpers of earlier blocks) is `READER`. A block that only defines a
function gets the call in `CALLED`, one that talks with its user is told what `TYPED` says. Where
the guide itself errs, `WRONG` has the very error, and docs/from-litellm.md says why.
"""

from __future__ import annotations

import base64
import builtins
import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from anyio.from_thread import start_blocking_portal

import polyroute
from polyroute import BadRequestError
from polyroute.router import singles
from polyroute.router.sync import run
from polyroute.testing.openai_images import PIXEL

from .guide.internet import GOOGLE_ACCOUNT, Internet

if TYPE_CHECKING:
    from collections.abc import Generator

FOLDER = Path(__file__).parent / "guide/blocks"
BLOCKS = {int(path.name[:2]): path for path in sorted(FOLDER.glob("*.py"))}
PAGE = Path(__file__).parent.parent / "docs/from-litellm.md"

HOSTS = {
    "anthropic": "api.anthropic.com",
    "azure": "your-resource.openai.azure.com",
    "bedrock": "bedrock-runtime.us-east-1.amazonaws.com",
    "cerebras": "api.cerebras.ai",
    "cohere": "api.cohere.com",
    "fireworks": "api.fireworks.ai",
    "groq": "api.groq.com",
    "lambda": "api.lambda.ai",
    "nova": "api.nova.amazon.com",
    "nscale": "inference.api.nscale.com",
    "openai": "api.openai.com",
    "together": "api.together.ai",
    "vertex": "us-central1-aiplatform.googleapis.com",
    "voyage": "api.voyageai.com",
    "xai": "api.x.ai",
}

ASKED = {
    1: "openai anthropic",
    2: "openai",
    3: "anthropic anthropic",
    4: "vertex vertex",
    5: "cohere cohere",
    6: "azure",
    7: "groq",
    8: "xai xai",
    9: "fireworks",
    10: "together",
    11: "cerebras",
    23: "openai openai",
    24: "openai",
    25: "openai anthropic vertex",
    26: "openai openai",
    27: "openai openai openai",
    28: "openai anthropic vertex",
    29: "openai anthropic vertex cohere",
    30: "openai",
    31: "openai anthropic",
    34: "openai",
    35: "openai",
    36: "openai azure cohere voyage",
    37: "openai cohere vertex",
    38: "openai",
    39: "openai openai",
    40: "bedrock",
    41: "azure",
    42: "openai openai",
    43: "anthropic",
    44: "anthropic",
    45: "anthropic",
    46: "cohere",
    47: "openai anthropic",
    48: "openai",
    49: "openai openai openai",
    50: "openai",
    51: "openai openai anthropic vertex vertex nova lambda nscale",
    52: "openai",
    53: "openai",
    54: "openai openai",
    55: "openai",
    56: "openai openai openai openai",
    57: "openai",
    58: "vertex",
    61: "openai",
    62: "openai openai openai",
    63: "openai",
    64: "openai openai",
    65: "anthropic",
    66: "anthropic anthropic",
    67: "anthropic",
    68: "vertex",
    69: "anthropic",
    75: "openai anthropic vertex",
    76: "anthropic",
    77: "openai anthropic vertex",
    78: "anthropic",
    79: "anthropic openai vertex azure cohere",
    80: "openai anthropic vertex cohere",
    81: "openai anthropic vertex",
    83: "openai anthropic vertex",
}
"""Who is asked by a block, in order; a block that is not here asks nobody."""

SAID = {
    1: "Hello from here!",
    23: "AI Assistant: Hello from here!",
    24: "[Tokens used: ",
    25: "Assistant (vertex_ai/gemini-1.5-pro): Hello from here!",
    26: "Assistant: Hello from here!",
    29: "cohere/command-r-plus:\nResponse: Hello from here!",
    30: "Provider: gpt-4",
    31: "Streaming from anthropic/claude-3-sonnet-20240229:\nHello from here!",
    34: "Hello from here!",
    35: "Cost: $0.0",
    36: "Embedding dimensions: 1024",
    38: "Processed 2/2 documents",
    39: "Generated image: https://images.example/",
    42: "Style: natural - URL: https://images.example/",
    43: "Computer action: computer",
    46: "Document: Machine learning is a subset of AI",
    47: "[Tokens used: ",
    48: '"benefits": [\n',
    49: "Q: Write a short joke\nA: Hello from here!",
    50: "Web-enhanced answer: Hello from here!",
    51: "✅ nscale/qwen2.5-coder-3b-instruct: Hello from here!",
    56: "WebP: Supported ✅\nSVG: Error - ",
    57: "Image Analysis Results: {'objects': ['a cat']}",
    58: "Image embedding: [0.25, -0.5, 0.75]",
    62: "Attempt 3: Hello from here!",
    63: "Cost: $0.0",
    65: "Cached tokens: 0",
    69: "Cache hit rate: 0.0%",
    83: "Available providers: ['gpt-4', 'anthropic/claude-3-haiku-20240307', 'vertex_ai/",
}
"""What a block must have printed, among other things."""

READER = """
import base64, json, os
from datetime import datetime
from litellm import (Router, acompletion, batch_completion, completion, completion_cost, embedding,
                     get_model_info, image_generation, rerank, supports_reasoning)
messages = [{"role": "user", "content": "Hello!"}]
file_object = {"file_data": "data:application/pdf;base64,JVBERi0xLjQK"}
def custom_logger(*_): pass
def encode_image(path):
    with open(path, "rb") as image: return base64.b64encode(image.read()).decode()
def auto_cache_system_messages(messages): return messages
def auto_cache_long_messages(messages): return messages
"""

CALLED = {
    54: "vision_conversation()",
    55: "provider_specific_vision()",
    56: "test_image_formats()",
    57: "image_analysis_with_tools()",
    59: "print(optimize_image_for_vision('image.jpg'))",
    60: "print(select_vision_provider('fast'))",
    61: "print(robust_vision_analysis('image.jpg', 'What is this?'))",
}

TYPED = {
    23: ["Hi", "And now?", "quit"],
    24: ["Hi", "quit"],
    25: ["Hi", "switch", "Hi", "switch", "Hi", "quit"],
    26: ["What time is it? Weather in Boston?", "quit"],
    54: ["image:image.jpg", "Thanks", "quit"],
}


class Wrong(NamedTuple):
    """What the guide gets wrong in a block, and the error that says so."""

    error: type[Exception]
    says: str


PLACEHOLDER = Wrong(BadRequestError, "messages[0] is Ellipsis, not a dictionary with role")
NOBODY = Wrong(BadRequestError, "no provider for the model 'any-provider/model'")

WRONG = {
    12: Wrong(BadRequestError, "prompt_id needs a store of prompts"),
    15: Wrong(BadRequestError, "has no address of its own: set api_base"),
    18: PLACEHOLDER,
    19: Wrong(NameError, "name 'test_messages' is not defined"),
    20: NOBODY,
    32: NOBODY,
    46: Wrong(BadRequestError, "documents[0] must be a text or an object with named fields"),
    55: Wrong(BadRequestError, "'data:image/jpeg;base64,...'… holds no valid base64"),
    74: PLACEHOLDER,
    82: NOBODY,
    84: Wrong(BadRequestError, "the request cannot be written as JSON"),
    85: PLACEHOLDER,
    86: PLACEHOLDER,
}
"""Blocks that cannot run to their end as they stand, whoever answers them."""

KEYS = (
    "AMAZON_NOVA",
    "ANTHROPIC",
    "AZURE",
    "CEREBRAS",
    "COHERE",
    "FIREWORKS",
    "GROQ",
    "LAMBDA",
    "NSCALE",
    "OPENAI",
    "TOGETHER",
    "VOYAGE",
    "XAI",
)
SETTINGS = ("anthropic_key", "api_key", "cohere_key", "drop_params", "openai_key", "set_verbose")


@pytest.fixture(scope="module")
def internet() -> Generator[Internet, None, None]:
    """The providers, in a thread of their own."""
    there = Internet(*HOSTS.values())
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(there.serve()):
        yield there


@pytest.fixture
def machine(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Generator[None, None, None]:
    """The machine of somebody who reads the guide: keys, an account at Google, four images."""
    monkeypatch.chdir(tmp_path)
    for name in ("image", "image1", "image2", "image3"):
        Path(f"{name}.jpg").write_bytes(base64.b64decode(PIXEL))
    authority, account = Path("authority.pem"), Path("account.json")
    internet.authority.cert_pem.write_to_path(authority)
    account.write_text(json.dumps(GOOGLE_ACCOUNT))
    before = dict(os.environ)
    for name in before:
        if name.startswith(("AWS_", "GOOGLE_", "OPENAI_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update({f"{name}_API_KEY": "loopback-key" for name in KEYS})
    os.environ.update(
        AZURE_API_BASE=f"https://{HOSTS['azure']}",
        AZURE_API_VERSION="2023-12-01-preview",
        GOOGLE_APPLICATION_CREDENTIALS=str(account.resolve()),
        REQUESTS_CA_BUNDLE=str(authority.resolve()),
        SSL_CERT_FILE=str(authority.resolve()),
        VERTEXAI_LOCATION="us-central1",
        VERTEXAI_PROJECT="your-project-id",
    )
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def in_place(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """polyroute under LiteLLM's name, new and without settings, and no other network."""
    for name in SETTINGS:
        monkeypatch.setattr(polyroute, name, getattr(polyroute, name))
    monkeypatch.setattr(singles, "_made", [])
    monkeypatch.setattr(socket, "getaddrinfo", internet.resolve)
    monkeypatch.setitem(sys.modules, "litellm", polyroute)
    monkeypatch.setitem(sys.modules, "litellm.exceptions", polyroute.exceptions)
    internet.asked.clear()
    yield
    for made in singles._made:
        run(made._engine.transport.aclose())


def run_block(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one block, or raise what it raises."""
    typed = iter(TYPED.get(number, ()))
    monkeypatch.setattr(builtins, "input", lambda prompt="": print(prompt) or next(typed))
    names: dict[str, Any] = {"__name__": "__main__"}
    code = BLOCKS[number].read_text("utf-8")
    for part in (READER, code, CALLED.get(number, "")):
        exec(part, names)  # noqa: S102  they are our own copies
    assert list(typed) == []
    for router in [one for one in names.values() if isinstance(one, polyroute.Router)]:
        run(router.aclose())


@pytest.mark.usefixtures("machine", "in_place")
@pytest.mark.parametrize("number", BLOCKS)
def test_block_runs(
    number: int,
    internet: Internet,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A block asks those whom it names and prints what they said, or fails by its own mistake."""
    asked = ASKED.get(number, "").split()
    if "vertex" in asked:
        pytest.importorskip("google.auth")
        pytest.importorskip("requests")
    if number in WRONG:
        with pytest.raises(WRONG[number].error, match=re.escape(WRONG[number].says)):
            run_block(number, monkeypatch)
    else:
        run_block(number, monkeypatch)
    assert [host for host, _ in internet.asked] == [HOSTS[name] for name in asked]
    assert SAID.get(number, "") in capsys.readouterr().out


def test_every_mistake_is_explained() -> None:
    """The page for those who come from LiteLLM says of each block what the guide gets wrong."""
    page = PAGE.read_text("utf-8")
    assert [number for number in WRONG if f"\n| {number} |" not in page] == []


@pytest.mark.skipif(
    "POLYROUTE_SHARED" not in os.environ,
    reason="set POLYROUTE_SHARED to the folder that holds spec/litellm-guide.txt",
)
def test_blocks_are_the_guides() -> None:
    """Each block is a passage of the guide, to the letter, at the lines that it says."""
    guide = Path(os.environ["POLYROUTE_SHARED"], "spec/litellm-guide.txt").read_text("utf-8")
    lines = guide.splitlines()
    for block in BLOCKS.values():
        head, _, code = block.read_text("utf-8").partition("\n")
        first, last = map(int, re.findall(r"\d+", head)[:2])
        assert code.rstrip() == "\n".join(lines[first - 1 : last]).rstrip(), block.name
