"""
Deployments for many models: ``"anthropic/*"`` for whatever Anthropic has.

The ``*`` in the `model_name` stands for any text, and what it stood for is filled into the
deployment's model. Of several names that match the one with the most letters of its own wins.
(https://docs.litellm.ai/docs/wildcard_routing)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..exceptions import BadRequestError, ConfigurationError
from ..providers import resolve
from .deployment import stable_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..providers import Compatible
    from .config import DeploymentConfig
    from .deployment import Deployment
    from .quota import Quota

STAR = "*"


@dataclass(slots=True, eq=False)
class Wildcard:
    """One such deployment. What is made from it shares its quota: it is one key."""

    id: str
    config: DeploymentConfig
    quota: Quota | None = field(default=None, repr=False)

    def filled(self, name: str, texts: tuple[str, ...]) -> DeploymentConfig:
        """The configuration for the model that is called `name`."""
        first, *pieces = self.config.params.model.split(STAR)
        model = first + "".join(text + piece for text, piece in zip(texts, pieces, strict=False))
        info = self.config.model_info
        if info.id is not None:
            info = info.model_copy(update={"id": f"{info.id}:{name}"})
        params = self.config.params.model_copy(update={"model": model})
        return self.config.model_copy(
            update={"model_name": name, "params": params, "model_info": info}
        )

    def adopt(self, deployment: Deployment) -> Deployment:
        """A deployment that was made from this, under the quota of all of them."""
        self.quota = self.quota or deployment.quota
        deployment.quota = self.quota
        return deployment


class Wildcards:
    """The wildcards of one Router by their names; iterates over the names."""

    def __init__(self, providers: Mapping[str, Compatible]) -> None:
        self._providers = providers
        self._named: dict[str, list[Wildcard]] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def add(self, config: DeploymentConfig) -> str:
        """Take one in, and return its id.

        Raises:
            ConfigurationError: its model has a ``*`` too many.
        """
        name, model = config.model_name, config.params.model
        if model.count(STAR) > name.count(STAR):
            raise ConfigurationError(
                f"params.model: {model!r} has a * that the model_name {name!r} does not fill"
            )
        wildcard = Wildcard(config.model_info.id or stable_id(config), config)
        if any(other.id == wildcard.id for others in self._named.values() for other in others):
            raise ConfigurationError(f"the id {wildcard.id!r} is taken; ids must be unique")
        self._named.setdefault(name, []).append(wildcard)
        self._sort()
        return wildcard.id

    def remove(self, id: str) -> bool:
        """Let one go; False if there is none of this id."""
        for name, wildcards in self._named.items():
            left = [wildcard for wildcard in wildcards if wildcard.id != id]
            if len(left) < len(wildcards):
                self._named[name] = left
                if not left:
                    del self._named[name]
                self._sort()
                return True
        return False

    def matching(self, name: str) -> tuple[list[Wildcard], tuple[str, ...]] | None:
        """The wildcards that stand for a name, and what is to be filled in.

        A bare name is also tried with the provider that it belongs to.
        """
        if not self._patterns:
            return None
        for spelling in self._spellings(name):
            for pattern, named in self._patterns:
                if (found := pattern.fullmatch(spelling)) is not None:
                    return self._named[named], found.groups()
        return None

    def _spellings(self, name: str) -> Iterator[str]:
        yield name
        try:
            provider, model = resolve(name, providers=self._providers)
        except BadRequestError:
            return
        yield f"{provider}/{model}"

    def _sort(self) -> None:
        """The patterns, the most specific one first."""
        names = sorted(self._named, key=lambda name: (name.count(STAR) - len(name), name))
        self._patterns = [(pattern_of(name), name) for name in names]


def pattern_of(name: str) -> re.Pattern[str]:
    """What finds the texts that each ``*`` of a name stands for."""
    return re.compile("(.+)".join(map(re.escape, name.split(STAR))), re.DOTALL)
