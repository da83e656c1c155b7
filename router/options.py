"""
What a caller says about how a call is to be made, apart from what it says to the model.

`acompletion` takes both in one list of keywords, as LiteLLM does; here they part.
"""

from __future__ import annotations

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


NO_OPTIONS = Options()
NAMES = frozenset(option.name for option in fields(Options))
RENAMED = {"max_retries": "num_retries", "request_timeout": "timeout"}
TARGET = frozenset({"api_base", "api_key", "api_version", "base_url", "custom_llm_provider"})


def split(
    messages: Any, stream: bool, keywords: Mapping[str, Any], *, ask_usage: bool
) -> tuple[Call, Options]:
    """The call and its options.

    Raises:
        BadRequestError: messages or an option are malformed; names them.
    """
    call = Call(normalise_messages(messages), stream=stream, ask_usage=ask_usage)
    if not keywords:
        return call, NO_OPTIONS
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
    _take_call_fields(call, params)
    call.params = params
    call.drop_params = bool(chosen.get("drop_params"))
    return call, Options(**chosen) if chosen else NO_OPTIONS


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
    if params.pop("supports_system_message", True) is False:
        call.messages = fold_system(call.messages)
    if "response_format" in params:
        params["response_format"] = normalise_response_format(params["response_format"])
    metadata = params.get("metadata")
    if isinstance(metadata, Mapping) and "tags" in metadata:
        params["metadata"] = {name: item for name, item in metadata.items() if name != "tags"}
        if not params["metadata"]:
            del params["metadata"]


def _checked(name: str, value: Any) -> Any:
    """An option's value.

    Raises:
        BadRequestError: it is of the wrong kind; says what it should be.
    """
    if name in ("timeout", "force_timeout", "stream_idle_timeout"):
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise BadRequestError(f"{name} must be a positive number of seconds", param=name)
    elif name == "num_retries":
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise BadRequestError(f"{name} must be 0 or more, not {value!r}", param=name)
    elif name == "fallbacks":
        if isinstance(value, str) or not all(isinstance(alias, str) for alias in value):
            raise BadRequestError(
                'fallbacks must be a list of aliases, like ["backup"]', param=name
            )
        return list(value)
    elif name == "logger_fn" and not callable(value):
        raise BadRequestError("logger_fn must be callable", param=name)
    return value
