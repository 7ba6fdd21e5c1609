"""The grid of `regularize`: techniques, each along its strengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rote.train import Regularizers

if TYPE_CHECKING:
    from rote.experiments.regularize.experiment import RegularizeConfig

NONE, COMBINED = "none", "dropout+adversarial"
SINGLE = ("dropout", "input-dropout", "input-noise", "hidden-noise", "weight-decay")
TECHNIQUES = (*SINGLE, COMBINED)


@dataclass(frozen=True)
class Setting:
    """One technique at one strength.

    Attributes:
        technique: one of `TECHNIQUES`, or "none".
        strength: of it; of "dropout+adversarial" the dropout.
        regularizers: of pixels and hidden layers.
        weight_decay: as `TrainConfig` has it.
        adversarial: weight of the adversarial points in the loss.
    """

    technique: str
    strength: float
    regularizers: Regularizers
    weight_decay: float
    adversarial: float = 0.0

    @property
    def name(self) -> str:
        """Part of a file's name."""
        if self.technique == NONE:
            return NONE
        more = f"_adversarial={self.adversarial:g}" if self.technique == COMBINED else ""
        return f"{self.technique}={self.strength:g}{more}"


def settings(config: RegularizeConfig) -> list[Setting]:
    """Training without regularizers, which is strength 0 of every technique; then each technique, weak to strong."""

    def of(technique: str, strength: float, decay: float = config.weight_decay, weight: float = 0.0, **parts: float):
        return Setting(technique, strength, Regularizers(placement=config.placement, **parts), decay, weight)

    found = [of(NONE, 0.0)]
    for technique in config.techniques:
        if technique == "weight-decay":
            found += [of(technique, decay, decay) for decay in config.decays]
        elif technique == COMBINED:
            pairs = zip(config.adversarial_dropout, config.adversarial, strict=True)
            found += [of(technique, p, weight=weight, dropout=p) for p, weight in pairs]
        else:
            field = technique.replace("-", "_")
            found += [of(technique, strength, **{field: strength}) for strength in getattr(config, field)]
    return found
