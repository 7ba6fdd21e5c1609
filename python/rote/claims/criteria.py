"""The claims that the experiments decide, each with its criterion. Fixed before the runs."""

from __future__ import annotations

from rote.claims.criteria_benign import BENIGN
from rote.claims.criteria_closer_look import CLOSER_LOOK

CRITERIA = BENIGN + CLOSER_LOOK
BY_NUMBER = {criterion.number: criterion for criterion in CRITERIA}
