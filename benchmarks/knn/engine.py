"""The ways to ask Rote for neighbours that the benchmarks time, and what its statistics say."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import torch

import rote.ops.knn
from rote import _native


def forced(queries, references, k: int, metric: str, *, level: str = "auto", path: str = "auto"):
    """One search on the CPU at an instruction set and through a first pass; (distances, indices, statistics)."""
    outputs = torch.empty(len(queries), k), torch.empty(len(queries), k, dtype=torch.int64)
    choice = {"level": level} | ({"path": path} if path != "auto" else {})
    stats = rote.ops.knn.search_cpu(queries, references, k, metric, outputs, **choice)
    return *outputs, stats


def paths() -> tuple[str, ...]:
    """The first passes that can be forced in this build."""
    has_choice = "path" in inspect.signature(rote.ops.knn.search_cpu).parameters
    return ("int16", "float32") if has_choice else ()


def levels() -> list[str]:
    """The instruction sets that are compiled in and that this CPU has, lowest first."""
    names = _native.compiled_simd_levels()
    return names[: names.index(_native.detected_simd_level()) + 1]


@dataclass(frozen=True)
class Certificates:
    """Where the rows of a search got their certificate. None: this build does not count it.

    Attributes:
        rows: queries.
        first_pass: share of rows settled by the first pass, whichever it was.
        by_pass: rows settled by each pass, fastest pass first.
        candidates: float64 keys computed per row.
        scored_pairs: pairs that got a low-precision score, of rows * references.
        executor: what ran, e.g. "avx2".
    """

    rows: int
    first_pass: float | None
    by_pass: dict[str, int]
    candidates: float | None
    scored_pairs: int | None
    executor: str | None

    def notes(self) -> list[str]:
        """For tables: the certified share and the candidates per row."""
        notes = []
        if self.first_pass is not None:
            first = next(iter(self.by_pass))
            notes.append(f"certified at the first pass ({first}) {self.first_pass:.2%}")
            notes += [f"{name} {count} rows" for name, count in list(self.by_pass.items())[1:] if count]
        if self.candidates is not None:
            notes.append(f"{self.candidates:,.1f} candidates a row")
        return notes


def certificates(stats: dict | None, rows: int) -> Certificates:
    """Reads the statistics of a search; the only place that knows their names.

    The first pass is the fastest one that settled a row: a search that chooses float32 for all rows (few queries, a
    forced path) is certified by that.
    """
    stats = stats or {}
    passes = {name: int(stats[f"rows_{name}"]) for name in ("int16", "float32", "float64") if f"rows_{name}" in stats}
    while len(passes) > 1 and next(iter(passes.values())) == 0:
        del passes[next(iter(passes))]
    keys, scored = stats.get("exact_keys"), stats.get("scored_pairs")
    return Certificates(
        rows=rows,
        first_pass=next(iter(passes.values())) / rows if passes else None,
        by_pass=passes,
        candidates=None if keys is None else int(keys) / rows,
        scored_pairs=None if scored is None else int(scored),
        executor=stats.get("executor"),
    )
