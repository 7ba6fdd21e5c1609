# Every target sets up what it needs. `make demo` and `make test` are all a newcomer has to know.
PYTHON  ?= python3
VENV    ?= .venv
BIN     := $(VENV)/bin
OUT     ?= gpu-results
BENCH_OUT ?= build/bench-rows.json
# An editable install knows Python files by name: it is made anew where there are others.
STAMP   := $(VENV)/.installed-$(shell find python -name '*.py' | LC_ALL=C sort | cksum | cut -d ' ' -f 1)
SOURCES := $(shell find csrc -name '*.[ch]*' -o -name '*.cu') CMakeLists.txt pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-python test-core test-emulated sanitize million lint format bench gpu clean

help:
	@echo "make demo      set up, run the demonstration (a few minutes on two cores), end in runs/demo/report.html"
	@echo "make test      set up, run all tests: the C++ core's and Python's"
	@echo "make bench     set up with the peers, measure both engines beside them on this machine"
	@echo "make lint      formatters and linters; make format applies them"
	@echo "make sanitize  the C++ tests under ASan+UBSan and TSan"
	@echo "make test-emulated  the C++ tests with AVX-512 emulated on AVX2 (needs SIMDe: apt install libsimde-dev)"
	@echo "make million   a million views of every recipe by every executor, against the stored hashes (hours)"
	@echo "make gpu OUT=dir   on a GPU machine: build against the installed torch, test, benchmark (no network needed)"

$(STAMP): $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	$(BIN)/python -m pip install --quiet -c constraints.txt torch numpy "scikit-build-core" pybind11 cmake ninja
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e ".[lab,test,lint]"
	@touch $@

setup: $(STAMP)

demo: $(STAMP)
	$(BIN)/rote demo

test: test-core test-python

test-core: $(STAMP)
	@mkdir -p build
	$(BIN)/cmake -S . -B build/core -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	    -DROTE_PYTHON=OFF -DROTE_TESTS=ON -DROTE_CUDA=OFF > build/core.log 2>&1 || (cat build/core.log; exit 1)
	$(BIN)/cmake --build build/core
	cd build/core && ../../$(BIN)/ctest --output-on-failure

test-python: $(STAMP)
	$(BIN)/python -m pytest

# A million views of every recipe by every executor, against the stored hashes: hours; `-k NAME` by K=NAME.
million: $(STAMP)
	ROTE_MILLION=1 $(BIN)/python -m pytest tests/augment/test_million_views.py $(if $(K),-k "$(K)")

test-emulated: $(STAMP)
	$(BIN)/cmake -S . -B build/emulated -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	    -DROTE_PYTHON=OFF -DROTE_TESTS=ON -DROTE_CUDA=OFF -DROTE_EMULATE_AVX512=ON > /dev/null
	$(BIN)/cmake --build build/emulated
	cd build/emulated && ../../$(BIN)/ctest --output-on-failure

# Instrumented code gains little from more than -O1, which compiles twice as fast. Any finding fails the test.
# Left out: a test of intrinsics alone, in which AddressSanitizer's start-up code itself needs AVX-512.
SANITIZED := -O1 -g1 -DNDEBUG -fno-sanitize-recover=all
sanitize: $(STAMP)
	@for kind in address,undefined thread; do \
	    echo "== sanitizers: $$kind" && mkdir -p build && \
	    $(BIN)/cmake -S . -B build/sanitize-$$kind -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	        -DROTE_PYTHON=OFF -DROTE_TESTS=ON -DROTE_CUDA=OFF -DROTE_SANITIZE=$$kind \
	        -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="$(SANITIZED)" \
	        > build/sanitize-$$kind.log 2>&1 || { cat build/sanitize-$$kind.log; exit 1; }; \
	    $(BIN)/cmake --build build/sanitize-$$kind && \
	    (cd build/sanitize-$$kind && OMP_NUM_THREADS=2 UBSAN_OPTIONS=print_stacktrace=1 \
	        ../../$(BIN)/ctest --output-on-failure --parallel 2 --timeout 900 -E '^test_avx512_intrinsics$$') || exit 1; \
	done

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find csrc \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | xargs $(BIN)/clang-format --dry-run -Werror

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	find csrc \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | xargs $(BIN)/clang-format -i

bench: $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[bench]" --no-build-isolation
	$(BIN)/python -m pytest -q benchmarks --device cpu --benchmark-json=build/bench.json
	$(BIN)/python -m benchmarks.table build/bench.json $(BENCH_OUT)

# Stages for a GPU machine without network: its own python and packages, nothing is downloaded. Each can be run alone.
gpu: gpu-build gpu-test gpu-sanitize gpu-bench-knn gpu-bench-augment gpu-bench-train gpu-bench-metrics

gpu-build gpu-test gpu-sanitize gpu-bench-knn gpu-bench-augment gpu-bench-train gpu-bench-metrics:
	@PYTHON=$(PYTHON) bash benchmarks/gpu_stage.sh $(@:gpu-%=%) "$(OUT)"

clean:
	rm -rf build dist runs $(VENV)
