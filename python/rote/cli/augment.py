"""`rote augment`: what recipes there are, what they do, and how their views look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from rote.augment import Recipe, Views, recipes
from rote.augment.contact_sheet import ContactSheet, displayable
from rote.augment.named import pairs
from rote.cli.census import Census
from rote.cli.options import parse
from rote.data import ImageBank, load
from rote.runs.whole_files import writing_whole


def find(name: str) -> tuple[str, Recipe | Views]:
    """A recipe, or a pair, by its name or from a file of `Recipe.to_json`; with the name to call it by.

    Raises:
        ValueError: no such name, or no recipe in the file.
        FileNotFoundError: no such file.
    """
    if name in recipes:
        return name, recipes[name]
    if name in pairs:
        return name, pairs[name]
    path = Path(name).expanduser()
    if path.suffix != ".json" and not path.is_file():
        raise ValueError(f"recipe: wanted a .json file or one of {', '.join((*recipes, *pairs))}, got {name!r}")
    try:
        return path.stem, Recipe.from_dict(json.loads(path.read_text()))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: no recipe: {error}") from error


@dataclass(frozen=True)
class List:
    """Print the named recipes, one a line."""

    def run(self) -> int:
        width = max(map(len, (*recipes, *pairs)))
        for name, recipe in (*recipes.items(), *pairs.items()):
            parts = recipe.recipes if isinstance(recipe, Views) else (recipe,)
            words = ["; ".join(", ".join(type(o).__name__ for o in part.operations) for part in parts)]
            print(f"{name:<{width}}  {words[0] or 'the images as they are'}")
        return 0


@dataclass(frozen=True, kw_only=True)
class Describe:
    """Print what a recipe does, and how many different views an image has under it."""

    recipe: tyro.conf.Positional[str]
    """A name of `rote augment list`, or a JSON file (Recipe.to_json)."""
    size: int | tuple[int, int] = 32
    """The images' size: S, or H W."""
    sample: int | None = None
    """Draw so many views and count how often they coincide."""
    json: bool = False
    """Print the recipe as JSON, to edit and use as a file."""

    def run(self) -> int:
        _, recipe = find(self.recipe)
        parts = recipe.recipes if isinstance(recipe, Views) else (recipe,)
        if self.json:
            if len(parts) > 1:
                raise ValueError(f"recipe: wanted one to print as JSON, got the pair {self.recipe!r}; name its parts")
            print(json.dumps(recipe.to_dict(), indent=2))
            return 0
        for part in parts:
            print(part.describe(self.size))
            print(f"of one image: {part.cardinality(self.size, sample=self.sample)}")
        return 0


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Draw a contact sheet: images of a data set, and beside each its views under a recipe."""

    recipe: tyro.conf.Positional[str]
    """A name of `rote augment list`, or a JSON file (Recipe.to_json)."""
    data: str = "digits"
    """digits, cifar10 or folder."""
    root: Path | None = None
    """Where the data lies (cifar10, folder)."""
    data_size: int | tuple[int, int] | None = None
    """Resize pictures to S, or H W (folder)."""
    split: Literal["train", "test"] = "train"
    """Which images."""
    images: int = 4
    """How many images: the first of a seeded class-balanced order."""
    ids: tuple[int, ...] = ()
    """Exactly these images instead."""
    views: int = 8
    """How many views of each."""
    first_view: int = 0
    """Number of the first view."""
    seed: int = 0
    """Seed of the views; the training with this seed sees the same ones."""
    out: Path = Path("views.png")
    """The picture to write, PNG."""

    def run(self) -> int:
        name, recipe = find(self.recipe)
        for field in ("images", "views"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field}: wanted at least 1, got {getattr(self, field)}")
        if self.out.suffix.lower() != ".png":
            raise ValueError(f"out: wanted a file named .png, got {self.out}")
        bank = load(self.data, self.root, size=self.data_size)
        sheet = self.sheet(name, recipe, bank).draw()
        with writing_whole(self.out) as aside:
            sheet.save(aside, format="PNG", optimize=True)
        print(self.out)
        return 0

    def sheet(self, name: str, recipe: Recipe | Views, bank: ImageBank) -> ContactSheet:
        """The contact sheet of a bank's images."""
        split = bank.train if self.split == "train" else bank.test
        ids = self._ids(bank, len(split))
        views = torch.arange(self.first_view, self.first_view + self.views).expand(len(ids), -1)
        several = recipe.recipes if isinstance(recipe, Views) else (recipe,)
        x = recipe(split.images, ids, views, self.seed)
        shown = [
            displayable(part, v) for part, v in zip(several, x if isinstance(recipe, Views) else (x,), strict=True)
        ]
        letters = [""] if len(several) == 1 else [chr(ord("a") + i) for i in range(len(several))]
        height, width = bank.image_size
        notes = []
        for letter, part in zip(letters, several, strict=True):
            notes += [f"{letter}{line}" for line in part.describe(bank.image_size).splitlines()[1:]]
        return ContactSheet(
            originals=displayable(Recipe(), split.images[ids] / 255),
            views=[pixels[:, v] for v in range(self.views) for pixels in shown],
            rows=[(bank.classes[split.labels[i]], f"id {i}") for i in ids.tolist()],
            columns=[f"view {v}{letter}" for v in views[0].tolist() for letter in letters],
            title=name,
            subtitle=f"{bank.name} {self.split}, {height} × {width} pixels · seed {self.seed} · "
            + ", ".join(f"hash {part.hash()[:12]}" for part in several),
            notes=notes,
        )

    def _ids(self, bank: ImageBank, count: int) -> torch.Tensor:
        if self.ids:
            if bad := [i for i in self.ids if not 0 <= i < count]:
                raise ValueError(f"ids: wanted 0 <= id < {count} ({bank.name} {self.split}), got {bad[0]}")
            return torch.tensor(self.ids)
        if self.images > count:
            raise ValueError(f"images: wanted at most {count} ({bank.name} {self.split}), got {self.images}")
        if self.split == "test":
            return torch.arange(self.images)
        return bank.balanced_order(self.seed)[: self.images]


AugmentCommand = (
    Annotated[Preview, tyro.conf.subcommand("preview")]
    | Annotated[Census, tyro.conf.subcommand("census")]
    | Annotated[Describe, tyro.conf.subcommand("describe")]
    | Annotated[List, tyro.conf.subcommand("list")]
)


def run(arguments: Sequence[str]) -> int:
    """Runs one of the subcommands; returns the exit status."""
    description = "Recipes: which there are, what they do, and how their views look."
    return parse(AugmentCommand, arguments, prog="rote augment", description=description).run()
