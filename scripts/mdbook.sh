#!/usr/bin/env bash
# Runs mdBook, fetched into the cache on first use: mdbook.sh build docs
#
# The wheel contains the compiled program. Where there is no wheel, mdBook is compiled, which takes
# minutes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"

version=0.5.4

say() { printf 'mdbook: %s\n' "$*" >&2; }

cache=$(cache_folder)
home=$cache/tools/mdbook-$version
if ! [ -x "$home/bin/mdbook" ]; then
    need_pip "mdBook" || exit 1
    mkdir -p "$cache/tools"
    hold_lock "$cache/.mdbook.lock"
    if ! [ -x "$home/bin/mdbook" ]; then
        make_workplace "$cache" mdbook-fetch
        say "fetching mdBook $version (once) into $home"
        mkdir -p "$workplace/tool/bin"
        case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) platforms="manylinux2014_x86_64 manylinux_2_17_x86_64" ;;
        *) platforms="macosx_11_0_arm64" ;;
        esac
        # shellcheck disable=SC2086 # the list is meant to split
        if fetch_wheels "$here/pins/mdbook.txt" "$workplace/wheels" $platforms &&
            python3 -c '
import glob, sys, zipfile
archive = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
(name,) = (name for name in archive.namelist() if name.endswith("/scripts/mdbook"))
open(sys.argv[2], "wb").write(archive.read(name))
' "$workplace/wheels" "$workplace/tool/bin/mdbook" &&
            chmod +x "$workplace/tool/bin/mdbook" && "$workplace/tool/bin/mdbook" --version >&2; then
            :
        else
            say "no wheel for this machine; compiling it"
            cargo install mdbook --locked --version "$version" --root "$workplace/tool" --target-dir "$workplace/target" >&2
        fi
        rm -rf "$home"
        mv "$workplace/tool" "$home"
        rm -rf "$workplace" # exec below runs no trap
    fi
fi
exec 9>&- # free the lock, if it is held
exec "$home/bin/mdbook" "$@"
