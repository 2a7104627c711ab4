"""Which stream is the microphone, whatever it is called."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.channels import CATEGORIES, category_of, matching


@attrs.frozen
class Item:
    channel_id: str | None
    name: str | None = None


MIC = Item("mic", "mic:default")
SECOND_MIC = Item("mic:usb", None)
SCREEN = Item(None, "display:1")
SECOND_SCREEN = Item("display:2", "Second screen")
SYSTEM = Item("SYSTEM_AUDIO:default")
NODE = Item(None, "Capture mic - cap-83e6")
CAMERA = Item("camera:front", "Face")
ALL = [MIC, SECOND_MIC, SCREEN, SECOND_SCREEN, SYSTEM, NODE, CAMERA]


@pytest.mark.parametrize(
    ("label", "category"),
    [
        ("mic", "mic"),
        ("mic:default", "mic"),
        (" MIC:Default ", "mic"),
        ("microphone", "mic"),
        ("screen", "screen"),
        ("display:1", "screen"),
        ("system_audio:default", "system_audio"),
        ("system-audio", "system_audio"),
        ("Capture mic - cap-83e6", "mic"),
        ("Capture system_audio - cap-83e6", "system_audio"),
        ("Capture face - cap-83e6", None),
        ("camera:1", None),
        ("mics", None),
        ("my mic", None),
        ("", None),
        (None, None),
    ],
)
def test_each_spelling_is_known(label, category):
    """Defect 12 of the official SDK: streams named `mic:default` are not found."""
    assert category_of(label) == category


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("mic", [MIC, SECOND_MIC, NODE]),
        ("MIC", [MIC, SECOND_MIC, NODE]),
        ("microphone", [MIC, SECOND_MIC, NODE]),
        ("screen", [SCREEN, SECOND_SCREEN]),
        ("display", [SCREEN, SECOND_SCREEN]),
        ("system_audio", [SYSTEM]),
        ("mic:default", [MIC]),
        ("Mic:USB", [SECOND_MIC]),
        ("display:1", [SCREEN]),
        ("second screen", [SECOND_SCREEN]),
        ("camera:front", [CAMERA]),
        ("face", [CAMERA]),
        ("capture mic - CAP-83E6", [NODE]),
        ("display:3", []),  # could be one, and is not
        ("camera:back", []),  # announced, and not there yet
    ],
)
def test_a_stream_is_found_by_category_channel_and_name(wanted, found):
    """Reference: `session.get_rtstream("mic")`."""
    assert matching(wanted, ALL, known=["camera:back", None]) == found


@pytest.mark.parametrize("wanted", ["mics", "", "  ", "camera", None, 5])
def test_what_means_nothing_is_refused_with_what_would(wanted):
    """A misspelt category would be a list of nothing."""
    with pytest.raises(InvalidArgumentError) as caught:
        matching(wanted, ALL, known=["camera:back", None])
    allowed = caught.value.allowed
    assert allowed is not None
    assert allowed[:3] == CATEGORIES
    assert {"camera:back", "camera:front", "Face", "display:2"} <= set(allowed)
    assert None not in allowed


@given(st.text(), st.lists(st.builds(Item, st.none() | st.text(), st.none() | st.text())))
def test_whatever_the_service_calls_them_nothing_breaks(wanted, items):
    """Names of streams are the user's."""
    try:
        assert all(item in items for item in matching(wanted, items))
    except InvalidArgumentError:
        assert category_of(wanted) is None
