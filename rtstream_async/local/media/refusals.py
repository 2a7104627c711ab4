"""Why a source can't be opened or stopped, in words for people and codes for programs."""

from __future__ import annotations

import errno

from av import error

from rtstream_async.local.media.events import Refused
from rtstream_async.local.media.recorder import RecordingError

__all__ = ["SourceError", "explain", "refusal"]


class SourceError(Exception):
    """A source is not what it should be; the text says how."""

    def __init__(self, reason: str, code: str) -> None:
        self.code = code
        super().__init__(reason)


# From the particular to the general: the first class that fits explains it.
_WORDS: tuple[tuple[type[Exception], str, str], ...] = (
    (error.HTTPNotFoundError, "not_found", "not found (404)"),
    (error.HTTPUnauthorizedError, "unauthorized", "user name or password is wrong (401)"),
    (error.HTTPForbiddenError, "forbidden", "access is forbidden (403)"),
    (error.HTTPTooManyRequestsError, "busy", "the source says it is asked too often (429)"),
    (error.HTTPClientError, "refused", "the source rejected the request"),
    (error.HTTPServerError, "unavailable", "the source has an error of its own (5xx)"),
    (error.FileNotFoundError, "not_found", "no such file or stream"),
    (error.IsADirectoryError, "invalid_data", "it is a directory, not a file"),
    (error.PermissionError, "forbidden", "may not be read by this user"),
    (error.ConnectionRefusedError, "connection_refused", "connection refused"),
    (error.ConnectionResetError, "connection_lost", "the connection was reset"),
    (error.BrokenPipeError, "connection_lost", "the connection broke"),
    (error.TimeoutError, "timeout", "the connection timed out"),
    (error.ProtocolNotFoundError, "unsupported", "this protocol is not supported"),
    (error.DemuxerNotFoundError, "unsupported", "this kind of media is not supported"),
    (error.DecoderNotFoundError, "unsupported", "no decoder for this kind of media"),
    (error.InvalidDataError, "invalid_data", "invalid data: no media that can be read"),
    (error.ArgumentError, "invalid_data", "invalid data: no media that can be read"),
    (error.EOFError, "no_media", "it ends before any media"),
    (error.OSError, "unreachable", "the address can't be reached, or the connection failed"),
)


def refusal(exc: Exception, *, timeout: float, waited: float = 0.0) -> Refused:
    """Return why opening failed.

    Args:
        exc: What PyAV said.
        timeout: The open timeout, in seconds.
        waited: How long it took to fail, in seconds: some protocols report a timeout as bad data.
    """
    if isinstance(exc, SourceError):
        return Refused(reason=str(exc), code=exc.code)
    if isinstance(exc, error.ExitError) or waited >= timeout:
        return Refused(reason=f"timed out after {timeout:g} s", code="timeout")
    if isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE:
        return Refused(reason="the address is in use by another program", code="busy")
    for kind, code, words in _WORDS:
        if isinstance(exc, kind):
            return Refused(reason=words, code=code)
    # Not the whole text: PyAV quotes the address, with the password in it.
    said = exc.strerror if isinstance(exc, error.FFmpegError) else None
    return Refused(reason=f"can't be opened: {said or type(exc).__name__}", code="unknown")


def explain(exc: Exception, *, timeout: float) -> str:
    """Return why playing stopped; `timeout` is the read timeout, in seconds."""
    if isinstance(exc, RecordingError):
        return str(exc)
    if isinstance(exc, error.ExitError):
        return f"the source sent nothing for {timeout:g} s"
    if type(exc) is error.OSError:  # what RTMP says when the other side is gone
        return "the connection was closed"
    return refusal(exc, timeout=timeout).reason
