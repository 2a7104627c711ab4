"""Several speech processes as one engine: who hears whom, and what that does for others."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.engines.speech_pool import SpeechPool
from tests.engines.sounds import clips, pieces, quiet, together, word_error_rate


async def hear_all(pool, samples, key):
    said = [one for piece in pieces(samples, 100.0) for one in await pool.hear(piece, key=key)]
    said += await pool.finish(key=key)
    return " ".join(one.text for one in said if one.is_final)


async def test_many_streams_are_heard_side_by_side():
    """Four people who end their sentences together must not wait for each other."""
    pool = SpeechPool(most=2)
    try:
        await pool.warm_up()
        assert len(pool.pids) == 1
        one = clips("librivox")[1]
        sound = together(quiet(0.5), one.samples, quiet(1))
        first = await hear_all(pool, sound, "alone")
        assert len(pool.pids) == 1
        keys = ("a", "b", "c", "d", "e")
        heard = await asyncio.gather(*(hear_all(pool, sound, key) for key in keys))
        assert word_error_rate([(first, text) for text in heard]) == 0
        assert len(pool.pids) == 2
        assert not pool.is_speaking(key="a")
        assert await pool.finish(key="never heard of") == ()
    finally:
        await pool.aclose()
    assert pool.pids == []


async def test_a_process_that_dies_takes_only_its_own_streams():
    """What is said in one room goes on while the other room's engine is started anew."""
    pool = SpeechPool(most=2)
    silence = pieces(quiet(0.5), 100.0)[0]
    speech = pieces(clips("librivox")[0].samples, 100.0)[:6]
    try:
        for key in ("a", "b", "c"):
            await pool.hear(silence, key=key)
        for piece in speech:
            await pool.hear(piece, key="a")
            await pool.hear(piece, key="c")
        assert pool.is_speaking(key="a")
        assert pool.is_speaking(key="c")
        first, second = pool.pids
        os.kill(second, signal.SIGKILL)
        with pytest.raises(EngineError):
            await pool.finish(key="c")
        assert [one.is_final for one in await pool.finish(key="a")] == [True]
        assert first in pool.pids
    finally:
        await pool.aclose()
