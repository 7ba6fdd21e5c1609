"""What `--augment` names: a recipe, a recipe at another strength, or real images of the same class."""

from __future__ import annotations

from torch import Tensor

from rote import augment
from rote.augment import Recipe
from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.experiments.inputs.same_class import SameClass
from rote.experiments.inputs.scaled_recipe import scaled

# Between a recipe's name and its strength: benign-mild@0.5.
AT = "@"


def view_source(config: ExperimentConfig, bank: ImageBank, order: Tensor, num_trained: int) -> Recipe | SameClass:
    """What renders the views of a config: `source(images, ids, views, seed, dtype=, channels_last=)`.

    Args:
        config: `augment`, and with "same-class" `same_class_images` where the experiment has it.
        bank: the data set.
        order: int64 [M], the seeded order of all training images.
        num_trained: how many of it are trained on.

    Raises:
        ValueError: an unknown name, a strength that does not fit, or too few images of a class.
    """
    if config.augment == SAME_CLASS:
        return SameClass(bank, order, num_trained, getattr(config, "same_class_images", None))
    return recipe_named(config.augment)


def recipe_named(name: str) -> Recipe:
    """A recipe of `rote.augment.recipes`, or one at another strength, `<name>@<strength>`.

    Raises:
        ValueError: names those there are.
    """
    base, at, strength = name.partition(AT)
    if base not in augment.recipes:
        raise ValueError(f"--augment must be {SAME_CLASS} or one of {', '.join(augment.recipes)}; got {name!r}")
    if not at:
        return augment.recipes[base]
    try:
        value = float(strength)
    except ValueError:
        raise ValueError(f"--augment {base}{AT}<strength> wants a number; got {name!r}") from None
    return scaled(augment.recipes[base], value)
