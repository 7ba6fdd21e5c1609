"""`python -m rote` is the `rote` command."""

from __future__ import annotations

import sys

from rote.cli import main

if __name__ == "__main__":
    sys.exit(main())
