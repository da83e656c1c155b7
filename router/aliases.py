"""
What can be asked for, and whom it means.

    "smart"              the group of a `model_name`
    "gpt-main"           one deployment, by its id
    "gpt-4"              another name of an alias, by `model_group_alias`
    "anthropic/claude-…" what a `model_name` with a ``*`` stands for

Groups behind a ``*`` are made when first asked for and kept while they are in use; their
deployments have health and statistics of their own.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from ..exceptions import BadRequestError, ConfigurationError, NotFoundError
from .groups import unknown_alias
from .wildcards import STAR, Wildcards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..providers import Compatible
    from .config import DeploymentConfig
    from .deployment import Deployment
    from .groups import Group

MOST_MADE = 1000
"""Groups behind wildcards that are kept; the one unused longest goes first."""


class Other(NamedTuple):
    """Another name of an alias; a `hidden` one is not listed."""

    model: str
    hidden: bool


class Aliases:
    """The groups of one Router by every name that leads to them; iterates over the public ones.

    Args:
        new_group: makes a group of this name.
        new_deployment: makes a deployment from its configuration.
        providers: the Router's own rows of providers.
    """

    def __init__(
        self,
        new_group: Callable[[str, bool], Group],
        new_deployment: Callable[[DeploymentConfig], Deployment],
        providers: Mapping[str, Compatible],
    ) -> None:
        self.deployments: dict[str, Deployment] = {}
        self._configs: dict[str, DeploymentConfig] = {}
        self._new_group = new_group
        self._new_deployment = new_deployment
        self._groups: dict[str, Group] = {}
        self._others: dict[str, Other] = {}
        self._wildcards = Wildcards(providers)
        self._behind_wildcards: OrderedDict[str, Group] = OrderedDict()
        self._specific: dict[str, Group] = {}

    def __iter__(self) -> Iterator[str]:
        yield from (name for name, group in self._groups.items() if not group.hidden)
        yield from self._wildcards
        yield from (name for name, other in self._others.items() if not other.hidden)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            name in self._groups
            or name in self._others
            or self._wildcards.matching(name) is not None
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def find(self, name: str) -> Group:
        """The group that a name means.

        Raises:
            BadRequestError: it is no name.
            NotFoundError: there is none; lists the aliases.
        """
        if not isinstance(name, str):
            raise BadRequestError(
                f"model must be an alias of the Router, not {name!r:.60}", param="model"
            )
        group = self._groups.get(name) or self._groups.get(self.plain(name))
        return group or self._behind_a_wildcard(self.plain(name))

    def plain(self, name: str) -> str:
        """The alias that another name stands for; any other name as it is."""
        while name in self._others:
            name = self._others[name].model
        return name

    def specific(self, model: str) -> Group:
        """The group of the deployments of this very model, whatever their aliases.

        Raises:
            NotFoundError: there is none; lists the models.
        """
        group = self._specific.get(model)
        if group is None:
            found = [d for d in self.deployments.values() if model in _names(d)]
            if not found:
                known = sorted({_names(d)[0] for d in self.deployments.values()})
                raise NotFoundError(
                    f"no deployment is of the model {model!r}; there are: "
                    f"{', '.join(known) or 'none'}",
                    model=model,
                )
            group = self._specific[model] = self._new_group(model, True)
            for deployment in found:
                group.add(deployment)
            group.refresh()
        return group

    def add(self, config: DeploymentConfig) -> str:
        """Take a deployment in, and return its id; `refresh` its groups when all are in.

        Raises:
            ConfigurationError: its names are taken, or mean nothing.
        """
        if STAR in config.model_name or STAR in config.params.model:
            id = self._wildcards.add(config)
            self._configs[id] = config
            self._forget_wildcards()
            return id
        named = config.model_info.id is not None
        deployment = self._new_deployment(config)
        self._check_names(deployment, named=named)
        if not named:
            deployment.id = self._free_id(deployment.id)
        self._forget(self._specific)
        self.deployments[deployment.id] = deployment
        self._configs[deployment.id] = config
        self._group(deployment.model_name).add(deployment)
        if deployment.id != deployment.model_name:
            self._group(deployment.id, hidden=True).add(deployment)
        return deployment.id

    def refresh(self, id: str | None = None) -> list[Group]:
        """Let the groups of a deployment, or all, see who came; returns them."""
        if id is None:
            groups = list(self._groups.values())
        else:
            groups = self.deployments[id].groups if id in self.deployments else []
        for group in groups:
            group.refresh()
        return groups

    def remove(self, id: str) -> list[Group]:
        """Let a deployment go, or a wildcard with what was made from it; returns its groups.

        Raises:
            ConfigurationError: there is none.
        """
        self._configs.pop(id, None)
        if self._wildcards.remove(id):
            self._forget_wildcards()
            return []
        deployment = self.deployments.pop(id, None)
        if deployment is None:
            raise ConfigurationError(
                f"no deployment {id!r}; there are: {', '.join(self.deployments) or 'none'}"
            )
        groups_left = list(deployment.groups)
        for group in groups_left:
            group.remove(deployment)
            if not group.deployments:
                for groups in (self._groups, self._specific, self._behind_wildcards):
                    if groups.get(group.name) is group:
                        del groups[group.name]
        return groups_left

    @property
    def configs(self) -> list[DeploymentConfig]:
        """The configuration of every deployment and wildcard."""
        return list(self._configs.values())

    def replace(self, configs: Sequence[DeploymentConfig]) -> list[Group]:
        """Keep the deployments whose configuration is among these, as they are; add and remove
        the others. Returns the groups of those that went.

        Aliases that stay never stand empty in between, unless an id changes its meaning.
        """
        known: dict[str, list[str]] = {}
        for id, config in self._configs.items():
            known.setdefault(repr(config.model_dump()), []).append(id)
        added = []
        for config in configs:
            ids = known.get(repr(config.model_dump()))
            if ids:
                ids.pop(0)
            else:
                added.append(config)
        gone = {id for ids in known.values() for id in ids}
        changed = [config for config in added if config.model_info.id in gone]
        for config in added:
            if config not in changed:
                self.add(config)
        self.refresh()
        left = [group for id in gone for group in self.remove(id)]
        for config in changed:
            self.add(config)
        self.refresh()
        return left

    def rename(self, others: Mapping[str, str | Mapping[str, object]]) -> None:
        """Take in `model_group_alias`: other names of aliases.

        Raises:
            ConfigurationError: a name is taken, or leads nowhere.
        """
        problems = []
        for name, target in others.items():
            place = f"model_group_alias.{name}"
            model = target if isinstance(target, str) else target.get("model")
            hidden = not isinstance(target, str) and bool(target.get("hidden"))
            if name in self._groups:
                problems.append(f"{place}: there is a model_name or id {name!r} already")
            elif not isinstance(model, str) or model == name or model not in self:
                problems.append(f"{place} leads to {model!r}, {unknown_alias(str(model), [*self])}")
            else:
                self._others[name] = Other(model, hidden)
        if problems:
            raise ConfigurationError("\n".join(problems))

    def _behind_a_wildcard(self, name: str) -> Group:
        """The group of the deployments that wildcards make for this name."""
        made = self._behind_wildcards
        group = made.get(name)
        if group is not None:
            made.move_to_end(name)
            return group
        matching = self._wildcards.matching(name)
        if matching is None:
            raise NotFoundError(
                f"the Router was asked for {name!r}, {unknown_alias(name, [*self])}", model=name
            )
        wildcards, texts = matching
        try:
            deployments = [
                wildcard.adopt(self._new_deployment(wildcard.filled(name, texts)))
                for wildcard in wildcards
            ]
        except BadRequestError as error:
            raise NotFoundError(error.message, model=name) from None
        group = self._new_group(name, True)
        group.pattern = wildcards[0].config.model_name
        for deployment in deployments:
            deployment.id = self._free_id(deployment.id)
            self.deployments[deployment.id] = deployment
            group.add(deployment)
        group.refresh()
        self._forget(self._specific)
        made[name] = group
        if len(made) > MOST_MADE:
            self._forget_oldest()
        return group

    def _forget_oldest(self) -> None:
        """Let the group go that nobody has used for longest; one in use counts as used."""
        for name, group in self._behind_wildcards.items():
            if not any(deployment.in_flight for deployment in group.deployments):
                self._forget(self._specific)
                self._away(self._behind_wildcards.pop(name))
                return

    def _forget_wildcards(self) -> None:
        """Let everything go that wildcards have made; they have changed."""
        self._forget(self._specific)
        while self._behind_wildcards:
            self._away(self._behind_wildcards.popitem()[1])

    def _away(self, group: Group) -> None:
        """Take the deployments of such a group away."""
        _leave(group)
        for deployment in group.deployments:
            self.deployments.pop(deployment.id, None)

    def _forget(self, made: dict[str, Group]) -> None:
        """Let groups go that are made anew when they are asked for."""
        while made:
            _leave(made.popitem()[1])

    def _check_names(self, deployment: Deployment, *, named: bool) -> None:
        """An id and another alias that are equal would mean two things."""
        alias = self._groups.get(deployment.model_name)
        if alias is not None and alias.hidden:
            raise ConfigurationError(
                f"the alias {deployment.model_name!r} is the id of another deployment; rename one"
            )
        for name in (deployment.model_name, deployment.id):
            if name in self._others:
                raise ConfigurationError(f"{name!r} is another name by model_group_alias already")
        taken = named and deployment.id in self._groups and deployment.id != deployment.model_name
        if taken or (named and deployment.id in self.deployments):
            raise ConfigurationError(f"the id {deployment.id!r} is taken; ids must be unique")

    def _group(self, name: str, *, hidden: bool = False) -> Group:
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = self._new_group(name, hidden)
        return group

    def _free_id(self, wanted: str) -> str:
        """The id, or with a number behind it if it is taken."""
        number, id = 1, wanted
        while id in self._groups or id in self.deployments:
            number += 1
            id = f"{wanted}-{number}"
        return id


def _leave(group: Group) -> None:
    """Let the deployments of a group forget it; calls on their way still have it."""
    for deployment in group.deployments:
        deployment.groups.remove(group)


def _names(deployment: Deployment) -> tuple[str, str]:
    """A deployment's model with and without its provider."""
    target = deployment.target
    return f"{target.provider}/{target.model}", target.model
