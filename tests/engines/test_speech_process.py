"""The offline speech engine, in its own process, on real speech and on none."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from rtstream_async.local.engines.ports import EngineError, Sound
from rtstream_async.local.engines.speech_process import SpeechProcess
from tests.engines.sounds import (
    clips,
    errors,
    noise,
    normal,
    pieces,
    quiet,
    together,
    tone,
    voice,
    word_error_rate,
)

START = 1_700_000_000.0
LIBRIVOX = clips("librivox")
CARDS = clips("cards")
DASHWOOD, YOUNG_MAN = LIBRIVOX[:2]  # 7.1 and 3.0 seconds

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine():
    engine = SpeechProcess()
    await engine.warm_up()
    yield engine
    await engine.aclose()
    assert engine.pid is None


async def listen(engine, samples, *, key, time=START, seconds=0.5):
    """What is heard of a whole stream."""
    heard = []
    for piece in pieces(samples, time, seconds):
        heard += await engine.hear(piece, key=key)
    return heard + list(await engine.finish(key=key))


def final(heard):
    return [utterance for utterance in heard if utterance.is_final]


def text(heard):
    return " ".join(utterance.text for utterance in final(heard))


async def begin(engine, key, time=START):
    """Let somebody speak, and stop in the middle of a sentence."""
    heard = []
    for piece in pieces(DASHWOOD.samples[: 3 * 16_000], time):
        heard += await engine.hear(piece, key=key)
    assert not final(heard)
    return heard


def _memory_mb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def _exists(pid):
    return Path(f"/proc/{pid}").exists()


async def _until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a process's state has no event to wait for
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("spoken", [LIBRIVOX, CARDS], ids=["librivox", "cards"])
async def test_real_speech_is_understood(engine, spoken):
    """Alerts on spoken words are worth as much as the words."""
    heard = [
        (clip.text, text(await listen(engine, together(clip.samples, quiet(1)), key=clip.name)))
        for clip in spoken
    ]
    assert word_error_rate(heard) < 0.15, heard


@pytest.mark.parametrize(
    "samples",
    [quiet(10), noise(10), noise(10, 0.003), tone(10)],
    ids=["silence", "loud-noise", "faint-noise", "tone"],
)
async def test_where_nobody_speaks_nothing_is_heard(engine, samples):
    """Words that nobody said would wake somebody at night."""
    assert await listen(engine, samples, key="nobody") == []


async def test_an_utterance_is_placed_where_it_was_said(engine):
    """The player jumps to that moment; a second beside it, the word is gone."""
    samples = quiet(3)
    said = []
    for clip in [*LIBRIVOX, *CARDS]:
        first, last = voice(clip.samples)
        begun = len(samples) / 16_000
        said.append((begun + first, begun + last))
        samples = together(samples, clip.samples, quiet(1.5))
    heard = final(await listen(engine, samples, key="times", seconds=5))
    assert len(heard) == len(said)
    times = [(utterance.start - START, utterance.end - START) for utterance in heard]
    wrong = np.abs(np.array(times) - np.array(said))
    assert wrong.max() < 0.3
    assert wrong.mean() < 0.1
    assert all(utterance.words == () for utterance in heard)


async def test_what_is_being_said_is_told_before_it_is_over(engine):
    """Captions that come ten seconds late are of no use; told too often they cost a core."""
    heard = await listen(engine, together(DASHWOOD.samples, quiet(1)), key="captions")
    *partial, last = heard
    assert 2 <= len(partial) <= 5
    assert last.is_final
    assert not final(partial)
    assert {utterance.start for utterance in heard} == {last.start}
    ends = [utterance.end for utterance in partial]
    assert ends == sorted(ends)
    # About every second and a half, and where the voice pauses.
    assert (ends[-1] - ends[0]) / len(ends) > 0.7
    assert all(utterance.engine == engine.name for utterance in heard)


async def test_an_utterance_is_final_soon_after_it_was_said(engine):
    """An alert that waits for the next sentence comes too late."""
    _, ended = voice(YOUNG_MAN.samples)
    for piece in pieces(together(YOUNG_MAN.samples, quiet(2)), START, 0.1):
        heard = final(await engine.hear(piece, key="soon"))
        if heard:
            assert piece.end - START - ended < 0.8
            break
    assert heard
    assert await engine.finish(key="soon") == []


@pytest.mark.parametrize("seconds", [0.02, 0.37, 30.0])
async def test_it_does_not_matter_how_sound_is_cut_into_pieces(engine, seconds):
    """Recorders, files and microphones each cut in their own way."""
    samples = together(quiet(0.5), YOUNG_MAN.samples, quiet(1), LIBRIVOX[4].samples, quiet(1))
    heard = final(await listen(engine, samples, key=f"cut-{seconds}", seconds=seconds))
    assert len(heard) == 2
    said = [YOUNG_MAN.text, LIBRIVOX[4].text]
    assert word_error_rate(zip(said, (one.text for one in heard), strict=True)) < 0.2
    assert heard[0].start - START == pytest.approx(0.5 + voice(YOUNG_MAN.samples)[0], abs=0.3)


async def test_streams_are_heard_apart(engine):
    """What is said at the door must not stand in the transcript of the yard."""
    spoken = {clip.name: clip for clip in LIBRIVOX}
    streams = {name: pieces(clip.samples, START) for name, clip in spoken.items()}
    heard = {name: [] for name in spoken}
    for number in range(max(map(len, streams.values()))):
        for name, stream in streams.items():
            for piece in stream[number : number + 1]:
                heard[name] += await engine.hear(piece, key=name)
    for name, clip in spoken.items():
        heard[name] += await engine.finish(key=name)
        assert errors(normal(clip.text), normal(text(heard[name]))) <= 3


async def test_speech_of_one_stream_is_not_heard_in_another(engine):
    """The model remembers what it heard last, of whichever stream: rain must not become words."""
    others = {"rain": noise(7), "hiss": noise(7, 0.01), "hum": tone(7), "night": quiet(7)}
    streams = {key: pieces(samples, START) for key, samples in others.items()}
    heard = []
    for number, piece in enumerate(pieces(DASHWOOD.samples, START)[:14]):
        heard += await engine.hear(piece, key="talk")
        for key, stream in streams.items():
            assert await engine.hear(stream[number], key=key) == []
    for key in streams:
        assert await engine.finish(key=key) == []
    heard += await engine.finish(key="talk")
    assert word_error_rate([(DASHWOOD.text, text(heard))]) < 0.15


async def test_a_gap_ends_what_was_being_said(engine):
    """Two halves of different sentences, glued together, say what nobody said."""
    before = await begin(engine, "gap")
    later = START + 60
    (after,) = await engine.hear(pieces(YOUNG_MAN.samples, later)[0], key="gap")
    assert after.is_final
    assert after.start == before[-1].start
    assert after.end <= START + 3
    assert "dashwood" in normal(after.text)
    for piece in pieces(together(YOUNG_MAN.samples, quiet(1)), later)[1:]:
        heard = await engine.hear(piece, key="gap")
        if final(heard):
            break
    assert heard[0].start == pytest.approx(later + voice(YOUNG_MAN.samples)[0], abs=0.3)
    assert await engine.finish(key="gap") == []


async def test_a_clock_that_was_set_back_does_not_bend_the_times(engine):
    """A source that starts over must not have its words at the old time."""
    await begin(engine, "back")
    earlier = START - 3600
    heard = await listen(engine, YOUNG_MAN.samples, key="back", time=earlier)
    assert [round(one.start - START) for one in final(heard)] == [0, -3600]


async def test_a_slow_clock_is_followed(engine):
    """Sound of a camera whose clock is wrong by a little must stay beside its pictures."""
    samples = together(quiet(20), YOUNG_MAN.samples, quiet(1))
    heard = []
    for number, piece in enumerate(pieces(samples, START)):
        late = Sound(time=piece.time + 0.02 * number, samples=piece.samples)
        heard += await engine.hear(late, key="slow")
    first, _ = voice(YOUNG_MAN.samples)
    assert final(heard)[0].start == pytest.approx(START + 20 + 40 * 0.02 + first, abs=0.3)
    assert await engine.finish(key="slow") == []


async def test_speech_without_a_pause_is_cut_and_nothing_is_told_twice(engine):
    """A speaker who never pauses must not fill the memory, nor wait for ever to be heard."""
    spoken = [clip.samples[4000:-8000] for clip in LIBRIVOX]  # the pauses are at the ends
    heard = final(await listen(engine, together(*spoken), key="long", seconds=5))
    assert len(heard) > 2
    assert all(one.end - one.start < 16 for one in heard)
    assert all(a.end <= b.start for a, b in itertools.pairwise(heard))
    said = " ".join(clip.text for clip in LIBRIVOX)
    assert word_error_rate([(said, text(heard))]) < 0.35  # the ends of the clips are cut off too


async def test_what_was_being_said_at_the_end_is_told(engine):
    """A stream that stops in the middle of a word must not lose the sentence."""
    before = await begin(engine, "end")
    (last,) = await engine.finish(key="end")
    assert last.is_final
    assert last.start == before[-1].start
    assert "dashwood" in normal(last.text)
    assert list(await engine.finish(key="end")) == []


async def test_a_stream_of_which_nothing_was_heard_ends_in_silence(engine):
    """A stream without sound is stopped like any other."""
    assert list(await engine.finish(key="never")) == []
    assert await engine.hear(Sound(time=START, samples=b""), key="empty") == []
    assert list(await engine.finish(key="empty")) == []


async def test_half_a_sample_is_a_mistake_of_the_caller(engine):
    """From there on, everything would be noise."""
    with pytest.raises(ValueError, match="half a sample"):
        await engine.hear(Sound(time=START, samples=b"\0\0\0"), key="odd")


async def test_a_crash_says_that_speech_was_lost(engine):
    """What was said before a crash is gone; whoever reads the transcript must know."""
    await begin(engine, "talk")
    await begin(engine, "other")
    await engine.hear(pieces(quiet(1), START)[0], key="still")
    pid = engine.pid
    os.kill(pid, signal.SIGSTOP)  # so that it is being asked
    call = asyncio.create_task(engine.hear(pieces(noise(1), START + 3)[0], key="talk"))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineError, match=r"was killed by signal 9; what was being said is lost"):
        await call
    with pytest.raises(EngineError, match=r"the speech process died.*what was being said is lost"):
        await engine.hear(pieces(noise(1), START + 3)[0], key="other")
    assert engine.pid not in {None, pid}
    assert await engine.hear(pieces(quiet(1), START)[1], key="still") == []
    for key in ("talk", "other"):  # told once
        heard = await listen(engine, YOUNG_MAN.samples, key=key, time=START + 60)
        assert "young" in normal(text(heard))


async def test_a_crash_in_silence_is_not_noticed(engine):
    """Nothing was lost, so nobody need be told."""
    await engine.hear(pieces(quiet(1), START)[0], key="silent")
    os.kill(engine.pid, signal.SIGKILL)
    await _until(lambda: engine.pid is None)
    assert list(await engine.finish(key="silent")) == []
    assert engine.pid is None
    heard = await listen(engine, YOUNG_MAN.samples, key="silent")
    assert "young" in normal(text(heard))


async def test_finishing_after_a_crash_tells_what_was_lost(engine):
    """A stream that is stopped after a crash must not look complete."""
    await begin(engine, "lost")
    os.kill(engine.pid, signal.SIGKILL)
    await _until(lambda: engine.pid is None)
    with pytest.raises(EngineError, match="what was being said is lost"):
        await engine.finish(key="lost")
    assert list(await engine.finish(key="lost")) == []


async def test_many_streams_do_not_fill_the_memory(engine):
    """A server that runs for months sees many streams; what they held must be given back."""
    await begin(engine, "first")
    for number in range(64):
        await engine.hear(pieces(noise(1), START)[0], key=f"many-{number}")
    with pytest.raises(EngineError, match="too many streams: what was being said is lost"):
        await engine.hear(pieces(quiet(1), START + 3)[0], key="first")
    for number in range(64):
        assert await engine.finish(key=f"many-{number}") == []
    assert await engine.finish(key="first") == []
    assert _memory_mb(engine.pid) < 400


async def test_closing_leaves_no_process():
    """A server that stops must not leave a process that holds 200 MB."""
    engine = SpeechProcess()
    await engine.warm_up()
    pid = engine.pid
    await engine.aclose()
    assert not _exists(pid)
    with pytest.raises(EngineError, match="the speech engine is closed"):
        await engine.hear(pieces(quiet(1), START)[0], key="k")


async def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    """Who installed the server without its engines must read what to type."""
    (tmp_path / "moonshine_voice.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'moonshine_voice'\")"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = SpeechProcess()
    with pytest.raises(EngineError, match=r"'moonshine_voice'.*rtstream-async\[ai\]"):
        await engine.warm_up()
    await engine.aclose()


async def test_a_package_without_its_model_is_told(tmp_path, monkeypatch):
    """Later wheels have no model inside, and would look for one on the network."""
    package = tmp_path / "moonshine_voice"
    package.mkdir()
    for name in ("__init__", "transcriber"):
        (package / f"{name}.py").write_text("")
    metadata = tmp_path / "moonshine_voice-0.1.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: moonshine-voice\nVersion: 0.1.5\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = SpeechProcess()
    with pytest.raises(EngineError, match=r"moonshine-voice 0\.1\.5 has no speech model inside"):
        await engine.warm_up()
    await engine.aclose()


_OFFLINE = """
import sys
events = []
sys.addaudithook(lambda event, _: events.append(event) if event.startswith("socket.") else None)
import wave
from rtstream_async.local.engines.offline_speech.listening import OfflineSpeech
speech = OfflineSpeech()
speech.warm_up()
with wave.open(sys.argv[1]) as file:
    speech.hear("k", 1.0, file.readframes(file.getnframes()))
assert speech.finish("k")
asked = {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"}
print(sorted(asked & set(events)))
"""


async def test_nothing_is_asked_of_the_network():
    """Offline means offline: the package can download models, and must never do so here."""
    clip = "/usr/share/pocketsphinx/test/data/cards/001.wav"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OFFLINE, clip, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    assert child.returncode == 0
    assert out.decode().strip() == "[]"
