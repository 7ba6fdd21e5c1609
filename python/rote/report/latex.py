"""Tables as LaTeX, in the style of booktabs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from rote.report.rows import Row

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\u2212": "$-$",
    "\u00a0": "~",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2026": r"\ldots{}",
    "\u00b1": r"$\pm$",
    "\u00d7": r"$\times$",
}
# Pairs that LaTeX joins into one sign: dashes, quotation marks, inverted marks.
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=`)(?=`)|(?<=[?!])(?=`)|(?<=,)(?=,)")


def escaped(text: object) -> str:
    """Text that LaTeX prints as it stands. Signs outside Latin scripts, which no default font holds, become "?"."""
    plain = re.sub(r"[\x00-\x1f\x7f]", " ", str(text))
    parts = _LIGATURE.split(plain)
    return "{}".join("".join(_SPECIAL.get(sign) or _printable(sign) for sign in part) for part in parts)


def _printable(sign: str) -> str:
    return sign if ord(sign) < 0x180 else "?"


def booktabs(rows: Sequence[Row], *, caption: str = "", label: str = "") -> str:
    """A table as a LaTeX `table` environment; needs `\\usepackage{booktabs}`.

    Numbers are rounded to four significant digits and stand to the right; an interval `x_low`, `x_high` beside
    a column `x` is written into one column as [low, high].

    Args:
        rows: mappings from column to value; the columns are those of all rows, in order of appearance.
        caption: printed above the table; plain text.
        label: for `\\ref`; letters, digits and -:. only, others are dropped.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("rows must hold at least one row, got none")
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    paired = [name for name in names if f"{name}_low" in names and f"{name}_high" in names]
    dropped = {f"{name}_{end}" for name in paired for end in ("low", "high")}
    heads: list[str] = []
    columns: list[list[str]] = []
    kinds = ""
    for name in names:
        if name in dropped:
            continue
        values = [row.get(name) for row in rows]
        kinds += "l" if any(isinstance(value, (str, bool)) for value in values) else "r"
        heads.append(escaped(name.replace("_", " ")))
        columns.append([_cell(value) for value in values])
        if name in paired:
            kinds += "l"
            heads.append(r"95\,\% interval")
            columns.append([_interval(row.get(f"{name}_low"), row.get(f"{name}_high")) for row in rows])
    body = [" & ".join(cells) + r" \\" for cells in zip(*columns, strict=True)]
    lines = [
        r"\begin{table}",
        r"  \centering",
        *([rf"  \caption{{{escaped(caption)}}}"] if caption else []),
        *([rf"  \label{{{re.sub(r'[^A-Za-z0-9:.-]', '', label)}}}"] if label else []),
        rf"  \begin{{tabular}}{{{kinds}}}",
        r"    \toprule",
        "    " + " & ".join(heads) + r" \\",
        r"    \midrule",
        *(f"    {line}" for line in body),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return r"\textendash{}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return _number(value)
    # A cell that begins with [ would be taken for the argument of the line break before it.
    text = escaped(value)
    return "{[}" + text[1:] if text.startswith("[") else text


def _number(value: float) -> str:
    text = str(value) if isinstance(value, int) else f"{value:.4g}"
    if "e" in text:
        digits, power = text.split("e")
        return rf"${digits} \cdot 10^{{{int(power)}}}$"
    return f"${text}$" if text.startswith("-") else text


def _interval(low: Any, high: Any) -> str:
    return r"\textendash{}" if low is None or high is None else f"{{[}}{_number(low)}, {_number(high)}]"
