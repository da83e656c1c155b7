"""The error tree: policies, pickles, texts."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import get_args

import pytest

import polyroute.exceptions as module
from polyroute.exceptions import (
    BY_STATUS,
    APIConnectionError,
    APIError,
    BadRequestError,
    ConfigurationError,
    Fallback,
    Health,
    InternalServerError,
    PolyrouteError,
    StreamInterruptedError,
    Timeout,
    error_class,
)
from polyroute.schemas import Attempt, Message, Route, Usage

CLASSES = [getattr(module, name) for name in module.__all__]
KINDS = [kind for kind in CLASSES if issubclass(kind, APIError)]
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def full(kind: type[APIError]) -> APIError:
    """An error with every attribute set."""
    more = {}
    if kind is StreamInterruptedError:
        more = {"partial_message": Message(content="so far"), "usage": Usage(prompt_tokens=3)}
    return kind(
        "it went wrong",
        status_code=499,
        model="m",
        llm_provider="openai",
        code="c",
        param="p",
        request_id="r",
        retry_after=1.5,
        body="{}",
        response_headers={"x": "y"},
        route=Route("smart", [Attempt("d", "smart", "first", 0.0, 0.0)]),
        **more,
    )


class TestTree:
    def test_is_drawn_in_the_docstring(self) -> None:
        """The module's docstring draws exactly the classes there are, each below its parent."""
        parents: list[tuple[int, str]] = []
        drawn = {}
        for line in module.__doc__.splitlines():
            name = line.strip(" │├└─").split(" ")[0]
            if name in module.__all__:
                depth = line.index(name)
                parents = [(at, parent) for at, parent in parents if at < depth]
                drawn[name] = parents[-1][1] if parents else "Exception"
                parents.append((depth, name))
        assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES}

    def test_one_base(self) -> None:
        """Everything polyroute raises on purpose can be caught as PolyrouteError."""
        assert all(issubclass(kind, PolyrouteError) for kind in CLASSES)

    def test_builtin_relatives(self) -> None:
        """A Timeout is a TimeoutError, a wrong configuration a ValueError."""
        assert issubclass(Timeout, TimeoutError)
        assert issubclass(ConfigurationError, ValueError)
        assert not issubclass(ConfigurationError, APIError)

    def test_all_names_every_class(self) -> None:
        """No exception is hidden."""
        defined = {
            name
            for name, kind in vars(module).items()
            if inspect.isclass(kind) and issubclass(kind, PolyrouteError)
        }
        assert set(module.__all__) == defined


class TestPolicy:
    @EVERY
    def test_is_complete(self, kind: type[APIError]) -> None:
        """Every class says what the router does about it."""
        assert isinstance(kind.elsewhere, bool)
        assert isinstance(kind.again, bool)
        assert kind.fallback in get_args(Fallback)
        assert kind.health in get_args(Health)
        assert 400 <= kind.default_status < 600

    @EVERY
    def test_makes_sense(self, kind: type[APIError]) -> None:
        """What may be asked again may be asked elsewhere; what rests is not asked again."""
        assert kind.elsewhere or not kind.again
        assert kind.health != "rest" or not kind.again
        assert not issubclass(kind, BadRequestError) or kind.health == "untouched"

    @pytest.mark.parametrize(
        ("name", "elsewhere", "again", "fallback", "health"),
        [
            ("APIConnectionError", True, True, "always", "failure"),
            ("Timeout", True, True, "always", "failure"),
            ("ConflictError", True, True, "always", "failure"),
            ("InternalServerError", True, True, "always", "failure"),
            ("BadGatewayError", True, True, "always", "failure"),
            ("ServiceUnavailableError", True, True, "always", "failure"),
            ("OverloadedError", True, True, "always", "failure"),
            ("RateLimitError", True, True, "always", "rate_limit"),
            ("AuthenticationError", True, False, "always", "rest"),
            ("PermissionDeniedError", True, False, "always", "rest"),
            ("NotFoundError", True, False, "always", "rest"),
            ("ContextWindowExceededError", True, False, "context_window", "untouched"),
            ("ContentPolicyViolationError", False, False, "content_policy", "untouched"),
            ("BadRequestError", False, False, "on_request", "untouched"),
            ("RequestTooLargeError", False, False, "on_request", "untouched"),
            ("UnprocessableEntityError", False, False, "on_request", "untouched"),
        ],
    )
    def test_table_of_the_design(
        self, name: str, elsewhere: bool, again: bool, fallback: str, health: str
    ) -> None:
        """The policies are those of the documented table."""
        kind = getattr(module, name)
        said = (kind.elsewhere, kind.again, kind.fallback, kind.health)
        assert said == (elsewhere, again, fallback, health)


class TestInstances:
    @EVERY
    def test_plain(self, kind: type[APIError]) -> None:
        """A message is enough; everything else has a default."""
        error = kind("it went wrong")
        assert (str(error), error.status_code) == ("it went wrong", kind.default_status)
        assert error.response_headers == {}
        assert error.route is error.body is error.request_id is None

    @EVERY
    def test_text_says_who(self, kind: type[APIError]) -> None:
        """str and repr name the provider and model before the message."""
        assert str(full(kind)) == "openai m: it went wrong"
        assert repr(full(kind)).startswith(f"{kind.__name__}('openai m: ")

    @EVERY
    @pytest.mark.parametrize("way", ["pickle", "copy", "deepcopy"])
    def test_survives(self, kind: type[APIError], way: str) -> None:
        """Errors cross process borders with all they carry."""
        ways = {
            "pickle": lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301
            "copy": copy.copy,
            "deepcopy": copy.deepcopy,
        }
        error = full(kind)
        again = ways[way](error)
        assert type(again) is kind
        assert (vars(again), again.args, str(again)) == (vars(error), error.args, str(error))

    def test_configuration_error_survives(self) -> None:
        """The one that is no APIError can be pickled, too."""
        again = pickle.loads(pickle.dumps(ConfigurationError("wrong")))  # noqa: S301
        assert (type(again), str(again)) == (ConfigurationError, "wrong")

    def test_timeout_has_no_errno(self) -> None:
        """A Timeout is an OSError by descent; its text is still its message."""
        assert str(Timeout("too late")) == "too late"
        assert Timeout("too late").errno is None


class TestStatuses:
    @pytest.mark.parametrize(("status", "kind"), BY_STATUS.items())
    def test_known(self, status: int, kind: type[APIError]) -> None:
        """Every status of the table gives its class."""
        assert error_class(status) is kind

    @pytest.mark.parametrize("status", [402, 403])
    def test_no_credit_is_no_permission(self, status: int) -> None:
        """An account without credit is treated like a missing permission."""
        assert error_class(status).__name__ == "PermissionDeniedError"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(418, BadRequestError), (451, BadRequestError), (520, InternalServerError)],
    )
    def test_unknown(self, status: int, kind: type[APIError]) -> None:
        """Unknown statuses go by their hundred."""
        assert error_class(status) is kind

    def test_408_and_504_are_timeouts(self) -> None:
        """A proxy's timeout is one."""
        assert error_class(408) is error_class(504) is Timeout
        assert issubclass(Timeout, APIConnectionError)
