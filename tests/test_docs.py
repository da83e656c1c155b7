"""What strangers read: every Python block runs, tables are fresh, links lead somewhere."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import polyroute
from polyroute.exceptions import APIError
from polyroute.providers.registry import NAMES
from polyroute.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
BLOCK = re.compile(r"^```python[ ]*(?P<mark>[^\n]*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)(?:#[^)\s]*)?\)")
SETTINGS = {
    "anthropic_key",
    "api_key",
    "cohere_key",
    "drop_params",
    "logger_fn",
    "num_retries",
    "openai_key",
    "prompts",
    "request_timeout",
    "set_verbose",
    "verbose",
}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def where(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> Iterator[tuple[int, str, str]]:
    """Line, mark and code of every Python block."""
    text = page.read_text("utf-8")
    for found in BLOCK.finditer(text):
        yield text.count("\n", 0, found.start()) + 2, found["mark"].strip(), found["code"]


def run_block(code: str, name: str, line: int, names: dict[str, Any]) -> None:
    """Run a block as `python -m asyncio` would: a bare `await` is fine."""
    compiled = compile("\n" * (line - 1) + code, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, names)  # noqa: S307  our own pages
    if inspect.iscoroutine(result):
        asyncio.run(result)


@pytest.fixture
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of hosts do not resolve, so that no block asks anybody."""
    resolve = socket.getaddrinfo

    def refuse(host: Any, *details: Any, **more: Any) -> Any:
        assert host in LOOPBACK, f"a block of the documentation asks {host}"
        return resolve(host, *details, **more)

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def settings_of_the_package() -> Iterator[None]:
    """What blocks have set or registered for the whole process is forgotten afterwards."""
    registered = dict(polyroute.model_cost._registered)
    settings = {name: value for name, value in vars(polyroute).items() if name in SETTINGS}
    yield
    polyroute.model_cost._registered.clear()
    polyroute.model_cost._registered.update(registered)
    polyroute.model_cost.find.cache_clear()
    vars(polyroute).update(settings)


@pytest.mark.usefixtures("only_loopback", "settings_of_the_package")
@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page))], ids=where)
def test_blocks_run(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The Python blocks of a page run as they stand, one after the other, without keys."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for line, mark, code in blocks(page):
        if not mark:
            run_block(code, where(page), line, names)


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_blocks_that_do_not_run_say_why(page: Path) -> None:
    """A block is left out only with a reason in its fence: ``python no-run: it needs a key``."""
    marks = [mark for _, mark, _ in blocks(page) if mark]
    assert [mark for mark in marks if not re.fullmatch(r"no-run: .{8,}", mark)] == []


@pytest.mark.parametrize("page", PAGES, ids=where)
def test_links_lead_somewhere(page: Path) -> None:
    """Links within the repository point to files that are there."""
    links = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_generated_parts_are_fresh() -> None:
    """``uv run python docs/generate.py`` has been run since the code changed."""
    done = subprocess.run(  # noqa: S603  our own interpreter, our own script
        [sys.executable, str(ROOT / "docs/generate.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_is_short() -> None:
    """The README can be read in one go, and code begins early."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= 150
    assert lines.index("```python") <= 40


def test_every_page_is_on_the_index() -> None:
    """From the index, each page is one step away; decisions are reached by their own list."""
    index = (ROOT / "docs/index.md").read_text("utf-8")
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]
    assert [
        str(page) for page in pages if f"({page})" not in index and page.name != "index.md"
    ] == []


def test_every_strategy_is_described() -> None:
    """Each name that `routing_strategy` takes is on the page of strategies."""
    page = (ROOT / "docs/strategies.md").read_text("utf-8")
    assert [name for name in STRATEGIES if f"`{name}`" not in page] == []


def test_every_wire_format_is_described() -> None:
    """A provider with a module of its own is explained, on a page of its own or in the table."""
    page = (ROOT / "docs/providers/index.md").read_text("utf-8")
    assert [name for name in NAMES if f"`{name}/`" not in page] == []


def test_every_error_is_in_the_table() -> None:
    """The page of errors has every public error."""
    page = (ROOT / "docs/errors.md").read_text("utf-8")
    kinds = [kind for kind in vars(polyroute.exceptions).values() if isinstance(kind, type)]
    public = [
        kind.__name__ for kind in kinds if issubclass(kind, APIError) and kind is not APIError
    ]
    assert [name for name in public if f"`{name}`" not in page] == []
