"""The program's commands as Python calls, in this process.

A command's arguments are its flags: ``run("task", "run", "expression", biosample="E003")`` is
``persea task run expression --biosample E003``.
"""

from __future__ import annotations

import difflib
import functools
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

from . import _persea
from ._progress import Progress, reporter
from ._regions import columns_of, write_bed
from ._table import Table

#: What a command gives: rows as a table, another JSON value, a line of text, or nothing.
Outcome: TypeAlias = "Table | dict[str, Any] | list[Any] | str | None"


@functools.cache
def definitions() -> dict[tuple[str, ...], dict[str, Any]]:
    """Every command by its words, as ``persea --help`` defines it."""
    return {tuple(d["path"]): d for d in json.loads(_persea.definitions())}


def run(
    *words: object,
    db: str | os.PathLike[str] | None = None,
    progress: Progress = None,
    **options: Any,
) -> Any:
    """Runs a command of the program in this process.

    Words are the command and its positional arguments. Options are its flags with underscores for hyphens:
    ``True`` sets a flag, a list repeats an option, a table with chrom, start and end stands for a BED file,
    ``None`` leaves an option out.

    Args:
        db: The database's directory.
        progress: A function of (what, steps done, steps in total), ``True`` for tqdm's bar, ``False`` for
            none. By default a bar is shown in a terminal or a notebook if tqdm is installed.

    Returns:
        A ``Table`` for rows, another JSON value, a line of text, or ``None``.

    Raises:
        PerseaError: With the program's message. ``IncompleteError`` if the command ended but part of its
            work failed; its attribute ``result`` is what was printed.
        KeyboardInterrupt: After Ctrl-C, when the command has stopped.
    """
    path, rest = _command(words)
    definition = definitions()[path]
    by_name = {_name(a): a for a in definition["arguments"]}
    with tempfile.TemporaryDirectory(prefix="persea-") as folder:
        flags: list[str] = []
        for name, value in options.items():
            argument = by_name.get(name.rstrip("_")) or by_name.get(name)
            if argument is None:
                raise TypeError(_unknown(path, name, by_name))
            if argument["positional"]:
                rest = [*rest, *_values(value)]
            else:
                flags += _flags(argument, value, folder)
        if db is not None:
            flags.append(f"--db={os.fspath(db)}")
        if "format" in by_name and "format" not in options:
            flags.append("--format=json")
        positional = [_text(value, folder) for value in rest if value is not None]
        line = [*path, *flags, *(["--", *positional] if positional else [])]
        with reporter(progress, " ".join(path)) as report:
            output, is_whole = _persea.run(line, report)
    result = outcome(output.decode())
    if not is_whole:
        message = f"`persea {' '.join(path)}` ended, but part of its work failed; see `result`"
        error = _persea.IncompleteError(message)
        error.result = result  # type: ignore[attr-defined]
        raise error
    return result


def outcome(text: str) -> Outcome:
    """What a command printed, as a value."""
    if not text.strip():
        return None
    table = _persea.table_of_json(text)
    if table is not None:
        return Table(table)
    try:
        value: dict[str, Any] | list[Any] = json.loads(text)
    except json.JSONDecodeError:
        return text.strip()
    return value


def _command(words: tuple[object, ...]) -> tuple[tuple[str, ...], list[object]]:
    known = definitions()
    for n in (3, 2, 1):
        path = tuple(str(w) for w in words[:n])
        if len(path) == n and path in known:
            return path, list(words[n:])
    first = [" ".join(p) for p in known if words and p[0] == words[0]]
    listed = ", ".join(first or sorted({p[0] for p in known if not known[p]["hidden"]}))
    raise _persea.UsageError(f"`{' '.join(map(str, words))}` is no command; there are {listed}")


def _name(argument: dict[str, Any]) -> str:
    name: str = argument["long"] or argument["id"]
    return name.replace("-", "_")


def _unknown(path: tuple[str, ...], name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 3)
    hint = f"; did you mean {', '.join(near)}?" if near else f"; it has {', '.join(sorted(known))}"
    return f"`{' '.join(path)}` has no option {name}{hint}"


def _values(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (list, set, frozenset)) or _is_plain_tuple(value):
        return list(value)
    return [value]


def _is_plain_tuple(value: Any) -> bool:
    return isinstance(value, tuple)


def _flags(argument: dict[str, Any], value: Any, folder: str) -> list[str]:
    flag = f"--{argument['long']}" if argument["long"] else f"-{argument['short']}"
    if value is None or value is False:
        return []
    if not argument["takes_value"]:
        if value is True:
            return [flag]
        if argument["count"] and isinstance(value, int):
            return [flag] * value
        raise TypeError(f"{_name(argument)} is a switch: True or False")
    if value is True:
        if argument["optional_value"]:
            return [flag]
        raise TypeError(f"{_name(argument)} needs a value")
    values = _values(value)
    if len(values) > 1 and not argument["many"]:
        raise TypeError(f"{_name(argument)} takes one value")
    return [f"{flag}={_text(v, folder)}" for v in values]


def _text(value: Any, folder: str) -> str:
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if columns_of(value) is not None:
        path = Path(tempfile.mkstemp(".bed", dir=folder)[1])
        write_bed(value, path)
        return str(path)
    return str(value)


def simulate(output: str | os.PathLike[str], **options: Any) -> Any:
    """Writes a simulated compendium with known truth as files; options as of ``persea simulate``."""
    return run("simulate", output=output, **options)


def demo(output: str | os.PathLike[str], **options: Any) -> Any:
    """Simulates a compendium, trains, imputes and scores it; options as of ``persea demo``."""
    return run("demo", output=output, **options)


Callback: TypeAlias = Callable[[str, int, int], object]

#: Commands without a function, and why.
WITHOUT_FUNCTION = {
    "completions": "prints a script for a shell, which Python is not",
    "man": "writes manual pages; `help(persea.Database)` has the same text",
    "serve": "serves the page until it is ended, which is a process of its own: `python -m persea serve`",
}
