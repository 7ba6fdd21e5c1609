"""Every block of docs/probes.md runs on its own, after the page's first one.

A comment before a block says what it needs or how it is started:
`<!-- needs: PACKAGE -->` skips it where the package is not installed, `<!-- run: torchrun ... -->` makes it a script.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import rote

PAGE = Path(__file__).parents[2] / "docs" / "probes.md"


class Block(NamedTuple):
    section: str
    line: int
    needs: str | None
    run: str | None
    source: str


def blocks() -> list[Block]:
    found, section, marks = [], "", {}
    lines = PAGE.read_text().splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    for opening, closing in zip(fences[::2], fences[1::2], strict=True):
        assert lines[opening] == "```python", f"line {opening + 1}: a block that is not python is not tested"
        section = next((text[3:] for text in reversed(lines[:opening]) if text.startswith("## ")), "")
        marks = dict(re.findall(r"<!-- (needs|run): (.*) -->", lines[opening - 1]))
        source = "\n" * (opening + 1) + "\n".join(lines[opening + 1 : closing])  # line numbers are the page's
        found.append(Block(section, opening + 2, marks.get("needs"), marks.get("run"), source))
    return found


BLOCKS = blocks()
SETUP = BLOCKS[0]


def runnable(block: Block) -> object:
    marks = []
    if block.needs is not None:
        absent = importlib.util.find_spec(block.needs) is None
        marks.append(pytest.mark.skipif(absent, reason=f"needs {block.needs}"))
    return pytest.param(block, marks=marks, id=f"{block.section or 'setup'}:{block.line}")


def test_the_page_has_its_examples():
    assert SETUP.section == ""
    sections = {block.section for block in BLOCKS}
    assert {"In a torch training loop", "Batch by batch", "In Lightning", "In scikit-learn"} <= sections
    assert [block.needs for block in BLOCKS if block.needs] == ["torchmetrics", "lightning"]
    assert sum(block.run is not None for block in BLOCKS) == 2


@pytest.mark.parametrize("block", [runnable(block) for block in BLOCKS if block.run is None])
def test_block(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # Lightning writes where it stands
    names = {"folder": tmp_path}
    for source in dict.fromkeys([SETUP.source, block.source]):
        exec(compile(source, str(PAGE), "exec"), names)


@pytest.mark.parametrize("block", [pytest.param(b, id=f"{b.section}:{b.line}") for b in BLOCKS if b.run is not None])
def test_script(block: Block, tmp_path: Path):
    program, *arguments = block.run.split()
    assert program == "torchrun"
    script = tmp_path / "script.py"
    script.write_text(block.source)
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", *arguments, str(script)],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\{1: 0\.\d+, 20: 0\.\d+\}|rank \d found \d+", done.stdout)  # the asserts were reached


def test_the_names_of_the_page_are_public():
    names = set(re.findall(r"`rote\.(\w+)", PAGE.read_text()))
    assert {"knn", "Index", "KNNAccuracy", "KNNProbeCallback", "KNNProbe"} <= names
    assert names <= set(dir(rote))


def test_links_lead_somewhere():
    text = PAGE.read_text()
    headings = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^## (.*)$", text, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (PAGE.parent / target).exists(), target
