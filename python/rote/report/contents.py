"""The sections of the page in their order: what each is made of, whose runs it shows, what it wants where it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rote.report.conditions import Condition, Study
from rote.report.gallery import Gallery
from rote.report.records import Run
from rote.report.rows import Row
from rote.report.sections import (
    after,
    capacity,
    claims,
    dials,
    inside,
    learning,
    location,
    noise,
    noise_fitting,
    opening,
    record,
    regularize,
    subsets,
    training,
)


@dataclass(frozen=True)
class Material:
    """What the sections are made of.

    Attributes:
        runs: all that were given.
        everything: the studies of `benign` runs, whole.
        groups: the same, their main conditions alone.
        of: the conditions of every other experiment with a section, by its name.
        gallery: takes the figures.
        claimed: rows of the table of claims.
    """

    runs: Sequence[Run]
    everything: Sequence[Study]
    groups: Sequence[Study]
    of: dict[str, list[Condition]]
    gallery: Gallery
    claimed: Sequence[Row]


class Section(NamedTuple):
    """One section of the page.

    Attributes:
        key: its id in the page.
        name: what the contents call it.
        make: its HTML, or "" where its runs are not there.
        shows: experiments whose runs stand in it and in no table of their own.
        further: what it is made of, for a page that does without it; "" for sections whose absence has another reason.
    """

    key: str
    name: str
    make: Callable[[Material], str]
    shows: tuple[str, ...] = ()
    further: str = ""


def _own(name: str, title: str, make: Callable[[list[Condition], Gallery], str], article: str = "a") -> Section:
    """The section of one experiment, under its name."""
    return Section(name, title, lambda m: make(m.of[name], m.gallery), (name,), f"{article} {name} run")


SECTIONS: tuple[Section, ...] = (
    Section("answer", "Answer", lambda m: opening.answer(m.groups), ("benign",)),
    Section("done", "What was done", lambda m: opening.procedure(m.groups, m.gallery)),
    Section("curves", "While it learns", lambda m: training.curves(m.groups, m.gallery)),
    Section("controls", "The cause", lambda m: training.controls(m.groups, m.gallery)),
    Section("layers", "Where", lambda m: inside.layers(m.groups, m.of["layers"], m.gallery), ("layers",)),
    _own("location", "Kept where", location.location),
    _own("invariance", "What is learnt", inside.invariance, "an"),
    Section(
        "pool",
        "How many views",
        lambda m: dials.pool(m.everything, m.groups, m.gallery),
        further="benign runs with a limited number of views (--views)",
    ),
    Section(
        "diversity",
        "How strong",
        lambda m: dials.diversity(m.of["diversity"], m.of["ideal"], m.gallery),
        ("diversity", "ideal"),
        "a diversity or an ideal run",
    ),
    Section("capacity", "How much fits", lambda m: capacity.capacity(m.of["capacity"], m.gallery), ("capacity",)),
    Section(
        "robustness",
        "Elsewhere",
        lambda m: dials.robustness(m.everything, m.groups, m.gallery),
        further="runs under several losses, normalizations or numbers of label classes",
    ),
    _own("transfer", "Of use", after.transfer),
    _own("size", "Size", after.size),
    _own("noise", "Noise", noise.noise),
    _own("regularize", "Regularizers", regularize.regularize),
    _own("memorization", "Known by heart", subsets.memorization),
    _own("easy", "Easy examples", learning.easy, "an"),
    _own("trajectories", "Single examples", learning.trajectories),
    _own("depth", "Depth", learning.depth),
    _own("sensitivity", "Sensitivity", noise_fitting.sensitivity),
    _own("csr", "Critical samples", noise_fitting.csr),
    Section("claims", "Claims", lambda m: claims.claims(m.claimed), further="the table of claims (rote claims)"),
    Section("runs", "All runs", lambda m: record.all_runs(m.runs, [r for r in m.runs if r.experiment not in SHOWN])),
    Section("provenance", "Provenance", lambda m: record.provenance(m.runs)),
    Section("words", "Words", lambda m: record.glossary()),
)
SHOWN = tuple(experiment for section in SECTIONS for experiment in section.shows)
"""Experiments with a section of their own."""
