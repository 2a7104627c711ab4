"""What an understanding can be asked to be."""

import pytest

from rtstream_async.local.domain.segmentation import AnalysisError, read_analysis


def test_nothing_given_is_what_the_service_would_do():
    """The official SDK sends empty objects for what was left out."""
    found = read_analysis({}, [])
    assert (found.window, found.frame_count, found.output) == (10.0, 5, "scene")
    assert (found.prompt, found.model, found.config) == (None, None, {})


def test_everything_that_the_documents_show_is_taken():
    """It is the only example that anybody has."""
    found = read_analysis(
        {"type": "time", "window": "10s"},
        [
            {
                "type": "vlm",
                "name": "door",
                "sampling": {"frame_count": 3},
                "config": {"prompt": "who?", "model": "basic", "detail": "low"},
            }
        ],
    )
    assert (found.window, found.frame_count, found.output) == (10.0, 3, "door")
    assert (found.prompt, found.model, found.config) == ("who?", "basic", {"detail": "low"})


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        ("2s", 2.0),
        ("1.5 s", 1.5),
        ("500ms", 0.5),
        ("1m", 60.0),
        ("2min", 120.0),
        ("7", 7.0),
        (4, 4),
    ],
)
def test_a_window_is_a_length_of_time(window, seconds):
    """A unit that is read wrongly is a bill that is sixty times higher."""
    assert read_analysis({"window": window}, []).window == seconds


@pytest.mark.parametrize(
    ("segmentation", "analyzers", "argument"),
    [
        ({"type": "shot"}, [], "segmentation.type"),
        ({"window": "ten"}, [], "segmentation.window"),
        ({"window": 0}, [], "segmentation.window"),
        ({"window": True}, [], "segmentation.window"),
        ({"window": None}, [], "segmentation.window"),
        ({"overlap": 1}, [], "segmentation.overlap"),
        ({}, [{"type": "vlm"}, {"type": "vlm"}], "analyzers"),
        ({}, ["vlm"], "analyzers[0]"),
        ({}, [{}], "analyzers[0].type"),
        ({}, [{"type": "asr"}], "analyzers[0].type"),
        ({}, [{"type": "vlm", "prompt": "x"}], "analyzers[0].prompt"),
        ({}, [{"type": "vlm", "name": 7}], "analyzers[0].name"),
        ({}, [{"type": "vlm", "sampling": 5}], "analyzers[0].sampling"),
        ({}, [{"type": "vlm", "sampling": {"fps": 5}}], "analyzers[0].sampling.fps"),
        (
            {},
            [{"type": "vlm", "sampling": {"frame_count": 0}}],
            "analyzers[0].sampling.frame_count",
        ),
        ({}, [{"type": "vlm", "config": {"prompt": 1}}], "analyzers[0].config.prompt"),
        ({}, [{"type": "vlm", "config": {"model": []}}], "analyzers[0].config.model"),
    ],
)
def test_what_can_not_be_done_is_named(segmentation, analyzers, argument):
    """An analyzer that is quietly another one sees other things."""
    with pytest.raises(AnalysisError) as caught:
        read_analysis(segmentation, analyzers)
    assert caught.value.argument == argument
    assert str(caught.value).startswith(argument)
