"""Failures as one readable line each."""

from __future__ import annotations

from typing import cast

from rtstream_async.cli.render.text import printable
from rtstream_async.errors import (
    AuthenticationError,
    RequestTimeoutError,
    RTStreamError,
    TransportError,
)

__all__ = ["CommandError", "explain"]

_EXTRAS = {
    "av": "local",
    "numpy": "local",
    "starlette": "local",
    "uvicorn": "local",
    "cv2": "ai",
    "onnxruntime": "ai",
    "rapidocr": "ai",
}


class CommandError(Exception):
    """The command can't do what it was asked to; the text is for the user."""


def explain(failure: BaseException, *, server: str | None = None) -> str:
    """Return what went wrong, on one line, for people: no traceback, no class names.

    Args:
        failure: What was raised.
        server: Which server was asked.
    """
    return printable(_reason(_first(failure), server))


def _reason(failure: BaseException, server: str | None) -> str:
    match failure:
        case TransportError() | RequestTimeoutError() if server is not None:
            return f"{server} can't be reached: {failure}"
        case AuthenticationError():
            return f"{failure}; give the key with --api-key or in VIDEO_DB_API_KEY"
        case CommandError() | RTStreamError():
            return str(failure)
        case ModuleNotFoundError(name=str() as name) if name.partition(".")[0] in _EXTRAS:
            extra = _EXTRAS[name.partition(".")[0]]
            return f"{name} is not installed: pip install 'rtstream-async[{extra}]'"
        case OSError():
            return _system(failure)
        case _:
            kind = type(failure).__name__
            return f"unexpected {kind}: {failure} (rtstream --debug ... shows where)"


def _system(failure: OSError) -> str:
    what = failure.strerror or str(failure) or type(failure).__name__
    return f"{failure.filename}: {what}" if failure.filename else what


def _first(failure: BaseException) -> BaseException:
    """The first real failure inside groups."""
    if not isinstance(failure, BaseExceptionGroup):
        return failure
    return _first(cast("BaseExceptionGroup[BaseException]", failure).exceptions[0])
