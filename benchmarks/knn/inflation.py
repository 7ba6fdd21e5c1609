"""What the bound keeps on each kind of data: float64 keys per row, and which pass settled the rows. Counts, no times.

    python -m benchmarks.knn.inflation [--rows 500] [--references 50000] [--dim 512] [-k 20] [--metric cosine]

Counts do not depend on the machine's load; sizes below the default change the numbers, though not their order.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from benchmarks.knn.datasets import KINDS, queries_and_references
from benchmarks.knn.embeddings import load_embeddings
from benchmarks.knn.engine import PASSES, certificates, forced


def inflation(queries, references, k: int, metric: str, *, level: str = "auto", path: str = "auto") -> dict:
    """Counts of one search, JSON-ready; candidates are float64 keys computed per row, k of them are needed."""
    stats = forced(queries, references, k, metric, level=level, path=path)[2]
    found = certificates(stats, len(queries), len(references))
    return {
        "candidates": found.candidates,
        "inflation": None if found.candidates is None else found.candidates / k,
        "shares": {name: found.share(name) for name in found.by_pass},
        "scored": found.scored,
        "compactions": stats["compactions"],
        "exact_compactions": stats["exact_compactions"],
        "executor": found.executor,
    }


def line(kind: str, counts: dict) -> str:
    """A row of the Markdown table."""
    cells = (
        kind,
        _number(counts["candidates"], ",.1f"),
        _number(counts["inflation"], ".2f"),
        *(_number(counts["shares"].get(name), ".2%") for name in PASSES),
        _number(counts["scored"], ".1%"),
        f"{counts['compactions']:,}",
        f"{counts['exact_compactions']:,}",
    )
    return "| " + " | ".join(cells) + " |"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500, help="queries")
    parser.add_argument("--references", type=int, default=50_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("-k", type=int, default=20)
    parser.add_argument("--metric", default="l2")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--level", default="auto", help="baseline, avx2 or avx512")
    parser.add_argument("--path", default="auto", help="first pass: int16 or float32")
    parser.add_argument("--embeddings", help="also these: .npz or run folder (benchmarks/knn/embeddings.py)")
    parser.add_argument("--out", type=Path, help="where to write the counts as JSON")
    arguments = parser.parse_args()
    shape = (arguments.rows, arguments.references, arguments.dim)
    sets = {kind: lambda kind=kind: queries_and_references(kind, *shape) for kind in arguments.kinds}
    if arguments.embeddings:
        rows, words = load_embeddings(arguments.embeddings, arguments.references + arguments.rows, arguments.dim)
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
        sets[words] = lambda: (rows[order[: arguments.rows]], rows[order[arguments.rows :]])
    print(f"{arguments.metric}: {shape[0]} x {shape[1]}, d = {shape[2]}, k = {arguments.k}\n")
    print(f"| data | keys a row | of k | {' | '.join(PASSES)} | pairs scored | compactions | by exact keys |")
    print("|---" * 9 + "|")
    counted = {}
    for kind, make in sets.items():
        counted[kind] = inflation(*make(), arguments.k, arguments.metric, level=arguments.level, path=arguments.path)
        print(line(kind, counted[kind]), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(counted, indent=1) + "\n")


if __name__ == "__main__":
    main()
