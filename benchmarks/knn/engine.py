"""The ways to ask Rote for neighbours that the benchmarks time, and what its statistics say."""

from __future__ import annotations

from dataclasses import dataclass

import torch

import rote.ops.knn
from rote import _native

#: Fastest first; a row that one cannot settle goes to the next. Also the names of what a search can be forced to start
#: with.
PASSES = ("int16", "float32", "float64")


def forced(queries, references, k: int, metric: str, *, level: str = "auto", path: str = "auto", exclude=None):
    """One search on the CPU at an instruction set and through a first pass; (distances, indices, statistics)."""
    outputs = torch.empty(len(queries), k), torch.empty(len(queries), k, dtype=torch.int64)
    stats = rote.ops.knn.search_cpu(queries, references, k, metric, outputs, exclude=exclude, level=level, path=path)
    return *outputs, stats


def levels() -> list[str]:
    """The instruction sets that are compiled in and that this CPU has, lowest first."""
    names = _native.compiled_simd_levels()
    return names[: names.index(_native.detected_simd_level()) + 1]


@dataclass(frozen=True)
class Certificates:
    """Which pass settled the rows of a search, and what that took. None: this build does not count it.

    Attributes:
        rows: queries.
        by_pass: rows settled by each pass, fastest pass first; empty in a build that does not count them.
        uncertified: rows that no pass settled, for want of a fallback.
        candidates: float64 keys computed per row.
        scored: share of all pairs that a low-precision pass looked at; the others were skipped as groups.
        executor: what ran, e.g. "avx2".
    """

    rows: int
    by_pass: dict[str, int]
    uncertified: int
    candidates: float | None
    scored: float | None
    executor: str | None

    def share(self, name: str) -> float:
        """The share of rows settled by a pass: "int16", "float32" or "float64"."""
        return self.by_pass.get(name, 0) / self.rows

    def notes(self) -> list[str]:
        """For tables: who settled the rows, the candidates per row, the pairs skipped."""
        notes = [f"{name} {self.share(name):.2%}" for name, rows in self.by_pass.items() if rows]
        notes = [f"rows settled by {', '.join(notes)}"] if notes else []
        if self.uncertified:
            notes.append(f"uncertified {self.uncertified / self.rows:.2%}")
        if self.candidates is not None:
            notes.append(f"{self.candidates:,.1f} keys a row")
        if self.scored is not None and self.scored < 0.9995:
            notes.append(f"{self.scored:.1%} of pairs scored")
        return notes


def certificates(stats: dict | None, rows: int, references: int) -> Certificates:
    """Reads the statistics of a search; the only place that knows their names."""
    stats = stats or {}
    keys, scored = stats.get("exact_keys"), stats.get("scored_pairs")
    return Certificates(
        rows=rows,
        by_pass={name: int(stats[f"rows_{name}"]) for name in PASSES if f"rows_{name}" in stats},
        uncertified=int(stats.get("uncertified_rows", 0)),
        candidates=None if keys is None else int(keys) / rows,
        scored=None if scored is None else int(scored) / (rows * references),
        executor=stats.get("executor"),
    )
