import math
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.batch import (
    audio_config,
    scene_config,
    spoken_config,
    visual_config,
)

SHOT_KEYS = ("type", "threshold", "frame_count", "min_length", "max_length")
TIMED = {"type": "time", "value": 2, "frame_count": 5}


@pytest.mark.parametrize(
    ("batch", "config"),
    [
        (TIMED, {"time": 2, "frame_count": 5}),
        ({"type": "time", "value": 0.5}, {"time": 0.5}),  # row 109: null is sent
        ({"type": "time", "value": 3, "frame_count": None}, {"time": 3}),
    ],
)
def test_a_visual_batch_becomes_the_wires_config(batch, config):
    """Without this, nothing is indexed as asked."""
    assert visual_config(batch) == ("time", config)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"threshold": 27.5, "frame_count": 3},
        {"min_length": 0.5, "max_length": 0.5},
        {"max_length": 20},
    ],
)
def test_a_batch_may_be_a_shot(config):
    """Windows of a fixed length mix what is before a cut with what is after it."""
    assert visual_config({"type": "shot", "threshold": None} | config) == ("shot", config)


@pytest.mark.parametrize("kind", ["word", "sentence", "time"])
def test_an_audio_batch_becomes_the_wires_config(kind):
    """Without this, nothing is summarised as asked."""
    assert audio_config({"type": kind, "value": 5}) == {"segmenter": kind, "segmentation_value": 5}


def test_audio_time_may_have_fractions():
    """Seconds are not counted in words."""
    assert audio_config({"type": "time", "value": 1.5})["segmentation_value"] == 1.5


@pytest.mark.parametrize(
    ("make", "batch", "argument", "allowed"),
    [
        (visual_config, "time", "batch_config", None),
        (visual_config, [("type", "time")], "batch_config", None),
        (visual_config, {**TIMED, "frames": 5}, "batch_config", ("type", "value", "frame_count")),
        (visual_config, {**TIMED, 1: 5}, "batch_config", ("type", "value", "frame_count")),
        (visual_config, {}, "batch_config['type']", None),
        (visual_config, {"type": "time"}, "batch_config['value']", None),
        (visual_config, {**TIMED, "type": "shot"}, "batch_config", SHOT_KEYS),  # row 110
        (visual_config, {**TIMED, "type": ["time"]}, "batch_config['type']", ("time", "shot")),
        (visual_config, {**TIMED, "type": "scene"}, "batch_config['type']", ("time", "shot")),
        (visual_config, {"type": "shot", "threshold": 0}, "batch_config['threshold']", None),
        (visual_config, {"type": "shot", "threshold": "9"}, "batch_config['threshold']", None),
        (visual_config, {"type": "shot", "frame_count": 0.5}, "batch_config['frame_count']", None),
        (visual_config, {"type": "shot", "min_length": -1}, "batch_config['min_length']", None),
        (
            visual_config,
            {"type": "shot", "min_length": 3, "max_length": 2},
            "batch_config['max_length']",
            None,
        ),
        (visual_config, {**TIMED, "value": 0}, "batch_config['value']", None),
        (visual_config, {**TIMED, "value": -2}, "batch_config['value']", None),
        (visual_config, {**TIMED, "value": True}, "batch_config['value']", None),
        (visual_config, {**TIMED, "value": "2"}, "batch_config['value']", None),
        (visual_config, {**TIMED, "value": None}, "batch_config['value']", None),
        (visual_config, {**TIMED, "value": math.inf}, "batch_config['value']", None),
        (visual_config, {**TIMED, "value": math.nan}, "batch_config['value']", None),
        (visual_config, {**TIMED, "frame_count": 0}, "batch_config['frame_count']", None),
        (visual_config, {**TIMED, "frame_count": 1.5}, "batch_config['frame_count']", None),
        (visual_config, {**TIMED, "frame_count": True}, "batch_config['frame_count']", None),
        (
            audio_config,
            {"type": "bogus", "value": 5},
            "batch_config['type']",
            ("word", "sentence", "time"),
        ),  # row 118
        (audio_config, {"type": "word", "value": 1.5}, "batch_config['value']", None),
        (audio_config, {"type": "word"}, "batch_config['value']", None),
        (audio_config, TIMED, "batch_config", ("type", "value")),
    ],
)
def test_a_mistake_names_the_argument_and_what_is_allowed(make, batch, argument, allowed):
    """The official SDK sends it, and the service answers with something else, or nothing."""
    with pytest.raises(InvalidArgumentError) as caught:
        make(batch)
    assert caught.value.argument == argument
    assert caught.value.allowed == allowed
    assert str(caught.value).startswith(argument)


@pytest.mark.parametrize("segmenter", ["word", "sentence", "time"])
def test_spoken_words_are_cut_by_two_arguments(segmenter):
    """Rows 121, 122: the same config as a batch of `index_audio`."""
    config = spoken_config(segmenter, 10)
    assert config == audio_config({"type": segmenter, "value": 10})


@pytest.mark.parametrize(
    ("segmenter", "length", "argument"),
    [
        ("bogus", 10, "segmenter"),
        (None, 10, "segmenter"),
        ("word", 0, "length"),  # row 123
        ("word", 1.5, "length"),
        ("time", "5", "length"),
        ("time", math.nan, "length"),
    ],
)
def test_a_mistake_in_two_arguments_names_the_right_one(segmenter, length, argument):
    """There is no `batch_config` in such a call."""
    with pytest.raises(InvalidArgumentError) as caught:
        spoken_config(segmenter, length)
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("time", {"time": 2, "frame_count": 5}),
        ("shot", {"threshold": 20}),  # row 120
        ("time_based", {"time": None, "new": "x"}),
        ("transcript", {"segmenter": "word", "segmentation_value": 10}),
    ],
)
def test_the_services_own_words_are_passed_on(kind, config):
    """It has more kinds of indexes than this package has names for."""
    passed = scene_config(kind, MappingProxyType(config))
    assert passed == config
    assert type(passed) is dict


@pytest.mark.parametrize(
    ("kind", "config", "argument"),
    [
        ("", {}, "extraction_type"),
        (None, {}, "extraction_type"),
        ("time", None, "extraction_config"),
        ("time", [], "extraction_config"),
        ("time", {"time": 0}, "extraction_config['time']"),
        ("time", {"frame_count": 1.5}, "extraction_config['frame_count']"),
        ("shot", {"threshold": 0}, "extraction_config['threshold']"),
        ("shot", {"max_length": math.inf}, "extraction_config['max_length']"),
    ],
)
def test_what_no_service_can_use_is_not_passed_on(kind, config, argument):
    """A window of no length never ends."""
    with pytest.raises(InvalidArgumentError) as caught:
        scene_config(kind, config)
    assert caught.value.argument == argument


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(
    st.dictionaries(
        st.sampled_from(["type", "value", "frame_count", "x"])
        | anything.filter(lambda key: key.__hash__ is not None),
        anything | st.sampled_from(["time", "shot"]),
    )
)
def test_what_passes_is_fit_for_the_wire(batch):
    """A config is either whole or refused; never half checked."""
    try:
        kind, config = visual_config(batch)
    except InvalidArgumentError:
        return
    if kind == "shot":
        assert config.keys() <= {"frame_count"}
        return
    assert config["time"] > 0
    assert math.isfinite(config["time"])
    assert type(config.get("frame_count", 1)) is int
