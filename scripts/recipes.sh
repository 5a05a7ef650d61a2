#!/usr/bin/env bash
# Runs the commands of the book's page docs/src/howto/recipes.md with deepTools (from PyPI) and ChromHMM (from Debian):
# recipes.sh [FOLDER]
#
# Needs Python 3.10 or later with pip and venv, apt-get and Java for ChromHMM, and the program built (make build). A
# download of some hundred megabytes. $CHROMHMM is the command of a ChromHMM that is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'recipes: %s\n' "$*" >&2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v computeMatrix >/dev/null; then
    python3 -m venv "$work/python"
    "$work/python/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --requirement scripts/pins/recipes.txt
    PATH=$work/python/bin:$PATH
fi
command -v java >/dev/null || { say "ChromHMM needs Java: apt install default-jre-headless"; exit 1; }
if [ -z "${CHROMHMM:-}" ]; then
    mkdir "$work/debian"
    # The packages alone: nothing is installed.
    (cd "$work/debian" && apt-get download chromhmm libjheatchart-java libbatik-java libxmlgraphics-commons-java >/dev/null 2>&1) ||
        { say "apt-get cannot download chromhmm: give the command of another by CHROMHMM"; exit 1; }
    for package in "$work"/debian/*.deb; do dpkg-deb --extract "$package" "$work/debian"; done
    jars=$(printf '%s:' "$work"/debian/usr/share/java/*.jar)
    CHROMHMM="java -cp $jars edu.mit.compbio.ChromHMM.ChromHMM"
fi
export PATH CHROMHMM
scripts/first_hour.sh docs/src/howto/recipes.md "$@"
say "every command of the page ran"
