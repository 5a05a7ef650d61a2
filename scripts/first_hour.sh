#!/usr/bin/env bash
# Runs the commands of a tutorial as they stand: first_hour.sh [PAGE [FOLDER]]
#
# PAGE is README.md, docs/src/tutorial/simulated.md, or by default docs/src/tutorial/pilot.md. Its commands
# are the code blocks that follow a line `<!-- first hour -->`. They run in FOLDER, by default a temporary
# one. The pilot's run over links to the real data, which must not be written to; without the data this
# script ends with a message.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)

say() { printf 'first hour: %s\n' "$*"; }

page=${1:-docs/src/tutorial/pilot.md}
data=${PERSEA_SHARED_DATA:-$root/../shared/data}
if [ "$(basename "$page")" = pilot.md ]; then
    [ -d "$data/pilot" ] || { say "skipped: there is no folder $data/pilot"; exit 0; }
    data=$(cd "$data" && pwd)
fi
PATH=$("$here/target_folder.sh")/release:$PATH
export PATH

if [ $# -gt 1 ]; then
    mkdir -p "$2"
    work=$(cd "$2" && pwd)
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi

commands=$work/first_hour.sh
awk '/^<!-- first hour -->$/ { wanted = 1; next }
     wanted && /^```/ { if (inside) { inside = 0; wanted = 0 } else inside = 1; next }
     inside' "$root/$page" >"$commands"
[ -s "$commands" ] || { say "$page has no code block after the line <!-- first hour -->"; exit 1; }

mkdir "$work/data"
if [ "$(basename "$page")" = pilot.md ]; then
    for entry in "$data"/*; do
        [ "$entry" = "$data/pilot" ] || ln -s "$entry" "$work/"
    done
    ln -s "$data"/pilot/* "$work/data/"
fi
cd "$work/data"
bash -euxo pipefail "$commands"
