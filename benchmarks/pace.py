"""How long everything takes, and how much of it there is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The size of a run.

    Attributes:
        rounds: how often every cell is measured.
        seconds: how long one cell takes in one round, and to warm up before.
        sizes: numbers of deployments that the choice is measured at.
        burst: calls that are made at once.
        calls: calls over which memory is watched.
        streams: streams that are open at once.
        pause: seconds between two chunks of each of them.
        backlog: chunks that wait for a slow reader.
    """

    rounds: int
    seconds: float
    sizes: tuple[int, ...]
    burst: int
    calls: int
    streams: int
    pause: float
    backlog: int


DEFAULT = Pace(
    rounds=7,
    seconds=0.5,
    sizes=(10, 100, 1_000, 10_000),
    burst=5_000,
    calls=50_000,
    streams=10_000,
    pause=1.0,
    backlog=100_000,
)
QUICK = Pace(
    rounds=3,
    seconds=0.15,
    sizes=(10, 100, 1_000),
    burst=500,
    calls=2_000,
    streams=200,
    pause=0.1,
    backlog=5_000,
)
