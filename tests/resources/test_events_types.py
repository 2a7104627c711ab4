"""What a type checker knows of `events()`."""

from __future__ import annotations

import inspect
import re
from typing import Literal, get_args, get_origin, get_overloads, get_type_hints

import pytest

import rtstream_async as rts
from rtstream_async.models import announcements, messages
from rtstream_async.protocol import overflow
from rtstream_async.realtime import hub, subscription
from rtstream_async.resources import events
from rtstream_async.resources.events import Events

KINDS = {
    "transcript": rts.TranscriptMessage,
    "scene_index": rts.SceneMessage,
    "visual_index": rts.SceneMessage,
    "audio_index": rts.AudioMessage,
    "spoken_index": rts.AudioMessage,
    "alert": rts.AlertMessage,
    "capture_session": rts.CaptureMessage,
}
NAMES = {**vars(messages), **vars(announcements), **vars(overflow), **vars(hub)}
NAMES |= {**vars(subscription), **vars(events)}


def told(overload):
    """Return which channels, with `control=`, give which kinds of message."""
    hints = get_type_hints(overload, NAMES)
    channels = get_args(hints["channel"]) if "channel" in hints else ()
    (given,) = get_args(hints["return"])
    assert get_origin(hints["return"]) is rts.Subscription
    return channels, get_args(hints["control"])[0], get_args(given) or (given,)


@pytest.mark.parametrize("channel", KINDS)
@pytest.mark.parametrize("control", [False, True])
def test_each_channel_gives_its_own_kind_of_message(channel, control):
    """An editor that offers `msg.label` for a scene is worse than none."""
    found = [
        kinds
        for channels, c, kinds in map(told, get_overloads(Events.events))
        if channel in channels and c is control
    ]
    wanted = (KINDS[channel], rts.Announcement) if control else (KINDS[channel],)
    assert found == [wanted]


def test_every_known_channel_has_a_type():
    """A channel more, and no type for it, is `Message` to every checker."""
    assert set(get_args(rts.Channel)) <= set(KINDS)


@pytest.mark.parametrize("method", ["events", "search", "export", "get_transcript"])
def test_no_method_of_a_stream_gives_anything(method):
    """`Any` hides the next mistake."""
    given = str(inspect.signature(getattr(rts.RTStream, method)).return_annotation)
    assert not re.search(r"^Any$|\bdict\b", given)


def test_the_literals_are_literals():
    """A plain `str` would match the first overload, whatever the channel."""
    first = get_overloads(Events.events)[0]
    assert get_origin(get_type_hints(first, NAMES)["channel"]) is Literal
