"""Turns pytest-benchmark JSON files into rows (JSON) and a Markdown table.

    python -m benchmarks.table FILE [ROWS.json] [--also FILE ...]

A suite may be run in pieces; `--also` joins them, if they were taken on the same machine and commit.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.peaks import WORDS

#: A machine is the same one when these are.
SAME = ("cpu", "threads", "simd_level", "gpu", "torch", "commit")


def row_of(entry: dict) -> dict:
    """A row from one benchmark of pytest-benchmark: name, unit, our rate and seconds, each peer's rate and speed-up."""
    return {
        "case": entry["param"] or entry["name"],
        "group": entry["group"] or entry["fullname"].split("/")[1],
        "seconds": entry["stats"]["median"],
        "iqr": entry["stats"]["iqr"],
        "rounds": entry["stats"]["rounds"],
        **entry["extra_info"],
    }


def read_rows(paths: list[Path]) -> tuple[dict, list[dict]]:
    """The machine and the rows of all files, a case that comes twice from the last one; the best of their peaks.

    Raises:
        ValueError: the files were taken on different machines or commits.
    """
    machine: dict = {}
    rows: dict[str, dict] = {}
    for path in paths:
        data = json.loads(path.read_text())
        info = {**data["machine_info"], "date": data["datetime"][:10]}
        for field in SAME:
            if machine and machine.get(field) != info.get(field):
                raise ValueError(f"{path}: wanted {field} {machine.get(field)!r} as in {paths[0]}, got {info[field]!r}")
        best = machine.get("peaks", {})
        machine = machine or info
        machine["peaks"] = {name: max(rate, best.get(name, 0)) for name, rate in info.get("peaks", {}).items()}
        rows.update({f"{entry['fullname']}": row_of(entry) for entry in data["benchmarks"]})
    return machine, list(rows.values())


def markdown(machine: dict, rows: list[dict]) -> str:
    """One line per case and way; a speed-up below 1 is a loss and stays in the table."""
    lines = [
        "| case | Rote | of measured peak | beside: Rote is x times as fast (their share) | notes |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(_line(row["case"], row, row))
        lines += [_line(f"{row['case']}: {name}", way, row) for name, way in row.get("also", {}).items()]
    peers = ", ".join(f"{name} {version}" for name, version in machine["peers"].items())
    where = machine["gpu"] or f"{machine['cpu']}, {machine['threads']} threads, {machine['simd_level']}"
    lines += ["", f"Taken on {where}; torch {machine['torch']}, {peers}; {machine.get('date', 'now')}."]
    if machine.get("peaks"):
        lines += ["Best measured: " + ", ".join(f"{k} {v / 1e9:,.4g} G/s" for k, v in machine["peaks"].items()) + "."]
    return "\n".join(lines)


def _line(case: str, way: dict, row: dict) -> str:
    """A row of the table: `way` is how we did it, `row` holds the peers' times."""
    seconds = way.get("median", row["seconds"])
    peers = [
        f"{name} {peer['median'] / seconds:.2f}x"
        + _in_brackets([*(f"{share['share']:.0%}" for share in peer.get("shares", [])[:1]), *_facts(peer)])
        for name, peer in row["peers"].items()
    ]
    cells = (f"{way['rate']:,.4g} {row['unit']}", ", ".join(_shares(way)), ", ".join(peers), ", ".join(_facts(way)))
    return f"| {case} | " + " | ".join(cells) + " |"


def _shares(way: dict) -> list[str]:
    """The share of the float32, read or copy peak first, then of the 16-bit peak that is highest on this machine."""
    shares = way.get("shares", [])
    plain = [share for share in shares if share["peak"] in ("fma", "read", "copy")]
    sixteen = sorted((share for share in shares if share not in plain), key=lambda share: -share["rate"])[:1]
    return [f"{share['share']:.0%} of {WORDS[share['peak']]}" for share in plain + sixteen]


def _facts(way: dict) -> list[str]:
    return [*([f"recall {way['recall']:.4f}"] if "recall" in way else []), *way.get("notes", [])]


def _in_brackets(words: list[str]) -> str:
    return f" ({'; '.join(words)})" if words else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="written by --benchmark-json")
    parser.add_argument("rows", type=Path, nargs="?", help="where to write machine and rows as JSON")
    parser.add_argument("--also", type=Path, nargs="+", default=[], help="further pieces of the same run")
    arguments = parser.parse_args()
    machine, rows = read_rows([arguments.file, *arguments.also])
    if arguments.rows:
        arguments.rows.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    print(markdown(machine, rows))


if __name__ == "__main__":
    main()
