"""Figures as files: drawings that open, and the drawn numbers as CSV and as LaTeX that says the same."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from rote.report import export, gather, plot_layers, plotted
from rote.report.latex import booktabs, escaped

from . import synthetic_tables

HOSTILE = "100% & $x_1$ #2 {a} \\cmd ~^ <b> \"q\" 'it''s' -- ``x'' ?` !` ,, | µ ± → 日本\n\0[3pt]"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    root = tmp_path_factory.mktemp("layers")
    return gather([synthetic_tables.layers(root, seed) for seed in range(3)], "layers.csv")


def test_every_format(table, tmp_path):
    ax = plot_layers(table)
    written = export(ax, tmp_path / "out", "layers", ("svg", "pdf", "png", "csv", "tex"), caption="By layer")
    assert [path.name for path in written] == [f"layers.{kind}" for kind in ("svg", "pdf", "png", "csv", "tex")]
    assert ElementTree.parse(written[0]).getroot().tag.endswith("svg")
    assert written[1].read_bytes().startswith(b"%PDF-")
    assert written[2].read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in written)
    # The same figure makes the same files.
    before = [path.read_bytes() for path in written]
    again = export(
        plot_layers(table), tmp_path / "out", "layers", ("svg", "pdf", "png", "csv", "tex"), caption="By layer"
    )
    assert [path.read_bytes() for path in again] == before


def test_csv_holds_the_numbers_drawn(table, tmp_path):
    ax = plot_layers(table)
    (path,) = export(ax, tmp_path, "layers", ["csv"])
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(plotted(ax))
    final = {r["layer"]: float(r["accuracy"]) for r in rows if (r["labels"], r["moment"]) == ("used", "final")}
    wanted = [r["accuracy"] for r in table if (r["labels"], r["moment"], r["method"]) == ("used", "final", "knn")]
    by_layer = {layer: wanted[i::7] for i, layer in enumerate(("pixels", "stage1", "stage2", "stage3", "encoder"))}
    assert final["stage2"] == pytest.approx(sum(by_layer["stage2"]) / 3)
    drawn = {float(y) for line in ax.lines for y in line.get_ydata()}
    assert set(final.values()) <= drawn


def test_a_table_and_a_callers_figure(table, tmp_path):
    (path,) = export(table[:2], tmp_path, "rows", ["csv"])
    assert path.read_text().count("\n") == 3
    assert export(table[:2], tmp_path, "rows", ["svg"]) == []  # a table has no drawing
    figure = Figure()
    left, right = figure.subplots(1, 2)
    plot_layers(table, left)
    plot_layers(table, right, method="linear")
    export(figure, tmp_path, "both", ["svg", "csv"])
    assert {row["method"] for row in plotted(figure) if "method" in row} == {"knn", "linear"}


@pytest.mark.parametrize(
    ("what", "name", "formats", "message"),
    [
        ("figure", "x", ["gif"], "formats must be out of svg, pdf, png, csv, tex; got gif"),
        ("figure", "a/b", ["svg"], "without a folder"),
        ("figure", "", ["svg"], "without a folder"),
        ("figure", "x", ["csv"], "drawn by rote.report"),
        ([], "x", ["csv"], "at least one row"),
    ],
)
def test_refusals(tmp_path, what, name, formats, message):
    what = Figure() if what == "figure" else what
    with pytest.raises(ValueError, match=re.escape(message)):
        export(what, tmp_path, name, formats)
    assert list(tmp_path.iterdir()) == []


def cells(document: str) -> list[list[str]]:
    """A small reader of what `booktabs` writes: rows of cells; fails where TeX would."""
    assert document.isprintable() or set(re.sub(r"[ -~\n]", "", document)) <= set("µ")
    depth = 0
    for sign in re.sub(r"\\[\\{}$&#%_]", "", document):
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    bare = re.sub(r"\\.", "", document)
    assert bare.count("$") % 2 == 0
    assert not set("#%^") & set(re.sub(r"\$.*?\$", "", bare))
    for name in ("table", "tabular"):
        assert document.count(rf"\begin{{{name}}}") == document.count(rf"\end{{{name}}}") == 1
    assert document.index(r"\toprule") < document.index(r"\midrule") < document.index(r"\bottomrule")
    columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", document)[1]
    inner = re.sub(
        r"\\(toprule|midrule|bottomrule)\n", "", document[document.index(columns + "}") + len(columns) + 1 :]
    )
    lines = inner[: inner.index(r"\end{tabular}")].split("\\\\\n")[:-1]
    rows = [re.split(r"(?<!\\)&", line) for line in lines]
    assert {len(row) for row in rows} == {len(columns)}
    return [[cell.strip() for cell in row] for row in rows]


def test_latex_says_what_the_csv_says(table):
    rows = plotted(plot_layers(table))
    head, *body = cells(booktabs(rows, caption="a_b & c", label="tab:a b_c"))
    assert head[-3:] == ["accuracy", r"95\,\% interval", "seeds"]
    assert len(body) == len(rows)
    place = head.index("accuracy")
    for row, line in zip(rows, body, strict=True):
        assert float(line[place]) == pytest.approx(row["accuracy"], rel=1e-3)
        if row.get("accuracy_low") is not None:
            low, high = re.fullmatch(r"\{\[\}(\S+), (\S+)\]", line[place + 1]).groups()
            assert float(low.strip("$")) == pytest.approx(row["accuracy_low"], rel=1e-3, abs=1e-6)
            assert float(high.strip("$")) == pytest.approx(row["accuracy_high"], rel=1e-3)


def test_latex_escapes(tmp_path):
    rows = [{HOSTILE: HOSTILE, "x": -0.5, "n": 12}, {HOSTILE: "[0]", "x": 1.5e-7, "n": None}, {"x": True}]
    document = booktabs(rows, caption=HOSTILE, label=HOSTILE)
    _, *body = cells(document)
    assert body[0][1:] == ["$-0.5$", "12"]
    assert body[1] == ["{[}0]", r"$1.5 \cdot 10^{-7}$", r"\textendash{}"]
    assert escaped("a--b") == "a-{}-b"
    assert escaped("''") == "'{}'"
    assert escaped("50\u00a0%, \u22123") == r"50~\%, $-$3"
    with pytest.raises(ValueError, match="at least one row"):
        booktabs([])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_compiles(table, tmp_path):
    parts = [booktabs(plotted(plot_layers(table)), caption="By layer", label="tab:layers")]
    parts.append(booktabs([{HOSTILE: HOSTILE, "x": -0.5}, {HOSTILE: "[0]", "x": 1e-9}], caption=HOSTILE, label=HOSTILE))
    body = "\n".join(parts)
    source = f"\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout[-3000:]
