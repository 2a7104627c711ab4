"""Screens, cameras and microphones of this machine, as far as the installed PyAV can open them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

import anyio.to_thread
import attrs
import av
from av.error import FFmpegError

__all__ = ["Feed", "FeedError", "device", "media_types", "screen"]

_DEVICES: Final = frozenset(
    {
        *("alsa", "avfoundation", "dshow", "fbdev", "gdigrab", "kmsgrab", "lavfi", "oss"),
        *("pulse", "v4l2", "x11grab"),
    }
)
"""Formats that name no file, but something of the machine."""

_SCREENS: Final[Mapping[str, tuple[str, str]]] = {
    "linux": ("x11grab", ""),
    "darwin": ("avfoundation", "Capture screen 0:none"),
    "win32": ("gdigrab", "desktop"),
}
_KINDS: Final = ("video", "audio")


class FeedError(Exception):
    """There is nothing to capture there; the text says why, and what there is."""


@attrs.frozen(kw_only=True)
class Feed:
    """What is captured: a file, or a device of this machine."""

    name: str  #: path of the file, or what the device is called
    format: str | None = None  #: how the device is opened; `None` for a file


def device(text: str) -> Feed:
    """Return the device that `FORMAT:NAME` names, such as `alsa:default` or `v4l2:/dev/video0`.

    Raises:
        FeedError: It names none, or the installed PyAV has no such devices.
    """
    kind, colon, name = text.partition(":")
    if not (kind and colon and name):
        raise FeedError(f"a device is FORMAT:NAME, such as alsa:default, not {text!r}")
    return Feed(name=name, format=_available(kind))


def screen() -> Feed:
    """Return the screen of this machine.

    Raises:
        FeedError: There is none, or the installed PyAV can't see it.
    """
    if sys.platform not in _SCREENS:
        raise FeedError(f"the screen of a {sys.platform} machine can't be captured")
    kind, name = _SCREENS[sys.platform]
    kind, name = _available(kind), name or os.environ.get("DISPLAY", "")
    if not name:
        raise FeedError("there is no X display to capture: DISPLAY is not set")
    return Feed(name=name, format=kind)


async def media_types(feed: Feed) -> tuple[str, ...]:
    """Return what it has: `video`, `audio`, or both.

    Raises:
        FeedError: It can't be opened, or has neither.
    """
    return await anyio.to_thread.run_sync(_look, feed)


def _look(feed: Feed) -> tuple[str, ...]:
    name = feed.name if feed.format else f"file:{feed.name}"
    try:
        with av.open(name, "r", format=feed.format) as source:
            found = {stream.type for stream in source.streams}
    except (FFmpegError, OSError) as exc:
        said = exc.strerror or type(exc).__name__
        raise FeedError(f"{feed.name} can't be opened: {said}") from exc
    kinds = tuple(kind for kind in _KINDS if kind in found)
    if not kinds:
        raise FeedError(f"{feed.name} has neither picture nor sound")
    return kinds


def _available(kind: str) -> str:
    known = {name for names in av.formats_available for name in names.split(",")}
    if kind not in _DEVICES & known:
        here = ", ".join(sorted(_DEVICES & known)) or "none"
        raise FeedError(f"the installed PyAV has no devices of the kind {kind!r}; it has: {here}")
    return kind
