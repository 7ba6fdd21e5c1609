"""`rote scores KIND [options]`: scores of single examples."""

from __future__ import annotations

from collections.abc import Sequence

from rote.cli.main import complain

# kind -> what it is; each has `_<kind>(words)` below.
KINDS = {"memorization": "memorization, influence and consistency, from networks on random subsets"}


def run(arguments: Sequence[str]) -> int:
    """Runs one kind of scores."""
    if not arguments or arguments[0] in ("-h", "--help"):
        width = max(map(len, KINDS))
        print("usage: rote scores KIND [options]\n\nkinds:")
        print("\n".join(f"  {name:<{width}}  {text}" for name, text in KINDS.items()))
        return 0 if arguments else 2
    if arguments[0] not in KINDS:
        return complain(f"no scores {arguments[0]!r}; there are {', '.join(KINDS)}")
    return _memorization(arguments[1:])


def _memorization(words: Sequence[str]) -> int:
    """The experiment of that name; `rote run memorization` is the same."""
    from rote.cli import run as experiment

    return experiment.run(["memorization", *words])
