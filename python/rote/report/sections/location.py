"""Where memorization sits: every measurement that a paper rests its answer on, of the same networks, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.embed import prose
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.rows import Row
from rote.report.story import location as story

Panel = tuple[str, Callable[[], Axes], str, str]

LEAD = (
    "One study finds what is learnt by heart in the last layers, another in a few neurons anywhere, a third finds "
    "layers that know better than the network's own answer. Here all of them look at the same networks."
)


def location(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Rewinding, retraining, gradients, tied dropout, neurons, geometry and probes of every share of noise."""
    parts = []
    for condition in sorted(conditions, key=story.noise_of):
        title = story.title(condition)
        detail = detail_among(condition, [c for c in conditions if story.title(c) == title])
        name = f"location-{100 * story.noise_of(condition):g}"
        panels = [
            gallery.panel(f"{name}-{key}", draw, title=f"{title}: {words}", detail=detail, finding=finding)
            for key, draw, words, finding in _panels(condition)
        ]
        if panels:
            said = story.verdict(condition)
            parts.append(f"<h3>{title}</h3>" + (f"<p>{prose(said)}</p>" if said else "") + grid(panels))
    if not parts:
        return ""
    return section("location", "Where it is kept", LEAD, "".join(parts) + how_to_read("location", "located"))


def _panels(condition: Condition) -> list[Panel]:
    """The figures of one condition, of the tables that are there."""
    found: list[Panel] = []

    def add(
        table: str, key: str, words: str, draw: Callable[[list[Row]], Axes], finding: Callable[[list[Row]], str]
    ) -> None:
        rows = gather(condition.runs, f"location_{table}.csv")
        if rows:
            found.append((key, lambda: draw(rows), words, finding(rows)))

    epoch = condition.first.summary.get("rewound_epoch")
    add(
        "rewinding",
        "rewinding",
        "one block put back",
        lambda rows: figures.plot_rewinding(rows, epoch=epoch),
        lambda rows: story.rewinding_finding(rows, epoch),
    )
    add(
        "rewinding",
        "rewinding-and-later",
        "a layer and all later ones put back",
        lambda rows: figures.plot_rewinding(rows, epoch=epoch, kind="layer", replaced="and later"),
        _nothing,
    )
    add("retraining", "retraining", "one block trained again", figures.plot_retraining, story.retraining_finding)
    add("gradients", "gradients", "do the gradients agree?", figures.plot_gradients, story.gradients_finding)
    add(
        "gradients",
        "gradient-norms",
        "whose gradient is larger?",
        lambda rows: figures.plot_gradients(rows, value="ratio"),
        _nothing,
    )
    add("tied", "tied", "example-tied dropout", figures.plot_tied, story.tied_finding)
    add(
        "neurons",
        "neurons",
        "neurons to flip an answer",
        figures.plot_neurons,
        lambda _: story.neurons_finding(condition),
    )
    add("zeroed", "neuron-layers", "where those neurons lie", figures.plot_neuron_layers, _nothing)
    for value, words in (
        ("capacity", "room for the classes"),
        ("radius", "their radius"),
        ("dimension", "their dimension"),
    ):
        add(
            "geometry",
            f"geometry-{value}",
            words,
            lambda rows, value=value: figures.plot_geometry(rows, value=value),
            _nothing,
        )
    add(
        "latent",
        "latent",
        "do layers know better?",
        figures.plot_latent,
        lambda _: story.latent_finding(condition),
    )
    return found


def _nothing(rows: list[Row]) -> str:
    return ""
