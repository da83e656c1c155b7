"""
What a caller says about how a call is to be made, apart from what it says to the model.

`acompletion` takes both in one list of keywords, as LiteLLM does; here they part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from ..exceptions import BadRequestError
from ..familiar import PARAMETERS
from ..providers.caching import read_points
from ..providers.messages import fold_system
from ..providers.structured import normalise_response_format
from .policies import exception_name
from .prompts import PROMPT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..providers.base import Call


@dataclass(frozen=True, slots=True)
class Options:
    """How one call is made. None means: as the Router is configured.

    Attributes:
        timeout: seconds for the whole answer, or up to a stream's first content.
        force_timeout: seconds for everything, a stream's end included.
        stream_idle_timeout: seconds between two pieces of a stream.
        num_retries: further attempts inside a group; 0 is exactly one attempt.
        fallbacks: aliases to ask when the group has failed, in order.
        context_window_fallbacks: the same, when the prompt was too long.
        content_policy_fallbacks: the same, when the content was refused.
        fallback_on_bad_request: also when the request itself was refused.
        retry_policy: further attempts by exception: ``{"Timeout": 0}``.
        stream_timeout: seconds to a stream's first content, for one attempt.
        on_stream_break: ``"raise"`` or ``"resume"`` when a stream breaks off.
        hedge: make a second attempt beside one that takes unusually long.
        priority: who goes first when all slots are taken; lower is more urgent.
        drop_params: leave out parameters that the target cannot take.
        verbose: log this call's route at level INFO.
        logger_fn: called with a dictionary about the call when it has ended.
        mock_response: answer with this text, or raise this exception, and ask nobody; for an
            embedding, a vector or a list of them.
        mock_tool_calls: answer with these tool calls, in OpenAI's shape.
        mock_timeout: let `timeout` pass, and raise Timeout.
        tags: which deployments may answer, by their tags; ``"!name"`` keeps some out.
            `metadata={"tags": […]}` says the same.
        allowed_model_region: where the call may be answered, as `region_name` says it.
        specific_deployment: `model` is a deployment's own model instead of an alias.
    """

    timeout: float | None = None
    force_timeout: float | None = None
    stream_idle_timeout: float | None = None
    num_retries: int | None = None
    fallbacks: Sequence[str] | None = None
    context_window_fallbacks: Sequence[str] | None = None
    content_policy_fallbacks: Sequence[str] | None = None
    fallback_on_bad_request: bool | None = None
    retry_policy: Mapping[str, int] | None = None
    stream_timeout: float | None = None
    on_stream_break: Literal["raise", "resume"] | None = None
    hedge: bool | None = None
    priority: int | None = None
    drop_params: bool | None = None
    verbose: bool = False
    logger_fn: Callable[[dict[str, Any]], object] | None = None
    mock_response: str | Exception | list[Any] | None = None
    mock_tool_calls: Sequence[Any] | None = None
    mock_timeout: bool = False
    tags: tuple[str, ...] | None = None
    allowed_model_region: tuple[str, ...] | None = None
    specific_deployment: bool = False

    @property
    def mocked(self) -> bool:
        """Whether nobody is to be asked."""
        return (
            self.mock_response is not None or self.mock_tool_calls is not None or self.mock_timeout
        )


NO_OPTIONS = Options()
NAMES = frozenset(option.name for option in fields(Options))
RENAMED = {
    "headers": "extra_headers",
    "max_retries": "num_retries",
    "request_timeout": "timeout",
}
LISTS = frozenset({"tags", "allowed_model_region"})
CHOOSING = frozenset({*LISTS, "specific_deployment"})
TARGET = frozenset({"api_base", "api_key", "api_version", "base_url", "custom_llm_provider"})

NOT_YET = frozenset(
    {
        "cache",
        "caching",
        "context_window_fallback_dict",
        "guardrails",
        "max_budget",
        "order",
        "prompt_label",
        "retry_strategy",
    }
)
"""LiteLLM's options, and our own to come, that this version would not keep. No provider is sent
them: that would look as if they worked."""

REFUSED = NOT_YET | PARAMETERS.keys()

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that no HTTP header may have."""


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
    _refuse_what_is_not_there(params)
    if misplaced := PROMPT_OPTIONS & params.keys():
        raise BadRequestError(f"{min(misplaced)} is for chats", param=min(misplaced))
    _take_tags(chosen, params, routed=routed)
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
    if (points := params.pop("cache_control_injection_points", None)) is not None:
        call.caching = read_points(points)
    if params.pop("supports_system_message", True) is False:
        call.messages = fold_system(call.messages)
    if "response_format" in params and call.operation == "chat":
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


