"""Optional packages that fetch credentials: met where they are needed, missed with a hint."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..exceptions import AuthenticationError


def import_extra(name: str, extra: str, purpose: str) -> Any:
    """A module of a package that polyroute does not require.

    Raises:
        AuthenticationError: it is not installed; says what installs it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise AuthenticationError(
            f"{purpose} needs {name.partition('.')[0]}: pip install 'polyroute[{extra}]'"
        ) from error
