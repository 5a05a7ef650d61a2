#!/usr/bin/env bash
# Kills, damage and power cuts at random for about so many minutes: scripts/torture.sh 10
#
# Ends with the totals, or at the first fault with what led to it. PERSEA_TORTURE_SEED repeats the
# choices of a run. A kill comes at an instant, so that no run repeats another to the letter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

minutes=${1:-10}
case $minutes in
'' | *[!0-9]* | 0) echo "torture.sh: MINUTES is a whole number, 1 or more" >&2; exit 2 ;;
esac

cargo test --release --test program --test power_loss --no-run
# The cuts come last and take the rest: about a thousand a minute on one core.
PERSEA_TORTURE_MINUTES=$(((minutes * 3 + 3) / 4)) \
    cargo test --release --quiet --test program torture:: -- --ignored --nocapture
PERSEA_CUTS=$((minutes * 250)) cargo test --release --quiet --test power_loss -- --nocapture
