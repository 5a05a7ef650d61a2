"""Refuses retired words as identifiers: check_words.py FILE.rs…

The glossary (docs/src/reference/glossary.md) has the terms that replace them. Comments and strings are
prose and are not looked at here.
"""
import re
import sys

# Words that were this project's own language. An identifier is refused if one of its parts is such a word.
RETIRED = set(
    "told hear hears heard cast course keeper keepers room rooms shield shields shielded aside sifting "
    "sifted permit permits material looked".split()
)
# Types that meant several things.
RETIRED_TYPES = {"Means", "Ground", "Place", "Places", "Scale"}
# Names of the standard library and of other crates.
FOREIGN = {"cast", "cast_slice", "cast_slice_mut", "cast_mut", "cast_const", "cast_signed", "cast_unsigned", "OwnedSemaphorePermit"}

PROSE = re.compile(
    r'//[^\n]*|/\*.*?\*/|b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|\'(?:\\[^\']*|[^\'\\])\'', re.S
)
PART = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def retired(word):
    if word in FOREIGN:
        return False
    return word in RETIRED_TYPES or any(part.lower() in RETIRED for part in PART.findall(word))


def main():
    found = 0
    for path in sys.argv[1:]:
        text = open(path, encoding="utf-8").read()
        code = PROSE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
        for number, line in enumerate(code.split("\n"), 1):
            for word in re.findall(r"\b[A-Za-z_]\w*", line):
                if retired(word):
                    print(f"{path}:{number}: `{word}` is a retired word; see the glossary for the term")
                    found += 1
    if found:
        sys.exit(f"{found} retired words")


main()
