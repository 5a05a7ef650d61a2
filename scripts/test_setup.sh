#!/usr/bin/env bash
# Tests the set-up scripts on machines that lack something, played by stand-ins for python3's pip,
# uname and the like in front of PATH. Downloads nothing; takes seconds.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

work=$(mktemp -d)
work=$(cd "$work" && pwd -P)
trap 'rm -rf "$work"' EXIT
mkdir "$work/shims" "$work/wheels" "$work/home" "$work/bare"
python=$(python3 -c 'import sys; print(sys.executable)')

# ---- stand-ins -------------------------------------------------------------------------------

shim() { cat >"$work/shims/$1" && chmod +x "$work/shims/$1"; }

# PIP says how pip fares; each download and each installation is noted in a file of the cache's name.
shim python3 <<SHIM
#!/usr/bin/env bash
if [ "\${1:-}" != -m ] || [ "\${2:-}" != pip ]; then exec "$python" "\$@"; fi
case "\${PIP:-}" in absent) echo "No module named pip" >&2; exit 1 ;; esac
case "\$3" in
--version) echo "pip 23.2.1"; exit ;;
esac
echo "\$3" >>"\$PERSEA_CACHE.log"
case "\${PIP:-}" in
offline) echo "ERROR: Could not find a version that satisfies the requirement" >&2; exit 1 ;;
slow) sleep 1 ;;
hang) echo \$\$ >"$work/hanging"; exec sleep 30 ;;
esac
while [ \$# -gt 0 ] && [ "\$1" != --dest ]; do shift; done
mkdir -p "\$2"
cp "$work/wheels/\${WHEEL:-linux}.whl" "\$2/"
SHIM
shim uname <<'SHIM'
#!/usr/bin/env bash
case "${1:-}" in -m) echo "${MACHINE:-x86_64}" ;; *) echo "${SYSTEM:-Linux}" ;; esac
SHIM
shim getconf <<'SHIM'
#!/usr/bin/env bash
[ "${GLIBC:-2.36}" != none ] && echo "glibc ${GLIBC:-2.36}"
SHIM
shim sw_vers <<'SHIM'
#!/usr/bin/env bash
echo "${MACOS:-15.1}"
SHIM
shim cargo <<SHIM
#!/usr/bin/env bash
echo '{"packages":[],"target_directory":"$work/target","version":1}'
SHIM
for tool in bash env dirname cat sed mkdir mktemp rm cut ls sh uname getconf; do
    ln -s "$(PATH="$work/shims:$PATH" command -v $tool)" "$work/bare/$tool"
done

"$python" - "$work/wheels" <<'PYTHON'
import sys, zipfile

def wheel(name, files):
    with zipfile.ZipFile(f"{sys.argv[1]}/{name}.whl", "w") as archive:
        for file in files:
            archive.writestr(file, "x")

header = "torch/include/torch/csrc/api/include/torch/torch.h"
wheel("linux", ["torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libtorch_cuda.so", "torch/__init__.py", header])
wheel("macos", ["torch/lib/libtorch_cpu.dylib", "torch/lib/libtorch.dylib", "torch/lib/libomp.dylib", header])
wheel("hollow", ["torch/__init__.py", header])
PYTHON

# given FOLDER VERSION: a libtorch that the user has.
given() {
    mkdir -p "$1/lib" "$1/include"
    touch "$1/lib/libtorch_cpu.so"
    printf '%s\n' "$2" >"$1/build-version"
}

# ---- the means of testing --------------------------------------------------------------------

checks=0
cache=""
name=""

# holds NAME: begins a test, in a new cache.
holds() {
    name=$1
    checks=$((checks + 1))
    cache=$work/cache-$checks
}

wrong() {
    printf 'test_setup: NOT TRUE: %s: %s\n' "$name" "$1" >&2
    sed 's/^/    out: /' "$work/out" >&2
    sed 's/^/    err: /' "$work/err" >&2
    exit 1
}

# run VARIABLE=VALUE… COMMAND…: as on a machine with nothing but the stand-ins' variables set.
run() {
    status=0
    env -i PATH="${RUN_PATH:-$work/shims:$PATH}" HOME="$work/home" PERSEA_CACHE="$cache" "$@" \
        >"$work/out" 2>"$work/err" || status=$?
}

