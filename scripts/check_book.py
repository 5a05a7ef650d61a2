#!/usr/bin/env python3
"""Checks the documentation after `mdbook build`: check_book.py

Every page stands in docs/src/SUMMARY.md. Every relative link of README.md, ARCHITECTURE.md and the book
leads to a file that exists, and every anchor to a heading. Every option that a page names exists, and CI runs
every command of the README. No page is longer than allowed. Words of the project's former private language do
not come back.
"""

import html
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs/src"
BUILT = ROOT / "docs/book"
LIMITS = {"README.md": 150, "ARCHITECTURE.md": 200}
PAGE_LIMIT = 250
# Words with a plain meaning elsewhere, but not in these pages.
RETIRED = re.compile(r"\b(told|keeper|sifting|shielded|kept aside|nobody ran|says so)\b", re.I)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
OPTION = re.compile(r"--[a-z][a-z0-9-]*")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")

problems = []


def problem(page, text):
    problems.append(f"{page.relative_to(ROOT)}: {text}")


def prose(page):
    """The page without code."""
    return CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))


def slugs(page):
    """The anchors of a Markdown page as GitHub makes them."""
    found = set()
    for line in FENCE.sub("", page.read_text(encoding="utf-8")).splitlines():
        if match := re.match(r"#+ (.*)", line):
            text = re.sub(r"[^\w\- ]", "", match[1].strip().lower())
            found.add(text.replace(" ", "-"))
    return found


def built_anchors(page):
    built = BUILT / page.relative_to(SOURCE).with_suffix(".html")
    if not built.exists():
        return None
    ids = re.findall(r'\bid="([^"]+)"', built.read_text(encoding="utf-8"))
    return {html.unescape(i) for i in ids}


def check_link(page, link):
    if re.match(r"[a-z]+:", link):
        return
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        problem(page, f"the link {link} leads to no file")
        return
    if not target.is_relative_to(ROOT):
        problem(page, f"the link {link} leads out of the repository")
    if page.is_relative_to(SOURCE) and not target.is_relative_to(SOURCE):
        problem(page, f"the link {link} leads out of the book")
    if anchor and target.suffix == ".md":
        anchors = built_anchors(target) if target.is_relative_to(SOURCE) else slugs(target)
        if anchors is not None and anchor not in anchors:
            problem(page, f"the link {link} leads to no heading")


def options(page):
    """The options of Persea that a page names: code that begins with one, and lines of commands."""
    text = page.read_text(encoding="utf-8")
    named = {span[1:] for span in CODE.findall(FENCE.sub("", text)) if span.startswith("`--")}
    for block in FENCE.findall(text):
        named |= {line for line in block.replace("\\\n", " ").splitlines() if line.strip().startswith("persea ")}
    # What follows a lone `--` or a comment sign is not the command's own.
    return {o for words in named for o in OPTION.findall(words.split("#")[0])}


def first_hour(page):
    """The commands of a page that scripts/first_hour.sh runs."""
    blocks = re.findall(r"^<!-- first hour -->\n```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()]


def main():
    tutorial = first_hour(SOURCE / "tutorial/simulated.md")
    for command in first_hour(ROOT / "README.md"):
        if command not in tutorial:
            problem(ROOT / "README.md", f"CI does not run `{command}`: the tutorial on simulated data lacks it")
    summary = SOURCE / "SUMMARY.md"
    listed = {(SOURCE / link).resolve() for link in LINK.findall(summary.read_text(encoding="utf-8"))}
    pages = sorted(p for p in SOURCE.rglob("*.md") if p != summary)
    commands = [p for p in pages if p.parent.name == "commands"]
    known = {o for p in commands for o in OPTION.findall(p.read_text(encoding="utf-8"))}
    for page in [ROOT / "README.md", *(p for p in pages if p not in commands)]:
        for unknown in sorted(options(page) - known):
            problem(page, f"no command has the option {unknown}")
    for page in pages:
        if page not in listed:
            problem(page, "is missing from docs/src/SUMMARY.md")
        elif built_anchors(page) is None:
            problem(page, "has not been built; run `make book`")
    for page in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", summary, *pages]:
        n_lines = page.read_text(encoding="utf-8").count("\n")
        limit = LIMITS.get(page.name, PAGE_LIMIT)
        if n_lines > limit:
            problem(page, f"has {n_lines} lines, and may have {limit}")
        text = prose(page)
        for link in LINK.findall(text):
            check_link(page, link)
        for match in RETIRED.finditer(text):
            problem(page, f"`{match[0]}` is a retired word; use the terms of the glossary")
    for line in problems:
        print(f"book: {line}", file=sys.stderr)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
