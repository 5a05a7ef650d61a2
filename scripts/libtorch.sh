#!/usr/bin/env bash
# Prints the folder of a libtorch that crates/torch can link; fetches one into the cache where there is none.
#
# Order: PyTorch of the active Python where LIBTORCH_USE_PYTORCH is set (torch-sys obeys it too);
# else $LIBTORCH as it is (a CUDA build, a distribution's); else the cache that all clones share
# ($PERSEA_CACHE, by default ~/.cache/persea); else the CPU part of PyTorch's wheel, from PyPI.
# A second run fetches nothing and needs no network.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"

version=2.13.0

say() { printf 'libtorch: %s\n' "$*" >&2; }

# check_given FOLDER: fails where FOLDER is no libtorch of our version, before a long build does.
check_given() {
    local lib=${LIBTORCH_LIB:-$1}/lib found=""
    if ! ls "$lib"/libtorch_cpu.* >/dev/null 2>&1; then
        say "there is no libtorch_cpu in $lib; set LIBTORCH to the folder of an unpacked libtorch $version (the one with lib/ and include/), or unset it to have one fetched"
        return 1
    fi
    if [ -f "$1/build-version" ]; then
        found=$(cat "$1/build-version")
    elif [ -f "$1/version.py" ]; then # PyTorch's folder in a Python
        found=$(sed -n "s/^__version__ *= *['\"]\([^'\"]*\)['\"].*/\1/p" "$1/version.py")
    fi
    found=${found%%+*} # 2.13.0+cu130 is 2.13.0
    if [ -n "$found" ] && [ "$found" != "$version" ] && [ -z "${LIBTORCH_BYPASS_VERSION_CHECK+set}" ]; then
        say "$1 is libtorch $found; Persea needs $version"
        return 1
    fi
}

if [ -n "${LIBTORCH_USE_PYTORCH+set}" ]; then
    python=python3
    if [ -n "${VIRTUAL_ENV+set}" ]; then python=python; fi # as torch-sys does
    torch=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))') ||
        { say "LIBTORCH_USE_PYTORCH is set, but $python cannot import torch; install torch $version there, or unset it"; exit 1; }
    check_given "$torch"
    printf '%s\n' "$torch"
    exit 0
fi
if [ -n "${LIBTORCH:-}" ]; then
    [ -d "$LIBTORCH" ] || { say "LIBTORCH=$LIBTORCH is no folder; set it to an unpacked libtorch $version, or unset it to have one fetched"; exit 1; }
    given=$(cd "$LIBTORCH" && pwd) # absolute: build scripts run elsewhere
    check_given "$given"
    printf '%s\n' "$given"
    exit 0
fi

cache=$(cache_folder)
home=$cache/libtorch-$version

# Written last and renamed as a whole; the rest is looked at because caches get cleaned file by file.
is_whole() {
    [ -f "$home/build-version" ] && [ -f "$home/include/torch/csrc/api/include/torch/torch.h" ] &&
        { [ -s "$home/lib/libtorch_cpu.so" ] || [ -s "$home/lib/libtorch_cpu.dylib" ]; }
}
if is_whole; then
    printf '%s\n' "$home"
    exit 0
fi

unsupported() {
    say "no libtorch $version can be fetched for $1"
    say "Set LIBTORCH to an unpacked libtorch $version for this machine, or do without the torch backend: TORCH=0 builds, tests and installs the rest, which trains too"
    exit 1
}

# at_least A B: whether version A (12.3) is B or later.
at_least() {
    [ "${1%%.*}" -gt "${2%%.*}" ] || { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${1#*.}" -ge "${2#*.}" ]; }
}

case "$(uname -s)-$(uname -m)" in
Linux-x86_64)
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null || true) # "glibc 2.36"; nothing on musl
    glibc=${glibc#glibc }
    case "$glibc" in
    [0-9]*.[0-9]*) at_least "$glibc" 2.28 || unsupported "glibc $glibc; the wheel needs 2.28 or later" ;;
    *) unsupported "a Linux without glibc" ;;
    esac
    pins=$here/pins/libtorch-linux-x86_64.txt
    platforms="manylinux2014_x86_64"
    for minor in 17 24 25 26 27 28; do platforms="$platforms manylinux_2_${minor}_x86_64"; done
    ;;
Darwin-arm64)
    macos=$(sw_vers -productVersion 2>/dev/null || echo 0)
    [ "${macos%%.*}" -ge 14 ] || unsupported "macOS $macos; the wheel needs 14 or later"
    pins=$here/pins/libtorch-macos-arm64.txt
    platforms="macosx_11_0_arm64 macosx_12_0_arm64 macosx_13_0_arm64 macosx_14_0_arm64"
    ;;
*)
    unsupported "$(uname -s) $(uname -m)"
    ;;
esac

need_pip "libtorch; or set LIBTORCH to a libtorch $version" || exit 1
mkdir -p "$cache"
hold_lock "$cache/.libtorch.lock"
if is_whole; then # another run fetched it meanwhile
    printf '%s\n' "$home"
    exit 0
fi
make_workplace "$cache" libtorch-fetch

say "fetching libtorch $version (PyTorch's wheel, up to 0.6 GB, once) into $home"
# shellcheck disable=SC2086 # the list is meant to split
fetch_wheels "$pins" "$workplace/wheels" $platforms || {
    say "the download failed, for the reason that pip gives above; nothing was left behind"
    say "Check the network (a proxy: HTTPS_PROXY; a mirror: PIP_INDEX_URL) and that $cache has 2 GB free, then run again; or set LIBTORCH to a libtorch $version; or do without the torch backend: TORCH=0"
    exit 1
}
# What is there is not whole; but without the lock another run may have put a whole one there by now.
if [ "$locked" = yes ] || ! is_whole; then rm -rf "$home"; fi
python3 "$here/unpack_libtorch.py" "$workplace/wheels" "$workplace/libtorch" "$home" "$version" ||
    { say "could not put libtorch into $home; check that $cache has 2 GB free and is writable, then run again"; exit 1; }
printf '%s\n' "$home"
