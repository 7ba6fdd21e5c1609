"""`capacity`: how many random labels a network can store, and what sharing them over views changes."""

from __future__ import annotations

from rote.experiments.capacity.experiment import CapacityConfig, capacity

__all__ = ["CapacityConfig", "capacity"]