# start VARIABLE=VALUE… COMMAND…: the same, in the background; `$!` is the command itself.
start() {
    (exec env -i PATH="$work/shims:$PATH" HOME="$work/home" PERSEA_CACHE="$cache" "$@" >"$work/started" 2>/dev/null) &
}

succeeds() { [ "$status" -eq 0 ] || wrong "it failed with $status"; }
fails() { [ "$status" -ne 0 ] || wrong "it did not fail"; }
prints() { [ "$(cat "$work/out")" = "$1" ] || wrong "it did not print just $1"; }
says() { grep -qF -- "$1" "$work/err" || wrong "its message lacks: $1"; }
downloads() {
    local n=0
    if [ -f "$cache.log" ]; then n=$(grep -c . "$cache.log"); fi
    [ "$n" -eq "$1" ] || wrong "it called pip $n times, not $1"
}
# empty: nothing but locks is in the cache.
empty() {
    [ ! -d "$cache" ] || [ -z "$(find "$cache" -mindepth 1 ! -name '.*.lock')" ] || wrong "it left $(find "$cache" -mindepth 1 ! -name '.*.lock')"
}

# awaits CONDITION…: waits for it, ten seconds at most.
awaits() {
    local n=0
    until "$@" 2>/dev/null; do
        n=$((n + 1))
        [ "$n" -lt 100 ] || wrong "never came true: $*"
        sleep 0.1
    done
}

# ---- libtorch --------------------------------------------------------------------------------

fetched=libtorch-2.13.0

holds "a given LIBTORCH is used as it is"
given "$work/own" 2.13.0
run LIBTORCH="$work/own" "$scripts/libtorch.sh"
succeeds; prints "$work/own"; downloads 0; empty

holds "a CUDA build is used as it is, on any machine"
given "$work/cuda" 2.13.0+cu130
run SYSTEM=Linux MACHINE=aarch64 LIBTORCH="$work/cuda" "$scripts/libtorch.sh"
succeeds; prints "$work/cuda"; downloads 0

holds "a relative LIBTORCH becomes absolute"
(cd "$work" && run LIBTORCH=own "$scripts/libtorch.sh" && succeeds && prints "$work/own")

holds "a LIBTORCH without libraries is refused by name"
mkdir -p "$work/hollow"
run LIBTORCH="$work/hollow" "$scripts/libtorch.sh"
fails; says "no libtorch_cpu in $work/hollow/lib"; says "unset it to have one fetched"; downloads 0

holds "a LIBTORCH that is no folder is refused by name"
run LIBTORCH="$work/nowhere" "$scripts/libtorch.sh"
fails; says "$work/nowhere is no folder"

holds "a LIBTORCH of another version is refused before the build, unless the check is bypassed"
given "$work/old" 2.9.1+cpu
run LIBTORCH="$work/old" "$scripts/libtorch.sh"
fails; says "is libtorch 2.9.1; Persea needs 2.13.0"
run LIBTORCH="$work/old" LIBTORCH_BYPASS_VERSION_CHECK=1 "$scripts/libtorch.sh"
succeeds; prints "$work/old"

holds "LIBTORCH_USE_PYTORCH takes the active Python's torch"
given "$work/site/torch" 2.13.0
rm "$work/site/torch/build-version"
touch "$work/site/torch/__init__.py"
echo "__version__ = '2.13.0+cu130'" >"$work/site/torch/version.py"
run LIBTORCH_USE_PYTORCH=1 PYTHONPATH="$work/site" "$scripts/libtorch.sh"
succeeds; prints "$work/site/torch"; downloads 0
echo "__version__ = '2.8.0'" >"$work/site/torch/version.py"
run LIBTORCH_USE_PYTORCH=1 PYTHONPATH="$work/site" "$scripts/libtorch.sh"
fails; says "is libtorch 2.8.0"

holds "LIBTORCH_USE_PYTORCH without torch says so"
mkdir -p "$work/broken/torch"
echo "raise ImportError('no torch here')" >"$work/broken/torch/__init__.py"
run LIBTORCH_USE_PYTORCH=1 PYTHONPATH="$work/broken" "$scripts/libtorch.sh"
fails; says "cannot import torch"

for machine in "Linux aarch64" "Darwin x86_64" "FreeBSD amd64"; do
    holds "on $machine the message names the machine and the ways out"
    run SYSTEM="${machine% *}" MACHINE="${machine#* }" "$scripts/libtorch.sh"
    fails; says "$machine"; says "Set LIBTORCH"; says "TORCH=0"; downloads 0; empty
