"""Whose turn it is: each one that has something is served once before any is served again."""

from __future__ import annotations

from collections import deque
from typing import Generic, Protocol, TypeVar

__all__ = ["Member", "Turns"]


class Member(Protocol):
    """What stands in line."""

    is_in_line: bool
    """Whether it does; only `Turns` sets it."""

    @property
    def has_news(self) -> bool:
        """Whether it has something to give."""
        ...


M = TypeVar("M", bound=Member)


class Turns(Generic[M]):
    """A line of those that have something; who was served and has more goes to its end.

    One that has a thousand things so delays another by one of them, and not by a thousand.
    """

    __slots__ = ("_line",)

    def __init__(self) -> None:
        self._line: deque[M] = deque()

    def __len__(self) -> int:
        """How many are in line."""
        return len(self._line)

    def enter(self, member: M) -> None:
        """Put `member` at the end of the line if it has something and is not in it."""
        if not member.is_in_line and member.has_news:
            member.is_in_line = True
            self._line.append(member)

    def begin(self) -> M | None:
        """Return whose turn it is, `None` for nobody's; give it to `end()` when it was served."""
        while self._line:
            member = self._line.popleft()
            if member.has_news:
                return member
            member.is_in_line = False  # what it had was taken from it
        return None

    def end(self, member: M) -> None:
        """Put `member`, which was served, at the end of the line if it has more."""
        member.is_in_line = False
        self.enter(member)
