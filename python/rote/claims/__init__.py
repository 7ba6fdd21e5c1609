"""The claims that the experiments decide, judged by run folders alone.

Example:
    >>> lines = rote.claims.claims_table(Path("runs").iterdir())
    >>> print(rote.claims.as_markdown(lines))
"""

from __future__ import annotations

from rote.claims.criteria import CRITERIA
from rote.claims.criterion import Criterion
from rote.claims.judge import FAILS, HOLDS, NOT_RUN, STATES, UNDECIDED
from rote.claims.line import Line
from rote.claims.store import store
from rote.claims.table import as_csv, as_html, as_markdown, as_text, cells, claims_table

__all__ = [
    "CRITERIA",
    "FAILS",
    "HOLDS",
    "NOT_RUN",
    "STATES",
    "UNDECIDED",
    "Criterion",
    "Line",
    "as_csv",
    "as_html",
    "as_markdown",
    "as_text",
    "cells",
    "claims_table",
    "store",
]