done

holds "musl and a glibc too old are told apart from a machine that will do"
run GLIBC=none "$scripts/libtorch.sh"
fails; says "a Linux without glibc"
run GLIBC=2.17 "$scripts/libtorch.sh"
fails; says "glibc 2.17; the wheel needs 2.28"; downloads 0
run GLIBC=2.28 "$scripts/libtorch.sh"
succeeds

holds "without python3 the message says so"
RUN_PATH=$work/bare run "$scripts/libtorch.sh"
fails; says "python3 is not installed"; says "set LIBTORCH"; empty

holds "without pip the message says how to get it"
run PIP=absent "$scripts/libtorch.sh"
fails; says "python3 has no pip"; says "set LIBTORCH"; empty

holds "offline the message says what to check, and nothing is left behind"
run PIP=offline "$scripts/libtorch.sh"
fails; says "ERROR: Could not find a version"; says "Check the network"; says "HTTPS_PROXY"; empty
run "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"

holds "a fetch unpacks what is linked, and the second run needs no pip"
run "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"; downloads 1
{ [ -s "$cache/$fetched/lib/libc10.so" ] && [ -L "$cache/$fetched/lib/libtorch.so" ]; } || wrong "libraries are missing"
[ ! -e "$cache/$fetched/lib/libtorch_cuda.so" ] || wrong "it unpacked what is not linked"
[ "$(cat "$cache/$fetched/build-version")" = 2.13.0 ] || wrong "torch-sys finds no version"
run PIP=absent "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"
RUN_PATH=$work/bare run "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"; downloads 1

holds "on macOS arm64 the dylibs are fetched, before 14 refused"
run SYSTEM=Darwin MACHINE=arm64 WHEEL=macos MACOS=13.6 "$scripts/libtorch.sh"
fails; says "macOS 13.6; the wheel needs 14"
run SYSTEM=Darwin MACHINE=arm64 WHEEL=macos "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"
{ [ -s "$cache/$fetched/lib/libomp.dylib" ] && [ ! -e "$cache/$fetched/lib/libtorch.so" ]; } || wrong "not the dylibs"

holds "two runs at once fetch once"
start PIP=slow "$scripts/libtorch.sh"
first=$!
run PIP=slow "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"
wait "$first" || wrong "the other run failed"
[ "$(cat "$work/started")" = "$cache/$fetched" ] || wrong "the other run did not print the folder"
downloads 1

holds "a killed fetch leaves nothing that passes for whole, and the next run sweeps up after it"
start PIP=hang "$scripts/libtorch.sh"
killed=$!
awaits test -s "$work/hanging"
{
    kill -9 "$killed" "$(cat "$work/hanging")"
    wait "$killed" || true
} 2>/dev/null # the shell's own word on it
rm "$work/hanging"
[ ! -e "$cache/$fetched" ] || wrong "a folder is there"
ls -d "$cache"/.libtorch-fetch.* >/dev/null 2>&1 || wrong "nothing was interrupted"
run "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"
if ls -d "$cache"/.libtorch-fetch.* >/dev/null 2>&1; then wrong "the remains are still there"; fi

holds "a terminated fetch cleans up itself"
start PIP=hang "$scripts/libtorch.sh"
ended=$!
awaits test -s "$work/hanging"
kill -TERM "$ended" "$(cat "$work/hanging")"
if wait "$ended" 2>/dev/null; then wrong "it did not fail"; fi
rm "$work/hanging"
empty

holds "a libtorch with a library missing is fetched again"
run "$scripts/libtorch.sh"
rm "$cache/$fetched/lib/libtorch_cpu.so"
run "$scripts/libtorch.sh"
succeeds; prints "$cache/$fetched"; downloads 2
[ -s "$cache/$fetched/lib/libtorch_cpu.so" ] || wrong "the library is still missing"

holds "wheels without libtorch are refused, and nothing is left behind"
run WHEEL=hollow "$scripts/libtorch.sh"
fails; says "the wheels hold no libtorch_cpu"; empty

holds "with_libtorch hands LIBTORCH to the command"
# shellcheck disable=SC2016 # for the inner shell to expand
run LIBTORCH="$work/own" "$scripts/with_libtorch.sh" sh -c 'printf "%s\n" "$LIBTORCH"'
succeeds; prints "$work/own"

