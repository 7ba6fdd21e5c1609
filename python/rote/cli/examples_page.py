"""`rote scores page RUN [--out FILE]`: every example of a run on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from rote.cli.options import parse

# More cells than this of one trajectory make the page heavy: looks are then thinned evenly.
_CELLS = 4_000_000
_VALUES = ("loss", "margin", "p_true")


@dataclass(frozen=True)
class PageOptions:
    """Options of `rote scores page`."""

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder with examples.parquet, dynamics/ or both."""
    root: Path | None = None
    """Where the run's data lie now; by default where the run found them."""
    most: int = 20000
    """At most so many examples: the first of the table."""
    images: bool = True
    """Whether pictures stand on the page."""
    out: Path | None = None
    """The page; by default examples.html in the run folder."""


def run(arguments: Sequence[str]) -> int:
    """Writes the page."""
    options = parse(
        PageOptions,
        arguments,
        prog="rote scores page",
        description="One HTML page, without network, to sort and filter a run's examples and see how each one fared.",
    )
    from rote.report.examples import write_examples_page

    print(f"page: {write_examples_page(table_of_run(options), options.out or options.run / 'examples.html')}")
    return 0


def table_of_run(options: PageOptions):
    """The examples of a run: examples.parquet, scores of its dynamics, trajectories, pictures.

    Raises:
        FileNotFoundError: the folder has neither examples.parquet nor dynamics.
        ValueError: --most below 1.
    """
    from rote.report.examples import ExampleTable
    from rote.runs import load_run
    from rote.runs.folder import CONFIG, EXAMPLES

    if options.most < 1:
        raise ValueError(f"--most: wanted at least 1, got {options.most}")
    folder = options.run
    if not folder.is_dir():
        raise FileNotFoundError(2, "No such folder", str(folder))
    record = load_run(folder) if (folder / CONFIG).exists() else None
    columns: dict[str, np.ndarray] = {}
    if (folder / EXAMPLES).exists():
        columns = _table(folder / EXAMPLES)
    trained = _training_scores(folder)
    if trained is None and not columns:
        raise FileNotFoundError(2, "no examples.parquet and no dynamics/epoch=*.parquet", str(folder))
    name = next((name for name in ("id", "example_id") if name in columns), None)
    if columns and name is None:
        columns = {"id": np.arange(len(next(iter(columns.values())))), **columns}
    ids = trained.example if not columns else columns[name or "id"]
    ids = ids[: options.most]
    columns = {"id": ids, **{key: value[: options.most] for key, value in columns.items() if key != name}}
    paths = {}
    if trained is not None:
        trained = _of(trained, ids)
        columns |= {key: value for key, value in trained.scores.items() if key not in columns}
        paths = _paths(trained.dynamics)
    config = {} if record is None else record.config
    images, classes = _pictures(options, config, ids) if options.images and record is not None else (None, ())
    classes = tuple(classes) or tuple(() if record is None else record.record.get("classes", ()))
    return ExampleTable(
        columns,
        paths,
        images,
        None,
        classes,
        title=f"Examples of {folder.name}",
        about=_about(config, record),
    )


def _table(path: Path) -> dict[str, np.ndarray]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path).read()
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path}: not a Parquet table: {error}") from None
    return {name: table[name].to_numpy() for name in table.column_names}


def _training_scores(folder: Path):
    from rote.metrics.exchange import read_training_scores

    try:
        return read_training_scores(folder)
    except FileNotFoundError:
        return None


def _of(trained, ids: np.ndarray):
    """Dynamics name examples by the data set's numbers, or by their place among those trained on."""
    if np.isin(ids, trained.example).all():
        return trained.aligned(ids)
    return trained.aligned(np.arange(len(ids)))


def _paths(looks) -> dict:
    from rote.report.examples import Trajectory

    if looks is None or len(looks.loss) < 2:
        return {}
    epochs = np.arange(1, len(looks.loss) + 1) if looks.epochs is None else looks.epochs
    every = max(1, -(-looks.loss.size // _CELLS))
    chosen = np.unique(np.append(np.arange(0, len(epochs), every), len(epochs) - 1))
    values = {name: getattr(looks, name)[chosen] for name in _VALUES}
    return {name: Trajectory(epochs[chosen], value) for name, value in values.items() if np.isfinite(value).any()}


def _pictures(options: PageOptions, config: dict, ids: np.ndarray):
    """(uint8 [N, C, H, W], classes) of the run's data set; (None, ()) where it is not there any more."""
    from rote import data

    name, root = config.get("data"), options.root or config.get("root")
    if name not in data.available():
        return None, ()
    try:
        bank = data.load(name, root, size=config.get("size"))
    except FileNotFoundError as error:
        print(f"no pictures: {error}")
        return None, ()
    if ids.max(initial=-1) >= len(bank.train):
        return None, bank.classes
    return bank.train.images.numpy()[ids], bank.classes


def _about(config: dict, record) -> str:
    if record is None:
        return ""
    facts = [f"{record.experiment} on {config.get('data', 'data of its own')}"]
    facts += [f"{key} {config[key]}" for key in ("labels", "model", "augment", "epochs", "seed") if key in config]
    return ", ".join(facts) + "."
