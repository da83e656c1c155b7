"""
Tags and regions: who may be asked, whatever anybody is able to do.

A tagged call goes to deployments with one of its tags (or all of them); a tag that begins with
``!`` keeps deployments out. Where nobody matches, and where the call has no tags, deployments
tagged ``default`` answer; an untagged call goes to everybody if there are none.
(https://docs.litellm.ai/docs/proxy/tag_routing; negative tags are ours.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .deployment import Deployment

DEFAULT = "default"
NOT = "!"


@dataclass(frozen=True, slots=True)
class Rules:
    """A Router's settings of who may be asked.

    Attributes:
        tags: whether tags decide; None: in groups where a deployment has tags.
        match_any: one of the call's tags is enough; else a deployment must have them all.
        regions: where calls may be answered unless they say otherwise; empty: anywhere.
    """

    tags: bool | None = None
    match_any: bool = True
    regions: tuple[str, ...] = ()


USUAL = Rules()


def with_tags(
    deployments: Sequence[Deployment], tags: Sequence[str], *, match_any: bool
) -> list[Deployment]:
    """Those that a call with these tags may be answered by."""
    unwanted = {tag[len(NOT) :] for tag in tags if tag.startswith(NOT)}
    wanted = {tag for tag in tags if not tag.startswith(NOT)}
    left = [d for d in deployments if unwanted.isdisjoint(d.tags)]
    if wanted and match_any:
        matching = [d for d in left if not wanted.isdisjoint(d.tags)]
    else:
        matching = [d for d in left if wanted and wanted <= d.tags]
    return matching or [d for d in left if DEFAULT in d.tags] or ([] if wanted else left)


def is_in(deployment: Deployment, regions: Sequence[str]) -> bool:
    """Whether a deployment is surely in one of these regions; ``"eu"`` has ``"eu-west-1"``."""
    here = _plain(deployment.region or "")
    return any(here == region or here.startswith(f"{region}-") for region in map(_plain, regions))


def _plain(region: str) -> str:
    """``"europe-west4"`` and ``"EU_West"`` as Europe's regions are called elsewhere."""
    region = region.lower().replace("_", "-")
    return "eu" + region.removeprefix("europe") if region.startswith("europe") else region
