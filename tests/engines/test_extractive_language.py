"""The language engine that needs no model."""

from __future__ import annotations

from rtstream_async.local.engines.extractive import ExtractiveLanguage

PIECES = [
    "The delivery is late. The driver called twice.",
    "Nobody opened the gate for the driver.",
    "The delivery waits at the gate.",
    "Lunch was good.",
]


async def test_a_summary_is_of_whole_sentences_and_says_how_it_was_made():
    """Who reads an index must see that nobody understood the prompt."""
    engine = ExtractiveLanguage()
    await engine.warm_up()
    made = await engine.summarise(PIECES, prompt="Write a poem about the delivery")
    assert made.engine == engine.name == "extractive"
    assert made.text == "The delivery is late. The delivery waits at the gate."
    assert made.metadata == {
        "prompt_followed": False,
        "method": "extractive",
        "sentences": 2,
        "of": 5,
    }
    await engine.aclose()


async def test_nothing_said_is_summarised_as_nothing():
    """A silent hour must not be told as anything."""
    made = await ExtractiveLanguage().summarise([], prompt=None)
    assert made.text == ""
    assert made.metadata["sentences"] == made.metadata["of"] == 0


async def test_it_does_not_judge():
    """An alert must not rest on an engine that can't tell."""
    engine = ExtractiveLanguage()
    assert await engine.judge("A person walks.", rule="somebody runs") is None
