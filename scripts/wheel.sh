#!/usr/bin/env bash
# Builds the Python package's wheel and sdist into target/wheels and prints the wheel's path: wheel.sh [--manylinux] [--test]
#
# --test also installs it into a new virtual environment and runs the package's tests there, then the notebooks
# of examples/notebooks, whose pages go to target/notebooks for the book. Needs Python 3.10 or later with pip
# and venv. Both carry the page of `persea serve` where Node.js is there to build it. The wheel is for the C library
# of the machine that builds it. With --manylinux it is for glibc 2.28 and later, by the linker and the C compiler of
# PyPI's ziglang; everything is then compiled anew, for a target of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/fetch.sh
. scripts/fetch.sh

say() { printf 'wheel: %s\n' "$*" >&2; }

test=no
pins=scripts/pins/wheel.txt
portable=
for option in "$@"; do
    case "$option" in
    --test) test=yes ;;
    --manylinux)
        pins=scripts/pins/wheel_manylinux.txt
        portable="--zig --compatibility manylinux_2_28"
        ;;
    *) say "there is no option $option"; exit 2 ;;
    esac
done

need_pip "maturin, which builds the wheel" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
environment() {
    python3 -m venv "$1" >&2 || { say "python3 -m venv failed (Debian: apt install python3-venv)"; exit 1; }
    "$1/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "${@:2}" >&2
}

target=$(scripts/target_folder.sh)
wheels=$target/wheels
rm -rf "$wheels"
if command -v npm >/dev/null; then
    make --silent web >&2
else
    say "there is no npm: the page of persea serve is left out"
    rm -rf web/dist
fi
environment "$work/build" --requirement "$pins"
# shellcheck disable=SC2086 # the words of `portable` are options
PATH=$work/build/bin:$PATH maturin build --release --locked --manifest-path crates/python/Cargo.toml --out "$wheels" $portable >&2
"$work/build/bin/maturin" sdist --manifest-path crates/python/Cargo.toml --out "$wheels" >&2
tar -tzf "$wheels"/persea-*.tar.gz >"$work/listed"
if [ -e web/dist/index.html ] && ! grep -q '/web/dist/index.html$' "$work/listed"; then say "the sdist lacks the page"; exit 1; fi
wheel=$(ls "$wheels"/persea-*.whl)

if [ "$test" = yes ]; then
    environment "$work/test" --requirement scripts/pins/wheel_tests.txt "$wheel"
    PATH=$work/test/bin:$PATH
    # The wheel that is installed, and not the sources beside the tests.
    python -m pytest --quiet -rs -p no:cacheprovider crates/python/tests >&2
    python scripts/python_verbs.py --check >&2
    mypy --config-file crates/python/pyproject.toml --cache-dir "$work/mypy" crates/python/python/persea >&2
    # The pages are whole once `complete` is there.
    rm -rf "$target/notebooks"
    mkdir "$work/notebooks"
    python scripts/notebooks.py --run "$work/notebooks" "$target/notebooks" >&2
    touch "$target/notebooks/complete"
    [ "$(persea --version)" = "$(python -m persea --version)" ] || { say "the entry point is not the package's program"; exit 1; }
fi
printf '%s\n' "$wheel"
