"""
Who in a group can take a call.

    call ─▶ needs_of      what it needs; None: nothing special                needs
         ─▶ Members.able  rules, then abilities, then the context window      rules, facts
         ─▶ Selection     which of those that are ready, the best fits first

A deployment is left out for what is known of it, never for what is not. A filter comes before
an error: only when nobody is left does the call fail, with what is missing of each. What the
answers need is the same for many calls, so it is worked out once for each set of needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from ..exceptions import ContextWindowExceededError, UnsupportedParamsError
from .facts import ABILITIES, facts_of
from .needs import Needs, most_tokens, needs_of, prompt_tokens
from .rules import USUAL, Rules, is_in, with_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..providers import Call
    from .deployment import Deployment
    from .options import Options

MOST_KINDS = 256
"""Kinds of needs that a group remembers the able for."""

TOLERANCE = 1.25
"""Tokens are estimated: a prompt surely exceeds a window only by this factor."""


def refusal(deployment: Deployment, needs: Needs) -> str | None:
    """Why a deployment cannot do what is needed, in words; None if it can, for all one knows."""
    missing = facts_of(deployment).lacks & needs.musts
    if not missing:
        return None
    return f"{deployment.target.model} " + " and ".join(ABILITIES[name] for name in sorted(missing))


def fits(deployment: Deployment, needs: Needs) -> bool:
    """Whether all that is wished for is said to be there."""
    facts = facts_of(deployment)
    return (
        facts.unlisted.isdisjoint(needs.wishes)
        and facts.operation in (None, needs.operation)
        and needs.longest <= facts.longest
    )


@dataclass(slots=True, eq=False)
class Selection:
    """The deployments of a group that can take one kind of call.

    `among` and `best` keep the last list they were given and what they made of it: as long as
    the same deployments are ready, strategies see the same list, and it costs nothing.
    """

    members: Members
    needs: Needs | None = None
    allowed: frozenset[Deployment] | None = None
    tokens: float = 0
    _among: tuple[Sequence[Deployment], Sequence[Deployment]] = ((), ())
    _best: tuple[Sequence[Deployment], Sequence[Deployment]] = ((), ())

    def among(self, deployments: Sequence[Deployment]) -> Sequence[Deployment]:
        """Those of them that can take the call; the same list if they all can."""
        allowed = self.allowed
        if allowed is None:
            return deployments
        seen, found = self._among
        if seen is not deployments:
            found = _kept(deployments, allowed.__contains__)
            self._among = deployments, found
        return found

    def best(self, candidates: Sequence[Deployment]) -> Sequence[Deployment]:
        """Those to choose among now: of the best fits, those of the lowest `order`."""
        if self.needs is None and not self.members.ordered:
            return candidates
        seen, found = self._best
        if seen is not candidates:
            found = first_order(self._fitting(candidates))
            self._best = candidates, found
        return found

    def _fitting(self, candidates: Sequence[Deployment]) -> Sequence[Deployment]:
        """Those with all that is wished for, and room for the prompt; everybody if nobody has."""
        needs = self.needs
        if needs is None:
            return candidates
        tokens = self.tokens
        roomy = _kept(candidates, lambda d: tokens <= facts_of(d).window) or candidates
        return _kept(roomy, lambda d: fits(d, needs)) or roomy


@dataclass(slots=True, eq=False)
class Members:
    """What is known of the deployments of one group together.

    It is made anew when a deployment comes or goes, never when one rests.

    Attributes:
        rules: None where the caller has named the one model to ask: its provider decides.
        window: the smallest known context window, in tokens.
        longest: the shortest known limit of an answer, in tokens.
        match_any, regions: as the Router's rules say.
        tags_decide: whether tags are looked at here.
        choosy: even a plain call may not go to everybody: tags or regions say so.
        ordered: not all have the same `order`.
    """

    name: str
    deployments: Sequence[Deployment]
    rules: Rules | None = USUAL
    window: float = field(init=False)
    longest: float = field(init=False)
    choosy: bool = field(init=False)
    ordered: bool = field(init=False)
    everybody: Selection = field(init=False)
    match_any: bool = field(init=False)
    regions: tuple[str, ...] = field(init=False)
    tags_decide: bool = field(init=False)
    _selections: dict[Needs, Selection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        deployments = self.deployments = list(self.deployments)
        facts = [facts_of(deployment) for deployment in deployments]
        self.window = min((known.window for known in facts), default=inf)
        self.longest = min((known.longest for known in facts), default=inf)
        rules = self.rules or USUAL
        tagged = any(deployment.tags for deployment in deployments)
        self.tags_decide = tagged if rules.tags is None else rules.tags
        self.match_any, self.regions = rules.match_any, rules.regions
        several = len({known.operation for known in facts}) > 1
        self.choosy = (tagged and self.tags_decide) or bool(rules.regions) or several
        self.ordered = len({deployment.order for deployment in deployments}) > 1
        self.everybody = Selection(self)

    def able(self, call: Call, options: Options) -> Selection:
        """Who can take a call.

        Raises:
            UnsupportedParamsError: nobody can, or may; says what is missing of each.
            ContextWindowExceededError: nobody has room for the prompt.
        """
        if self.rules is None or not self.deployments:
            return self.everybody
        needs = needs_of(call, options, self)
        if needs is None:
            return self.everybody
        selection = self._selections.get(needs)
        if selection is None:
            if len(self._selections) >= MOST_KINDS:
                self._selections.clear()
            selection = self._selections[needs] = self._select(needs)
        if self.window == inf or most_tokens(call) <= self.window:
            return selection
        return self._with_room(selection, prompt_tokens(call))

    def _select(self, needs: Needs) -> Selection:
        """Those that may and can, whatever the size of the prompt."""
        left = self.deployments
        if needs.regions:
            left = _kept(left, lambda d: is_in(d, needs.regions))
            if not left:
                raise self._nobody_there(needs.regions)
        if self.tags_decide:
            tagged = with_tags(left, needs.tags, match_any=self.match_any)
            if not tagged:
                raise self._nobody_tagged(left, needs.tags)
            left = tagged
        able = _kept(left, lambda d: refusal(d, needs) is None)
        if not able:
            raise self._nobody_able([refusal(d, needs) or "" for d in left])
        everybody = len(able) == len(self.deployments)
        return Selection(self, needs, None if everybody else frozenset(able))

    def _with_room(self, selection: Selection, tokens: int) -> Selection:
        """The same without those whose window is surely too small."""
        if tokens <= self.window:
            return selection
        able = selection.among(self.deployments)
        roomy = [d for d in able if tokens <= TOLERANCE * facts_of(d).window]
        if not roomy:
            windows = {f"{d.target.model}: {facts_of(d).window:g}" for d in able}
            raise ContextWindowExceededError(
                f"the prompt has about {tokens} tokens, more than anybody in {self.name!r} takes "
                f"({_listed(windows)})",
                model=self.name,
                code="context_length_exceeded",
                param="messages",
            )
        return Selection(self, selection.needs, frozenset(roomy), tokens)

    def _nobody_there(self, regions: Sequence[str]) -> UnsupportedParamsError:
        places = {d.region or "no region_name" for d in self.deployments}
        return UnsupportedParamsError(
            f"nobody in {self.name!r} is in the region {' or '.join(regions)} "
            f"(there are: {_listed(places)})",
            model=self.name,
            param="allowed_model_region",
        )

    def _nobody_tagged(
        self, deployments: Sequence[Deployment], tags: Sequence[str]
    ) -> UnsupportedParamsError:
        known = {tag for deployment in deployments for tag in deployment.tags}
        return UnsupportedParamsError(
            f"nobody in {self.name!r} may take a call with the tags {_listed(tags) or 'none'} "
            f"(there are: {_listed(known) or 'no tags'}; one tagged 'default' would take it)",
            model=self.name,
            param="tags",
        )

    def _nobody_able(self, refusals: Sequence[str]) -> UnsupportedParamsError:
        return UnsupportedParamsError(
            f"nobody in {self.name!r} can do what the call needs: {'; '.join(_few(refusals))}. "
            "If that is wrong, say in model_info what the model can do (supports_…: True)",
            model=self.name,
        )


def first_order(candidates: Sequence[Deployment]) -> Sequence[Deployment]:
    """Those of the lowest `order`; the same list if they are all of one."""
    lowest = min((deployment.order for deployment in candidates), default=0)
    return _kept(candidates, lambda deployment: deployment.order == lowest)


def _kept(
    deployments: Sequence[Deployment], test: Callable[[Deployment], bool]
) -> Sequence[Deployment]:
    """Those that pass; the same list if they all do."""
    kept = [deployment for deployment in deployments if test(deployment)]
    return deployments if len(kept) == len(deployments) else kept


def _few(texts: Sequence[str], most: int = 5) -> list[str]:
    """Each once, and not too many."""
    distinct = list(dict.fromkeys(texts))
    left_out = len(distinct) - most
    return distinct if left_out <= 0 else [*distinct[:most], f"and {left_out} more"]


def _listed(texts: set[str] | Sequence[str]) -> str:
    return ", ".join(_few(sorted(texts)))
