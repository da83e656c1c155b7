"""``python -m polyroute`` and ``polyroute``: the command line of :mod:`polyroute.cli`."""

from __future__ import annotations

import sys

from .cli.command import main

if __name__ == "__main__":
    sys.exit(main())
