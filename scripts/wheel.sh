#!/usr/bin/env bash
# Builds the Python package's wheel into target/wheels and prints its path: wheel.sh [--test]
#
# --test also installs it into a new virtual environment and runs the package's tests there. Needs Python
# 3.10 or later with pip and venv. The wheel is for the C library of the machine that builds it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/fetch.sh
. scripts/fetch.sh

say() { printf 'wheel: %s\n' "$*" >&2; }

need_pip "maturin, which builds the wheel" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
environment() {
    python3 -m venv "$1" >&2 || { say "python3 -m venv failed (Debian: apt install python3-venv)"; exit 1; }
    "$1/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "${@:2}" >&2
}

wheels=$(scripts/target_folder.sh)/wheels
rm -rf "$wheels"
environment "$work/build" --requirement scripts/pins/wheel.txt
"$work/build/bin/maturin" build --release --locked --manifest-path crates/python/Cargo.toml --out "$wheels" >&2
wheel=$(ls "$wheels"/persea-*.whl)

if [ "${1:-}" = --test ]; then
    environment "$work/test" --requirement scripts/pins/wheel_tests.txt "$wheel"
    PATH=$work/test/bin:$PATH
    # The wheel that is installed, and not the sources beside the tests.
    python -m pytest --quiet -rs -p no:cacheprovider crates/python/tests >&2
    python scripts/python_verbs.py --check >&2
    mypy --config-file crates/python/pyproject.toml --cache-dir "$work/mypy" crates/python/python/persea >&2
    [ "$(persea --version)" = "$(python -m persea --version)" ] || { say "the entry point is not the package's program"; exit 1; }
fi
printf '%s\n' "$wheel"
