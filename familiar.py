"""Settings of LiteLLM's module that would be set in vain here and are therefore refused."""

from __future__ import annotations

from types import ModuleType
from typing import Any

_OBSERVE = "set polyroute.logger_fn, or pass logger_fn to a call"
_CALL = "pass it to the call, or put it into a deployment of a Router"
_ROUTER = "it is a setting of a Router"
_NO_CACHE = "answers are not cached here; providers' prompt caching needs no setting"

REFUSED: dict[str, str] = {
    "api_base": _CALL,
    "api_version": _CALL,
    "aclient_session": "connections are a Router's own: Router(max_connections=…, verify=…)",
    "cache": _NO_CACHE,
    "caching": _NO_CACHE,
    "callbacks": _OBSERVE,
    "client_session": "connections are a Router's own: Router(max_connections=…, verify=…)",
    "context_window_fallbacks": _ROUTER,
    "default_fallbacks": _ROUTER,
    "disable_cache": _NO_CACHE,
    "enable_cache": _NO_CACHE,
    "failure_callback": _OBSERVE,
    "fallbacks": _ROUTER,
    "headers": "pass extra_headers to the call",
    "input_callback": _OBSERVE,
    "max_budget": "nothing is refused for its price; response.route.cost tells it",
    "modify_params": "what a provider insists on is done unasked; response.route tells what was",
    "organization": _CALL,
    "service_callback": _OBSERVE,
    "ssl_verify": "pass verify to a Router",
    "success_callback": _OBSERVE,
    "vertex_location": _CALL,
    "vertex_project": _CALL,
}
"""Settings of LiteLLM's module that are none here, and what to do instead."""


class Package(ModuleType):
    """The package as a module that refuses settings which nobody would read."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a name, unless it is a setting of LiteLLM's that is none here.

        Raises:
            AttributeError: it is; says what to do instead.
        """
        if name in REFUSED:
            raise AttributeError(f"polyroute.{name} is no setting: {REFUSED[name]}")
        super().__setattr__(name, value)
