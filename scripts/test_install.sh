#!/usr/bin/env bash
# Checks that an installation stands alone: test_install.sh PREFIX
#
# From the root folder, in an empty environment, the program runs and is linked with no libtorch; the
# torch backend's library finds each library that belongs to libtorch in PREFIX, so that no cache can
# break it; and a model trains on it. Needs Linux's ldd.
set -euo pipefail

prefix=$(cd "$1" && pwd -P)
library=$prefix/lib/persea/libpersea_torch.so
libtorch='libtorch|libc10|libgomp|libcudart|libcupti'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { printf 'test_install: %s\n' "$*" >&2; exit 1; }
clean() { env -i PATH=/usr/bin:/bin "$@"; }

cd /
env -i "$prefix/bin/persea" --version || fail "$prefix/bin/persea does not run from / in an empty environment"

linked=$(clean ldd "$prefix/bin/persea")
if printf '%s\n' "$linked" | grep 'not found'; then fail "the program's libraries above are missing"; fi
if printf '%s\n' "$linked" | grep -E "$libtorch"; then fail "the program is linked with the libraries above"; fi

linked=$(clean ldd "$library")
if printf '%s\n' "$linked" | grep 'not found'; then fail "the torch backend's libraries above are missing"; fi
printf '%s\n' "$linked" | grep -q libtorch_cpu || fail "$library is not linked with libtorch"
if printf '%s\n' "$linked" | grep -E "$libtorch" | grep -vF "=> $prefix/"; then
    fail "the libraries above are not those in $prefix"
fi
for installed in share/man/man1/persea-train.1 share/bash-completion/completions/persea \
    share/zsh/site-functions/_persea share/fish/vendor_completions.d/persea.fish; do
    [ -s "$prefix/$installed" ] || fail "$prefix/$installed is missing"
done

persea() { clean "$prefix/bin/persea" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "persea $1 failed"; }; }
persea simulate --output "$work/tracks" --biosamples 4 --assays 4 --chromosomes 1
persea create --db "$work/x.persea" --assembly simulated --regions "$work/tracks/regions.bed" --chrom-sizes "$work/tracks/chrom.sizes"
persea ingest "$work/tracks/manifest.tsv" --db "$work/x.persea"
persea train --db "$work/x.persea" --model avocado --preset small --no-validate --passes 1 --backend torch
printf 'test_install: the installed program stands alone, and trains on libtorch\n'
