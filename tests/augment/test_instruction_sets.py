"""Files compiled for AVX2 or AVX-512 share no inline function with others: the linker keeps one of each name, and a CPU
without those instructions would meet theirs."""

from __future__ import annotations

import re

import pytest

from .test_contraction import assembly, commands

__all__ = ["commands"]  # the fixture

SHARED = re.compile(r"^\s+\.weak\s+(\S+)", re.MULTILINE)
FILES = ["augment/cpu/executor_avx2.cpp", "augment/cpu/executor_avx512.cpp"]


@pytest.mark.parametrize("file", FILES)
def test_inline_functions_belong_to_their_instruction_set(commands, file):
    if file not in commands or "-mfma" not in commands[file][0]:
        pytest.skip("needs x86-64")
    level = file.removesuffix(".cpp").rpartition("_")[2]
    # Without inlining every function that is used has its symbol; those of the standard library are not ours to name.
    symbols = SHARED.findall(assembly(commands[file], "-fno-inline"))
    own = {symbol for symbol in symbols if "4rote" in symbol}
    assert len(own) > 20
    assert {symbol for symbol in own if f"{len(level)}{level}" not in symbol} == set()
