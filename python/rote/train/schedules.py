"""rote/train/schedules.py: learning rates, pure functions of the step."""

from __future__ import annotations

import math

from rote.train.config import TrainConfig

# One-cycle: linear from lr / 25 to lr over the first 30 %, then a half cosine down to nothing.
_RISE_SHARE = 0.3
_RISE_START = 1 / 25
# Steps: a tenth after each third.
_STAIRS = 3
_STAIR_FACTOR = 0.1


def learning_rate(config: TrainConfig, step: int, total_steps: int) -> float:
    """The learning rate of `step` out of `total_steps`; past the end it stays what it was at the end.

    Warm-up takes the first `warmup_epochs` and rises evenly, from lr / W at step 0 to lr at step W - 1; the schedule
    has what is left. With d the share of it that is done: constant lr; step lr / 10^min(2, floor(3 d)); cosine lr (1 +
    cos(pi d)) / 2; one-cycle from lr / 25 evenly to lr at d = .3, then a half cosine to 0; exponential lr times decay
    to the power floor(epochs done / decay_epochs).

    Raises:
        ValueError: total_steps < 1 or a negative step.
    """
    if total_steps < 1 or step < 0:
        raise ValueError(f"step must be >= 0 and total_steps >= 1; got {step} and {total_steps}")
    warmup = config.warmup_epochs * total_steps // config.epochs
    if step < warmup:
        return config.lr * (step + 1) / warmup
    if config.schedule == "constant":
        return config.lr
    if config.schedule == "exponential":
        done = min(step, total_steps - 1) - warmup
        return config.lr * config.decay ** (done * config.epochs // (total_steps * config.decay_epochs))
    step, total_steps = min(step, total_steps) - warmup, total_steps - warmup
    if config.schedule == "step":
        return config.lr * _STAIR_FACTOR ** min(_STAIRS - 1, _STAIRS * step // total_steps)
    done = step / total_steps
    if config.schedule == "cosine":
        return config.lr * 0.5 * (1.0 + math.cos(math.pi * done))
    if done < _RISE_SHARE:
        return config.lr * (_RISE_START + (1.0 - _RISE_START) * done / _RISE_SHARE)
    return config.lr * 0.5 * (1.0 + math.cos(math.pi * (done - _RISE_SHARE) / (1.0 - _RISE_SHARE)))
