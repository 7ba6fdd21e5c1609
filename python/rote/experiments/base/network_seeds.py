"""Seeds of networks, where a run trains many."""

from __future__ import annotations

# So many networks a run at most, so that those of a run with the next seed are others.
_SEEDS_PER_RUN = 1 << 20


def network_seed(seed: int, network: int) -> int:
    """The seed of network 0, 1, ... of a run whose own seed is `seed`, in [0, 2^64)."""
    return (seed * _SEEDS_PER_RUN + network) % 2**64
