"""The shape of the code: sizes, arrows, and what an import costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import polyroute
from polyroute.providers.catalog import COMPATIBLE
from polyroute.providers.registry import NAMES

ROOT = Path(polyroute.__file__).parent
PACKAGES = ("cli", "models", "providers", "router", "schemas", "strategies", "testing")
SOURCES = sorted(
    [*ROOT.glob("*.py"), *(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))]
)
LONGEST_MODULE = 450
LONGEST_FUNCTION = 60
TREES = {path: ast.parse(path.read_text("utf-8")) for path in SOURCES}


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def length_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def imported(tree: ast.AST) -> set[str]:
    """Modules that are imported when this one is, relative ones with their dots."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def run(script: str) -> str:
    """What a script prints in a process of its own, in which every warning is an error."""
    done = subprocess.run(  # noqa: S603  our own interpreter, our own script
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_modules_fit_a_head() -> None:
    """No module grows beyond its ceiling: it is split by noun instead."""
    sizes = {where(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: size for name, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_functions_fit_a_screen() -> None:
    """No function grows beyond its ceiling."""
    too_long = [
        f"{where(path)}:{function.lineno} {function.name}"
        for path, tree in TREES.items()
        for function in functions(tree)
        if length_of_code(function) > LONGEST_FUNCTION
    ]
    assert too_long == []


def test_every_module_begins_with_a_map() -> None:
    """A module says what it is before it begins."""
    assert [where(path) for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_providers_are_compared_nowhere_else() -> None:
    """Outside providers/ no code asks which provider it has before it."""
    names = {*NAMES, *COMPATIBLE}
    asking = [
        f"{where(path)}:{node.lineno}"
        for path, tree in TREES.items()
        if path.parent.name in ("router", "strategies", "schemas")
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.MatchValue)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and constant.value in names
    ]
    assert asking == []


def test_root_shadows_no_standard_module() -> None:
    """With the root on sys.path, no file of ours takes the place of the library's."""
    names = {path.stem for path in ROOT.glob("*.py")} | {
        path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()
    }
    assert names & (sys.stdlib_module_names - {"__main__", "__init__"}) == set()


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("providers", r"\.\.(router|strategies|cli|testing)"),
        ("strategies", r"\.\.(router|providers|cli|testing)"),
        ("models", r"\.\.(router|providers|strategies|cli|testing)"),
        ("schemas", r"\.\.(router|models|providers|strategies|cli|testing)"),
        ("router", r"\.\.(cli|testing)"),
    ],
)
def test_imports_point_one_way(package: str, forbidden: str) -> None:
    """router → providers, strategies → schemas, exceptions; never back."""
    wrong = [
        (where(path), name)
        for path, tree in TREES.items()
        if path.parent.name == package
        for name in imported(tree)
        if re.match(forbidden, name)
    ]
    assert wrong == []


@pytest.mark.parametrize("package", ["providers", "strategies", "schemas"])
def test_translation_and_choice_never_wait(package: str) -> None:
    """Nothing outside router/ opens sockets, and nothing outside it is asynchronous."""
    waiting = [
        where(path)
        for path, tree in TREES.items()
        if path.parent.name == package
        and (
            imported(tree) & {"aiohttp", "anyio", "asyncio", "socket", "httpx"}
            or any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(tree))
        )
    ]
    assert waiting == []


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("tenacity", {"retries.py"}),
        ("aiohttp", {"exchange.py", "transport.py"}),
        ("anyio", {"sync.py"}),
    ],
)
def test_dependencies_are_met_once(library: str, home: set[str]) -> None:
    """Each dependency of the router is met in one place."""
    users = [
        path.name
        for path, tree in TREES.items()
        if path.parent.name == "router"
        and any(name.split(".")[0] == library for name in imported(tree))
    ]
    assert set(users) == home


def test_import_is_light() -> None:
    """`import polyroute` loads no HTTP client, no validator and no extra, and starts no thread."""
    script = (
        "import sys, threading, polyroute\n"
        "heavy = ('aiohttp', 'anyio', 'pydantic', 'msgspec', 'tenacity', 'cachetools', 'asyncio',\n"
        "         'botocore', 'google.auth', 'azure', 'redis', 'rich', 'tiktoken', 'yaml')\n"
        "print([name for name in heavy if name in sys.modules], threading.active_count())\n"
    )
    assert run(script) == "[] 1"


def test_router_loads_no_extra() -> None:
    """A Router is made without any of the optional packages, and without their absence."""
    script = (
        "import sys\n"
        "from polyroute import Router\n"
        "params = {'model': 'openai/x', 'api_key': 'k'}\n"
        "Router(model_list=[{'model_name': 'a', 'litellm_params': params}])\n"
        "extras = ('botocore', 'google.auth', 'azure', 'redis', 'rich', 'tiktoken', 'yaml',\n"
        "          'opentelemetry', 'prometheus_client', 'orjson', 'requests')\n"
        "print([name for name in extras if name in sys.modules])\n"
    )
    assert run(script) == "[]"


def test_no_global_statements() -> None:
    """Nothing is rebound globally: two Routers never meet."""
    globals_used = [
        f"{where(path)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    ]
    assert globals_used == []


def test_no_blind_excepts() -> None:
    """Whatever is caught blindly is raised again, or logged with its traceback."""
    blind = [
        f"{where(path)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        and "logger.exception(" not in ast.unparse(node)
    ]
    assert blind == []
