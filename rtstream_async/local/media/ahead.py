"""Things made a while before their time, so that a slow moment of their maker delays none."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

__all__ = ["Ahead"]

T = TypeVar("T")


class Ahead(Generic[T]):
    """Takes from an iterator of (second, thing) in a thread of its own, up to so far ahead.

    Iterate over it in one other thread. The iterator is not touched any more when the block ends.
    """

    def __init__(self, source: Iterator[tuple[float, T]], *, seconds: float) -> None:
        """Keep what to take from; nothing is taken yet.

        Args:
            source: Gives things in order of time, each with its second.
            seconds: How far what is taken may be ahead of what was given.
        """
        self._source = source
        self._seconds = seconds
        self._made: deque[tuple[float, T]] = deque()
        self._given: float | None = None  # second of the last thing given
        self._failure: BaseException | None = None
        self._is_over = False  # nothing more comes from the source
        self._is_closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)

    def fill(self) -> None:
        """Take as much as may be taken, in this thread; only before it is iterated over."""
        while not self._is_over and not self._is_enough():
            self._take()

    def __iter__(self) -> Iterator[tuple[float, T]]:
        """Give the things, each as soon as it is there.

        Raises:
            BaseException: What the source raised, after all that it gave before.
        """
        self._thread.start()
        while True:
            with self._condition:
                while not self._made and not self._is_over:
                    self._condition.wait()
                if not self._made:
                    break
                item = self._made.popleft()
                self._given = item[0]
                self._condition.notify_all()
            yield item
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                while self._is_enough() and not self._is_closed:
                    self._condition.wait()
                if self._is_closed or self._is_over:
                    return
            self._take()

    def _is_enough(self) -> bool:
        if not self._made:
            return False
        first = self._made[0][0] if self._given is None else self._given
        return self._made[-1][0] - first >= self._seconds

    def _take(self) -> None:
        item: tuple[float, T] | None = None
        try:
            item = next(self._source, None)
        except BaseException as exc:  # noqa: BLE001 - raised again where it is iterated over
            self._failure = exc
        with self._condition:
            if item is None:
                self._is_over = True
            else:
                self._made.append(item)
            self._condition.notify_all()
