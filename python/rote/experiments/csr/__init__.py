"""`csr`: how densely the answers of a network change around test images, while it fits signal or noise."""

from __future__ import annotations

from rote.experiments.csr.experiment import CSRConfig, csr

__all__ = ["CSRConfig", "csr"]
