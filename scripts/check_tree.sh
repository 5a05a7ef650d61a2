#!/usr/bin/env bash
# Checks what is committed: no file over 1 MiB, and no path of the machine that it was written on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0

large=$(git ls-files -z | xargs -0 -I '{}' find '{}' -type f -size +1048576c)
if [ -n "$large" ]; then
    printf 'check_tree: files over 1 MiB are not to be committed:\n%s\n' "$large" >&2
    failed=1
fi

# A merge once left a file of tests without a line, and nothing else noticed.
empty=$(git ls-files -z -- '*.rs' '*.py' '*.sh' '*.sql' | xargs -0 grep -L '[^[:space:]]' || true)
if [ -n "$empty" ]; then
    printf 'check_tree: files without content:\n%s\n' "$empty" >&2
    failed=1
fi

# The brackets keep the pattern from finding itself. Folders that only one machine has: homes, work
# trees, temporary ones. Databases of earlier versions are as those versions wrote them, from a temporary folder.
paths='(^|[^[:alnum:]_.$}~])/([r]oot|[w]ork|[t]mp|[h]ome/[a-z]+|[U]sers/[a-z]+)/[[:alnum:]_.]'
if git grep -nIE "$paths" -- . ':!Cargo.lock' ':!fixtures/databases' >&2; then
    printf 'check_tree: the lines above name paths of one machine\n' >&2
    failed=1
fi

# A user's output may be a link, a pipe or a device: only formats knows how each is written.
if git grep -nE 'File::create|fs::write\(|OpenOptions' -- src/cli >&2; then
    printf 'check_tree: the program writes files through formats::write_text\n' >&2
    failed=1
fi

# The library's messages name options, and the program spells them as its flags.
if git grep -nE '^[^/]*--[a-z][a-z-]+' -- src crates ':!src/cli' ':!src/main.rs' ':!crates/simulation/src/write/readme.rs' ':!src/store/tests' ':!crates/python' >&2; then
    printf 'check_tree: the messages above name flags; the library says option `name`\n' >&2
    failed=1
fi

exit $failed
