"""Progress of long work: a function of the caller's, or tqdm's bar."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Report: TypeAlias = Callable[[str, int, int], object]
#: A function of (what, steps done, steps in total); True for a bar, False for none, None to choose.
Progress: TypeAlias = "Report | bool | None"


def _is_watched() -> bool:
    return "ipykernel" in sys.modules or bool(sys.stderr and sys.stderr.isatty())


@contextlib.contextmanager
def reporter(progress: Progress, title: str) -> Iterator[Report | None]:
    """The function to report to, for the time of one command."""
    if callable(progress):
        yield progress
        return
    if progress is False or (progress is None and not _is_watched()):
        yield None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        if progress is None:
            yield None
            return
        raise ImportError("a bar needs tqdm; install it with `pip install tqdm`") from error
    bar: Any = None

    def report(what: str, done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(desc=title, total=total or None, leave=False)
        if total and bar.total != total:
            bar.reset(total=total)
        bar.set_postfix_str(what, refresh=False)
        bar.n = done
        bar.refresh()

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()
