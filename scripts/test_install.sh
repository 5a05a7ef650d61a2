#!/usr/bin/env bash
# Checks that an installed program stands alone: test_install.sh PREFIX
#
# From the root folder, in an empty environment, it runs, and finds each library that belongs to
# libtorch in PREFIX, so that no cache can break it. Needs Linux's ldd.
set -euo pipefail

prefix=$(cd "$1" && pwd -P)
libtorch='libtorch|libc10|libgomp|libcudart|libcupti'

fail() { printf 'test_install: %s\n' "$*" >&2; exit 1; }

cd /
env -i "$prefix/bin/persea" --version || fail "$prefix/bin/persea does not run from / in an empty environment"

linked=$(env -i PATH=/usr/bin:/bin ldd "$prefix/bin/persea")
if printf '%s\n' "$linked" | grep 'not found'; then fail "libraries are missing"; fi
printf '%s\n' "$linked" | grep -q libtorch_cpu || fail "the program is not linked with libtorch"
if printf '%s\n' "$linked" | grep -E "$libtorch" | grep -vF "=> $prefix/"; then
    fail "the libraries above are not those in $prefix"
fi
for installed in share/man/man1/persea-train.1 share/bash-completion/completions/persea \
    share/zsh/site-functions/_persea share/fish/vendor_completions.d/persea.fish; do
    [ -s "$prefix/$installed" ] || fail "$prefix/$installed is missing"
done
printf 'test_install: the installed program stands alone\n'
