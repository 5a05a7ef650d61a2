# shellcheck shell=bash
# Sourced, after fetch.sh and with `say`, by the scripts that make a Python with pinned packages in the cache.

# pinned_python NAME PINS IMPORTS VARIABLE PURPOSE: prints a Python that has the packages of PINS. $VARIABLE is used as
# it is; otherwise one is made in the cache, once. IMPORTS are the modules that it must have.
pinned_python() {
    local name=$1 pins=$2 imports=$3 variable=$4 purpose=$5 given cache key home packages quiet
    given=${!variable:-}
    if [ -n "$given" ]; then
        "$given" -c "import $imports" >&2 ||
            { say "$variable=$given lacks a package of scripts/pins/$(basename "$pins"); install them there, or unset it"; return 1; }
        printf '%s\n' "$given"
        return
    fi
    need_pip "$purpose; or set $variable" || return 1
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { say "$(python3 --version) is too old for the pinned packages, which need 3.11; set $variable to one that has them"; return 1; }
    cache=$(cache_folder)
    # Another list or another Python is another folder.
    key=$({ cat "$pins"; python3 -c 'import sys; print(sys.version, sys.base_prefix)'; } | cksum | cut -d ' ' -f 1)
    home=$cache/$name-$key
    is_whole() { [ -f "$home/complete" ] && "$home/bin/python" -c "import $imports" 2>/dev/null; }
    if ! is_whole; then
        mkdir -p "$cache"
        hold_lock "$cache/.$name.lock"
        is_whole || make_pinned_python || return 1
    fi
    printf '%s\n' "$home/bin/python"
}

# The rest of `pinned_python`, under the lock.
make_pinned_python() {
    make_workplace "$cache" "$name-fetch"
    say "making a Python with $purpose (once) in $home"
    # Without pip inside, so that no ensurepip is needed (Debian packs it apart); the outer pip fills it.
    python3 -m venv --without-pip "$workplace/venv" >&2 ||
        { say "python3 -m venv failed (Debian: apt install python3-venv); or set $variable"; return 1; }
    packages=$("$workplace/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    quiet=--quiet
    if [ -t 2 ]; then quiet=; fi
    # shellcheck disable=SC2086 # an empty word must vanish
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install $quiet --no-input --no-cache-dir --disable-pip-version-check --no-deps \
        --target "$packages" --requirement "$pins" >&2 || {
        say "the packages could not be installed, for the reason that pip gives above; check the network, or set $variable"
        return 1
    }
    "$workplace/venv/bin/python" -c "import $imports" >&2 ||
        { say "the packages were installed but cannot be imported; set $variable"; return 1; }
    touch "$workplace/venv/complete"
    # A Python finds its packages from where it lies, so that it can be moved. What is there is not whole.
    rm -rf "$home"
    mv "$workplace/venv" "$home"
}
