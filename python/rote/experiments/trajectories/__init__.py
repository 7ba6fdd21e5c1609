"""`trajectories`: the losses of single examples along training, with clean and with wrong labels."""

from __future__ import annotations

from rote.experiments.trajectories.experiment import TrajectoriesConfig, trajectories

__all__ = ["TrajectoriesConfig", "trajectories"]
