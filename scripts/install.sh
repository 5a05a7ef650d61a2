#!/usr/bin/env bash
# Installs what was built, program and torch backend side by side: install.sh PREFIX [LIBTORCH]
#
# PREFIX/bin/persea, and in PREFIX/lib/persea the library libpersea_torch with the libtorch from the
# cache, where its run path (crates/torch/build.rs) looks first. A libtorch of the user's own, which may
# be gigabytes of CUDA, stays where it is. Without LIBTORCH: the program alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/fetch.sh
. "$here/fetch.sh"

say() { printf 'install: %s\n' "$*"; }

prefix=${DESTDIR:-}$1
libtorch=${2:-}
release=$("$here/target_folder.sh")/release
program=$release/persea

mkdir -p "$prefix/bin" "$prefix/lib"
staged=$(mktemp -d "$prefix/lib/.persea.XXXXXX")
trap 'rm -rf "$staged"' EXIT

# An older copy would be found before any other: it goes in every case.
if [ -n "$libtorch" ]; then
    library=$release/libpersea_torch.so
    [ -e "$library" ] || library=$release/libpersea_torch.dylib
    [ -e "$library" ] || { say "there is no libpersea_torch in $release; run make torch" >&2; exit 1; }
    where="libtorch stays in $libtorch, where the torch backend will look for it"
    case "$libtorch" in
    "$(cache_folder)"/*)
        cp -RP "$libtorch/lib/." "$staged/"
        where="with its libtorch"
        ;;
    esac
    cp "$library" "$staged/"
    chmod 755 "$staged"
fi
rm -rf "$prefix/lib/persea"
if [ -n "$libtorch" ]; then
    mv "$staged" "$prefix/lib/persea"
    say "torch backend in $prefix/lib/persea, $where"
fi

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
