"""How late results come, and so how far back a gap is read, and how long after it once more.

A result is as late as its making took: it comes some seconds after the end of what it is about, one
more and one less. What is learned is the greatest and the least of the last thousand or so, not an
average: it is the rare slow one that would be missed.
"""

from __future__ import annotations

import math

__all__ = ["LONGEST_OVERLAP", "Lateness"]

LONGEST_OVERLAP = 300.0  # seconds; a single result that came hours late is no reason to read hours
_SHORTEST_OVERLAP = 30.0  # seconds
_YOUNG_OVERLAP = 120.0  # seconds
_LONGEST_DELAY = 120.0  # seconds
_SHORTEST_DELAY = 5.0  # seconds
_YOUNG_DELAY = 30.0  # seconds
_MARGIN = 3.0  # seconds: a record is shown over REST some time after it was made
_YOUNG = 16  # results: before that many, the extremes have hardly been seen
_YOUNG_FOR = 120.0  # seconds: before, what makes the slow ones may not have made one yet
_EPOCH = 512  # results; what was learned is forgotten after one or two of these


class Lateness:
    """The extremes of what was seen lately, and what follows from them.

    Attributes:
        longest: The greatest of this epoch; seconds, on the local clock.
        shortest: The least of this epoch; seconds, on the local clock.
        is_young: Too little was seen to go by.
        behind: How far before the newest record one came that was found by looking again; seconds.
    """

    __slots__ = (
        "_before",
        "_count",
        "_young",
        "_young_until",
        "behind",
        "is_young",
        "longest",
        "shortest",
    )

    def __init__(self, since: float) -> None:
        """Know nothing of what makes results from `since` on, Unix seconds."""
        self.longest = -math.inf
        self.shortest = math.inf
        self.behind = 0.0
        self._before = (-math.inf, math.inf)
        self._count = 0
        self.unlearn(since)

    def unlearn(self, since: float) -> None:
        """Trust what was learned no more: something else makes results too from `since` on."""
        self.is_young = True
        self._young = _YOUNG
        self._young_until = since + _YOUNG_FOR

    def note(self, late: float, end: float) -> None:
        """Learn from one result, which came `late` seconds after its end by the local clock."""
        self.longest = max(self.longest, late)
        self.shortest = min(self.shortest, late)
        self.count(1, end)

    def count(self, results: int, newest: float) -> None:
        """Note that `longest` and `shortest` hold so many more results, up to this end."""
        self._count += results
        if self.is_young:
            self._young -= results
            self.is_young = self._young > 0 or newest < self._young_until
        if self._count >= _EPOCH:
            self._before = (self.longest, self.shortest)
            self.longest, self.shortest = -math.inf, math.inf
            self.behind /= 2
            self._count = 0

    def least(self, skew: float) -> float:
        """Return how late the quickest result came, by the service's clock; seconds."""
        shortest = min(self.shortest, self._before[1])
        # Nothing is known before it is over: less than nothing is a clock, or a wrong time.
        return 0.0 if shortest == math.inf else max(0.0, shortest + skew)

    def overlap(self) -> float:
        """Return how far before the newest result one that is missing may end; seconds."""
        least = _YOUNG_OVERLAP if self.is_young else _SHORTEST_OVERLAP
        longest = max(self.longest, self._before[0])
        spread = max(0.0, longest - min(self.shortest, self._before[1]), self.behind)
        return min(LONGEST_OVERLAP, max(least, 2 * spread + 10.0))

    def delay(self, skew: float) -> float:
        """Return how long after its end a result is surely shown over REST; seconds."""
        longest = max(self.longest, self._before[0], 0.0) + skew
        least = _YOUNG_DELAY if self.is_young else _SHORTEST_DELAY
        return min(_LONGEST_DELAY, max(least, 1.5 * longest + _MARGIN, 1.5 * self.behind))
