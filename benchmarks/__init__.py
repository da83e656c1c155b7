"""
Measures polyroute's Router against a bare aiohttp session, and against its peers when asked.

    python -m benchmarks --quick        from the repository's root; docs/performance.md says more

    __main__ ── options, pace           what is asked for, and how much of it
             ├─ upstream                the model API that is called (C, or Python)
             ├─ environments            peers that are not installed here
             ├─ remote ═pipe═ worker    a process per peer, in that peer's own environment
             │                ├─ load   what it is put through; heavy: thousands at once
             │                └─ peers/ who it is
             ├─ measures/ ── grid       what is visited, round by round
             └─ report, plot            what is printed and drawn
                gate, goals             what makes the run fail, what is to be reached

    scale       the measures with thousands of calls and streams, as a command of their own
    counts/     bytecodes, calls and blocks of memory, which no busy machine can change
    routing/    routing strategies against each other, simulated

The driver and everything but a peer's own module use the standard library only.
"""
