import pytest

from rtstream_async.errors import ProtocolError
from rtstream_async.models.exports import RTStreamExportResult
from rtstream_async.protocol.codec import exports


def test_an_export_names_the_video():
    """Row 92."""
    wire = {
        "video_id": "m-1",
        "name": "Standup",
        "stream_url": "https://x/s.m3u8",
        "player_url": "https://x/watch?v=1",
        "duration": "123.45",
        "size": 7,
    }
    result = exports.export(wire)
    assert result == RTStreamExportResult(
        video_id="m-1",
        name="Standup",
        stream_url="https://x/s.m3u8",
        player_url="https://x/watch?v=1",
        duration=123.45,
    )
    assert (result["video_id"], result["size"]) == ("m-1", 7)


def test_an_export_of_sound_has_no_page():
    """Row 95; the duration is not told again when it had been exported before."""
    wire = {"video_id": "a-9", "name": "n", "stream_url": None, "player_url": None}
    result = exports.export(wire)
    assert (result.video_id, result.stream_url, result.duration) == ("a-9", None, None)


@pytest.mark.parametrize("data", [None, {}, [], {"video_id": ""}])
def test_an_export_of_nothing_is_a_protocol_error(data):
    """Row 97: AttributeError in the official SDK."""
    with pytest.raises(ProtocolError):
        exports.export(data)
