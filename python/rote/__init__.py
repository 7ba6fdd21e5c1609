"""Rote measures what neural networks learn by rote.

Two engines stand on their own: exact k-NN (`rote.knn`, `rote.Index`, `rote.KNNProbe`) and fused addressable
augmentation (`rote.augment`). On them rest the experiments (`rote.experiments`).
"""

from __future__ import annotations
