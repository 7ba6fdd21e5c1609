"""The blocks of docs/scores-networks.md, scores-exchange.md and label-errors.md run, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rote import metrics
from rote.metrics import exchange

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("scores-networks.md", "scores-exchange.md", "label-errors.md")


def blocks(page: str) -> list[str]:
    """The Python of a page, each block at its line numbers."""
    lines = (DOCS / page).read_text().splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    pairs = zip(fences[::2], fences[1::2], strict=True)
    return ["\n" * (a + 1) + "\n".join(lines[a + 1 : b]) for a, b in pairs if lines[a] == "```python"]


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_blocks_run(page, tmp_path):
    first, *rest = blocks(page)
    names = {"folder": tmp_path}
    for source in (first, *rest):
        exec(compile(source, page, "exec"), names)


@pytest.mark.parametrize("page", PAGES)
def test_names_and_links_exist(page):
    text = (DOCS / page).read_text()
    assert set(re.findall(r"\bmetrics\.([A-Za-z]\w*)", text)) - {"exchange"} <= set(metrics.__all__)
    assert set(re.findall(r"\bexchange\.([a-z]\w*)\(", text)) <= set(exchange.__all__)
    if page == "scores-exchange.md":
        functions = set(re.findall(r"`((?:read|write)_\w+)`", text))
        assert {name for name in exchange.__all__ if name.startswith(("read_", "write_"))} <= functions | {
            "read_training_scores"
        }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, heading = target.partition("#")
        there = (DOCS / path if path else DOCS / page).read_text()
        headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.*)$", there, re.M)}
        assert not heading or heading in headings, target