holds "with_libtorch runs nothing where there is no libtorch"
run PIP=offline "$scripts/with_libtorch.sh" touch "$work/ran"
fails
[ ! -e "$work/ran" ] || wrong "the command ran"

# ---- the Python for cross-checks -------------------------------------------------------------

holds "a PERSEA_PYTHON that lacks packages is refused by name"
shim bare_python <<'SHIM'
#!/usr/bin/env bash
echo "ModuleNotFoundError: No module named 'zarr'" >&2; exit 1
SHIM
run PERSEA_PYTHON="$work/shims/bare_python" "$scripts/python.sh"
fails; says "$work/shims/bare_python lacks a package"
run PERSEA_PYTHON="$work/shims/bare_python" "$scripts/with_references.sh" touch "$work/ran"
fails; [ ! -e "$work/ran" ] || wrong "the tests ran without what was asked for"

holds "offline, making the Python says what to check and leaves nothing behind"
run PIP=offline "$scripts/python.sh"
fails; says "could not be installed"; says "PERSEA_PYTHON"; empty

holds "without the Python, tests run and say what they skip"
# shellcheck disable=SC2016 # for the inner shell to expand
run PIP=offline "$scripts/with_references.sh" sh -c 'echo "ran with ${PERSEA_PYTHON:-none}"'
succeeds; prints "ran with none"; says "skipped: the cross-checks"

holds "without the Python, CI fails"
run PIP=offline CI=true "$scripts/with_references.sh" touch "$work/ran"
fails; [ ! -e "$work/ran" ] || wrong "the tests ran"

holds "without the real data, tests run and say what they skip"
run PIP=offline PERSEA_SHARED_DATA="$work/nowhere" "$scripts/with_references.sh" true
succeeds; says "skipped: the tests on real data"
run PERSEA_SHARED_DATA="$work/nowhere" "$scripts/first_hour.sh"
succeeds; grep -q "skipped: there is no folder" "$work/out" || wrong "first_hour does not say that it skips"

# ---- installing ------------------------------------------------------------------------------

mkdir -p "$work/target/release"
printf '#!/bin/sh\necho "$1"\n' >"$work/target/release/persea" # it prints its man pages and completions
chmod +x "$work/target/release/persea"

holds "install refuses a torch backend that was not built"
run "$scripts/libtorch.sh"
run "$scripts/install.sh" "$work/prefix" "$cache/$fetched"
fails; says "run make torch"
echo library >"$work/target/release/libpersea_torch.so"

holds "install lays the torch backend and the fetched libtorch beside the program"
run "$scripts/libtorch.sh"
run "$scripts/install.sh" "$work/prefix" "$cache/$fetched"
succeeds
for installed in bin/persea lib/persea/libpersea_torch.so lib/persea/libc10.so; do
    [ -s "$work/prefix/$installed" ] || wrong "$installed is missing"
done
rm -r "$cache"
[ -s "$work/prefix/lib/persea/libtorch.so" ] || wrong "what is installed needs the cache"

holds "install with a libtorch of one's own leaves it in place, and no older copy in its way"
run "$scripts/install.sh" "$work/prefix" "$work/own"
succeeds
[ "$(ls "$work/prefix/lib/persea")" = libpersea_torch.so ] || wrong "an older libtorch would be found first"
[ -z "$(find "$work/prefix" -name '.persea*')" ] || wrong "it left parts behind"

holds "install without the torch backend takes an older one away"
run "$scripts/install.sh" "$work/prefix"
succeeds
{ [ -x "$work/prefix/bin/persea" ] && [ ! -e "$work/prefix/lib/persea" ]; } || wrong "an older backend is still there"

# ---- what may be committed -------------------------------------------------------------------

holds "a large file and a path of one machine are found before they are committed"
mkdir -p "$work/tree/scripts"
cp "$scripts/check_tree.sh" "$work/tree/scripts/"
git -C "$work/tree" init --quiet
echo "see https://example.org/home/page, ~/work/x and \$HOME/root/x" >"$work/tree/fine.md"
git -C "$work/tree" add .
run "$work/tree/scripts/check_tree.sh"
succeeds
printf 'data = "/%s/someone/data"\n' home >"$work/tree/path.toml"
head -c 1048577 /dev/zero >"$work/tree/large.bin"
git -C "$work/tree" add .
run "$work/tree/scripts/check_tree.sh"
fails; says "large.bin"; says "path.toml:1"

printf 'test_setup: all %d hold\n' "$checks"
