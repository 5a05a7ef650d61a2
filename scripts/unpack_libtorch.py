"""Unpacks what Persea links of PyTorch's wheels: unpack_libtorch.py WHEELS WORKPLACE HOME VERSION.

The libraries and headers are made whole in WORKPLACE, flushed to the disk, and renamed to HOME.
"""

import os
import pathlib
import shutil
import sys
import zipfile

LIBRARIES = {
    "libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13",
    "libtorch_cpu.dylib", "libtorch.dylib", "libc10.dylib", "libomp.dylib",
}

wheels, workplace, home = (pathlib.Path(argument) for argument in sys.argv[1:4])
version = sys.argv[4]
lib = workplace / "lib"
lib.mkdir(parents=True)

for wheel in sorted(wheels.glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = pathlib.PurePosixPath(entry.filename)
            if path.name in LIBRARIES:
                target = lib / path.name
            elif path.parts[:2] == ("torch", "include") and not entry.is_dir():
                target = workplace.joinpath(*path.parts[1:])
            else:
                continue
            if ".." in path.parts:
                sys.exit(f"libtorch: {wheel.name} holds the path {path}, which leaves its folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as unpacked:
                shutil.copyfileobj(source, unpacked, 1 << 22)

if not any(lib.glob("libtorch_cpu.*")):
    sys.exit("libtorch: the wheels hold no libtorch_cpu")
if (lib / "libtorch_cpu.so").exists():
    # torch-sys links `torch` too, which on Linux only gathers the other libraries.
    (lib / "libtorch.so").symlink_to("libtorch_cpu.so")
(workplace / "build-version").write_text(version + "\n")
os.sync()

# On a file system without locks another run may have put its own there by now: then that one serves.
try:
    os.rename(workplace, home)
except OSError:
    if not (home / "build-version").is_file():
        raise
