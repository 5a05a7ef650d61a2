"""Writes crates/python/python/persea/_verbs.py, a typed method for every command: python_verbs.py [--check]

The commands come from the extension's `definitions()`, which is what `persea --help` prints, so the package has
to be importable. `--check` writes nothing and fails if the file is not what would be written.
"""
import json
import keyword
import re
import sys
import textwrap
from pathlib import Path

from persea import _persea

FILE = Path(__file__).resolve().parent.parent / "crates/python/python/persea/_verbs.py"
HEAD = '''"""Every command of the program as a method. Written by scripts/python_verbs.py; do not edit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from ._progress import Progress

#: A path, or a table with chrom, start and end that stands for a BED file.
File: TypeAlias = "str | os.PathLike[str] | Any"


class Verbs:
    """The commands. Options that are ``None`` have the program's default."""

    def _run(self, *words: object, progress: Progress = None, **options: Any) -> Any:
        raise NotImplementedError
'''
# Of no use to an open database: functions of the package, or only for a shell.
NOT_METHODS = {"create", "demo", "simulate", "completions", "man", "serve"}
FILES = re.compile(r"BED|FILE|DIR|PATH|TSV|MANIFEST|VCF|GTF|FASTA|NPY", re.I)


def name_of(argument):
    name = (argument["long"] or argument["id"]).replace("-", "_")
    return name + "_" if keyword.iskeyword(name) else name


def type_of(argument):
    if argument["count"]:
        return "int"
    if not argument["takes_value"]:
        return "bool"
    values = " ".join(argument["value_name"] or [argument["id"]])
    default = argument["default"][0] if argument["default"] else ""
    if argument["choices"]:
        kind = "Literal[" + ", ".join(json.dumps(c["name"]) for c in argument["choices"]) + "]"
    elif re.fullmatch(r"\d+", default):
        kind = "int | str" if argument["id"] in ("exclude",) else "int"
    elif re.fullmatch(r"\d*\.\d+|\d+e-?\d+", default) or values in ("SHARE", "RATE"):
        kind = "float"
    elif values in ("N", "BP", "BINS", "SEED", "PASSES", "seed", "k", "dpi"):
        kind = "int"
    elif FILES.search(values) or argument["id"] in ("file", "manifest", "labels", "output", "path", "folder", "metadata",
                                                             "shards"):
        kind = "File"
    else:
        kind = "str"
    if argument["many"]:
        kind = f"{kind} | Sequence[{kind}]"
    if argument["optional_value"]:
        kind += " | bool"
    return kind


def sentence(text):
    return " ".join((text or "").split())


def escaped(text):
    return text.replace("\\", "\\\\").replace('"""', "'''")


def wrapped(text, indent, later=None):
    return textwrap.fill(escaped(text), 108, initial_indent=indent, subsequent_indent=later or indent,
                         break_long_words=False, break_on_hyphens=False)


def method(definition):
    path = definition["path"]
    name = "_".join(path).replace("-", "_")
    arguments = [a for a in definition["arguments"] if a["id"] not in ("db", "format", "verbose")]
    positional = [a for a in arguments if a["positional"]]
    options = [a for a in arguments if not a["positional"]]
    lines = [f"    def {name}(", "        self,"]
    for a in positional:
        default = "" if a["required"] else " | None = None"
        lines.append(f"        {name_of(a)}: {type_of(a)}{default},")
    lines.append("        *,")
    for a in sorted(options, key=lambda a: not a["required"]):
        default = "" if a["required"] else " | None = None"
        lines.append(f"        {name_of(a)}: {type_of(a)}{default},")
    lines += ["        progress: Progress = None,", "    ) -> Any:"]
    first, _, rest = (definition["about"] or "").partition("\n\n")
    lines.append(wrapped(sentence(first).rstrip(".") + ".", '        """', "        "))
    if rest.strip():
        lines += ["", wrapped(sentence(rest), "        ")]
    lines += ["", "        Args:"]
    for a in positional + options:
        text = sentence(a["help"]).rstrip(".")
        if a["default"] and a["takes_value"]:
            text += f" [default: {', '.join(a['default'])}]"
        lines.append(wrapped(f"{name_of(a)}: {text}.", "            ", "                "))
    lines.append("            progress: As of ``persea.run``.")
    lines += ["", f"        The command is ``persea {' '.join(path)}``.", '        """']
    words = ", ".join(json.dumps(w) for w in path)
    lines.append("        return self._run(")
    lines.append(f"            {words},")
    for a in positional:
        star = "*_listed(%s)" if a["many"] else "%s"
        lines.append(f"            {star % name_of(a)},")
    lines.append("            progress=progress,")
    lines += [f"            {name_of(a)}={name_of(a)}," for a in options]
    lines += ["        )"]
    return "\n".join(lines)


TAIL = '''

def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
'''


def main():
    definitions = json.loads(_persea.definitions())
    shown = [d for d in definitions if not d["hidden"] and d["path"][0] not in NOT_METHODS]
    text = HEAD + "\n" + "\n\n".join(method(d) for d in shown) + "\n" + TAIL
    if "--check" in sys.argv[1:]:
        if FILE.read_text(encoding="utf-8") != text:
            sys.exit("python_verbs: _verbs.py is not what the program's commands are; run scripts/python_verbs.py")
        return
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
