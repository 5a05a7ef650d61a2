#!/usr/bin/env bash
# Builds the book into docs/book and checks it: book.sh
#
# The command reference is generated from the program, which must be built. The pages of notebooks have the
# results of `make wheel`, which runs them, or none. The tables of results must agree with
# docs/results.json, every link must lead somewhere, and no page may grow beyond its limit.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."

program=$("$here/target_folder.sh")/release/persea
[ -x "$program" ] || { printf 'book: %s is missing; run make build\n' "$program" >&2; exit 1; }

rm -rf docs/src/commands docs/src/notebooks docs/book
"$program" reference docs/src/commands

ran=$("$here/target_folder.sh")/notebooks
if [ -e "$ran/complete" ] && [ -z "$(find examples/notebooks -newer "$ran/complete")" ]; then
    cp -R "$ran" docs/src/notebooks
    rm docs/src/notebooks/complete
else
    printf 'book: the pages of notebooks are without results; make wheel runs the notebooks\n'
    python3 scripts/notebooks.py docs/src/notebooks
fi

# The list of commands in the summary is the program's. A change shows in git.
{
    sed '/(commands\/overview.md)/q' docs/src/SUMMARY.md
    sed -n 's/^| \[`\(.*\)`\](\(.*\)\.md) |.*/  - [\1](commands\/\2.md)/p' docs/src/commands/overview.md
    sed -n '/(reference\/formats.md)/,$p' docs/src/SUMMARY.md
} >docs/src/.summary
if cmp -s docs/src/.summary docs/src/SUMMARY.md; then
    rm docs/src/.summary
else
    mv docs/src/.summary docs/src/SUMMARY.md
    printf 'book: docs/src/SUMMARY.md now lists the commands of the program; commit it\n'
fi

scripts/results.py --check
scripts/mdbook.sh build docs
scripts/check_book.py
printf 'book: docs/book/index.html\n'
