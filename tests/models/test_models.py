import json
from datetime import UTC, datetime

import attrs
import pytest

from rtstream_async.models import (
    alerts,
    announcements,
    exports,
    jobs,
    messages,
    records,
    search,
    transcripts,
)
from rtstream_async.models.base import UNSET, Unset, moment
from rtstream_async.models.messages import (
    AlertMessage,
    CaptureMessage,
    Message,
    SceneMessage,
    TranscriptMessage,
    UnknownMessage,
)
from rtstream_async.models.records import IndexRecord, Page, Scene, StreamRecord

FRAME = json.dumps({"channel": "scene_index", "data": {"start": 1710000012340}}).encode()


def test_unset_is_false_and_not_none():
    """`None` means null on the wire; a default that looks like it would be sent."""
    assert not UNSET
    assert UNSET is not None
    assert repr(UNSET) == "UNSET"
    assert isinstance(UNSET, Unset)


def test_a_moment_is_aware():
    """A naive one would be read in the zone of whoever runs it."""
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)
    for record in (Scene, transcripts.TranscriptSegment):
        scene = record(start=1.5, end=2.5, text="x")
        assert (scene.start_time, scene.end_time) == (moment(1.5), moment(2.5))
    message = SceneMessage(channel="scene_index", start=1.5, end=2.5)
    assert (message.start_time, message.end_time) == (moment(1.5), moment(2.5))


def test_a_record_is_read_by_key_as_well():
    """Programs for the synchronous SDK read dicts."""
    scene = Scene(start=1, end=2, text="x", raw={"description": "x", "start": "wire"})
    assert (scene["text"], scene["description"], scene["start"]) == ("x", "x", 1)
    assert scene.get("none") is None
    assert scene.get("none", 5) == 5
    assert "text" in scene
    assert "none" not in scene
    assert 5 not in scene
    assert list(scene.keys()) == ["start", "end", "text", "raw"]
    with pytest.raises(KeyError):
        scene["none"]


def test_a_message_is_read_by_the_wires_keys():
    """Attributes are in seconds; `msg[...]` is what the service sent."""
    message = SceneMessage(channel="scene_index", start=1.0, end=2.0, source=FRAME)
    assert message["data"]["start"] == 1710000012340
    assert message.get("channel") == "scene_index"
    assert message.get("none", 5) == 5
    polled = attrs.evolve(message, source={"description": "x"})
    assert polled["description"] == "x"


@pytest.mark.parametrize(
    ("source", "raw"), [(b"not json", "not json"), (b"\xff\xfe", b"\xff\xfe"), (b"[1]", [1])]
)
def test_a_frame_that_is_no_object_is_kept_as_it_came(source, raw):
    """What can't be understood must still be seen."""
    message = UnknownMessage(channel="", source=source)
    assert message.raw == raw
    assert message.get("x") is None
    with pytest.raises(KeyError):
        message["x"]


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for module in (alerts, announcements, exports, jobs, messages, records, search, transcripts)
        for name in module.__all__
        if attrs.has(kind := getattr(module, name, None))
    ],
)
def test_values_are_frozen(kind):
    """A message goes to several subscriptions; one must not change it for the others."""
    assert kind.__attrs_attrs__ is not None
    example = object.__new__(kind)
    name = attrs.fields(kind)[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(example, name, 1)


def test_messages_have_useful_defaults():
    """Half of the frames leave half of the fields out."""
    assert TranscriptMessage(channel="transcript", start=1, end=2).is_final
    assert AlertMessage(channel="alert").triggered is None
    assert CaptureMessage(channel="capture_session").rtstreams == ()
    assert Message(channel="x").origin == "push"


@pytest.mark.parametrize(
    ("status", "running"),
    [("running", True), ("connected", True), ("stopped", False), (None, False)],
)
def test_an_index_runs_under_two_names(status, running):
    """The reference says `connected`, the service `running`."""
    index = IndexRecord(rtstream_index_id="i", rtstream_id="r", status=status)
    assert index.is_running is running


def test_a_page_is_a_list_and_a_dict():
    """`for scene in result["scenes"]` and `for stream in page` are both in use."""
    page = Page(
        items=[1, 2], next_page=True, page=3, page_size=2, label="scenes", raw={"extra": "x"}
    )
    assert list(page) == page["scenes"] == page["items"] == [1, 2]
    assert (len(page), page["next_page"], page["page"], page["page_size"]) == (2, True, 3, 2)
    assert page["total_count"] is None
    assert page["extra"] == page.get("extra") == "x"
    assert page.get("none") is None
    with pytest.raises(KeyError):
        page["none"]


def test_a_page_has_places_and_keys():
    """Lists of the official SDK are asked `streams[0]`; its dicts, `"scenes" in result`."""
    page = Page(
        items=[1, 2, 3], next_page=False, page=1, page_size=9, label="scenes", raw={"extra": None}
    )
    assert (page[0], page[-1], page[1:]) == (1, 3, [2, 3])
    assert all(key in page for key in ("scenes", "items", "next_page", "total_count", "extra"))
    assert "results" not in page
    assert 2 in page
    assert 4 not in page
    with pytest.raises(IndexError):
        page[3]


def test_raw_does_not_make_two_records_different():
    """The same stream, told with one key more, is the same."""
    assert StreamRecord(id="a", raw={"x": 1}) == StreamRecord(id="a")


def test_addresses_with_secrets_in_them_are_not_shown():
    """What has a repr ends up in a log: a hook's address is all that protects it."""
    alert = alerts.Alert(alert_id="a-1", callback_url="https://x.test/hook?secret=s3cr3t")
    result = exports.RTStreamExportResult(
        video_id="m-1", stream_url="https://x.test/s3cr3t.m3u8", player_url="https://x.test/s3cr3t"
    )
    assert "a-1" in repr(alert)
    assert "m-1" in repr(result)
    assert "s3cr3t" not in f"{alert!r} {result!r}"
