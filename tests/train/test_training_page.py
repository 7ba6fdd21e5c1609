"""Every block of docs/training.md runs on its own, after the page's first one, and its tables name what there is.

A block behind `<!-- run: torchrun ... -->` is a script of its own.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from rote import train

PAGE = Path(__file__).parents[2] / "docs" / "training.md"


class Block(NamedTuple):
    section: str
    line: int
    run: str | None
    source: str


def blocks() -> list[Block]:
    found = []
    lines = PAGE.read_text().splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    for opening, closing in zip(fences[::2], fences[1::2], strict=True):
        assert lines[opening] == "```python", f"line {opening + 1}: a block that is not python is not tested"
        section = next((text[3:] for text in reversed(lines[:opening]) if text.startswith("## ")), "setup")
        mark = re.fullmatch(r"<!-- run: torchrun (.*) -->", lines[opening - 1])
        source = "\n" * (opening + 1) + "\n".join(lines[opening + 1 : closing])  # line numbers are the page's
        found.append(Block(section, opening + 2, mark and mark[1], source))
    return found


BLOCKS = blocks()


def test_the_page_has_its_examples():
    assert {block.section for block in BLOCKS} == {
        "setup",
        "The loop",
        "A network",
        "A loss",
        "Regularizers",
        "Data",
        "How a step runs",
        "Several processes",
        "Several networks",
        "Callbacks",
        "Checkpoints",
    }


@pytest.mark.parametrize("block", [pytest.param(b, id=f"{b.section}:{b.line}") for b in BLOCKS[1:] if b.run is None])
def test_block(block: Block, tmp_path: Path):
    names = {"folder": tmp_path}
    for source in (BLOCKS[0].source, block.source):
        exec(compile(source, str(PAGE), "exec"), names)


@pytest.mark.parametrize("block", [pytest.param(b, id=f"{b.section}:{b.line}") for b in BLOCKS if b.run])
def test_script(block: Block, tmp_path: Path):
    script = tmp_path / "script.py"
    script.write_text(block.source)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", *block.run.split(), str(script)],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained on 2 processes") == 1
    assert (tmp_path / "weights.safetensors").is_file()


def test_names_of_the_page_exist():
    text = PAGE.read_text()
    assert {"TrainConfig", "TrainingStream", "LabelSource", "Callback"} <= set(re.findall(r"`rote\.train\.(\w+)", text))
    assert set(re.findall(r"\btrain\.([A-Za-z]\w*)", text)) <= set(train.__all__)
    fields = {field.name for field in dataclasses.fields(train.TrainConfig)}
    table = text[text.index("| `TrainConfig` |") : text.index("The batch size of a trainer")]
    first_column = re.findall(r"^\| (.*?) \|", table, re.M)[2:]
    assert first_column
    assert {name for cell in first_column for name in re.findall(r"`(\w+)`", cell)} <= fields


def test_links_lead_somewhere():
    text = PAGE.read_text()
    headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.*)$", text, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("https://"):
            assert (PAGE.parent / target).exists(), target
