"""`easy`: which examples most networks get right after one epoch."""

from __future__ import annotations

from rote.experiments.easy.experiment import EasyConfig, easy

__all__ = ["EasyConfig", "easy"]
