"""Imports point one way: a package imports from those below it alone, wherever in a file the import stands."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rote

ROOT = Path(rote.__file__).parent
#: From the lowest to the highest (CONTRIBUTING.md, "Where things are").
STOREYS = (
    *("_native", "extras", "address", "statistics", "ops", "neighbors", "augment", "data", "models", "train", "runs"),
    *("metrics", "report", "experiments", "claims", "cli"),
)
#: What experiments share, and which of these each may import.
SHARED = {
    "base": {"inputs"},
    "inputs": {"base"},
    "probing": set(),
    "workers": {"base"},
    "examining": {"base", "benign", "inputs", "probing"},
}


def imported_by(folder: Path) -> set[tuple[str, str]]:
    """(file, module) of every import of Rote's own in a folder; a name of `rote` itself is that of its face."""
    found = set()
    for path in [folder.with_suffix(".py")] if not folder.is_dir() else folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import"
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            found |= {(str(path.relative_to(ROOT)), module) for module in modules if module.startswith("rote.")}
    return found


@pytest.mark.parametrize("package", STOREYS[1:])
def test_nothing_imports_upwards(package):
    allowed = STOREYS[: STOREYS.index(package) + 1]
    for path, module in imported_by(ROOT / package):
        target = module.split(".")[1]
        # The face (`from rote import KNNProbe`) has the names of the engines, and the version.
        assert target in allowed if target in STOREYS else "augment" in allowed, f"{path} imports {module}"


def test_every_package_has_its_storey():
    there = {path.stem for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert there - {"__init__", "__main__", "__pycache__"} == {*STOREYS} - {"_native"}


@pytest.mark.parametrize("folder", SHARED)
def test_what_experiments_share_knows_none_of_them(folder):
    for path, module in imported_by(ROOT / "experiments" / folder):
        _, package, *rest = module.split(".")
        if package == "experiments":
            assert rest, f"{path} imports {module}"
            assert rest[0] in SHARED[folder] | {folder}, f"{path} imports {module}"
