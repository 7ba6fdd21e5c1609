"""Turns a pytest-benchmark JSON file into rows (JSON) and a Markdown table: `python -m benchmarks.table FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def read_rows(path: Path) -> tuple[dict, list[dict]]:
    """The machine and one row per case: name, unit, our rate and seconds, each peer's rate and our speed-up over it."""
    data = json.loads(path.read_text())
    rows = [
        {
            "case": entry["param"] or entry["name"],
            "group": entry["group"] or entry["fullname"].split("/")[1],
            "seconds": entry["stats"]["median"],
            "iqr": entry["stats"]["iqr"],
            "rounds": entry["stats"]["rounds"],
            **entry["extra_info"],
        }
        for entry in data["benchmarks"]
    ]
    return {**data["machine_info"], "date": data["datetime"][:10]}, rows


def markdown(machine: dict, rows: list[dict]) -> str:
    """One line per case; a speed-up below 1 is a loss and stays in the table."""
    lines = ["| case | Rote | beside (Rote is x times as fast) |", "|---|---|---|"]
    for row in rows:
        peers = ", ".join(f"{name} {peer['speedup']:.2f}x" for name, peer in row["peers"].items())
        lines.append(f"| {row['case']} | {row['rate']:,.4g} {row['unit']} | {peers} |")
    peers = ", ".join(f"{name} {version}" for name, version in machine["peers"].items())
    where = machine["gpu"] or f"{machine['cpu']}, {machine['threads']} threads, {machine['simd_level']}"
    lines += ["", f"Taken on {where}; torch {machine['torch']}, {peers}; {machine['date']}."]
    return "\n".join(lines)


def main() -> None:
    source = Path(sys.argv[1])
    machine, rows = read_rows(source)
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    print(markdown(machine, rows))


if __name__ == "__main__":
    main()
