"""What experiments share that examine `benign` runs: their options, the run examined, several beside each other."""

from __future__ import annotations
