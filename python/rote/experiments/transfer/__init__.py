"""`transfer`: what is learnt from random labels that helps elsewhere (Maennel et al. 2020, arXiv 2006.10455)."""

from __future__ import annotations

from rote.experiments.transfer.experiment import TransferConfig, transfer

__all__ = ["TransferConfig", "transfer"]
