"""Where a stream may come from: the URL checked against what this server allows."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import anyio.to_thread
import attrs

from rtstream_async.local.domain.sources import Source, SourceKind, parse_source
from rtstream_async.local.refusal import Refusal, invalid

__all__ = ["SCRIPTED", "free_ports", "is_listening", "redacted", "resolve_source"]

SCRIPTED = "scripted://"
"""Sources that only `control` feeds: no media, records as the test says."""


async def resolve_source(url: str, *, media_root: Path | None) -> Source:
    """Return the source that `url` names; a file's path is absolute, with all links followed.

    Raises:
        Refusal: It is no source, or a file where this server does not read.
    """
    try:
        source = parse_source(url)
    except ValueError as exc:
        raise invalid("url", str(exc)) from None
    if source.kind is not SourceKind.FILE:
        return source
    if media_root is None:
        raise Refusal(
            403, "FORBIDDEN", "url: this server reads no files; start it with a media root"
        )
    path = await anyio.to_thread.run_sync(_locate, source.url, media_root)
    return attrs.evolve(source, url=str(path))


def is_listening(url: str) -> bool:
    """Return whether somebody listens at the address that `url` names, without connecting.

    A connection would be taken for the publisher. A socket that may share the address, and never
    listens, can be bound to it until somebody else listens there, and disturbs nobody.
    """
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, parts.port or 0))
        except OSError as exc:
            return exc.errno == errno.EADDRINUSE
    return False


def free_ports(count: int) -> list[int]:
    """Return different ports of the loopback interface that are free now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def redacted(url: str) -> str:
    """Return `url` without user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query="", fragment=""))


def _locate(name: str, media_root: Path) -> Path:
    if "\0" in name:
        raise invalid("url", "is no path")
    root = media_root.resolve()
    path = (root / name).resolve()
    # Checked before anything else, so that the answer does not tell what exists elsewhere.
    if not path.is_relative_to(root):
        raise Refusal(403, "FORBIDDEN", "url: this file is outside of the server's media root")
    try:
        is_file = path.is_file()
    except OSError as exc:  # a name that is too long, a folder that is not ours to read
        raise invalid("url", f"the file can't be looked up: {exc.strerror}") from None
    if not is_file:
        raise invalid("url", f"there is no file {name!r} below the server's media root")
    return path
