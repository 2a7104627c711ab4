"""A transcript whose engine is slower than its stream: what waits, and what is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import attrs
import pytest

from rtstream_async.local.datadir import open_data_dir
from rtstream_async.local.engines.ports import MissedError, Sound, SpeechEngine, Utterance
from rtstream_async.local.hub import Hub, HubSettings
from rtstream_async.local.pipelines.scribe import Scribe
from rtstream_async.local.pipelines.transcript import Transcript
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.local.store.schema import prepare
from rtstream_async.local.store.transcripts import (
    TranscriptRow,
    UtteranceQuery,
    get_transcript,
    keep_transcript,
    list_utterances,
)
from rtstream_async.local.store.worker import Worker
from rtstream_async.local.tokens import Tokens
from tests.local.engines import BeepEngine, beeps
from tests.local.harness import until
from tests.media.clips import chirp

STREAM = StreamRow(
    id="rts-1",
    collection_id="c-1",
    name="mic",
    url="scripted://mic",
    status="connected",
    wanted=True,
    sample_rate=30,
    media_types=("audio",),
    store=False,
    enable_transcript=True,
    ws_connection_id=None,
    created_us=0,
    ingested={},
    last_error=None,
    reconnects=0,
    evicted_segments=0,
)
ROW = TranscriptRow(
    stream_id="rts-1",
    asked_engine=None,
    engine=None,
    language=None,
    ws_connection_id=None,
    bound_us=None,
    status="running",
    last_error=None,
    dropped_seconds=0.0,
    created_us=0,
    started_us=0,
    stopped_us=None,
    updated_us=0,
)
BEEP = (chirp(16_000) * 8000).astype("<i2").tobytes()
QUIET = bytes(16_000 - len(BEEP))


def piece(number: float, *, beep: bool = True) -> Sound:
    """Half a second of sound, with a beep at its begin."""
    return Sound(time=1000 + number / 2, samples=BEEP + QUIET if beep else bytes(16_000))


async def reach(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""

    async def look() -> bool:
        return is_so()

    await until(look)


@attrs.define(eq=False)
class Bench:
    """A transcript over a real store, fed by hand."""

    store: Worker
    engine: BeepEngine
    transcript: Transcript
    told: list[Utterance]
    settled: list[float]
    task: asyncio.Task[None]

    async def end(self) -> TranscriptRow:
        await self.transcript.finish()
        row = await self.store.run(get_transcript, "rts-1")
        assert row is not None
        return row

    async def stored(self) -> list[int]:
        rows, _ = await self.store.run(list_utterances, "rts-1", UtteranceQuery(limit=1000))
        return [number for row in rows for number in beeps(row.text)]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    store = Worker(tmp_path / "db", prepare)
    await store.start()
    engine = BeepEngine()
    told: list[Utterance] = []
    settled: list[float] = []
    tasks: list[asyncio.Task[None]] = []
    data = open_data_dir(tmp_path / "data", api_key=None)
    scribe = Scribe(
        stream_id="rts-1",
        stream_name="mic",
        store=store,
        hub=Hub(Tokens(data.secret), HubSettings()),
        tell=told.append,
    )

    async def speech() -> SpeechEngine:
        if not engine.is_loadable:
            raise Refusal(503, "NO_ENGINE", "it can't be loaded")
        return engine

    transcript = Transcript(row=ROW, scribe=scribe, engine=speech, settled=settled.append)
    await store.run(statements.add_stream, STREAM)
    await store.run(keep_transcript, ROW)
    transcript.start(lambda work, name: tasks.append(asyncio.create_task(work(), name=name)))
    yield Bench(store, engine, transcript, told, settled, tasks[0])
    transcript.abandon()
    engine.gate.set()
    await tasks[0]
    await store.aclose()


async def test_sound_waits_for_a_slow_engine_and_is_heard_whole(bench: Bench) -> None:
    """A model that is being loaded must not cost the first sentence."""
    bench.engine.gate.clear()
    for number in range(30):
        bench.transcript.feed(piece(number))
    bench.engine.gate.set()
    row = await bench.end()
    assert await bench.stored() == [*range(1, 31)]
    assert bench.engine.seconds == 15
    assert row.dropped_seconds == 0


async def test_the_oldest_sound_is_given_up_and_counted(bench: Bench) -> None:
    """Captions that come minutes late are worth nothing; a hole that nobody knows of misleads."""
    bench.engine.gate.clear()
    for number in range(120):
        bench.transcript.feed(piece(number))
    bench.engine.gate.set()
    row = await bench.end()
    assert row.dropped_seconds + bench.engine.seconds == 60
    assert 18 <= bench.engine.seconds <= 22
    last = bench.told[-1]
    assert last.words[-1].start == pytest.approx(1000 + 59.5, abs=0.03)
    assert row.status == "running"


async def test_sound_that_was_lost_on_the_way_is_counted_too(bench: Bench) -> None:
    """Whoever reads a transcript asks whether it is whole, not whose fault it is."""
    bench.transcript.count_lost(2.5)
    bench.transcript.feed(piece(0))
    assert (await bench.end()).dropped_seconds == 2.5


async def test_what_was_said_before_a_gap_is_final_before_it(bench: Bench) -> None:
    """Two half sentences from two meetings are not one sentence."""
    bench.transcript.feed(piece(0))
    bench.transcript.feed(piece(1))
    bench.transcript.feed(piece(20))
    await bench.end()
    assert [beeps(utterance.text) for utterance in bench.told] == [[1, 2], [3]]
    assert bench.engine.forgotten == 2


async def test_a_transcript_knows_up_to_where_all_is_said(bench: Bench) -> None:
    """Batches of seconds are closed by it: too early, and words are in the wrong one."""
    for number in range(4):
        bench.transcript.feed(piece(number))
    await reach(lambda: bench.engine.seconds >= 2)
    bench.transcript.advance(1002.0)
    await reach(lambda: bool(bench.settled))
    assert max(bench.settled) <= 1000  # somebody speaks since then
    bench.transcript.feed(piece(4, beep=False))
    bench.transcript.feed(piece(5, beep=False))
    await reach(lambda: bool(bench.told))
    assert max(bench.settled) <= 1003
    # No sound at all comes any more: nobody can be speaking.
    bench.transcript.advance(1010.0)
    await reach(lambda: bench.settled[-1] >= 1010)
    assert [beeps(utterance.text) for utterance in bench.told] == [[1, 2, 3, 4]]


async def test_an_engine_that_recovers_hears_the_same_sound_again(bench: Bench) -> None:
    """A process that died is back in a second; the word that it died of is not lost with it."""
    bench.transcript.feed(piece(0))
    await reach(lambda: bench.engine.seconds >= 0.5)
    bench.engine.illness = "the process died"
    bench.transcript.feed(piece(1))
    await reach(lambda: bench.transcript.row.last_error is not None)
    bench.engine.illness = None
    bench.transcript.feed(piece(2))
    row = await bench.end()
    assert (row.status, row.last_error) == ("running", None)
    # What was being said is lost with the process, and counted.
    assert row.dropped_seconds in (0.5, 1.0)
    assert (await bench.stored())[-1] == bench.engine.count


async def test_an_engine_that_missed_something_before_goes_on_from_now(bench: Bench) -> None:
    """An endpoint that could not be reached has had what came since; said twice it is doubled."""
    bench.transcript.feed(piece(0))
    await reach(lambda: bench.engine.seconds >= 0.5)
    bench.engine.missed = MissedError("the endpoint was away", seconds=7.5)
    bench.transcript.feed(piece(1))
    await reach(lambda: bench.transcript.row.last_error is not None)
    assert bench.transcript.row.last_error == "the endpoint was away"
    bench.transcript.feed(piece(2))
    row = await bench.end()
    assert (row.status, row.last_error) == ("running", None)
    assert row.dropped_seconds == 8.5  # and the second that was being said
    assert bench.engine.seconds == 1.5
    assert await bench.stored() == [1, 2, 3]


async def test_an_engine_that_never_starts_loses_all_and_says_why(bench: Bench) -> None:
    """The stream is recorded; its transcript says what is missing and how much."""
    bench.engine.is_loadable = False
    for number in range(10):
        bench.transcript.feed(piece(number))
    row = await bench.end()
    assert (row.status, row.last_error) == ("error", "it can't be loaded")
    assert row.dropped_seconds == 5
    assert bench.engine.seconds == 0


async def test_what_is_given_up_is_not_said(bench: Bench) -> None:
    """Who forces a stop wants nothing more, not even an answer that is late."""
    bench.engine.gate.clear()
    bench.transcript.feed(piece(0))
    await asyncio.sleep(0)
    bench.transcript.abandon()
    bench.engine.gate.set()
    await bench.task
    assert bench.told == []
    assert await bench.stored() == []
