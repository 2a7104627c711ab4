"""Which of several faults a call or a handshake meets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import attrs

from rtstream_async.local.domain.chaos import Chance, HandshakeFault, RestFault

__all__ = ["Rules"]


R = TypeVar("R", HandshakeFault, RestFault)


@attrs.define
class _Used(Generic[R]):
    rule: R
    times: int = 0


@attrs.define(eq=False)
class Rules(Generic[R]):
    """Faults in their order, and how often each was met."""

    _rules: list[_Used[R]] = attrs.field(factory=list[_Used[R]], init=False)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def adopt(self, rules: Iterable[R]) -> None:
        """Go by `rules` from now on; one that was there before goes on counting."""
        known = {id(used.rule): used for used in self._rules}
        self._rules = [known.get(id(rule)) or _Used(rule) for rule in rules]

    def choose(self, fits: Callable[[R], bool], chance: Chance) -> R | None:
        """Return the first fault that fits, has times left, and is met by chance."""
        for used in self._rules:
            rule = used.rule
            is_left = rule.times is None or used.times < rule.times
            if is_left and fits(rule) and chance() < rule.probability:
                used.times += 1
                return rule
        return None
