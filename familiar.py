"""What LiteLLM takes and would be said in vain here: refused, with what to do instead."""

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
    "add_function_to_prompt": "tools go to models that take tools, and to no others",
    "allowed_fails": _ROUTER,
    "aclient_session": "connections are a Router's own: Router(max_connections=…, verify=…)",
    "cache": _NO_CACHE,
    "caching": _NO_CACHE,
    "callbacks": _OBSERVE,
    "client_session": "connections are a Router's own: Router(max_connections=…, verify=…)",
    "context_window_fallback_dict": _ROUTER,
    "context_window_fallbacks": _ROUTER,
    "credential_list": "write api_key into each deployment, or set the provider's key here",
    "custom_provider_map": "pass providers to a Router, or api_base with openai_like/… to a call",
    "default_fallbacks": _ROUTER,
    "disable_cache": _NO_CACHE,
    "enable_cache": _NO_CACHE,
    "enable_json_schema_validation": "check answers with the class that response_format names",
    "failure_callback": _OBSERVE,
    "fallbacks": _ROUTER,
    "force_ipv4": "names are resolved as the machine says",
    "headers": "pass extra_headers to the call",
    "input_callback": _OBSERVE,
    "json_logs": _OBSERVE,
    "max_budget": "nothing is refused for its price; response.route.cost tells it",
    "model_alias_map": "use model_group_alias of a Router",
    "modify_params": "what a provider insists on is done unasked; response.route tells what was",
    "organization": _CALL,
    "service_callback": _OBSERVE,
    "ssl_verify": "pass verify to a Router",
    "success_callback": _OBSERVE,
    "vertex_location": _CALL,
    "vertex_project": _CALL,
}
"""Settings of LiteLLM's module that are none here, and what to do instead."""


_LEAVE_OUT = "leave it out"
_PRICES = "put it into model_info of a Router's deployment, or use register_model"
_TEMPLATE = "servers apply the template of their model; write messages"

PARAMETERS: dict[str, str] = {
    "additional_drop_params": "leave the parameter out for this model, or set drop_params",
    "allowed_openai_params": "put the parameter into extra_body",
    "client": "connections are kept per event loop; a Router has max_connections and verify",
    "custom_prompt_dict": _TEMPLATE,
    "deployment_id": "write azure/NAME-OF-THE-DEPLOYMENT as the model",
    "enable_json_schema_validation": "check the answer with the class that response_format names",
    "final_prompt_value": _TEMPLATE,
    "initial_prompt_value": _TEMPLATE,
    "input_cost_per_second": _PRICES,
    "input_cost_per_token": _PRICES,
    "litellm_metadata": "use metadata",
    "merge_reasoning_content_in_choices": "read reasoning_content of the message",
    "mock_testing_content_policy_fallbacks": "let polyroute.testing.Upstream fail",
    "mock_testing_context_fallbacks": "let polyroute.testing.Upstream fail",
    "mock_testing_fallbacks": "let polyroute.testing.Upstream fail",
    "model_list": "make a Router of it, and keep the Router",
    "no-log": "nothing is logged unless verbose or logger_fn ask for it; " + _LEAVE_OUT,
    "output_cost_per_second": _PRICES,
    "output_cost_per_token": _PRICES,
    "shared_session": "connections are kept per event loop anyway; " + _LEAVE_OUT,
    "ssl_verify": "pass verify to a Router",
}
"""Parameters of LiteLLM's calls that none takes here; no provider would know them either."""

ENTRIES: dict[str, str] = PARAMETERS | {
    "configurable_clientside_auth_params": "a call may bring its api_key without being asked",
    "cooldown_time": _ROUTER,
    "litellm_credential_name": 'write api_key, perhaps as "os.environ/NAME"',
    "mock_response": "pass it to the call, or let the entry lead to polyroute.testing.Upstream",
    "supports_system_message": "pass it to the call",
    "use_in_pass_through": "there is no proxy here",
}
"""The same of `litellm_params` in an entry of `model_list`."""


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
