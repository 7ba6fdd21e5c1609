#!/usr/bin/env bash
# One stage of `make gpu`: build, test, sanitize, bench-knn, bench-augment or bench-train. Uses the machine's own python
# and packages, downloads nothing, and leaves one JSON file per stage in the output folder, whatever happened.
set -uo pipefail
stage=$1
out=$2
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
mkdir -p "$out"
build=build/gpu
log=$(mktemp)
begin=$(date +%s)

run_stage() {
    case $stage in
        build)
            "$python" -m pip install --no-build-isolation --no-deps --no-index --force-reinstall \
                -C cmake.define.ROTE_CUDA=ON . &&
                cmake -S . -B $build -DROTE_PYTHON=OFF -DROTE_TESTS=ON -DROTE_CUDA=ON && cmake --build $build -j
            ;;
        test)
            (cd $build && ctest --output-on-failure) && "$python" -m pytest -q tests
            ;;
        sanitize)
            for tool in memcheck racecheck initcheck synccheck; do
                compute-sanitizer --tool $tool --error-exitcode 1 \
                    "$python" -m pytest -q -m gpu tests/ops tests/augment -k "not compile" || return 1
            done
            ;;
        bench-*)
            "$python" -m pytest -q "benchmarks/${stage#bench-}" --device cuda \
                --benchmark-json="$out/${stage}.raw.json" &&
                "$python" -m benchmarks.table "$out/${stage}.raw.json" "$out/${stage}.rows.json" &&
                rm "$out/${stage}.raw.json"
            ;;
        *)
            echo "gpu_stage.sh: unknown stage '$stage'" >&2
            return 2
            ;;
    esac
}

run_stage 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
seconds=$(($(date +%s) - begin))
"$python" - "$stage" "$status" "$seconds" "$log" "$out/$stage.json" <<'PY'
import json, pathlib, subprocess, sys
stage, status, seconds, log, target = sys.argv[1:]
gpu = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True)
rows = pathlib.Path(target.replace(".json", ".rows.json"))
record = {"stage": stage, "status": int(status), "seconds": int(seconds), "gpu": gpu.stdout.strip(),
          "log_tail": pathlib.Path(log).read_text().splitlines()[-60:]}
if rows.exists():
    record |= json.loads(rows.read_text())
    rows.unlink()
pathlib.Path(target).write_text(json.dumps(record, indent=1) + "\n")
PY
rm -f "$log"
exit "$status"
