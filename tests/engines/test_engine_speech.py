"""The parts of the offline speech engine, and the measure of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from rtstream_async.local.engines.offline_speech import listening, pace
from rtstream_async.local.engines.offline_speech.edges import quietest, voice_edges
from rtstream_async.local.engines.offline_speech.listening import OfflineSpeech
from tests.engines.sounds import (
    clips,
    errors,
    noise,
    pieces,
    quiet,
    together,
    tone,
    voice,
    word_error_rate,
)


def seconds(samples):
    return [sample / 16_000 for sample in samples]


@pytest.mark.parametrize("background", [0.0, 0.0003, 0.01, 0.05])
def test_a_voice_is_found_between_quiet_edges(background):
    """Half a second of silence counted as speech moves every caption."""
    sound = together(quiet(0.3), tone(1.2), quiet(0.4)) + noise(1.9, background)
    assert seconds(voice_edges(sound)) == pytest.approx([0.3, 1.5], abs=0.021)


def test_edges_that_are_as_loud_as_the_voice_stay():
    """In a factory hall, no edge is better than a wrong one."""
    sound = noise(2)
    assert voice_edges(sound) == (0, len(sound))
    assert voice_edges(quiet(2)) == (0, 32_000)


def test_no_more_than_half_a_second_is_taken_from_either_end():
    """A soft voice before a loud one is a voice, too."""
    sound = together(quiet(2), tone(1), quiet(2))
    assert seconds(voice_edges(sound)) == pytest.approx([0.5, 4.5], abs=0.021)


@pytest.mark.parametrize("length", [0, 1, 319, 3199])
def test_a_short_piece_keeps_its_edges(length):
    """A click at the end of a stream must not fail it."""
    assert voice_edges(np.ones(length, np.int16)) == (0, length)


def test_the_edges_of_a_loud_end_are_the_ends_own():
    """A voice that is cut off ends where the sound ends, to the sample."""
    sound = together(quiet(0.3), tone(1.0007))
    assert voice_edges(sound)[1] == len(sound)


def test_a_voice_is_cut_where_it_is_quietest():
    """A cut through a word makes two wrong words of it."""
    sound = together(tone(0.2), quiet(0.08), tone(0.2))
    assert quietest(sound) / 16_000 == pytest.approx(0.24, abs=0.03)


@pytest.mark.parametrize("length", [0, 100, 960])
def test_a_moment_is_cut_in_its_middle(length):
    """There is nothing to choose from."""
    assert quietest(np.ones(length, np.int16)) == length // 2


def test_what_is_being_said_is_told_less_often_when_many_speak():
    """Captions of eight streams must not take the core from their recorders."""
    assert pace.wait_for_next(0.05, speaking=1) == 1.5
    assert pace.wait_for_next(0.5, speaking=1) == pytest.approx(2.0)
    assert pace.wait_for_next(0.5, speaking=8) == pytest.approx(16.0)


def test_the_measure_counts_words():
    """A measure that finds no errors would praise anything."""
    assert word_error_rate([("mister john has 21 ducks", "Mr. John has twenty-one ducks!")]) == 0
    assert word_error_rate([("one two three four", "one too four")]) == 0.5
    assert errors([], ["x"]) == 1
    assert voice(together(quiet(1), tone(1), quiet(1))) == pytest.approx((1, 2), abs=0.01)
    assert np.abs(noise(1)).max() > 1000


@pytest.fixture(scope="module")
def speech():
    speech = OfflineSpeech()
    speech.warm_up()
    return speech


def _hear(speech, samples, key):
    heard = []
    for piece in pieces(samples, 1000.0):
        heard += speech.hear(key, piece.time, piece.samples)
    return heard


@pytest.mark.parametrize(
    ("limit", "value", "pause"), [("_MANY", 2, 3.0), ("_MUCH", 160_000, 3.0), ("_TOO_MANY", 2, 0.6)]
)
def test_a_stream_that_begins_anew_loses_nothing(speech, monkeypatch, limit, value, pause):
    """A camera that is never switched off must be heard as well on its hundredth day."""
    monkeypatch.setattr(listening, limit, value)
    spoken = clips("cards")
    samples = together(*(together(clip.samples, quiet(pause)) for clip in spoken))
    heard = _hear(speech, samples, limit)
    assert speech._ears[limit]._voices.done <= 2
    heard += speech.finish(limit)
    assert len(heard) == len(spoken)
    said = [(clip.text, line.text) for clip, line in zip(spoken, heard, strict=True)]
    assert word_error_rate(said) < 0.2
    begun = 0.0
    for clip, line in zip(spoken, heard, strict=True):
        assert line.start - 1000 == pytest.approx(begun + voice(clip.samples)[0], abs=0.3)
        begun += len(clip.samples) / 16_000 + pause


def test_only_what_is_needed_of_the_sound_is_kept(speech):
    """A stream of hours must not hold hours of sound."""
    _hear(speech, together(quiet(20), clips("librivox")[0].samples, quiet(4)), "kept")
    assert len(speech._ears["kept"]._kept) <= 2.5 * 16_000
    speech.finish("kept")


def test_a_stream_that_fails_is_forgotten(speech):
    """What a broken stream had heard is not known; the next piece must not be added to it."""
    _hear(speech, quiet(1), "broken")
    speech._ears["broken"]._voices._stream.close()
    with pytest.raises(Exception, match="wrong type"):
        _hear(speech, quiet(1), "broken")
    assert not speech.knows("broken")
    assert _hear(speech, quiet(1), "broken") == []
    assert speech.finish("broken") == []


def test_the_shortest_speech_is_heard_without_a_fault(speech):
    """A stream that ends right after its first syllable is finished like any other."""
    spoken = clips("cards")[0].samples[3000:]
    for length in range(2000, 9000, 700):
        heard = _hear(speech, spoken[:length], "short") + speech.finish("short")
        assert all(1000 <= line.start <= line.end <= 1001 for line in heard)


def test_a_line_that_is_over_was_written_down_in_its_pause(speech, monkeypatch):
    """Whoever has finished a sentence waits for it; the pause after it is time to work."""
    made = []
    transcribe = speech._moonshine.transcribe

    def counted(samples):
        made.append(len(samples))
        return transcribe(samples)

    monkeypatch.setattr(speech._moonshine, "transcribe", counted)
    at_once, texts = 0, []
    for clip in clips("librivox"):
        said = []
        for piece in pieces(together(quiet(0.7), clip.samples, quiet(1.5)), 1000.0):
            before = len(made)
            lines = speech.hear("pause", piece.time, piece.samples)
            at_once += bool(lines) and len(made) == before
            said += [line.text for line in lines]
            told = speech.tell("pause")
            assert not any(line.is_final for line in told)
        said += [line.text for line in speech.finish("pause")]
        texts.append((clip.text, " ".join(said)))
    assert at_once >= 1
    assert word_error_rate(texts) < 0.1
