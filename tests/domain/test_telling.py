"""What was told of a stream's speech: batches of seconds are closed by it."""

from __future__ import annotations

import pytest

from rtstream_async.local.domain.telling import Telling
from rtstream_async.local.engines.ports import Utterance


def said(start: float, end: float, *, is_final: bool = True, text: str = "so") -> Utterance:
    return Utterance(start=start, end=end, text=text, is_final=is_final, engine="ear")


@pytest.mark.parametrize(("is_speaking", "told"), [(None, 7.5), (False, 9.0), (True, 0.0)])
def test_silence_is_told_as_soon_as_the_engine_would_know(
    is_speaking: bool | None, told: float
) -> None:
    """A batch that is closed before its last word has come is told without it."""
    telling = Telling()
    telling.hear(10.0, is_speaking=is_speaking)
    assert telling.settled(10.0) == told


def test_what_is_being_said_keeps_its_time_open() -> None:
    """A sentence belongs to when it began, however long it takes."""
    telling = Telling()
    telling.hear(10.0, is_speaking=False)
    telling.note(said(11, 13, is_final=False))
    telling.hear(13.0, is_speaking=True)
    assert telling.settled(13.0) == 11
    telling.note(said(11, 14))
    telling.hear(14.5, is_speaking=True)
    assert telling.settled(14.5) == 14


def test_more_sound_that_comes_can_say_more() -> None:
    """The sound that waits for the engine has not been heard yet."""
    telling = Telling()
    telling.hear(10.0, is_speaking=False)
    assert telling.settled(5.0) == 5


def test_what_never_ends_holds_nothing_up() -> None:
    """An engine that takes music for speech must not stop the minutes of a meeting."""
    telling = Telling()
    telling.note(said(10, 11, is_final=False))
    telling.hear(100.0, is_speaking=True)
    assert telling.settled(100.0) == 70


def test_the_same_words_are_told_once() -> None:
    """A caption that flickers is hard to read."""
    telling = Telling()
    partial = said(10, 11, is_final=False)
    assert telling.is_news(partial)
    telling.note(partial)
    assert not telling.is_news(partial)
    assert telling.is_news(said(10, 12, is_final=False))
    assert telling.is_news(said(10, 11))


def test_what_is_lost_with_an_engine_is_known_by_its_sound() -> None:
    """A hole in a transcript has a length."""
    telling = Telling()
    assert telling.forget() == 0
    telling.note(said(10, 11, is_final=False))
    telling.hear(13.0, is_speaking=True)
    assert telling.forget() == 3
    assert telling.forget() == 0
    telling.note(said(20, 21, is_final=False))
    assert telling.forget() == 0
