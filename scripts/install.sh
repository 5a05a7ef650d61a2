#!/usr/bin/env bash
# Installs what was built, program and libtorch side by side: install.sh PREFIX [LIBTORCH]
#
# PREFIX/bin/persea, and in PREFIX/lib/persea the libtorch from the cache, where the program's run
# path (build.rs) looks before it looks in the cache. A libtorch of the user's own, which may be
# gigabytes of CUDA, stays where it is. Without LIBTORCH: the program alone, built without `torch`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"

say() { printf 'install: %s\n' "$*"; }

prefix=${DESTDIR:-}$1
libtorch=${2:-}
program=$("$here/target_folder.sh")/release/persea

mkdir -p "$prefix/bin" "$prefix/lib"
staged=$(mktemp -d "$prefix/lib/.persea.XXXXXX")
trap 'rm -rf "$staged"' EXIT

# An older copy would be found before any other libtorch: it goes in every case.
case "$libtorch" in
"")
    rm -rf "$prefix/lib/persea"
    ;;
"$(cache_folder)"/*)
    cp -RP "$libtorch/lib/." "$staged/"
    chmod 755 "$staged"
    rm -rf "$prefix/lib/persea"
    mv "$staged" "$prefix/lib/persea"
    say "libtorch in $prefix/lib/persea"
    ;;
*)
    rm -rf "$prefix/lib/persea"
    say "libtorch stays in $libtorch, where the program will look for it"
    ;;
esac

# Renamed, not overwritten: the program may be running.
cp "$program" "$prefix/bin/.persea.$$"
chmod 755 "$prefix/bin/.persea.$$"
mv -f "$prefix/bin/.persea.$$" "$prefix/bin/persea"
say "program $prefix/bin/persea"

mkdir -p "$prefix/share/bash-completion/completions" "$prefix/share/zsh/site-functions" \
    "$prefix/share/fish/vendor_completions.d"
"$program" man "$prefix/share/man/man1"
"$program" completions bash >"$prefix/share/bash-completion/completions/persea"
"$program" completions zsh >"$prefix/share/zsh/site-functions/_persea"
"$program" completions fish >"$prefix/share/fish/vendor_completions.d/persea.fish"
say "man pages and shell completions in $prefix/share"

if [ -z "${DESTDIR:-}" ]; then
    case ":$PATH:" in
    *":$1/bin:"*) ;;
    *) say "$1/bin is not on PATH; add it: export PATH=\"$1/bin:\$PATH\"" ;;
    esac
fi
