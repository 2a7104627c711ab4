"""Structured output."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.messages import AlertMessage, AudioMessage, SceneMessage
from rtstream_async.protocol.codec.output import OutputDecoder


@attrs.frozen
class Screen:
    people: int
    words: list[str]


def scene(text: str) -> SceneMessage:
    return SceneMessage(channel="scene_index", start=1.0, end=2.0, text=text)


@pytest.mark.parametrize(
    "text",
    [
        '{"people": 2, "words": ["EXIT"]}',
        ' \n{"people": 2, "words": ["EXIT"], "more": 1}\n',
        '```json\n{"people": 2, "words": ["EXIT"]}\n```',
        '```\n{"people": 2, "words": ["EXIT"]}\n```\n',
    ],
)
def test_json_of_the_type_becomes_the_output(text: str):
    """Language models like to put a fence around what they were asked for."""
    filled = OutputDecoder(Screen).fill(scene(text))
    assert isinstance(filled, SceneMessage)
    assert filled.output == Screen(people=2, words=["EXIT"])
    assert filled.output_error is None
    assert filled.text == text


@pytest.mark.parametrize("text", ["two people", '{"people": "two"}', "", "```", "[" * 3_000])
def test_what_does_not_parse_is_flagged_and_not_lost(text: str):
    """The text may still be all that the user needs."""
    filled = OutputDecoder(Screen).fill(scene(text))
    assert isinstance(filled, SceneMessage)
    assert filled.output is None
    assert filled.output_error
    assert filled.text == text


@given(st.text())
def test_no_text_is_an_exception(text: str):
    """It would be the reader's, and so everybody's."""
    filled = OutputDecoder(Screen).fill(scene(text))
    assert isinstance(filled, SceneMessage)
    assert (filled.output is None) == (filled.output_error is not None)


def test_audio_has_output_and_alerts_have_none():
    """An alert's text is not what the index was asked for."""
    audio = OutputDecoder(int).fill(AudioMessage(channel="audio_index", start=1, end=2, text="7"))
    assert isinstance(audio, AudioMessage)
    assert audio.output == 7
    alert = AlertMessage(channel="alert", text="7")
    assert OutputDecoder(int).fill(alert) is alert


def test_a_type_that_cannot_be_decoded_is_the_caller_s_mistake():
    """It must be found when the index is made, and not at each message."""
    with pytest.raises(InvalidArgumentError, match="output_type"):
        OutputDecoder(object())
