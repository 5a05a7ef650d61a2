"""Lists each use of `unsafe` and refuses one without a proof: check_unsafe.py [--write]

A block, an implementation and a trait need a comment that begins with `SAFETY:` directly above them, or above the
statement that they stand in; the module's documentation may have one for all blocks of a file. A function needs a
section `# Safety` in its documentation, or such a comment. The book's
page of the inventory is compared with the list; --write makes it anew.
"""
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/src/internals/unsafe.md"
BEGIN, END = "<!-- inventory -->\n", "<!-- end of the inventory -->\n"
USE = re.compile(r'\bunsafe\s*(?:(?P<block>\{)|(?P<item>impl|trait)\b|(?:extern\s*"[^"]*"\s*)?fn\s+(?P<name>\w+))')
NO_CODE = re.compile(r'//.*|"(?:\\.|[^"\\])*"|r#".*?"#')


def without_text(line):
    """The line's code: no comments, and strings empty (an ABI's name does not matter)."""
    return NO_CODE.sub(lambda found: "" if found.group().startswith("//") else '""', line)


def proof(lines, at, is_function):
    """What is written above about a use of `unsafe`; None where there is nothing."""
    begin = at
    for above in range(at - 1, max(at - 40, -1), -1):
        text = lines[above].strip()
        if text.startswith("//"):
            comment = []
            while above >= 0 and lines[above].strip().startswith(("//", "#[")):
                comment.insert(0, lines[above].strip())
                above -= 1
            joined = " ".join(line.lstrip("/! ") for line in comment if line.startswith("//"))
            if "SAFETY:" in joined:
                return joined.split("SAFETY:", 1)[1].strip()
            if is_function and "# Safety" in joined:
                return joined.split("# Safety", 1)[1].strip()
            # A comment about something else may stand between the proof and the statement's end.
            return None
        if text.startswith("#["):
            continue
        # The statement before has ended: what stands above it is about something else.
        if not text or text.endswith((";", "}", "},")) and begin - above > 0:
            return None
    return None


def uses():
    """Each use: file, line, kind, proof."""
    files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.rs"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split()
    for file in sorted(set(files)):
        if not (ROOT / file).exists():
            continue
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        of_file = re.search(r"SAFETY: (.*)", " ".join(line[4:] for line in lines if line.startswith("//!")))
        for at, line in enumerate(lines):
            for found in USE.finditer(without_text(line)):
                kind = "block" if found["block"] else found["item"] or "function"
                own = re.search(r"//\s*SAFETY:\s*(.*)", line)
                yield file, at + 1, kind, own[1] if own else (
                    proof(lines, at, kind == "function") or of_file and of_file[1])


def inventory(found):
    """The list as the book has it."""
    kinds = Counter(kind for _, _, kind, _ in found)
    counts = ", ".join(f"{n} {kind}{'s' if n != 1 else ''}" for kind, n in sorted(kinds.items()))
    text = [f"In all {len(found)}: {counts}.\n", "\n", "| file | uses | proofs |\n", "|---|---|---|\n"]
    by_file = {}
    for file, _, _, why in found:
        by_file.setdefault(file, []).append(why)
    for file, proofs in by_file.items():
        distinct = list(dict.fromkeys(proofs))
        shown = "<br>".join(why.replace("|", "\\|") for why in distinct)
        text.append(f"| `{file}` | {len(proofs)} | {shown} |\n")
    return "".join(text)


def main():
    found = list(uses())
    bare = [use for use in found if not use[3]]
    for file, line, kind, _ in bare:
        print(f"{file}:{line}: an unsafe {kind} without a proof: write `// SAFETY: …` above it", file=sys.stderr)
    if bare:
        sys.exit(1)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    made = before + BEGIN + inventory(found) + END + after
    if "--write" in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    elif made != page:
        sys.exit("docs/src/internals/unsafe.md is not the list: run scripts/check_unsafe.py --write")
    print(f"{len(found)} uses of unsafe, each with its proof")


if __name__ == "__main__":
    main()
