"""No product and sum melt into one rounding: every fused multiply-add in the machine code is one that the source wrote.

The engine's files are compiled to assembly with the project's own flags and line numbers. A fused instruction must come
from a source line that says so (std::fma, an fmadd intrinsic, also where it was inlined); a contraction by the compiler
points to a line with a product and a sum.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
#: x86: vfmadd213ps, vfnmsub231pd, ...; aarch64: fmadd, fnmsub, fmla, fmls.
FUSED = re.compile(r"\s+(vfn?m(?:add|sub|addsub|subadd)\d{3}\w+|fn?m(?:add|sub)|fml[as])\s")
FILE = re.compile(r'\s+\.file (\d+) (?:"([^"]*)" )?"([^"]*)"')
LINE = re.compile(r"\s+\.loc (\d+) (\d+)")
WRITTEN = re.compile(r"fma|vfmadd|vfms|vfnm")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the assembly of GCC and Clang on Linux")


@pytest.fixture(scope="module")
def commands(tmp_path_factory) -> dict[str, tuple[list[str], str]]:
    """How CMake compiles each file of the core: {path below csrc: (words of the command, directory)}."""
    tools = [shutil.which(name, path=_search_path()) for name in ("cmake", "ninja")]
    if None in tools:
        pytest.skip("needs cmake and ninja")
    build = tmp_path_factory.mktemp("flags")
    options = ["-DROTE_PYTHON=OFF", "-DROTE_CUDA=OFF", f"-DCMAKE_MAKE_PROGRAM={tools[1]}"]
    subprocess.run([tools[0], "-S", REPOSITORY, "-B", build, "-G", "Ninja", *options], check=True, capture_output=True)
    database = json.loads((build / "compile_commands.json").read_text())
    sources = REPOSITORY / "csrc"
    return {
        str(Path(entry["file"]).relative_to(sources)): (shlex.split(entry["command"]), entry["directory"])
        for entry in database
    }


def _search_path() -> str:
    """The folder of this Python first: cmake and ninja are often wheels."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def assembly(command: tuple[list[str], str], *more: str) -> str:
    words, directory = command
    at = words.index("-o")
    words = [*("-S" if word == "-c" else word for word in words[:at] + words[at + 2 :]), "-g1", *more, "-o", "-"]
    return subprocess.run(words, cwd=directory, check=True, capture_output=True, text=True).stdout


def fused(text: str, directory: str) -> Counter[tuple[str, int]]:
    """Source lines of all fused instructions: {(file, line): count}."""
    files: dict[str, str] = {}
    place, found = ("", 0), Counter()
    for row in text.splitlines():
        if match := FILE.match(row):
            files[match[1]] = str(Path(directory, match[2] or "", match[3]))
        elif match := LINE.match(row):
            place = (files[match[1]], int(match[2]))
        elif FUSED.match(row):
            found[place] += 1
    return found


def contracted(found: Counter[tuple[str, int]]) -> list[str]:
    """Those that no source line asked for."""

    def says_so(path: str, line: int) -> bool:
        # A call of an intrinsic may span lines, of which the compiler names the first or the last.
        return bool(WRITTEN.search("\n".join(Path(path).read_text().splitlines()[max(line - 2, 0) : line + 1])))

    return [f"{path}:{line} ({count} times)" for (path, line), count in found.items() if not says_so(path, line)]


def test_every_fused_instruction_is_written_in_the_source(commands):
    engine = {name: command for name, command in commands.items() if name.startswith("augment/")}
    if "augment/cpu/executor_avx2.cpp" in engine:
        # x86-64: other files cannot hold any, without -mfma; two of them are looked at all the same.
        may_hold = {name for name, (words, _) in engine.items() if "-mfma" in words}
        assert {"augment/cpu/executor_avx2.cpp", "augment/cpu/executor_avx512.cpp"} <= may_hold
        looked_at = {*may_hold, "augment/cpu/executor_baseline.cpp", "augment/dispatch.cpp"}
    else:
        may_hold = looked_at = set(engine)

    def look(name: str) -> tuple[str, Counter[tuple[str, int]]]:
        return name, fused(assembly(engine[name]), engine[name][1])

    with ThreadPoolExecutor(2) as pool:
        found = dict(pool.map(look, looked_at))
    assert {name: lines for name, places in found.items() if (lines := contracted(places))} == {}
    assert {name for name, places in found.items() if places} <= may_hold


@pytest.mark.parametrize("executor", ["executor_avx2", "executor_avx512"])
def test_it_would_be_found(commands, executor):
    """The same file with the compiler's freedom to contract: the test above can fail."""
    command = commands.get(f"augment/cpu/{executor}.cpp")
    if command is None or "-mfma" not in command[0]:
        pytest.skip("needs x86-64")
    assert len(contracted(fused(assembly(command, "-ffp-contract=fast"), command[1]))) > 10


def test_all_files_are_compiled_without_contraction(commands):
    for name, (words, _) in commands.items():
        modes = [word for word in words if word.startswith("-ffp-contract")]
        assert modes[-1:] == ["-ffp-contract=off"], name
        assert not {"-ffast-math", "-Ofast", "-funsafe-math-optimizations", "-fassociative-math"} & set(words), name


def test_cuda_is_compiled_without_contraction():
    """Where nvcc is absent as well: the switch stands in CMakeLists.txt, beside the host's."""
    text = (REPOSITORY / "CMakeLists.txt").read_text()
    assert re.search(r"COMPILE_LANGUAGE:CUDA>:[^>]*-fmad=false[^>]*-ffp-contract=off", text)
    assert "use_fast_math" not in text
