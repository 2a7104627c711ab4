"""How far a speech engine has told what was said: nothing older will come."""

from __future__ import annotations

import attrs

from rtstream_async.local.engines.ports import Utterance

__all__ = ["Telling"]

_UNTOLD = 2.5  # seconds for which an engine may keep to itself that somebody speaks...
_ONSET = 1.0  # ...and seconds after which one that tells whether somebody does has found out
_LONGEST = 30.0  # seconds that speech may take to become final


@attrs.define
class Telling:
    """What one engine has heard of one stream, and said of it; times are Unix seconds."""

    heard: float = 0.0  #: the end of the sound that it has had
    _saying: Utterance | None = None  # not final yet
    _told: float = 0.0

    def is_news(self, utterance: Utterance) -> bool:
        """Return whether this was not told before."""
        return utterance.is_final or utterance != self._saying

    def note(self, utterance: Utterance) -> None:
        """Note what the engine says."""
        if utterance.is_final:
            self._saying = None
            self._told = max(self._told, utterance.end)
        else:
            self._saying = utterance

    def hear(self, end: float, *, is_speaking: bool | None) -> None:
        """Note that the engine has had the sound up to `end`, and has said what it has to say.

        Args:
            end: Unix time, seconds.
            is_speaking: Whether something is still to be told; `None` when it does not tell that.
        """
        self.heard = end
        told = self._told
        if self._saying is not None:
            told = self._saying.start
        elif is_speaking is not True:
            told = end - (_UNTOLD if is_speaking is None else _ONSET)
        # Speech that is not final for so long was none.
        self._told = max(self._told, told, end - _LONGEST)

    def forget(self) -> float:
        """Forget what is being said; return how many seconds of it are known."""
        saying, self._saying = self._saying, None
        return 0.0 if saying is None else max(0.0, self.heard - saying.start)

    def settled(self, known: float) -> float:
        """Return the time before which nothing that was said will come any more.

        Args:
            known: The time before which no more sound will come.
        """
        return min(known, self._told)
