"""Sound to a model behind an endpoint: what is sent of it, and what becomes of the answers."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.engines.openai.speaking import Listener
from rtstream_async.local.engines.openai.speech import OpenAISpeech
from rtstream_async.local.engines.ports import EngineError, MissedError, Sound, Word
from tests.engines.endpoints import endpoint_to, failing, stub, usage
from tests.engines.sounds import RATE, clips, noise, quiet

START = 1_700_000_000.0


def pieces_of(samples, size=8000, start=START):
    """Sound as it comes: half a second at a time."""
    return [
        Sound(time=start + first / RATE, samples=samples[first : first + size].tobytes())
        for first in range(0, len(samples), size)
    ]


def cut(samples, *, longest=20.0, size=8000):
    listener = Listener(longest=longest)
    done = [piece for sound in pieces_of(samples, size) for piece in listener.feed(sound)]
    return [*done, *listener.finish()]


def with_hum(samples):
    hum = noise(len(samples) / RATE, 0.004)[: len(samples)]
    return np.clip(samples.astype(np.int32) + hum, -32768, 32767).astype("<i2")


def talk(*parts):
    """Clips with pauses between them."""
    return np.concatenate([part for clip in parts for part in (quiet(1.5), clip.samples)])


SPEECH = talk(*clips("librivox"))


@pytest.mark.parametrize("disturb", [lambda samples: samples, with_hum])
def test_all_that_is_said_is_sent_and_little_else(disturb):
    """Words that are not sent are lost; silence that is sent is paid for, and heard as words."""
    samples = disturb(SPEECH)
    sent = np.zeros(len(samples), bool)
    cuts = cut(samples)
    for piece in cuts:
        first = round((piece.time - START) * RATE)
        assert samples[first : first + len(piece.samples) // 2].tobytes() == piece.samples
        sent[first : first + len(piece.samples) // 2] = True
    energy = SPEECH.astype(float) ** 2
    assert energy[sent].sum() > 0.99 * energy.sum()
    assert len(cuts) == len(clips("librivox"))
    assert sent.mean() < 0.9


def test_speech_that_begins_at_once_is_sent_from_its_beginning():
    """The stream may be started in the middle of a sentence."""
    samples = clips("librivox")[0].samples
    loud = samples[int(np.argmax(np.abs(samples) > 2000)) :]
    first = cut(loud)[0]
    assert first.time - START < 0.1


@pytest.mark.parametrize("loudness", [0.0, 0.001, 0.02, 0.1])
def test_where_nobody_speaks_nothing_is_sent(loudness):
    """A fan that runs all night would be the whole bill."""
    assert cut(noise(30, loudness)) == []


def test_a_click_is_not_speech():
    """A door, a key: models make sentences of them."""
    samples = np.concatenate([quiet(2), noise(0.05, 0.5), quiet(2)])
    assert cut(samples) == []


def test_one_who_never_pauses_is_cut_where_he_is_quietest():
    """Else nothing is known until he does; and endpoints have limits."""
    voice = np.concatenate([clip.samples for clip in clips("librivox")])
    samples = np.concatenate([quiet(1), voice, voice, quiet(2)])
    cuts = cut(samples, longest=5.0)
    assert all(piece.end - piece.time <= 5.001 for piece in cuts)
    whole = b"".join(piece.samples for piece in cuts)
    first = round((cuts[0].time - START) * RATE)
    loud = voice.astype(float) ** 2
    assert len(whole) > 2 * len(voice) * 2 * 0.9
    assert first < RATE
    ends = [round((piece.end - START) * RATE) for piece in cuts[:-1]]
    quietest = [np.sqrt(np.mean(samples[end - 480 : end].astype(float) ** 2)) for end in ends]
    assert np.median(quietest) < 0.3 * np.sqrt(loud.mean())


def test_sound_that_is_missing_is_not_glued_over():
    """The words on both sides of a gap are no sentence, and their times would be wrong."""
    voice = clips("librivox")[0].samples[: 2 * RATE]
    listener = Listener(longest=20.0)
    before = [piece for sound in pieces_of(voice) for piece in listener.feed(sound)]
    late = pieces_of(voice, start=START + 60)
    after = [piece for sound in late for piece in listener.feed(sound)] + listener.finish()
    assert before == []
    assert len(after) == 2
    assert after[0].time == pytest.approx(START, abs=0.5)
    assert after[0].end < START + 2.01
    assert after[1].time + 0.001 >= START + 60


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 30_000), max_size=12))
def test_it_does_not_matter_how_sound_is_cut_up_on_its_way(sizes):
    """The network decides that, and what was said stays the same."""
    samples = SPEECH[: 12 * RATE]
    listener = Listener(longest=20.0)
    done, first = [], 0
    for size in [*sizes, len(samples)]:
        part = samples[first : first + size]
        sound = Sound(time=START + first / RATE, samples=part.tobytes())
        done += listener.feed(sound)
        first += len(part)
    done += listener.finish()
    usual = cut(samples)
    assert [piece.samples for piece in done] == [piece.samples for piece in usual]
    assert [piece.time for piece in done] == pytest.approx([piece.time for piece in usual])


VOICE = talk(clips("librivox")[1])  # 1.5 s of quiet, 3 s of speech
PAUSE = quiet(1)


def to(server, **fields):
    return endpoint_to(server.url, kind="speech", **fields)


async def hear_all(engine, samples, *, start=START, key="k"):
    said = []
    for sound in pieces_of(samples, start=start):
        said += await engine.hear(sound, key=key)
    return said


async def speak(engine, samples=VOICE, **fields):
    said = await hear_all(engine, samples, **fields)
    return [*said, *(await engine.finish(key=fields.get("key", "k")))]


DETAILED = {
    "text": "Hello there. You.",
    "segments": [
        {"text": " Hello there.", "start": 0.2, "end": 1.4, "no_speech_prob": 0.01},
        {"text": " You.", "start": 1.4, "end": 99.0, "no_speech_prob": 0.2, "avg_logprob": -0.3},
        {
            "text": " Thanks for watching!",
            "start": 2.0,
            "end": 2.5,
            "no_speech_prob": 0.9,
            "avg_logprob": -1.5,
        },
        {"text": " ", "start": 2.5, "end": 2.6},
    ],
    "words": [
        {"word": "Hello", "start": 0.2, "end": 0.8},
        {"word": " there.", "start": 0.8, "end": 1.4},
        {"word": "You.", "start": 1.5, "end": 2.0},
    ],
    "usage": {"type": "tokens", "input_tokens": 30, "output_tokens": 5},
}


async def test_speech_comes_back_with_the_times_at_which_it_was_said():
    """A clip is cut by them."""
    async with stub(transcription=DETAILED) as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)
        await engine.warm_up()
        said = await speak(engine)
        await engine.aclose()
    (sound,) = server.sounds
    begin = START + VOICE.tobytes().index(sound) / 2 / RATE
    assert [utterance.text for utterance in said] == ["Hello there.", "You."]
    assert all(utterance.is_final for utterance in said)
    assert said[0].engine == engine.name
    assert engine.name.startswith("openai:vl@127.0.0.1:")
    assert said[0].start == pytest.approx(begin + 0.2, abs=0.001)
    assert said[0].end == pytest.approx(begin + 1.4, abs=0.001)
    assert said[1].end == pytest.approx(begin + len(sound) / 2 / RATE, abs=0.001)
    assert [word.text for word in said[0].words] == ["Hello", "there."]
    assert said[1].words == (
        Word(start=pytest.approx(begin + 1.5), end=pytest.approx(begin + 2.0), text="You."),
    )
    counters = usage(endpoint)
    assert counters["audio_seconds"] == pytest.approx(len(sound) / 2 / RATE, abs=0.001)
    assert counters["total_tokens"] == 35
    assert engine.usage is endpoint.usage


async def test_an_answer_that_is_text_alone_is_one_utterance():
    """More is not known; it is not made up."""
    async with stub() as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)
        (utterance,) = await speak(engine)
        await engine.aclose()
    assert utterance.text == "Hello there."
    assert utterance.words == ()
    assert START < utterance.start < utterance.end <= START + len(VOICE) / RATE


async def test_nothing_heard_is_nothing_said():
    """A cough, or a car."""
    async with stub(transcription={"text": " "}) as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)
        assert await speak(engine) == []
        await engine.aclose()


async def test_the_details_are_asked_for_and_done_without():
    """Not every endpoint knows them; it is found out once."""
    async with stub(granularities=False) as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)
        for _ in range(2):
            await speak(engine)
        await engine.aclose()
    assert len(server.server.seen) == 3
    assert [form["response_format"] for form in server.forms] == [["verbose_json"]] * 2
    async with stub() as server, to(server, options="?language=de") as endpoint:
        engine = OpenAISpeech(endpoint)
        assert engine.language == "de"
        await speak(engine)
        await engine.aclose()
    assert server.forms == [
        {
            "model": ["vl"],
            "language": ["de"],
            "response_format": ["verbose_json"],
            "timestamp_granularities[]": ["segment", "word"],
        }
    ]


async def test_an_endpoint_with_text_alone_gets_the_plainest_request():
    """The newest models are among them."""
    refuse = failing(400, {"error": {"message": "response_format 'verbose_json' is not known"}})
    async with stub() as server, to(server) as endpoint:
        server.next.extend([refuse, refuse])
        engine = OpenAISpeech(endpoint)
        assert await speak(engine)
        await engine.aclose()
        assert server.forms[0].keys() == {"model", "response_format"}
        assert server.forms[0]["response_format"] == ["json"]


async def test_hearing_does_not_wait_for_answers():
    """Sound would pile up behind a slow endpoint, and be dropped."""
    gate = asyncio.Event()
    async with stub() as server, to(server) as endpoint:

        async def slowly(seen, writer):
            await gate.wait()
            await server.handle(seen, writer)

        server.next.append(slowly)
        engine = OpenAISpeech(endpoint)
        assert await hear_all(engine, np.concatenate([VOICE, PAUSE])) == []
        await server.server.saw(1)
        gate.set()
        assert len(await engine.finish(key="k")) == 1
        await engine.aclose()


async def test_answers_are_told_in_the_order_of_speech():
    """The second may be there first."""
    gate = asyncio.Event()
    async with stub() as server, to(server) as endpoint:

        async def slowly(seen, writer):
            await gate.wait()
            await failing(200, {"text": "first"})(seen, writer)

        async def at_once(seen, writer):
            await failing(200, {"text": "second"})(seen, writer)
            gate.set()

        server.next.extend([slowly, at_once])
        engine = OpenAISpeech(endpoint)
        said = await hear_all(engine, np.concatenate([VOICE, PAUSE, VOICE, PAUSE]))
        said += await engine.finish(key="k")
        await engine.aclose()
    assert [utterance.text for utterance in said] == ["first", "second"]
    assert said[0].end <= said[1].start


async def test_more_than_four_pieces_are_waited_for():
    """Memory has an end; the pipeline decides what is dropped, and says so."""
    gate = asyncio.Event()
    async with stub() as server, to(server) as endpoint:

        async def slowly(seen, writer):
            await gate.wait()
            await failing(200, {"text": "Yes."})(seen, writer)

        server.next.extend([slowly] * 6)
        engine = OpenAISpeech(endpoint)
        task = asyncio.create_task(hear_all(engine, np.concatenate([VOICE, PAUSE] * 6)))
        await server.server.saw(4)
        assert not task.done()
        gate.set()
        said = await task
        said += await engine.finish(key="k")
        await engine.aclose()
    assert len(said) == 6


async def test_streams_are_heard_apart():
    """Two microphones, two transcripts."""
    async with stub() as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)
        await hear_all(engine, VOICE, key="a")
        assert await engine.finish(key="b") == []
        assert len(await engine.finish(key="a")) == 1
        assert await engine.finish(key="a") == []
        await engine.aclose()


async def test_a_failure_is_told_once_and_what_comes_after_is_heard():
    """The transcript shows an error, with a reason, and goes on when the endpoint does."""
    loud = np.concatenate([VOICE, PAUSE])
    async with stub() as server, to(server, options="?retries=0") as endpoint:
        engine = OpenAISpeech(endpoint)
        server.next.append(failing(503, b"no more workers"))
        with pytest.raises(MissedError, match="no more workers") as failure:
            await speak(engine, loud)
        assert len(VOICE) / RATE - 1 < failure.value.seconds < len(loud) / RATE
        said = await speak(engine, loud, start=START + 100)
        assert [utterance.text for utterance in said] == ["Hello there."]
        assert said[0].start > START + 100
        await engine.aclose()


async def test_it_is_known_whether_somebody_is_speaking():
    """Batches of seconds are closed when all is told, and not before."""
    async with stub() as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)
        assert not engine.is_speaking(key="k")
        server.next.append(failing(200, {"text": "Yes."}))
        first = pieces_of(VOICE)[:4]
        rest = pieces_of(np.concatenate([VOICE, PAUSE]))[4:]
        for sound in first:
            await engine.hear(sound, key="k")
        assert engine.is_speaking(key="k")
        for sound in rest:
            await engine.hear(sound, key="k")
        assert engine.is_speaking(key="k")  # the answer is on its way
        await asyncio.wait(engine._ears["k"].underway)
        after = Sound(time=rest[-1].end, samples=quiet(0.5).tobytes())
        assert [said.text for said in await engine.hear(after, key="k")] == ["Yes."]
        assert not engine.is_speaking(key="k")
        await engine.aclose()


async def test_what_was_heard_is_told_before_a_failure(caplog):
    """It was paid for; and a hole at the end is not a transcript without one."""
    twice = np.concatenate([VOICE, PAUSE, VOICE, PAUSE])
    async with stub() as server, to(server, options="?retries=0") as endpoint:
        engine = OpenAISpeech(endpoint)
        server.next.extend([failing(200, {"text": "Yes."}), failing(400, b"bad sound")])
        said = await hear_all(engine, twice)
        said += await engine.finish(key="k")
        assert [utterance.text for utterance in said] == ["Yes."]
        assert "hole: " in caplog.text
        assert "bad sound" in caplog.text
        # And while the stream runs, one after the other.
        server.next.extend([failing(200, {"text": "Yes."}), failing(400, b"bad sound")])
        await hear_all(engine, twice, start=START + 100)
        ear = engine._ears["k"]
        await asyncio.wait(ear.underway)
        silence = Sound(time=START + 100 + len(twice) / RATE, samples=quiet(0.5).tobytes())
        assert [u.text for u in await engine.hear(silence, key="k")] == ["Yes."]
        with pytest.raises(EngineError, match="bad sound"):
            await engine.hear(silence, key="k")
        await engine.aclose()


@pytest.mark.parametrize(
    "body", [{"text": 7}, {"segments": []}, b"Hello there.", {"text": "x", "segments": [{}]}]
)
async def test_an_answer_that_is_no_transcription_is_an_error(body):
    """Words are not taken from whatever came."""
    async with stub() as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)
        server.next.append(failing(200, body))
        with pytest.raises(EngineError, match=r"not of OpenAI's kind|not JSON"):
            await speak(engine)
        await engine.aclose()


async def test_a_closed_engine_ends_what_is_under_way():
    """A server that stops does not wait for an endpoint that hangs."""
    async with stub() as server, to(server) as endpoint:
        engine = OpenAISpeech(endpoint)

        async def hang(seen, writer):
            await asyncio.Event().wait()

        server.next.append(hang)
        await hear_all(engine, np.concatenate([VOICE, PAUSE]))
        await server.server.saw(1)
        await engine.aclose()
        with pytest.raises(EngineError, match="was closed"):
            await engine.finish(key="k")
        await hear_all(engine, VOICE, key="new")
        with pytest.raises(EngineError, match="was closed"):
            await engine.finish(key="new")


async def test_a_finish_that_is_cancelled_leaves_the_others_in_peace():
    """One stream that is stopped in a hurry must not end the transcripts of all."""
    gate = asyncio.Event()
    async with stub() as server, to(server) as endpoint:

        async def slowly(seen, writer):
            await gate.wait()
            await failing(200, {"text": "Yes."})(seen, writer)

        server.next.extend([slowly, slowly])
        engine = OpenAISpeech(endpoint)
        for key in ("a", "b"):
            await hear_all(engine, np.concatenate([VOICE, PAUSE]), key=key)
        await server.server.saw(2)
        hurried = asyncio.create_task(engine.finish(key="a"))
        await asyncio.sleep(0)
        hurried.cancel()
        await asyncio.gather(hurried, return_exceptions=True)
        gate.set()
        assert len(await engine.finish(key="b")) == 1
        await engine.aclose()
