"""Benchmarks of both engines and the trainer, beside their peers. `make bench` runs them; see results/README.md."""

from __future__ import annotations
