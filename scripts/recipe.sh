#!/usr/bin/env bash
# Runs the build script and the tests of packaging/bioconda without conda: recipe.sh SDIST
#
# The sdist is unpacked in a clean folder, where everything is compiled: that takes minutes. CARGO_TARGET_DIR keeps
# what was compiled. Needs a Rust and a C++ compiler, and Python 3.10 or later with pip and venv.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sdist=$(realpath "${1:?give the sdist}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source" "$work/test"
tar -xzf "$sdist" -C "$work/source" --strip-components 1
python3 -m venv "$work/host"
PYTHON=$work/host/bin/python
export PYTHON PATH="$work/host/bin:$PATH"
"$PYTHON" -m pip install --quiet --no-input --disable-pip-version-check 'maturin>=1.9,<2' 'numpy>=1.24'

cd "$work/source"
bash "$root/packaging/bioconda/build.sh" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }

# The recipe's tests, as it lists them.
cd "$work/test"
"$PYTHON" -c 'import persea'
sed -n '/^  commands:/,/^$/s/^    - //p' "$root/packaging/bioconda/meta.yaml" >commands
[ -s commands ] || { echo "recipe: meta.yaml lists no commands" >&2; exit 1; }
bash -euxo pipefail commands
# What an unpacked source was built with: the page.
"$PYTHON" - <<'PYTHON'
import subprocess, sys, time, urllib.request

persea = [sys.executable, "-m", "persea"]
subprocess.run([*persea, "create", "--db", "x.persea", "--assembly", "s", "--chrom-sizes", "simulated/chrom.sizes"], check=True)
server = subprocess.Popen([*persea, "serve", "x.persea", "--port", "0"], stdout=subprocess.PIPE, text=True)
try:
    address = server.stdout.readline().strip()
    page = urllib.request.urlopen(address, timeout=20).read().decode()
finally:
    server.terminate()
assert "<script" in page, page[:300]
PYTHON
echo "recipe: the sdist was built, installed and tested"
