"""Waiting at several addresses for the one publisher that comes to one of them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import attrs
from av.container import InputContainer
from av.error import FFmpegError

__all__ = ["first_of"]

_KNOCK = 0.2  # seconds between two tries to wake those who still wait
_KNOCKS = 10  # who talks to somebody does not hear it; it ends by itself, a little later

Wait = Callable[[Callable[[], bool]], InputContainer | None]
"""Waits at an address until somebody came, or what it is given says that it is over."""


@attrs.define(eq=False)
class _Race:
    stop: threading.Event
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    changed: threading.Event = attrs.field(factory=threading.Event)
    won: InputContainer | None = None
    failure: FFmpegError | None = None

    def is_over(self) -> bool:
        return self.won is not None or self.failure is not None or self.stop.is_set()

    def run(self, wait: Wait) -> None:
        try:
            self._arrive(wait(self.is_over))
        except FFmpegError as exc:
            with self.lock:
                # What the loser says about being woken is nobody's trouble.
                if not self.is_over():
                    self.failure = exc
        finally:
            self.changed.set()

    def _arrive(self, container: InputContainer | None) -> None:
        if container is None:
            return
        with self.lock:
            if not self.is_over():
                self.won, container = container, None
        if container is not None:  # somebody came to the other address before
            container.close()


def first_of(places: Sequence[tuple[str, Wait]], stop: threading.Event) -> InputContainer | None:
    """Return what came first at any of the places, `None` when `stop` was set.

    The other addresses are free again when this returns, as far as their listeners could be woken.

    Args:
        places: The address of each, and what waits there.
        stop: Ends the waiting.

    Raises:
        av.error.FFmpegError: Nobody can be waited for at one of them.
    """
    race = _Race(stop)
    threads = {
        url: threading.Thread(target=race.run, args=(wait,), name="publisher", daemon=True)
        for url, wait in places
    }
    for thread in threads.values():
        thread.start()
    while not race.is_over():
        race.changed.wait(_KNOCK)
    for url, thread in threads.items():
        for _ in range(_KNOCKS):
            if not thread.is_alive() or stop.is_set():
                break
            _knock(url)
            thread.join(_KNOCK)
    if race.failure is not None:
        raise race.failure
    return race.won


def _knock(url: str) -> None:
    """Connect and hang up: FFmpeg can be told in no other way that nobody needs to come."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 0)
    # It may have gone just now, or not listen yet.
    with contextlib.suppress(OSError), socket.create_connection(address, _KNOCK):
        return
