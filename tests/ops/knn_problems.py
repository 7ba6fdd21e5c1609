"""Random k-NN problems by number: shapes off every tile size, every dtype, memory layout and restriction."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from rote.ops.knn import FLOAT_DTYPES

from .knn_executors import METRICS

#: Largest magnitudes below which all integers are held exactly, and here also their sums of squares by float64.
LARGEST_INTEGER = {torch.float64: 2**20, torch.float32: 2**20, torch.float16: 2**11, torch.bfloat16: 2**8}
INTEGERS = ("ternary", "small", "wide", "offset")
REALS = ("normal", "shifted", "lognormal norms", "collapsed", "subnormal", "one long row")
LAYOUTS = ("contiguous", "wide rows", "every second row", "every second column", "transposed", "unaligned", "expanded")
NOT_FINITE = (np.nan, np.inf, -np.inf)


@dataclasses.dataclass(frozen=True)
class Problem:
    """One search, by its parameters; `arrays` makes its data, the same for the same number."""

    number: int
    metric: str
    dtype: torch.dtype
    rows: int
    count: int
    dim: int
    k: int
    data: str
    scale: float
    query_scale: float
    own_rows: str
    layouts: tuple[str, str]
    exclude: str
    groups: int
    mask: float
    spoiled: tuple[int, int]

    @property
    def is_integer(self) -> bool:
        return self.data in INTEGERS

    @classmethod
    def draw(cls, number: int) -> Problem:
        rng = np.random.default_rng([number, 1])

        def choose(*options):
            return options[int(rng.integers(len(options)))]

        shape = rng.random()
        rows, count = int(rng.integers(1, 61)), int(rng.integers(1, 401))
        dim = int(rng.integers(1, 80)) if rng.random() < 0.9 else int(choose(127, 130, 255, 257, 511, 513, 1025))
        if shape < 0.02:  # references enough to be split among threads, and buffers that fill up
            rows, count, dim = int(rng.integers(1, 9)), int(rng.integers(2000, 6000)), int(rng.integers(1, 17))
        elif shape < 0.04:  # queries enough for several blocks
            rows, count, dim = int(rng.integers(260, 700)), int(rng.integers(1, 200)), int(rng.integers(1, 17))
        elif shape < 0.2:  # the few queries that are not packed
            rows = int(rng.integers(1, 5))
        own_rows = choose("no", "no", "no", "the first", "all")
        if own_rows == "all":
            count = min(count, 600)
            rows = count
        dtype, metric = choose(*FLOAT_DTYPES), choose(*METRICS)
        exponent = int(rng.integers(-3, 4) if dtype == torch.float16 else rng.integers(-20, 21))
        # Only products let the two sides differ in magnitude without all distances becoming equal.
        apart = metric in ("ip", "cosine") and dtype != torch.float16 and own_rows == "no"
        return cls(
            number=number,
            metric=metric,
            dtype=dtype,
            rows=rows,
            count=count,
            dim=dim,
            k=choose(1, min(count, int(rng.integers(1, 21))), int(rng.integers(1, count + 1)), count),
            data=choose(*INTEGERS) if rng.random() < 0.6 else choose(*REALS),
            scale=choose(1.0, 2.0**exponent),
            query_scale=2.0 ** int(rng.integers(-100, 100)) if apart and rng.random() < 0.2 else 1.0,
            own_rows=own_rows if rows <= count else "no",
            layouts=(choose(*LAYOUTS[:-1]), choose(*LAYOUTS) if rng.random() < 0.3 else choose(*LAYOUTS[:-1])),
            exclude=choose("none", "none", "self", "random"),
            groups=choose(0, 0, 2, 7),
            mask=choose(1.0, 1.0, 0.8, 0.05, 0.0) if rng.random() < 0.8 else 0.5,
            spoiled=choose((0, 0), (0, 0), (0, 0), (0, 3), (2, 0), (1, 40)),
        )

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Queries [Q, d] and references [N, d] before scaling and spoiling: int64 or float64."""
        rng = np.random.default_rng([self.number, 2])
        rows, count, dim = self.rows, self.count, self.dim
        if self.is_integer:
            limit = LARGEST_INTEGER[self.dtype]
            if self.data == "offset":
                base = rng.integers(limit // 2, limit - 8, dim)
                both = base + rng.integers(-3, 4, (rows + count, dim))
            else:
                most = {"ternary": 1, "small": 3, "wide": limit}[self.data]
                both = rng.integers(-most, most + 1, (rows + count, dim))
        else:
            both = rng.standard_normal((rows + count, dim))
            if self.data == "shifted":
                both += 5
            elif self.data == "lognormal norms":
                both *= np.exp(1.5 * rng.standard_normal((rows + count, 1)))
            elif self.data == "collapsed":
                both = rng.standard_normal((5, dim))[rng.integers(0, 5, rows + count)] + 0.003 * both
            elif self.data == "subnormal":
                both *= {torch.float16: 1e-7, torch.float64: 1e-70}.get(self.dtype, 1e-40)
            elif self.data == "one long row":
                both[rng.integers(rows + count)] *= 1000
        queries, references = both[:rows], both[rows:]
        if self.layouts[1] == "expanded":
            references = np.broadcast_to(references[:1], references.shape)
        return (queries if self.own_rows == "no" else references[:rows]), references

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        """Queries, references and restrictions, in the layouts and dtype of the problem."""
        rng = np.random.default_rng([self.number, 3])
        queries, references = (torch.from_numpy(a.astype(np.float64) * self.scale) for a in self.arrays())
        queries, references = (queries * self.query_scale).to(self.dtype), references.to(self.dtype)
        for matrix, spoiled in ((queries, self.spoiled[0]), (references, self.spoiled[1])):
            for _ in range(spoiled):
                matrix[int(rng.integers(len(matrix))), int(rng.integers(self.dim))] = NOT_FINITE[rng.integers(3)]
        if self.layouts[1] == "expanded":
            references = references[:1].expand(self.count, self.dim)
        references = _laid_out(references, self.layouts[1])
        queries = _laid_out(queries, self.layouts[0]) if self.own_rows == "no" else references[: self.rows]
        restrictions = {}
        if self.exclude != "none":
            ids = rng.integers(-1, self.count, self.rows) if self.exclude == "random" else np.arange(self.rows)
            restrictions["exclude"] = torch.from_numpy(ids)
        if self.groups:
            for name, length in (("query_groups", self.rows), ("reference_groups", self.count)):
                restrictions[name] = torch.from_numpy(rng.integers(0, self.groups, (length, 2)))[:, 1]
        if self.mask < 1:
            restrictions["mask"] = torch.from_numpy(rng.random(2 * self.count) < self.mask)[::2]
        return queries, references, restrictions

    def admissible(self, references: torch.Tensor, restrictions: dict[str, torch.Tensor]) -> np.ndarray:
        """bool [Q, N]: which reference each query may get."""
        allowed = references.isfinite().all(1).numpy() & np.ones((self.rows, 1), dtype=bool)
        if "mask" in restrictions:
            allowed &= restrictions["mask"].numpy()
        if self.groups:
            allowed &= restrictions["query_groups"].numpy()[:, None] != restrictions["reference_groups"].numpy()
        if "exclude" in restrictions:
            allowed &= np.arange(self.count) != restrictions["exclude"].numpy()[:, None]
        return allowed


def _laid_out(matrix: torch.Tensor, layout: str) -> torch.Tensor:
    """The same numbers behind other strides, between values that must never be read."""
    rows, columns = matrix.shape
    if layout in ("contiguous", "expanded"):
        return matrix
    if layout == "transposed":
        return matrix.T.contiguous().T
    if layout == "unaligned":
        view = matrix.new_full((rows * columns + 1,), torch.nan)[1:].view(rows, columns)
    elif layout == "wide rows":
        view = matrix.new_full((rows, columns + 5), torch.nan)[:, 2 : columns + 2]
    elif layout == "every second row":
        view = matrix.new_full((2 * rows, columns), torch.nan)[::2]
    else:
        view = matrix.new_full((rows, 2 * columns), torch.nan)[:, 1::2]
    view.copy_(matrix)
    return view
