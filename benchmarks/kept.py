"""Results that stay: rows, and what they were measured with."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

__all__ = ["keep", "machine"]

_FOLDER = Path(__file__).parent / "results"
_LIBRARIES = ("httpx", "httpcore", "anyio", "attrs", "msgspec", "websockets", "videodb", "requests")


def keep(name: str, rows: Sequence[Mapping[str, object]]) -> Path:
    """Return the file in which the rows of the benchmark `name` are now."""
    _FOLDER.mkdir(exist_ok=True)
    file = _FOLDER / f"{name}.json"
    kept = {"benchmark": name, "machine": machine(), "rows": list(rows)}
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return file


def machine() -> dict[str, object]:
    """Return how many cores there are, and the versions of Python and of the libraries."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }
