"""Every block of docs/scores.md runs on its own, after the page's first one, and the page names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rote import metrics
from rote.metrics import Recorder

PAGE = Path(__file__).parents[2] / "docs" / "scores.md"


def blocks() -> list[tuple[str, int, str]]:
    """(section, line, source) of every block."""
    found = []
    lines = PAGE.read_text().splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    for opening, closing in zip(fences[::2], fences[1::2], strict=True):
        assert lines[opening] == "```python", f"line {opening + 1}: a block that is not python is not tested"
        section = next((text[3:] for text in reversed(lines[:opening]) if text.startswith("## ")), "setup")
        # Line numbers are the page's.
        found.append((section, opening + 2, "\n" * (opening + 1) + "\n".join(lines[opening + 1 : closing])))
    return found


BLOCKS = blocks()


@pytest.mark.parametrize("block", [pytest.param(b, id=f"{b[0]}:{b[1]}") for b in BLOCKS[1:]])
def test_block(block, tmp_path):
    names = {"folder": tmp_path}
    for source in (BLOCKS[0][2], block[2]):
        exec(compile(source, str(PAGE), "exec"), names)


def test_all_scores_are_defined():
    text = PAGE.read_text()
    defined = {name for cell in re.findall(r"^\| (`.*?`) \|", text, re.M) for name in re.findall(r"`(\w+)`", cell)}
    explained = {"presentations", "epochs_seen", "undefined", "is_threshold", "aum_flagged", "example_id"}
    for name in Recorder(2, threshold=[0]).scores():
        assert name in defined | explained, name
    assert all(
        name in text for name in ("`presentations`", "`epochs_seen`", "`undefined`", "aum_flagged", "is_threshold")
    )


def test_names_of_the_page_exist():
    text = PAGE.read_text()
    assert set(re.findall(r"\bmetrics\.([A-Za-z]\w*)", text)) <= set(metrics.__all__)


def test_links_lead_somewhere():
    text = PAGE.read_text()
    headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.*)$", text, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            path, _, heading = target.partition("#")
            assert (PAGE.parent / path).exists(), target
            assert not heading or f"## {heading.replace('-', ' ')}" in (PAGE.parent / path).read_text().lower(), target
