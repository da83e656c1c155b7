"""
Counts that do not depend on how fast or how busy the machine is.

    python -m benchmarks.counts             compare with baseline.json; 1 if something grew
    python -m benchmarks.counts --update    what is counted now is the baseline

    __main__ ── baseline                    what was counted before, by Python version
             └═pipe═ worker                 a process per case: hash seed 0, nothing warm
                      ├─ cases              what is done: a call, a chunk, a choice, an import
                      ├─ counters           what is counted: bytecodes, calls, blocks
                      └─ offline            an event loop whose upstream is in memory

Chance is seeded, time stands still but for what the upstream says it takes, and nothing is read
from a socket: the same code gives the same counts, anywhere.
"""
