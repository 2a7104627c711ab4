"""What is kept of a stream so that decoding can begin at any moment."""

from __future__ import annotations

import pytest
from av.packet import Packet
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.media import group as group_module
from rtstream_async.local.media.group import Coded, PictureGroup


def coded(time, *, is_key=False, size=10):
    return Coded(Packet(size), time, is_key)


def pending(group):
    return [item.time for item in group.pending()]


def test_decoding_begins_at_the_key_frame():
    """A decoder that begins elsewhere shows grey."""
    group = PictureGroup()
    group.add(coded(1.0))
    group.add(coded(2.0, is_key=True))
    group.add(coded(3.0))
    assert pending(group) == [2.0, 3.0]
    assert group.newest == 3.0


def test_decoding_goes_on_where_it_stood():
    """Decoding 25 s again for every frame would cost more than decoding all."""
    group = PictureGroup()
    group.add(coded(0.0, is_key=True))
    assert pending(group) == [0.0]
    group.is_broken = False
    group.add(coded(1.0))
    group.add(coded(2.0))
    assert pending(group) == [1.0, 2.0]
    group.add(coded(3.0, is_key=True))
    assert not group.is_broken
    assert pending(group) == [3.0]


def test_a_group_that_was_left_in_the_middle_breaks_the_decoder():
    """The next key frame must not be mixed with what the decoder still holds."""
    group = PictureGroup()
    group.add(coded(0.0, is_key=True))
    group.add(coded(1.0))
    next(group.pending())
    group.is_broken = False
    group.add(coded(2.0, is_key=True))
    assert group.is_broken


def test_a_new_decoder_gets_the_group_from_its_key_frame():
    """Sampling that stops and starts again sees something at once."""
    group = PictureGroup()
    group.add(coded(0.0, is_key=True))
    group.add(coded(1.0))
    pending(group)
    group.rewind()
    assert pending(group) == [0.0, 1.0]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(group_module, "_MOST_BYTES", 25)


def test_a_group_too_large_to_keep_is_forgotten(small):
    """A camera with a key frame an hour must not fill the memory."""
    group = PictureGroup()
    for n in range(3):
        group.add(coded(float(n), is_key=n == 0))
    assert group.is_full
    group.trim()
    group.add(coded(3.0))
    assert pending(group) == []
    group.add(coded(4.0, is_key=True))
    assert pending(group) == [4.0]


def test_a_large_group_is_decoded_as_it_comes_while_somebody_looks(small):
    """Whoever samples such a camera must not wait an hour for the next key frame."""
    group = PictureGroup()
    for n in range(3):
        group.add(coded(float(n), is_key=n == 0))
    pending(group)
    group.is_broken = False
    group.trim()
    group.add(coded(3.0))
    assert pending(group) == [3.0]
    group.rewind()
    group.add(coded(4.0))
    assert pending(group) == []


def test_a_small_group_is_not_trimmed():
    """It is what the next sampling begins from."""
    group = PictureGroup()
    group.add(coded(0.0, is_key=True))
    group.trim()
    assert pending(group) == [0.0]


@given(st.lists(st.sampled_from(["key", "picture", "decode", "rewind", "trim"]), max_size=60))
def test_a_decoder_never_gets_a_picture_without_those_before_it(steps):
    """It would show what was never there."""
    group = PictureGroup()
    state: int | None = None  # the number of the last packet in the decoder
    last_key = None
    for number, step in enumerate(steps):
        if step in {"key", "picture"}:
            group.add(Coded(Packet(group_module._MOST_BYTES // 3), float(number), step == "key"))
            last_key = number if step == "key" else last_key
        elif step == "decode":
            for item in group.pending():
                if group.is_broken:
                    state = None
                group.is_broken = False
                at = int(item.time)
                frames = [n for n in range(at) if steps[n] in {"key", "picture"}]
                assert item.is_key or (state is not None and state == frames[-1])
                state = at
        elif step == "rewind":
            group.rewind()
            state = None
        else:
            group.trim()
