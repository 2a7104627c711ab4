"""What the user wants watched: an address, or a file of this machine."""

from __future__ import annotations

from pathlib import Path

import attrs

from rtstream_async.cli.failure import CommandError
from rtstream_async.local.domain.sources import SourceKind, parse_source

__all__ = ["Watchable", "find_source"]


@attrs.frozen(kw_only=True)
class Watchable:
    """A source as the server gets it."""

    url: str = attrs.field(repr=False)  #: may carry a password
    file: Path | None = None  #: the file of this machine that it is

    @property
    def media_root(self) -> Path | None:
        """The directory that an in-process server needs to read."""
        return self.file.parent if self.file is not None else None


def find_source(url: str) -> Watchable:
    """Return the source that `url` or a path names; a file of this machine by its full path.

    Raises:
        CommandError: It names no source, or a file that is not there.
    """
    if (path := _full(url)).is_file():  # before it is taken for a URL: names may have a ? in them
        return Watchable(url=path.as_uri(), file=path)
    try:
        source = parse_source(url)
    except ValueError as exc:
        raise CommandError(str(exc)) from exc
    if source.kind is not SourceKind.FILE:
        return Watchable(url=url)
    if not (path := _full(source.url)).is_file():
        raise CommandError(f"there is no file {path}")
    return Watchable(url=path.as_uri() + ("?loop=1" if source.loop else ""), file=path)


def _full(path: str) -> Path:
    return Path(path).expanduser().resolve()
