#!/usr/bin/env bash
# Prints the folder of a libtorch that Persea can link; fetches one into the cache where there is none.
#
# Order: $LIBTORCH as it is (a CUDA build, a distribution's); else the cache that all clones share
# ($PERSEA_CACHE, by default ~/.cache/persea); else the CPU parts of PyTorch's wheel from PyPI.
# A second run fetches nothing and needs no network.
set -euo pipefail

version=2.13.0
cuda_runtime=13.0.96 # libtorch_cpu.so of the Linux wheel links these two, even where no GPU is used
cuda_cupti=13.0.85

say() { printf 'libtorch: %s\n' "$*" >&2; }

if [ -n "${LIBTORCH:-}" ]; then
    [ -d "$LIBTORCH/lib" ] || { say "LIBTORCH=$LIBTORCH has no lib/ folder; set it to a libtorch $version, or unset it to have one fetched"; exit 1; }
    printf '%s\n' "$LIBTORCH"
    exit 0
fi

cache=${PERSEA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/persea}
home=$cache/libtorch-$version
if [ -f "$home/build-version" ]; then # written last: its presence means the copy is whole
    printf '%s\n' "$home"
    exit 0
fi

case "$(uname -s)-$(uname -m)" in
Linux-x86_64)
    platforms="--platform manylinux2014_x86_64"
    for glibc in 17 24 25 26 27 28; do platforms="$platforms --platform manylinux_2_${glibc}_x86_64"; done
    packages="torch==$version nvidia-cuda-runtime==$cuda_runtime nvidia-cuda-cupti==$cuda_cupti"
    ;;
Darwin-arm64)
    platforms="--platform macosx_11_0_arm64 --platform macosx_12_0_arm64 --platform macosx_13_0_arm64 --platform macosx_14_0_arm64"
    packages="torch==$version"
    ;;
*)
    say "no libtorch $version can be fetched for $(uname -s) $(uname -m)."
    say "Set LIBTORCH to an unpacked libtorch $version for this machine, or build without training: cargo build --release --no-default-features"
    exit 1
    ;;
esac

command -v python3 >/dev/null || { say "python3 is needed once, to fetch libtorch; or set LIBTORCH"; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { say "python3 has no pip, which is needed once, to fetch libtorch; or set LIBTORCH"; exit 1; }

mkdir -p "$cache"
work=$(mktemp -d "$cache/.libtorch.XXXXXX")
trap 'rm -rf "$work"' EXIT
say "fetching libtorch $version (the PyTorch wheel, about 0.5 GB, once) into $home"
# shellcheck disable=SC2086 # the lists are meant to split
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    $platforms --python-version 3.11 --implementation cp --dest "$work/wheels" $packages >&2 ||
    { say "the download failed; check the network, or set LIBTORCH to a libtorch $version"; exit 1; }

python3 - "$work" <<'PYTHON'
import pathlib, shutil, sys, zipfile

work = pathlib.Path(sys.argv[1])
lib = work / "libtorch" / "lib"
lib.mkdir(parents=True)
wanted = {"libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13",
          "libtorch_cpu.dylib", "libtorch.dylib", "libc10.dylib", "libomp.dylib"}
for wheel in sorted((work / "wheels").glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = pathlib.PurePosixPath(entry.filename)
            if name.name in wanted:
                with archive.open(entry) as source, open(lib / name.name, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 22)
            elif entry.filename.startswith("torch/include/") and not entry.is_dir():
                target = work / "libtorch" / name.relative_to("torch")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(entry))
if (lib / "libtorch_cpu.so").exists() and not (lib / "libtorch.so").exists():
    (lib / "libtorch.so").symlink_to("libtorch_cpu.so")
if not any(lib.glob("libtorch_cpu.*")):
    sys.exit("libtorch: the wheel holds no libtorch_cpu; set LIBTORCH instead")
PYTHON
printf '%s\n' "$version" >"$work/libtorch/build-version"
if ! mv -T "$work/libtorch" "$home" 2>/dev/null && ! { [ ! -e "$home" ] && mv "$work/libtorch" "$home"; }; then
    [ -f "$home/build-version" ] || { say "could not put libtorch in $home; remove that folder and run again"; exit 1; }
fi
printf '%s\n' "$home"
