"""Whether a stream of that name is the one that is meant."""

from __future__ import annotations

from typing import Any

import pytest

from rtstream_async.protocol.reuse import may_come_from


@pytest.mark.parametrize(
    ("told", "url", "may"),
    [
        ({"source": "rtsp://cam/door"}, "rtsp://cam/door", True),
        ({"source": "rtsp://cam/door"}, "rtsp://user:secret@CAM/door/", True),
        ({"source": "rtsp://cam/door"}, "rtsp://cam/door?channel=2", True),
        ({"url": "rtsp://cam/door?channel=1"}, "rtsp://cam/door?channel=2", False),
        ({"source": "rtsp://cam/door"}, "rtsp://cam/yard", False),
        ({"source": "rtsp://cam/door"}, "rtmp://cam/door", False),
        ({"source": "rtsp://cam/door"}, "rtsp://cam:8554/door", False),
        ({"source": "street.mp4"}, "street.mp4", True),
        ({"source": "street.mp4"}, "yard.mp4", False),
        ({"source": "rtsp://[broken"}, "rtsp://[broken", True),
        ({"source": "rtsp://[broken"}, "rtsp://cam/door", False),
        ({"source": None}, "rtsp://cam/door", True),
        ({}, "rtsp://cam/door", True),
    ],
)
def test_a_stream_is_taken_for_what_its_description_allows(
    told: dict[str, Any], url: str, may: bool
):
    """Another camera's stream under the right name would be watched for the wrong door."""
    assert may_come_from(told, url) is may
