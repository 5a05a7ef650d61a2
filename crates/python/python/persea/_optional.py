"""Packages that only some functions need."""

from __future__ import annotations

import importlib
from typing import Any


def needed(name: str, package: str | None = None) -> Any:
    """Imports a module, or says how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = package or name.split(".")[0]
        message = f"this needs {package}; install it with `pip install {package}`"
        raise ImportError(message) from error
