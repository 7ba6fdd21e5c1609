"""`memorization`: scores of single examples from thousands of networks on random subsets.

(Feldman and Zhang 2020.) What a network owes to having seen an example is the difference that the example's presence
makes to its chance of being answered rightly: its memorization score; and to the chance of a test example: the
influence of the one on the other. Held-out correctness at several subset sizes is the consistency profile (Jiang et al.
2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.experiments.memorization.run import FEWEST_RUNS, MemorizationRun
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class MemorizationConfig(ExperimentConfig):
    """Options of `rote scores memorization`."""

    name_of_experiment: ClassVar[str] = "memorization"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Memorization and influence of single examples, from networks on random subsets"

    runs: int = 200
    """Networks t. The standard error of a score is about .08 with 200, .02 with 4,000."""
    share: float = 0.7
    """Share of the images that each network is trained on."""
    noise: float = 0.0
    """Share of the images whose label is planted."""
    noise_kind: Literal["redraw", "coin", "wrong"] = "redraw"
    """Planted labels: an exact number drawn from all classes, each with a probability, or an exact number of wrong
    ones."""
    profile_shares: tuple[float, ...] = ()
    """Further subset sizes of the consistency profile, as shares; the C-score is the mean over all of them."""
    profile_runs: int = 40
    """Networks of each further share."""
    memorized: float = 0.25
    """Memorization score from which the influence of an example is looked at."""
    influential: float = 0.15
    """Influence from which a pair is kept."""
    together: int = 16
    """Networks trained at once; a bound on memory."""
    model: str = "mlp"
    """Network: mlp, convnet, ...; small ones train together."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    lr: float = 3e-3
    """Learning rate, the peak of an annealed schedule."""
    epochs: int = 40
    """Visits of each image of a subset; further shares get as many update steps."""
    batch_size: int = 64
    """Images per step; a last partial batch is dropped."""
    executor: Literal["local", "ray"] = "local"
    """Who trains: this process, or actors on Ray, each pinned to a device."""
    workers: int = 1
    """Actors on Ray."""
    ray_address: str | None = None
    """Ray cluster to join, e.g. auto; without it one is started on this machine."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.noise <= 1:
            raise ValueError(f"--noise must be in [0, 1]; got {self.noise}")
        if self.runs < FEWEST_RUNS:
            raise ValueError(f"--runs must be at least {FEWEST_RUNS}; got {self.runs}")
        for option, share in (("--share", self.share), *(("--profile-shares", s) for s in self.profile_shares)):
            if not 0 < share < 1:
                raise ValueError(f"{option} must be in (0, 1); got {share}")
        if len({self.share, *self.profile_shares}) <= len(self.profile_shares):
            raise ValueError(
                f"--profile-shares must differ from each other and from --share; got {self.profile_shares}"
            )
        if self.profile_runs < 2:
            raise ValueError(f"--profile-runs must be at least 2; got {self.profile_runs}")
        for option in ("memorized", "influential"):
            if not 0 < getattr(self, option) <= 1:
                raise ValueError(f"--{option} must be in (0, 1]; got {getattr(self, option)}")
        if self.together < 1:
            raise ValueError(f"--together must be at least 1; got {self.together}")
        if self.workers < 1 or (self.workers > 1 and self.executor == "local"):
            raise ValueError(f"--workers must be 1 without --executor ray, at least 1 with it; got {self.workers}")
        if self.mixup != "none" or self.augment == SAME_CLASS:
            raise ValueError(
                "--mixup and --augment same-class show images outside of a subset; memorization has neither"
            )
        if self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; labels that are not planted are true ones")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; memorization trains many networks")

    @property
    def extensible(self) -> bool:
        """False: more epochs are another measurement."""
        return False


def memorization(
    config: MemorizationConfig | None = None,
    *,
    model: str | None = None,
    data: str | ImageBank | None = None,
    **fields: Any,
) -> Run:
    """Trains the networks, or goes on with it, and returns the run folder.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name.
        data: a data set's name, or a bank of your own.
        **fields: fields of `MemorizationConfig`.

    Returns:
        The finished run; `.examples` holds the scores, `.table("influence.parquet")` the pairs.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        NetworksDiverged: so many networks diverged that nothing can be scored; a `TrainingDiverged`.

    Example:
        >>> run = rote.experiments.memorization(runs=400, noise=0.1, noise_kind="wrong")
        >>> run.summary["auc"], run.summary["split_half"]
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, of which many are built; got a module")
    start = launch(config or MemorizationConfig(), model=model, data=data, taps=None, fields=fields)
    if isinstance(data, ImageBank) and start.config.executor == "ray":
        raise ValueError("data must be the name of a data set with --executor ray, whose actors load it; got a bank")
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            MemorizationRun(start.config, start.inputs, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
