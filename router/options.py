"""
What a caller says about how a call is to be made, apart from what it says to the model.

`acompletion` takes both in one list of keywords, as LiteLLM does; here they part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError
from ..providers.base import Call
from ..providers.messages import fold_system, normalise_messages
from ..providers.structured import normalise_response_format

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Options:
    """How one call is made. None means: as the Router is configured.

    Attributes:
        timeout: seconds for the whole answer, or up to a stream's first content.
        force_timeout: seconds for everything, a stream's end included.
        stream_idle_timeout: seconds between two pieces of a stream.
        num_retries: further attempts inside a group; 0 is exactly one attempt.
        fallbacks: aliases to ask when the group has failed, in order.
        fallback_on_bad_request: also when the request itself was refused.
        drop_params: leave out parameters that the target cannot take.
        verbose: log this call's route at level INFO.
        logger_fn: called with a dictionary about the call when it has ended.
        mock_response: answer with this text, or raise this exception, and ask nobody.
    """

    timeout: float | None = None
    force_timeout: float | None = None
    stream_idle_timeout: float | None = None
    num_retries: int | None = None
    fallbacks: Sequence[str] | None = None
    fallback_on_bad_request: bool | None = None
    drop_params: bool | None = None
    verbose: bool = False
    logger_fn: Callable[[dict[str, Any]], object] | None = None
    mock_response: str | Exception | None = None


NO_OPTIONS = Options()
NAMES = frozenset(option.name for option in fields(Options))
RENAMED = {"max_retries": "num_retries", "request_timeout": "timeout"}
TARGET = frozenset({"api_base", "api_key", "api_version", "base_url", "custom_llm_provider"})

NOT_YET = frozenset(
    {
        "cache",
        "caching",
        "content_policy_fallbacks",
        "context_window_fallback_dict",
        "context_window_fallbacks",
        "guardrails",
        "hedge",
        "max_budget",
        "mock_timeout",
        "mock_tool_calls",
        "order",
        "priority",
        "prompt_id",
        "prompt_label",
        "prompt_variables",
        "prompt_version",
        "retry_policy",
        "retry_strategy",
        "specific_deployment",
        "stream_timeout",
        "tags",
    }
)
"""LiteLLM's options, and our own to come, that this version would not keep. No provider is sent
them: that would look as if they worked."""

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that no HTTP header may have."""


def chat(messages: Any, *, stream: bool, ask_usage: bool) -> Call:
    """A chat, still without parameters.

    Raises:
        BadRequestError: a message is malformed; says which and how.
    """
    return Call(normalise_messages(messages), stream=stream, ask_usage=ask_usage)


def split(call: Call, keywords: Mapping[str, Any], *, routed: bool = True) -> Options:
    """Put the parameters among the keywords into the call, and return the options among them.

    `routed` says that deployments are chosen among: `metadata` may then hold what is meant for
    the Router.

    Raises:
        BadRequestError: a parameter or an option is malformed; names it.
    """
    if not keywords:
        return NO_OPTIONS
    chosen: dict[str, Any] = {}
    params: dict[str, Any] = {}
    for given, value in keywords.items():
        if value is None:
            continue
        name = RENAMED.get(given, given)
        if name in NAMES:
            chosen[name] = _checked(name, value)
        else:
            params[name] = value
    _refuse_what_is_not_there(params, routed=routed)
    _take_call_fields(call, params)
    call.params = params
    call.drop_params = bool(chosen.get("drop_params"))
    return Options(**chosen) if chosen else NO_OPTIONS


def _take_call_fields(call: Call, params: dict[str, Any]) -> None:
    """Move what is not a parameter of the model out of `params`."""
    for name in ("extra_body", "extra_headers"):
        value = params.pop(name, None)
        if value is not None:
            if not isinstance(value, Mapping):
                raise BadRequestError(
                    f"{name} must be a dictionary, not {type(value).__name__}", param=name
                )
            setattr(call, name, value)
    _check_headers(call.extra_headers or {})
    if params.pop("supports_system_message", True) is False:
        call.messages = fold_system(call.messages)
    if "response_format" in params:
        params["response_format"] = normalise_response_format(params["response_format"])


def _check_headers(headers: Mapping[Any, Any]) -> None:
    """Refuse headers that cannot be sent; their values may be secrets and are not repeated."""
    for name, value in headers.items():
        if not isinstance(name, str) or not name or CONTROL.search(name):
            raise BadRequestError(
                f"extra_headers: {name!r:.60} is no name of a header", param="extra_headers"
            )
        if not isinstance(value, str) or CONTROL.search(value):
            raise BadRequestError(
                f"extra_headers: the value of {name!r} must be text without line ends and other "
                "control characters",
                param="extra_headers",
            )


def _refuse_what_is_not_there(params: Mapping[str, Any], *, routed: bool) -> None:
    """Refuse options that would be sent to a provider, or ignored, instead of kept."""
    refused = sorted(NOT_YET & params.keys())
    metadata = params.get("metadata")
    if routed and isinstance(metadata, Mapping) and metadata.get("tags"):
        refused.append("metadata.tags")
    if refused:
        raise BadRequestError(
            f"{', '.join(refused)}: not there yet; leave it out (a provider's own parameter of "
            "this name goes into extra_body)",
            param=refused[0],
        )


def _checked(name: str, value: Any) -> Any:
    """An option's value.

    Raises:
        BadRequestError: it is of the wrong kind; says what it should be.
    """
    rule = RULES.get(name)
    if rule is not None and not rule[0](value):
        raise BadRequestError(f"{name} must be {rule[1]}, not {value!r:.60}", param=name)
    return value


def _is_seconds(value: Any) -> bool:
    # `value > 0` is False for nan
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_aliases(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(alias, str) for alias in value)


def _is_text_or_exception(value: Any) -> bool:
    return isinstance(value, str | Exception)


SECONDS = (_is_seconds, "a positive number of seconds")
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "timeout": SECONDS,
    "force_timeout": SECONDS,
    "stream_idle_timeout": SECONDS,
    "num_retries": (_is_count, "0 or more"),
    "fallbacks": (_is_aliases, 'a list of aliases, like ["backup"]'),
    "logger_fn": (callable, "callable"),
    "mock_response": (_is_text_or_exception, "the text to answer with, or an exception to raise"),
}
"""For each option that can be of the wrong kind: what a right value is, in code and in words."""