def _take_tags(chosen: dict[str, Any], params: dict[str, Any], *, routed: bool) -> None:
    """Move tags out of `metadata`; what else is there is the model's parameter.

    Raises:
        BadRequestError: something chooses among deployments, and there is only one.
    """
    if not routed:
        if misplaced := CHOOSING & chosen.keys():
            raise BadRequestError(
                f"{', '.join(sorted(misplaced))}: there is only one model to ask; a Router "
                "chooses among deployments",
                param=min(misplaced),
            )
        return
    metadata = params.get("metadata")
    if not isinstance(metadata, Mapping) or "tags" not in metadata:
        return
    rest = {name: value for name, value in metadata.items() if name != "tags"}
    params["metadata"] = rest
    if not rest:
        del params["metadata"]
    if metadata["tags"] is not None:
        chosen["tags"] = (*chosen.get("tags", ()), *_checked("tags", metadata["tags"]))


def _refuse_what_is_not_there(params: Mapping[str, Any]) -> None:
    """Refuse options that would be sent to a provider, or ignored, instead of kept."""
    if REFUSED.isdisjoint(params):
        return
    refused = sorted(REFUSED & params.keys())
    instead = PARAMETERS.get(refused[0], "not there yet; leave it out")
    raise BadRequestError(
        f"{', '.join(refused)}: {instead} (a provider's own parameter of this name goes into "
        "extra_body)",
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
    if name in LISTS:
        return as_names(value)
    if name == "retry_policy":
        return {exception_name(kind): count for kind, count in value.items()}
    return value


def as_names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    """One name or several, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def _is_seconds(value: Any) -> bool:
    # `value > 0` is False for nan
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_policy(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        exception_name(name) is not None and _is_count(count) for name, count in value.items()
    )


def _is_aliases(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(alias, str) for alias in value)


def _is_names(value: Any) -> bool:
    names = [value] if isinstance(value, str) else value
    return isinstance(names, list | tuple) and all(
        isinstance(name, str) and name.strip("!") for name in names
    )


def _is_text_or_exception(value: Any) -> bool:
    return isinstance(value, str | Exception | list)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


SECONDS = (_is_seconds, "a positive number of seconds")
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "timeout": SECONDS,
    "force_timeout": SECONDS,
    "stream_idle_timeout": SECONDS,
    "num_retries": (_is_count, "0 or more"),
    "fallbacks": (_is_aliases, 'a list of aliases, like ["backup"]'),
    "context_window_fallbacks": (_is_aliases, 'a list of aliases, like ["backup"]'),
    "content_policy_fallbacks": (_is_aliases, 'a list of aliases, like ["backup"]'),
    "retry_policy": (_is_policy, 'counts by exception, like {"Timeout": 0}'),
    "stream_timeout": SECONDS,
    "on_stream_break": (("raise", "resume").__contains__, '"raise" or "resume"'),
    "priority": (_is_whole, "a whole number"),
    "logger_fn": (callable, "callable"),
    "tags": (_is_names, 'a list of tags, like ["free"]'),
    "allowed_model_region": (_is_names, 'a region, like "eu", or a list of them'),
    "mock_response": (_is_text_or_exception, "the text to answer with, or an exception to raise"),
    "mock_tool_calls": (_is_list, "a list of tool calls"),
}
"""For each option that can be of the wrong kind: what a right value is, in code and in words."""
