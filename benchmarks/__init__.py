"""
Measures polyroute's Router against a bare aiohttp session, and against its peers when asked.

    python -m benchmarks --quick        from the repository's root; docs/performance.md says more

    __main__ ── options                 what is asked for
             ├─ upstream                the model API that is called (C, or Python)
             ├─ remote ═pipe═ worker    a process per peer, in that peer's own environment
             │                ├─ load   what it is put through
             │                └─ peers/ who it is
             ├─ measures/ ── grid       what is visited, round by round
             └─ report, gate            what is printed, and what makes the run fail

The driver and everything but a peer's own module use the standard library only.
"""
