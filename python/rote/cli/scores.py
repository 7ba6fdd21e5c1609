"""`rote scores KIND [options]`: scores of single examples."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from rote.cli.main import complain

# kind -> the module of rote.cli that runs it, what it is; loaded when it is called.
KINDS = {
    "memorization": ("memorization", "memorization, influence and consistency, from networks on random subsets"),
    "label-errors": ("label_errors", "which labels of a data set are suspicious, from embeddings and more"),
    "page": ("examples_page", "every example of a run on one page: sort, filter, trajectories, pictures"),
}


def run(arguments: Sequence[str]) -> int:
    """Runs one kind of scores."""
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(map(len, KINDS))
        print("usage: rote scores KIND [options]\n\nkinds:")
        print("\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in KINDS.items()))
        return 0 if arguments else 2
    if arguments[0] not in KINDS:
        return complain(f"no scores {arguments[0]!r}; there are {', '.join(KINDS)}")
    return importlib.import_module(f"rote.cli.{KINDS[arguments[0]][0]}").run(arguments[1:])
