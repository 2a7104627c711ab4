from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.h264 import sequence_parameters

AUD = b"\0\0\0\x01\x09\xf0"
SPS = b"\x67\x42\xc0\x0d\xab"
PPS = b"\0\0\0\x01\x68\xce\x3c\x80"
IDR = b"\0\0\x01\x65\x88\x84"


def test_the_parameters_of_a_key_frame_are_found():
    """When they change, decoders must start over."""
    assert sequence_parameters(AUD + b"\0\0\0\x01" + SPS + PPS + IDR) == SPS
    assert sequence_parameters(b"\0\0\x01" + SPS + PPS + IDR) == SPS


def test_a_frame_without_parameters_says_so():
    """That is no change."""
    assert sequence_parameters(AUD + IDR) is None


def test_length_prefixed_frames_are_left_alone():
    """A length may look like anything."""
    assert sequence_parameters(b"\0\0\x10\x00" + SPS) is None


@given(st.binary(max_size=600))
def test_no_bytes_break_it(data):
    """They come from the network."""
    found = sequence_parameters(data)
    assert found is None or found[0] & 0x1F == 7
