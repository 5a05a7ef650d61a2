"""Tables: what queries and commands return."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _persea


class Table:
    """Rows under named columns, for pandas, polars, pyarrow and any reader of Arrow's C interface.

    ``table["start"]`` is a column as a NumPy array. ``polars.DataFrame(table)`` and
    ``pyarrow.table(table)`` read it through ``__arrow_c_stream__`` without a copy of the numbers.
    """

    def __init__(self, inner: _persea.Table) -> None:
        self._inner = inner

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return self._inner.columns

    def __len__(self) -> int:
        return len(self._inner)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """A column, ``[rows]``: int64, float64 (NaN where missing), bool, or objects."""
        column = self._inner.column(name)
        if not isinstance(column, list):
            return np.asarray(column)
        if column and all(isinstance(value, bool) for value in column):
            return np.array(column, dtype=bool)
        array = np.empty(len(column), dtype=object)
        array[:] = column
        return array

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries."""
        columns = [self._values(name) for name in self.columns]
        for values in zip(*columns, strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def _values(self, name: str) -> list[Any]:
        column = self._inner.column(name)
        return column if isinstance(column, list) else np.asarray(column).tolist()

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        return list(self)

    def to_pandas(self) -> Any:
        """The table as a ``pandas.DataFrame``."""
        from ._optional import needed

        pandas = needed("pandas")
        frame = {}
        for name in self.columns:
            column = self._inner.column(name)
            if not isinstance(column, list):
                frame[name] = np.asarray(column)
            elif any(type(value) is int for value in column):
                frame[name] = pandas.array(column, dtype="Int64")
            else:
                frame[name] = pandas.Series(column)
        return pandas.DataFrame(frame, columns=self.columns)

    def to_polars(self) -> Any:
        """The table as a ``polars.DataFrame``."""
        from ._optional import needed

        return needed("polars").DataFrame(self)

    def to_arrow(self) -> Any:
        """The table as a ``pyarrow.Table``."""
        from ._optional import needed

        return needed("pyarrow").table(self)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._inner.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._inner.__arrow_c_schema__()

    def __repr__(self) -> str:
        return f"<persea.Table: {len(self)} rows of {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        shown = 20
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        columns = [self._values(name)[:shown] for name in self.columns]
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{'' if v is None else escape(str(v))}</td>" for v in values)
            + "</tr>"
            for values in zip(*columns, strict=True)
        )
        more = f"<p>{len(self)} rows, the first {shown} shown</p>" if len(self) > shown else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
