"""`python -m benchmarks`: start everything, run the measures, print the report."""

from __future__ import annotations

import random
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from . import environments, gate, goals, machine, plot, report, upstream
from .measures import MEASURES
from .measures.bench import Bench
from .options import parse
from .remote import RemotePeer, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .grid import Grid
    from .options import Options


CROWDS = {"burst", "crowd"}
"""Measures with thousands of connections: the upstream, too, needs a descriptor for each."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; 0 if everything could be measured and every bound holds."""
    options = parse(arguments)
    client_core, server_core = machine.cores()
    if not CROWDS.isdisjoint(options.measures):
        machine.allow_descriptors(max(options.pace.burst, options.pace.streams))
    with ExitStack() as stack:
        server = stack.enter_context(upstream.running(options.upstream, server_core))
        peers = []
        left_out = {}
        for label in options.peers:
            try:
                peer = RemotePeer(settings(label, options, client_core))
            except environments.NotInstalledError as error:
                left_out[label] = str(error)
                continue
            stack.callback(peer.stop)
            peers.append(peer)
        left_out |= {peer.label: peer.missing for peer in peers if peer.missing}
        present = tuple(peer for peer in peers if not peer.missing)
        bench = Bench(present, server, options.pace)
        grids = [MEASURES[name](bench) for name in options.measures]
        check_bounds(options, grids)
        heading = report.heading(present, left_out, server, options.pace.rounds)
        parts = [shown(heading), *(shown(text) for text in run(grids, options))]
    if options.goals:
        parts.append(shown(goals.table(grids)))
    verdicts = gate.verdicts(options.bounds, grids)
    parts += [shown(line) for _, line in verdicts]
    if options.out:
        as_json = options.out.suffix == ".json"
        text = report.as_json(grids, heading) if as_json else "\n".join(parts)
        options.out.write_text(text, encoding="utf-8")
    if options.plot:
        options.plot.write_text(plot.svg(grids, heading), encoding="utf-8")
    failed = any(grid.failures for grid in grids)
    return 1 if failed or not all(passed for passed, _ in verdicts) else 0


def settings(label: str, options: Options, core: int | None) -> Settings:
    """How a peer's process is to be started.

    Raises:
        NotInstalledError: there is no environment for it.
    """
    return Settings(
        label=label,
        python=options.pythons.get(label) or environments.python(label.partition("@")[0]),
        core=core,
        deployments=options.deployments,
        strategy=options.strategy,
    )


def check_bounds(options: Options, grids: list[Grid]) -> None:
    """Refuse a bound that no measure of this run can break, before spending minutes."""
    names = gate.known(grids)
    for bound in options.bounds:
        if bound.name not in names:
            raise SystemExit(
                f"{bound.option} {bound.name}: there is no such figure in this run; "
                f"there are {', '.join(sorted(names))}"
            )


def run(grids: list[Grid], options: Options) -> Iterator[str]:
    """Fill the grids in, one after the other; the table of each as soon as it is complete."""
    rng = random.Random(options.seed)
    for grid in grids:
        grid.run(rounds=options.pace.rounds, seconds=options.pace.seconds, rng=rng)
        yield report.table(grid)


def shown(text: str) -> str:
    print(text, flush=True)
    return text


if __name__ == "__main__":
    sys.exit(main())
