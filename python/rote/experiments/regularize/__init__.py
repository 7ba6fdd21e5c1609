"""`regularize`: what regularizers cost on true labels, and what they keep of random ones from being memorized."""

from __future__ import annotations

from rote.experiments.regularize.experiment import RegularizeConfig, regularize

__all__ = ["RegularizeConfig", "regularize"]
