"""Refuses imports against the order of modules, and circles within a module: check_modules.py

The order of crates and modules is the one in ARCHITECTURE.md. A file may use what its own parent defines, and
a parent its children, since a parent declares what its children share and chooses among them. Any other
circle of files is refused. Tests are not looked at: they use what they test.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROSE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"', re.S)
PATH = re.compile(r"\b(?:crate|super|self)(?:::\w+)*(?:::\{)?|\b[a-z_]\w*(?:::\w+)+")


def order():
    """Names of crates and of modules, the first first."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = text.split("```text", 1)[1].split("```", 1)[0]
    crates, modules = block.split("src/", 1)
    return [re.findall(r"\w+", part.replace("crates/", "")) for part in (crates, modules)]


def place(file):
    """The module that a file is: ("persea", "store", "check") of src/store/check.rs."""
    parts = file.removesuffix(".rs").split("/")
    owner = "persea" if parts[0] == "src" else parts[1]
    inner = parts[1:] if parts[0] == "src" else parts[3:]
    return (owner, *(inner[:-1] if inner[-1] in ("mod", "lib", "main") else inner))


def code(file):
    text = PROSE.sub(" ", (ROOT / file).read_text(encoding="utf-8"))
    return text.split("#[cfg(test)]\nmod tests {")[0]


def leaves(tree, before=()):
    """Each path of a tree of imports, with the name that it has here: `a::{b, c as d}`."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(tree):
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            parts.append(tree[start:at])
            start = at + 1
    for part in [*parts, tree[start:]]:
        head, brace, rest = part.strip().partition("{")
        path, _, name = head.strip().partition(" as ")
        names = (*before, *(n for n in path.split("::") if n))
        if brace:
            yield from leaves(rest[: rest.rindex("}")], names)
        elif names != before:
            yield names, name or names[-1]


def group(text, start):
    """What stands in the braces that were opened before `start`."""
    depth, end = 1, start
    while depth and end < len(text):
        depth += (text[end] == "{") - (text[end] == "}")
        end += 1
    return text[start : end - 1]


def paths(text):
    """All paths in a text, those of groups one by one."""
    for found in PATH.finditer(text):
        path = found.group()
        if path.endswith("{"):
            names = tuple(path.removesuffix("::{").split("::"))
            yield from (names + leaf for leaf, _ in leaves(group(text, found.end())))
        else:
            yield tuple(path.split("::"))


class Graph:
    def __init__(self):
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "src", "crates"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split()
        files = [f for f in listed if re.fullmatch(r"(src|crates/\w+/src)/.*\.rs", f) and (ROOT / f).exists()]
        is_test = re.compile(r"(^|/)(tests|golden|test_\w+)(\.rs|/)|skipped\.rs$")
        self.files = {place(f): f for f in files if not is_test.search(f)}
        self.code = {module: code(file) for module, file in self.files.items()}
        self.imports = {}
        for module, text in self.code.items():
            uses = re.findall(r"\buse ([^;]+);", text)
            self.imports[module] = {name: path for tree in uses for path, name in leaves(tree)}

    def defined_in(self, module, path, depth=0):
        """The module that defines `path` as `module` writes it; None if it is another crate's."""
        at, names = module, list(path)
        if names[0] == "crate":
            at = module[:1]
        while names and names[0] in ("crate", "super", "self"):
            at = at[:-1] if names[0] == "super" else at
            names = names[1:]
        relative = path[0] in ("crate", "super", "self")
        while names:
            if at + (names[0],) in self.files:
                at, names, relative = at + (names[0],), names[1:], True
                continue
            imported = self.imports.get(at, {}).get(names[0])
            if imported and depth < 9 and imported != tuple(names[:1]):
                return self.defined_in(at, (*imported, *names[1:]), depth + 1)
            break
        return at if relative else None

    def edges(self):
        """For each module, the modules that it uses; what it only passes on to others does not count."""
        used = {}
        for module, text in self.code.items():
            own = re.sub(r"\bpub(?:\([^)]*\))? use [^;]+;", "", text)
            found = {self.defined_in(module, path) for path in paths(own)}
            used[module] = {m for m in found if m in self.files and m != module}
        return used


def circles(edges):
    """Groups of modules that reach each other (Tarjan), parents and children apart."""
    index, low, stack, groups = {}, {}, [], []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for other in edges[module]:
            if other[: len(module)] == module:
                continue
            if other not in index:
                visit(other)
            if other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == index[module]:
            at = stack.index(module)
            if len(stack) - at > 1:
                groups.append(sorted(stack[at:]))
            del stack[at:]

    for module in sorted(edges):
        if module not in index:
            visit(module)
    return groups


def main():
    sys.setrecursionlimit(10_000)
    crates, modules = order()
    wrong = []
    graph = Graph()
    here = {module[1] for module in graph.files if module[0] == "persea" and len(module) > 2}
    for name in sorted(here - set(modules)):
        wrong.append(f"src/{name}: is not in ARCHITECTURE.md's order of modules")
    edges = graph.edges()
    n_imports = 0
    for module, used in edges.items():
        for other in used:
            a, b = module[1:2], other[1:2]
            both = {*a, *b} <= set(modules) and a and b and a != b
            if module[0] == other[0] == "persea" and both:
                n_imports += 1
                if modules.index(b[0]) > modules.index(a[0]):
                    wrong.append(f"{graph.files[module]}: imports {b[0]}, which stands below {a[0]}")
    for crate in crates:
        manifest = (ROOT / "crates" / crate / "Cargo.toml").read_text(encoding="utf-8")
        for other in re.findall(r"(?m)^persea-(\w+)", manifest.split("[dev-dependencies]")[0]):
            if crates.index(other) > crates.index(crate):
                wrong.append(f"crates/{crate}: depends on {other}, which stands below it")
    found = circles(edges)
    for group_found in found:
        wrong.append("a circle: " + ", ".join(graph.files[m] for m in group_found))
    print(f"{len(graph.files)} files, {n_imports} imports between modules, {len(found)} circles")
    if wrong:
        sys.exit("\n".join(wrong))


main()
