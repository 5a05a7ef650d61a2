#!/usr/bin/env bash
# Builds the book into docs/book and checks it: book.sh
#
# The command reference is generated from the program, which must be built. The tables of results must
# agree with docs/results.json, every link must lead somewhere, and no page may grow beyond its limit.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."

program=$("$here/target_folder.sh")/release/persea
[ -x "$program" ] || { printf 'book: %s is missing; run make build\n' "$program" >&2; exit 1; }

rm -rf docs/src/commands docs/book
"$program" reference docs/src/commands
scripts/results.py --check
scripts/mdbook.sh build docs
scripts/check_book.py
printf 'book: docs/book/index.html\n'
