"""The detector on real pictures, and the arithmetic around its network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtstream_async.local.engines.offline import opencv
from rtstream_async.local.engines.offline.classes import LABELS, OTHER_THRESHOLD, threshold
from rtstream_async.local.engines.offline.detector import (
    Detector,
    candidates,
    letterbox,
    suppress,
)
from rtstream_async.local.engines.ports import EngineError
from tests.engines.pictures import BLANKS, photograph, screen, surveillance


@pytest.fixture(scope="module")
def detector():
    opencv.use_one_thread()
    return Detector()


def labels(detector, picture):
    return [found.label for found in detector.find(picture)]


@pytest.mark.parametrize(
    ("index", "people"),
    [(0, 3), (100, 7), (200, 7), (300, 6), (400, 3), (500, 4), (600, 6), (700, 8), (740, 8)],
)
def test_people_on_real_footage_are_counted_about_right(detector, index, people):
    """Counting people is what surveillance users buy this for; counted here by eye."""
    assert abs(labels(detector, surveillance(index)).count("person") - people) <= 2


def test_people_are_where_they_are(detector):
    """Sides in the text come from boxes; here the nearest man walks at the right edge."""
    boxes = [f.box for f in detector.find(surveillance(400)) if f.label == "person"]
    tallest = max(boxes, key=lambda box: box.bottom - box.top)
    assert tallest.left > 0.85
    assert 0.5 < (tallest.top + tallest.bottom) / 2 < 0.75
    assert all(0 <= b.left < b.right <= 1 and 0 <= b.top < b.bottom <= 1 for b in boxes)


#: What is in each photograph, and what must not be seen in it.
EXPECTED = {
    "astronaut.png": ({"person"}, {"dog", "cat", "car"}),
    "camera.png": ({"person"}, {"dog", "cat", "car"}),
    "messi5.jpg": ({"person"}, {"dog", "cat", "car"}),
    "motorcycle_left.png": ({"motorcycle"}, {"person", "dog", "cat", "car"}),
    "chelsea.png": ({"cat"}, {"person", "dog"}),
    "horse.png": ({"horse"}, {"person"}),
    "leuvenB.jpg": ({"bicycle"}, {"person"}),
    "licenseplate_motion.jpg": ({"car"}, {"person"}),
    "coins.png": (set(), {"person", "clock", "bowl"}),
    "brick.png": (set(), set(LABELS)),
    "grass.png": (set(), set(LABELS)),
    "gravel.png": (set(), set(LABELS)),
    "moon.png": (set(), set(LABELS)),
    "retina.jpg": (set(), set(LABELS)),
    "page.png": (set(), set(LABELS)),
    "hubble_deep_field.jpg": (set(), {"person"}),
    "starry_night.jpg": (set(), {"person", "dog", "cat"}),
    "butterfly.jpg": (set(), {"person"}),
    "aloeL.jpg": (set(), {"person"}),
    "baboon.jpg": (set(), {"person", "orange"}),
    "home.jpg": (set(), {"person", "kite", "bird"}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_photographs_show_what_they_show(detector, name):
    """A detector that sees a person in a butterfly is worth nothing at night."""
    there, not_there = EXPECTED[name]
    found = set(labels(detector, photograph(name)))
    assert there <= found
    assert not found & not_there


@pytest.mark.parametrize("name", BLANKS)
def test_an_empty_frame_is_not_given_anything(detector, name):
    """A dead camera must not report people."""
    assert labels(detector, BLANKS[name]) == []


def test_a_screen_of_text_is_not_given_a_person(detector):
    """Screen recordings are indexed too, and letters are tall and thin."""
    assert "person" not in labels(detector, screen(["Quarterly results"] * 12))


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (720, 1280), (64, 48), (7, 3000), (1, 1)]
)
def test_a_picture_of_any_shape_keeps_its_proportions(width, height):
    """A squeezed cat is a person."""
    picture = np.full((height, width, 3), 255, np.uint8)
    tensor, fit = letterbox(picture)
    assert tensor.shape == (1, 3, 416, 416)
    white = (
        np.flatnonzero((tensor[0, 0] > 2).any(axis=0)),
        np.flatnonzero((tensor[0, 0] > 2).any(axis=1)),
    )
    assert (white[0][0], white[1][0]) == (fit.left, fit.top)
    assert len(white[0]) == max(1, round(width * fit.scale))
    assert len(white[1]) == max(1, round(height * fit.scale))


def outputs():
    """What the network gives when it sees nothing."""
    return {
        (grid * grid, size): np.full((grid * grid, size), value, np.float32)
        for grid in (52, 26, 13)
        for size, value in ((80, 0.01), (44, 0.0))
    }


def test_a_cell_becomes_a_box_around_its_centre():
    """Decoding off by half a cell moves everybody by 16 pixels."""
    network = outputs()
    network[13 * 13, 80][13 * 6 + 4, 0] = 0.9  # row 6, column 4: centre (144, 208)
    bins = np.full((4, 11), -50.0, np.float32)
    bins[[0, 1, 2, 3], [1, 2, 3, 4]] = 50.0  # 1, 2, 3 and 4 strides of 32 pixels
    network[13 * 13, 44][13 * 6 + 4] = bins.ravel()
    boxes, scores, kinds = candidates(network)
    assert boxes.tolist() == [[144 - 32, 208 - 64, 144 + 96, 208 + 128]]
    assert scores.tolist() == pytest.approx([0.9])
    assert [LABELS[kind] for kind in kinds] == ["person"]


@pytest.mark.parametrize("label", ["person", "car", "dog", "bird", "toothbrush"])
def test_each_kind_has_its_own_bar(label):
    """A stone is a 'bird' at 0.45 and a person is a person."""
    found = []
    for offset in (-0.02, 0.02):
        network = outputs()
        network[26 * 26, 80][300, LABELS.index(label)] = threshold(label) + offset
        found.append(len(candidates(network)[0]))
    assert found == [0, 1]


def test_only_kinds_that_are_known_well_have_a_low_bar():
    """The other kinds are wrong at 0.60 on photographs."""
    low = {label for label in LABELS if threshold(label) < OTHER_THRESHOLD}
    assert low == {"person", "bicycle", "car", "motorcycle", "bus", "truck", "dog", "cat"}
    assert len(LABELS) == len(set(LABELS)) == 80


def test_tiny_things_must_be_surer():
    """Traffic cones a few pixels high became people."""
    found = []
    for score in (0.5, 0.6):
        network = outputs()
        network[52 * 52, 80][1000, 0] = score
        bins = np.full((4, 11), -50.0, np.float32)
        bins[[0, 1, 2, 3], [0, 1, 0, 0]] = 50.0  # one stride of 8 pixels high
        network[52 * 52, 44][1000] = bins.ravel()
        found.append(len(candidates(network)[0]))
    assert found == [0, 1]


def test_a_network_of_another_shape_is_refused():
    """Swapped weights must say so instead of seeing nonsense."""
    with pytest.raises(EngineError, match="52x52"):
        candidates({(1, 80): np.zeros((1, 80), np.float32)})


def test_missing_weights_are_named(tmp_path):
    """A broken install must be told from a broken stream."""
    with pytest.raises(EngineError, match=r"gone\.onnx"):
        Detector(tmp_path / "gone.onnx")


BOX = st.builds(
    lambda x, y, w, h: (x, y, x + w, y + h),
    *(st.integers(0, 300), st.integers(0, 300), st.integers(1, 100), st.integers(1, 100)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(BOX, st.floats(0.5, 1, width=32), st.integers(0, 2)), max_size=12))
def test_what_is_kept_does_not_overlap_and_what_is_dropped_does(found):
    """One person must be one box, and two people two."""
    boxes = np.array([box for box, _, _ in found], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in found], np.float32)
    kinds = np.array([kind for _, _, kind in found], np.intp)
    kept = suppress(boxes, scores, kinds)
    assert sorted(scores[list(kept)].tolist(), reverse=True) == scores[list(kept)].tolist()

    def overlap(a, b):
        w = min(boxes[a][2], boxes[b][2]) - max(boxes[a][0], boxes[b][0])
        h = min(boxes[a][3], boxes[b][3]) - max(boxes[a][1], boxes[b][1])
        common = max(0, w) * max(0, h)
        area = sum((boxes[n][2] - boxes[n][0]) * (boxes[n][3] - boxes[n][1]) for n in (a, b))
        return common / (area - common)

    def clash(a, b):
        return overlap(a, b) > (0.5 if kinds[a] == kinds[b] else 0.75) + 1e-5

    assert not any(clash(a, b) for a in kept for b in kept if a != b)
    for dropped in set(range(len(found))) - set(kept):
        assert any(
            scores[one] >= scores[dropped]
            and overlap(one, dropped) > (0.5 if kinds[one] == kinds[dropped] else 0.75) - 1e-5
            for one in kept
        )
