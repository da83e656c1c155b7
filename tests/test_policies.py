"""Policies: how often a call is tried again and who is asked next, by what has failed."""

from __future__ import annotations

import pytest

from polyroute import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
)
from polyroute.router.options import NO_OPTIONS, Options
from polyroute.router.policies import Policies

FAILED = InternalServerError("failed")


class TestRetries:
    """Call, deployment, exception (call, alias, Router), Router: the first that says something."""

    POLICIES = Policies(
        num_retries=2,
        retry_policy={"Timeout": 3, "RateLimitError": 4},
        group_retry_policy={"smart": {"Timeout": 5}},
    )

    @pytest.mark.parametrize(
        ("alias", "deployment", "error", "options", "retries"),
        [
            ("other", None, None, {}, 2),
            ("other", None, FAILED, {}, 2),
            ("other", None, Timeout("late"), {}, 3),
            ("other", None, RateLimitError("slow"), {}, 4),
            ("smart", None, Timeout("late"), {}, 5),
            ("smart", None, RateLimitError("slow"), {}, 4),
            ("smart", None, Timeout("late"), {"retry_policy": {"Timeout": 6}}, 6),
            ("smart", None, Timeout("late"), {"retry_policy": {"RateLimitError": 6}}, 5),
            ("smart", 7, Timeout("late"), {"retry_policy": {"Timeout": 6}}, 7),
            ("smart", 0, Timeout("late"), {}, 0),
            ("smart", 7, Timeout("late"), {"num_retries": 0}, 0),
            ("smart", 7, None, {"num_retries": 8}, 8),
        ],
    )
    def test_precedence(
        self,
        alias: str,
        deployment: int | None,
        error: APIError | None,
        options: dict[str, object],
        retries: int,
    ) -> None:
        """What is said nearer to the call counts before what is said further away."""
        assert self.POLICIES.retries(alias, deployment, error, Options(**options)) == retries

    def test_classes_inherit(self) -> None:
        """A policy for a class is one for those below it, unless they have their own."""
        policies = Policies(retry_policy={"APIError": 1, "RateLimitError": 4})
        assert policies.retries("smart", None, FAILED, NO_OPTIONS) == 1
        assert policies.retries("smart", None, RateLimitError("slow"), NO_OPTIONS) == 4


class TestChains:
    """Who is asked after a group has failed."""

    POLICIES = Policies(
        fallbacks={"smart": ["backup", "cheap"], "none": []},
        context_window_fallbacks={"smart": ["long"]},
        content_policy_fallbacks={"*": ["lenient"]},
        default_fallbacks=["default"],
    )

    @pytest.mark.parametrize(
        ("alias", "error", "chain"),
        [
            ("smart", FAILED, ["backup", "cheap"]),
            ("smart", Timeout("late"), ["backup", "cheap"]),
            ("smart", RateLimitError("slow"), ["backup", "cheap"]),
            ("smart", AuthenticationError("no"), ["backup", "cheap"]),
            ("smart", None, ["backup", "cheap"]),
            ("smart", ContextWindowExceededError("long"), ["long"]),
            ("smart", ContentPolicyViolationError("no"), ["lenient"]),
            ("smart", BadRequestError("no"), []),
            ("other", FAILED, ["default"]),
            ("other", ContextWindowExceededError("long"), ["default"]),
            ("other", ContentPolicyViolationError("no"), ["lenient"]),
            ("none", FAILED, []),
        ],
    )
    def test_by_error(self, alias: str, error: APIError | None, chain: list[str]) -> None:
        """The chain for this error, else the alias's own, else everybody's, else the default."""
        assert list(self.POLICIES.chain(alias, error, NO_OPTIONS)) == chain

    @pytest.mark.parametrize(
        ("error", "chain"),
        [
            (FAILED, ["a"]),
            (ContextWindowExceededError("long"), ["b"]),
            (ContentPolicyViolationError("no"), ["c"]),
        ],
    )
    def test_call_before_router(self, error: APIError, chain: list[str]) -> None:
        """What the call says replaces what the Router says."""
        options = Options(
            fallbacks=["a"], context_window_fallbacks=["b"], content_policy_fallbacks=["c"]
        )
        assert list(self.POLICIES.chain("smart", error, options)) == chain

    def test_special_chain_of_the_router_before_the_calls_general_one(self) -> None:
        """A call's `fallbacks` do not replace a chain for a longer window."""
        error = ContextWindowExceededError("long")
        options = Options(fallbacks=["a"])
        assert list(self.POLICIES.chain("smart", error, options)) == ["long"]
        assert list(self.POLICIES.chain("other", error, options)) == ["a"]

    def test_call_without_fallbacks(self) -> None:
        """An empty list of the call's means: nobody."""
        assert list(self.POLICIES.chain("smart", FAILED, Options(fallbacks=[]))) == []

    def test_star(self) -> None:
        """`"*"` stands for the aliases without a chain of their own, before the default."""
        policies = Policies(fallbacks={"*": ["any"], "smart": []}, default_fallbacks=["default"])
        assert list(policies.chain("other", FAILED, NO_OPTIONS)) == ["any"]
        assert list(policies.chain("smart", FAILED, NO_OPTIONS)) == []

    @pytest.mark.parametrize(
        ("router", "call", "asked"),
        [(False, None, False), (True, None, True), (False, True, True), (True, False, False)],
    )
    def test_refused_requests(self, router: bool, call: bool | None, asked: bool) -> None:
        """A refused request goes to another group only where somebody asked for that."""
        policies = Policies(fallbacks={"smart": ["backup"]}, fallback_on_bad_request=router)
        options = Options(fallback_on_bad_request=call)
        chain = policies.chain("smart", BadRequestError("no"), options)
        assert bool(chain) is asked


class TestBudget:
    @pytest.mark.parametrize(
        ("options", "seconds"),
        [
            ({}, 600),
            ({"timeout": 5}, 5),
            ({"timeout": 900}, 900),
            ({"timeout": 5, "force_timeout": 3}, 3),
            ({"timeout": 5, "force_timeout": 30}, 5),
            ({"force_timeout": 30}, 30),
        ],
    )
    def test_shortest_of_what_the_call_says(
        self, options: dict[str, float], seconds: float
    ) -> None:
        """The call's own limits, the shorter of the two; else the Router's."""
        assert Policies(timeout=600).budget(Options(**options)) == seconds


def test_overload_is_not_content() -> None:
    """An overloaded model takes the general chain, not a special one."""
    policies = Policies(fallbacks={"smart": ["a"]}, context_window_fallbacks={"smart": ["b"]})
    assert list(policies.chain("smart", ServiceUnavailableError("busy"), NO_OPTIONS)) == ["a"]
