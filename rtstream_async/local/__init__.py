"""A local VideoDB-compatible RTStream server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtstream_async.local.server import LocalServer

__all__ = ["LocalServer"]


def __getattr__(name: str) -> Any:
    if name != "LocalServer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from rtstream_async.local.server import LocalServer
    except ModuleNotFoundError as exc:
        raise ModuleNotFoundError(
            f"the local server needs {exc.name}; install it with: pip install"
            " 'rtstream-async[local]'",
            name=exc.name,
        ) from exc
    return LocalServer
