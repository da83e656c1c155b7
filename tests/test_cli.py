"""The commands, run as a user runs them: in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from polyroute.testing import Upstream

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
fallbacks = [{ smart = ["backup"] }]
routing_strategy = "lowest-latency"

[[model_list]]
model_name = "smart"
params = { model = "openai/gpt-4o", api_key = "sk-very-secret" }

[[model_list]]
model_name = "backup"
params = { model = "hosted_vllm/llama", api_base = "http://127.0.0.1:1/v1" }
"""

BAD = """\
model_list:
  - model_name: smart
    litellm_params: {model: antropic/claude, api_key: sk-very-secret}
  - model_name: smart
    litellm_params:
      model: groq/llama
    model_info: {id: one}
  - model_name: backup
    litellm_params: {model: openai/gpt-4o, api_key: sk-very-secret, weight: heavy}
    model_info: {id: one}
  - model_name: other
    litellm_params: {model: openai/gpt-4o, api_key: sk-very-secret}
    model_info: {id: one}
router_settings:
  routing_strategy: fastest
  num_retires: 3
  timeout: soon
  fallbacks: [{smart: [bakcup, nobody]}]
"""

WRONG = [
    ("3", "model_list[0].litellm_params.model", "did you mean 'anthropic/claude'?"),
    ("5", "model_list[1].litellm_params.api_key", "set GROQ_API_KEY"),
    ("9", "model_list[2].litellm_params.weight", "valid number"),
    ("13", "model_list[3].model_info.id", "already the id of model_list[1]"),
    ("15", "router_settings.routing_strategy", "'fastest' is unknown"),
    ("16", "router_settings.num_retires", "did you mean num_retries?"),
    ("17", "router_settings.timeout", "must be a number"),
    ("18", "router_settings.fallbacks[0]", "did you mean 'backup'?"),
    ("18", "router_settings.fallbacks[0]", "'nobody'"),
]


def polyroute(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command; keys of this machine's owner stay out of it."""
    environment = {name: value for name, value in os.environ.items() if "API_KEY" not in name}
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-W", "error", "-m", "polyroute", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**environment, "ANTHROPIC_API_KEY": "loopback-key", "PYTHONIOENCODING": "utf-8"},
    )


def test_demo() -> None:
    """The demonstration runs without a terminal, all its claims are true, and it exits with 0."""
    shown = polyroute("demo", "--fast")
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stdout + shown.stderr
    assert "✗ " in shown.stdout  # the upstreams did fail
    assert "Everything was as claimed." in shown.stdout
    assert "\x1b" not in shown.stdout


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="the extra 'real' is not installed")
def test_demo_with_real_servers() -> None:
    """The same with llama.cpp's servers, one of which is killed and comes back."""
    shown = polyroute("demo", "--real", "--fast")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Everything was as claimed." in shown.stdout


@pytest.mark.skipif(find_spec("xllamacpp") is not None, reason="the extra 'real' is installed")
def test_real_demo_says_what_it_needs() -> None:
    """Without the extra it names what to install."""
    shown = polyroute("demo", "--real")
    assert (shown.returncode, "pip install 'polyroute[real]'" in shown.stderr) == (1, True)


def test_chat_keeps_the_conversation() -> None:
    """Each line of input is a prompt; the answers so far go with the next one."""
    with Upstream("anthropic", answer=lambda body: f"answer {len(body['messages'])}") as upstream:
        shown = polyroute(
            *("chat", "anthropic/claude", "--system", "Be brief.", "--api-base", upstream.base_url),
            typed="one\n\ntwo\n",
        )
        last = upstream.requests[-1].body
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "answer 1\nanswer 3\n", "")
    assert "Be brief." in str(last["system"])


def test_chat_shows_an_error_as_one_line_and_goes_on() -> None:
    """A failed prompt leaves one line on standard error, and no trace in the conversation."""
    with Upstream("anthropic", answer=lambda body: f"answer {len(body['messages'])}") as upstream:
        upstream.fail(401, message="no\nsuch key")
        shown = polyroute(
            *("chat", "anthropic/claude", "--api-base", upstream.base_url), typed="one\ntwo\n"
        )
    assert (shown.returncode, shown.stdout) == (1, "answer 1\n")
    assert shown.stderr == "AuthenticationError: anthropic claude: no such key\n"


def test_chat_shows_what_had_arrived() -> None:
    """A broken stream shows its words and says that it broke off."""
    with Upstream("anthropic", answer="one two three") as upstream:
        upstream.cut(after_chunks=2)
        shown = polyroute("chat", "anthropic/claude", "--api-base", upstream.base_url, typed="hi")
    assert (shown.returncode, shown.stdout) == (1, "one two\n")
    assert shown.stderr.startswith("the answer broke off: ")


def test_check_accepts(tmp_path: Path) -> None:
    """A good file is summed up, without its secrets."""
    file = tmp_path / "good.toml"
    file.write_text(GOOD)
    shown = polyroute("check", str(file))
    assert shown.returncode == 0, shown.stdout
    assert "2 deployments, 2 aliases" in shown.stdout
    assert "sk-very-secret" not in shown.stdout


def test_check_reports_everything_with_its_line(tmp_path: Path) -> None:
    """Every problem of a YAML file is reported at its place, without secrets."""
    pytest.importorskip("yaml")
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    shown = polyroute("check", str(file))
    head, *lines = shown.stdout.splitlines()
    found = list(zip(lines[::2], lines[1::2], strict=True))
    assert (shown.returncode, head) == (1, f"{file}: {len(WRONG)} problems")
    for (where, message), (line, place, words) in zip(found, WRONG, strict=True):
        assert where.split() == ["line", line, place]
        assert words in message
    assert "sk-very-secret" not in shown.stdout


def test_check_knows_the_lines_of_toml(tmp_path: Path) -> None:
    """Lines are known in TOML too, in tables, inline tables and lists of tables."""
    file = tmp_path / "bad.toml"
    file.write_text(GOOD.replace("openai/gpt-4o", "opnai/gpt-4o").replace('["backup"]', '["no"]'))
    shown = polyroute("check", str(file))
    assert shown.returncode == 1
    assert "  line 7  model_list[0].params.model\n" in shown.stdout
    assert "  line 2  fallbacks[0]\n" in shown.stdout


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("broken.toml", "a = [1\nb = 2", "at line 2"),
        ("broken.ini", "", "neither .toml nor .yaml"),
        ("empty.toml", "", "model_list"),
    ],
)
def test_check_of_files_that_cannot_be_read(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    """A file without sense is refused with the reason, and no traceback."""
    file = tmp_path / name
    file.write_text(text)
    shown = polyroute("check", str(file))
    assert shown.returncode == 1
    assert complaint in shown.stdout + shown.stderr
    assert "Traceback" not in shown.stderr
