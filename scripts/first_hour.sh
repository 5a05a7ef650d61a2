#!/usr/bin/env bash
# Runs README's first hour as it stands, on the real data in ../shared/data: first_hour.sh [FOLDER]
#
# Its commands are the code block after the line `<!-- first hour -->` in README.md, written for the
# folder `pilot` of that data. They run in FOLDER (by default a temporary one) over links to it, as
# the data itself is not to be written to. Skips, saying so, where the data is absent.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf 'first hour: %s\n' "$*"; }

data=${PERSEA_SHARED_DATA:-$here/../../shared/data}
[ -d "$data/pilot" ] || { say "skipped: there is no folder $data/pilot"; exit 0; }
data=$(cd "$data" && pwd)
PATH=$("$here/target_folder.sh")/release:$PATH
export PATH

if [ $# -gt 0 ]; then
    mkdir -p "$1"
    place=$(cd "$1" && pwd)
else
    place=$(mktemp -d)
    trap 'rm -rf "$place"' EXIT
fi

commands=$place/first_hour.sh
awk '/^<!-- first hour -->$/ { wanted = 1; next }
     wanted && /^```/ { if (inside) exit; inside = 1; next }
     inside' "$here/../README.md" >"$commands"
[ -s "$commands" ] || { say "README.md has no code block after the line <!-- first hour -->"; exit 1; }

mkdir "$place/pilot"
for entry in "$data"/*; do
    [ "$entry" = "$data/pilot" ] || ln -s "$entry" "$place/"
done
ln -s "$data"/pilot/* "$place/pilot/"
cd "$place/pilot"
bash -euxo pipefail "$commands"
