import pytest

import rtstream_async as rts
from rtstream_async.models.records import CollectionRecord, IndexRecord, Page, StreamRecord
from rtstream_async.protocol.codec import replies, search
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.resources.context import Context

STREAM = {
    "id": "rts-1",
    "name": "Flood",
    "status": "connected",
    "sample_rate": 30,
    "media_types": ["video"],
    "collection_id": "c-1",
    "store": True,
    "created_at": "2025-05-29T01:39:48Z",
    "channel_id": "mic",
    "exported_asset_id": "m-1",
    "stream_url": "https://x/s.m3u8",
    "player_url": "https://x/p",
    "brand_new": 1,
}
INDEX = {
    "rtstream_index_id": "i-1",
    "rtstream_id": "rts-1",
    "extraction_type": "time",
    "extraction_config": {"time": "2"},
    "prompt": "p",
    "name": "n",
    "status": "running",
}


@pytest.fixture
def context():
    """Handles that are only looked at need neither service nor socket."""

    def no_hub():
        pytest.fail("looking at a handle opened the socket")

    return Context(None, no_hub)


@pytest.mark.parametrize(
    "name",
    [
        *("id", "name", "status", "collection_id", "sample_rate", "store", "created_at"),
        *("media_types", "channel_id", "exported_asset_id", "stream_url", "player_url"),
    ],
)
def test_a_streams_properties_are_attributes_and_keys(context, name):
    """Rows 55, 56: the reference has them as attributes, dict-minded programs as keys."""
    stream = rts.RTStream(context, replies.stream(STREAM))
    wire = {**STREAM, "created_at": 1748482788.0, "media_types": ("video",)}
    assert getattr(stream, name) == stream[name] == stream.get(name) == wire[name]
    assert name in stream
    assert name in list(stream.keys())


@pytest.mark.parametrize("name", [*INDEX, "is_running"])
def test_an_indexs_properties_are_attributes_and_keys(context, name):
    """The table of properties in the reference."""
    index = rts.RTStreamSceneIndex(context, replies.index(INDEX, rtstream_id="rts-1"))
    wire = {**INDEX, "extraction_config": {"time": 2}, "is_running": True}
    assert getattr(index, name) == wire[name]
    if name != "is_running":
        assert index[name] == wire[name]
    assert "i-1" in repr(index)


def test_a_collections_properties_are_attributes_and_keys(context):
    """Rows 10, 12."""
    record = CollectionRecord(id="c-1", name="n", description="d", is_public=False)
    collection = rts.Collection(context, record)
    assert (collection.id, collection.name) == ("c-1", "n")
    assert (collection.description, collection.is_public) == ("d", False)
    assert collection["description"] == "d"


def test_a_handle_tells_what_only_the_service_knows(context):
    """New keys of the service are usable on the day that they appear."""
    stream = rts.RTStream(context, replies.stream(STREAM))
    assert stream["brand_new"] == stream.raw["brand_new"] == 1
    assert stream.get("none") is None
    assert stream.get("none", 5) == 5
    assert "none" not in stream
    assert 5 not in stream
    with pytest.raises(KeyError):
        stream["none"]
    assert "raw" not in list(stream.keys())


HIT = {
    "rtstream_id": "rts-1",
    "rtstream_name": "Flood",
    "start": 1.5,
    "end": 2.5,
    "text": "water",
    "score": 0.5,
    "scene_index_id": "i-1",
    "scene_index_name": "n",
    "metadata": {"k": 1},
    "stream_url": "https://x/s.m3u8",
    "player_url": "https://x/p",
}


@pytest.mark.parametrize("name", [*sorted(HIT.keys() - {"score"}), "search_score"])
def test_a_shots_properties_are_attributes_and_keys(context, name):
    """Row 61; what the service knows of its own accord need not be asked for."""
    shot = rts.RTStreamShot(context, search.shot(HIT))
    wire = {**HIT, "search_score": 0.5}
    assert getattr(shot, name) == shot[name] == wire[name]
    assert name in list(shot.keys())


def test_handles_are_identities(context):
    """Two handles of one stream may have seen it at different times."""
    one, other = (rts.RTStream(context, StreamRecord(id="a")) for _ in range(2))
    assert one != other
    assert len({one, other}) == 2


def test_an_index_without_a_name_can_be_shown(context):
    """`repr` is what a log has."""
    index = rts.RTStreamSceneIndex(context, IndexRecord(rtstream_index_id="i", rtstream_id="r"))
    assert repr(index) == (
        "RTStreamSceneIndex(rtstream_index_id='i', rtstream_id='r', extraction_type=None,"
        " name=None, status=None)"
    )


def pages_of(*lists, asked=None):
    """Pages over fixed lists; the last one says that there is no more."""

    async def fetch(place):
        if asked is not None:
            asked.append(place.page)
        items = lists[place.page - 1]
        page = Page(items=items, next_page=True, page=place.page, page_size=2)
        return page, place.after(spans=[(0.0, 1.0)] * len(items), more=place.page < len(lists))

    return rts.Pages(fetch, ByNumber(page_size=2), key=lambda item: item)


async def test_pages_are_awaited_for_one_and_iterated_for_all():
    """One return value serves both ways of the reference and of asyncio."""
    pages = pages_of(["a", "b"], ["c"], ["d"])
    assert list(await pages) == ["a", "b"]
    assert [item async for item in pages] == ["a", "b", "c", "d"]
    assert [item async for item in pages] == ["a", "b", "c", "d"]


async def test_a_page_is_asked_for_when_it_is_needed():
    """`break` after the first record must not cost a thousand requests."""
    asked = []
    async for item in pages_of(["a", "b"], ["c"], asked=asked):
        assert item == "a"
        break
    assert asked == [1]


async def test_records_that_moved_to_the_next_page_come_once():
    """A list that is newest first grows in front of the reader."""
    pages = pages_of(["c", "b"], ["b", "a"])
    assert [item async for item in pages] == ["c", "b", "a"]
