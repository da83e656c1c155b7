"""What a Router does about failures, as configured: retries, fallbacks, limits of time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .. import exceptions
from .health import by_class

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..exceptions import APIError
    from .options import Options

OnStreamBreak = Literal["raise", "resume"]
Chains = dict[str, list[str]]


@dataclass(slots=True)
class Policies:
    """The settings behind every call of one Router. Times are seconds.

    Attributes:
        num_retries: further attempts inside a group.
        retry_policy: the same by the exception of the last attempt, …
        group_retry_policy: … and by alias.
        fallbacks: aliases to ask after one has failed, by alias; `"*"` stands for every alias.
        context_window_fallbacks, content_policy_fallbacks: the same after these errors.
        default_fallbacks: for aliases without any of their own.
        soft_timeout: a stream without a first token by then is left if another is faster.
        hedge: whether second attempts may be made beside slow ones.
        min_tokens_per_second: a stream slower than this, over ten seconds, has broken off.
    """

    num_retries: int = 2
    timeout: float = 600.0
    stream_idle_timeout: float = 120.0
    stream_timeout: float | None = None
    soft_timeout: float = 15.0
    fallbacks: Chains = field(default_factory=dict)
    context_window_fallbacks: Chains = field(default_factory=dict)
    content_policy_fallbacks: Chains = field(default_factory=dict)
    default_fallbacks: list[str] = field(default_factory=list)
    max_fallbacks: int = 5
    fallback_on_bad_request: bool = False
    longest_retry_after: float = 60.0
    retry_policy: Mapping[str, int] = field(default_factory=dict)
    group_retry_policy: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    hedge: bool = False
    on_stream_break: OnStreamBreak = "raise"
    min_tokens_per_second: float = 0.0
    default_priority: int = 0

    def chain(self, alias: str, error: APIError | None, options: Options) -> Sequence[str]:
        """The aliases to ask after this one, as far as the error allows; None: any error."""
        kind = "always" if error is None else error.fallback
        if kind == "never":
            return ()
        if kind == "on_request":
            said = options.fallback_on_bad_request
            if not (self.fallback_on_bad_request if said is None else said):
                return ()
        if kind == "context_window":
            special = _of(options.context_window_fallbacks, self.context_window_fallbacks, alias)
        elif kind == "content_policy":
            special = _of(options.content_policy_fallbacks, self.content_policy_fallbacks, alias)
        else:
            special = None
        if special is not None:
            return special
        if options.fallbacks is not None:
            return options.fallbacks
        found = self.fallbacks.get(alias)
        return self.fallbacks.get("*", self.default_fallbacks) if found is None else found

    def retries(
        self, alias: str, said: int | None, error: APIError | None, options: Options
    ) -> int:
        """Further attempts in a group: call, deployment (`said`), exception, Router."""
        if options.num_retries is not None:
            return options.num_retries
        if said is not None:
            return said
        if error is None:
            return self.num_retries
        default = by_class(self.retry_policy, error, self.num_retries)
        default = by_class(self.group_retry_policy.get(alias, {}), error, default)
        return by_class(options.retry_policy or {}, error, default)

    def budget(self, options: Options) -> float:
        """Seconds for a whole call."""
        limits = (options.timeout, options.force_timeout)
        given = [limit for limit in limits if limit is not None]
        return min(given) if given else self.timeout


def exception_name(name: Any) -> str | None:
    """The class of exceptions that a policy is about, by LiteLLM's names of it too, if any."""
    known = str(name).removesuffix("Retries").removesuffix("AllowedFails")
    known = {"TimeoutError": "Timeout"}.get(known, known)
    return getattr(exceptions, known).__name__ if known in exceptions.__all__ else None


def _of(by_call: Sequence[str] | None, by_router: Chains, alias: str) -> Sequence[str] | None:
    if by_call is not None:
        return by_call
    return by_router.get(alias, by_router.get("*"))
