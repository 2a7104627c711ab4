"""The official SDK, unmodified, searches the local server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import videodb
from videodb.exceptions import InvalidRequestError

from tests.search.site import EPOCH, Site


def drive(url: str, key: str, stream_id: str, index_id: str) -> dict[str, Any]:
    """What a user of the synchronous SDK writes."""
    conn = videodb.connect(api_key=key, base_url=url)
    coll = conn.get_collection()
    stream = coll.get_rtstream(stream_id)
    seen = {
        "plain": stream.search("puppy"),
        "all": stream.search(
            "puppy",
            index_id=index_id,
            result_threshold=5,
            score_threshold=0.2,
            dynamic_score_percentage=50,
            filter=[{"where": "yard"}],
        ),
        "collection": coll.search("puppy", namespace="rtstream"),
        "by index": coll.search("puppy", namespace="rtstream", index_id=index_id),
        "nothing": stream.search("xylophone"),
    }
    with pytest.raises(InvalidRequestError, match="query"):
        stream.search("")
    with pytest.raises(InvalidRequestError, match="no index"):
        stream.search("puppy", index_id="nobody")
    with pytest.raises(InvalidRequestError, match="no operators"):
        stream.search("puppy", filter=[{"n": {"$gt": 1}}])
    return seen


async def test_the_official_sdk_searches_streams(here: Site) -> None:
    """Apps written for the service must run here, or the server is a toy."""
    stream, index = await here.stream("a fire", name="yard")
    await here.tell(stream, "a hound barks", metadata={"where": "yard"})
    server = here.server
    seen = await asyncio.to_thread(drive, server.url, server.api_key, stream, index)
    for how in ("plain", "all", "collection", "by index"):
        (shot,) = seen[how].get_shots()
        assert shot.rtstream_id == stream
        assert shot.rtstream_name == "yard"
        assert (shot.start, shot.end, shot.text) == (EPOCH, EPOCH + 2, "a hound barks")
        assert shot.scene_index_id == index
        assert shot.metadata == {"where": "yard"}
        assert 0.2 < shot.search_score <= 1
    assert seen["nothing"].get_shots() == []
