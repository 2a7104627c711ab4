"""Failures as one readable line each."""

from __future__ import annotations

from functools import singledispatch
from typing import cast

from rtstream_async.cli.render.text import printable
from rtstream_async.errors import (
    AuthenticationError,
    InvalidRequestError,
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


@singledispatch
def _reason(failure: BaseException, server: str | None) -> str:  # noqa: ARG001 - the port
    kind = type(failure).__name__
    return f"unexpected {kind}: {failure} (rtstream --debug ... shows where)"


@_reason.register
def _own(failure: CommandError | RTStreamError, server: str | None) -> str:  # noqa: ARG001
    return str(failure)


@_reason.register
def _unreachable(failure: TransportError | RequestTimeoutError, server: str | None) -> str:
    return str(failure) if server is None else f"{server} can't be reached: {failure.message}"


@_reason.register
def _refused(failure: InvalidRequestError, server: str | None) -> str:  # noqa: ARG001
    return failure.message


@_reason.register
def _not_let_in(failure: AuthenticationError, server: str | None) -> str:  # noqa: ARG001
    if not failure.status:
        return "there is no key: give it with --api-key or in VIDEO_DB_API_KEY"
    return f"{failure.message} (from --api-key or VIDEO_DB_API_KEY)"


@_reason.register
def _not_installed(failure: ModuleNotFoundError, server: str | None) -> str:  # noqa: ARG001
    name = (failure.name or "").partition(".")[0]
    if name not in _EXTRAS:
        return str(failure)
    return f"{name} is not installed: pip install 'rtstream-async[{_EXTRAS[name]}]'"


@_reason.register
def _system(failure: OSError, server: str | None) -> str:  # noqa: ARG001
    what = failure.strerror or str(failure) or type(failure).__name__
    return f"{failure.filename}: {what}" if failure.filename else what


def _first(failure: BaseException) -> BaseException:
    """The first real failure inside groups."""
    if not isinstance(failure, BaseExceptionGroup):
        return failure
    return _first(cast("BaseExceptionGroup[BaseException]", failure).exceptions[0])
