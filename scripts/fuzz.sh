#!/usr/bin/env bash
# Builds the fuzz targets with coverage counters on the stable compiler and runs each for so many seconds:
#     scripts/fuzz.sh SECONDS [TARGET…]
#
# Targets: text, signal, bigwig, matrices, and with their slower build suites, database and tables. Without a
# target, the first four. Ends with executions and edges covered of each, or at the first finding, whose input is
# left in target/fuzz/findings. Seeds are made from fixtures/; inputs that reach something new are kept in
# target/fuzz/corpus/TARGET, where the next run begins. RUNS=20000 makes so many executions from one seed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:?"scripts/fuzz.sh SECONDS [TARGET…]"}
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(text signal bigwig matrices)
features=()
for target in "${targets[@]}"; do
    case $target in suites | database | tables) features=(--features database) ;; esac
done

host=$(rustc -vV | sed -n 's/^host: //p')
folder=$(scripts/target_folder.sh)/fuzz
# As cargo-fuzz sets them, without a sanitizer.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
bins=()
for target in "${targets[@]}"; do bins+=(--bin "$target"); done
# The host is named so that build scripts are built without counters.
RUSTFLAGS="$coverage --cfg fuzzing" CARGO_TARGET_DIR="$folder" \
    cargo build --profile fuzz --package persea-fuzz --target "$host" "${features[@]}" "${bins[@]}"

python3 scripts/fuzz_seeds.py "$folder/seeds"
mkdir -p "$folder/findings"
summary=""
for target in "${targets[@]}"; do
    corpus=$folder/corpus/$target
    limit=(-max_total_time="$seconds")
    if [ -n "${RUNS:-}" ]; then
        corpus=$folder/again/$target
        rm -rf "$corpus"
        limit+=(-runs="$RUNS" -seed=1)
    fi
    mkdir -p "$corpus" "$folder/seeds/$target"
    log=$folder/$target.log
    echo "--- $target"
    words=fuzz/dictionaries/$target.txt
    if [ -f "$words" ]; then limit+=(-dict="$words"); fi
    if ! "$folder/$host/fuzz/$target" "${limit[@]}" -rss_limit_mb=3000 -timeout=20 -print_final_stats=1 \
        -artifact_prefix="$folder/findings/$target-" "$corpus" "$folder/seeds/$target" >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "fuzz.sh: $target failed; its input is in $folder/findings" >&2
        exit 1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d ' ' -f 2)
    summary="$summary$(printf '%-9s %12s executions %8s edges' "$target" "$executions" "$edges")"$'\n'
done
printf '%s' "$summary"
