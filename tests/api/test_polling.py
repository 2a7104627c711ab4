import pytest

import rtstream_async as rts
from rtstream_async.api.polling import IndexPoller
from tests.loopback import answer, serve


def index(number, kind, status="running"):
    return {"rtstream_index_id": f"i-{number}", "extraction_type": kind, "status": status}


async def test_running_indexes_are_found_by_what_they_do():
    """Polling a stopped index, or one that listens, would make messages of nothing."""

    async def indexes(seen, writer):
        listed = [
            index(1, "time"),
            index(2, "transcript", "connected"),
            index(3, "time", "stopped"),
            index(4, "shot"),
        ]
        writer.write(answer({"success": True, "data": {"scene_indexes": listed}}))

    async with serve(indexes) as server, rts.connect("sk-x", base_url=server.url) as conn:
        poller = IndexPoller(conn._context.caller)
        assert await poller.running_indexes("rts-1", "scene_index") == ["i-1", "i-4"]
        assert await poller.running_indexes("rts-1", "audio_index") == ["i-2"]


def pages(*pages_of_ends):
    """Serve scenes that end at these times."""

    async def scenes(seen, writer):
        number = int(seen.path.partition("page=")[2].partition("&")[0])
        records = [{"start": end - 1, "end": end} for end in pages_of_ends[number - 1]]
        more = number < len(pages_of_ends)
        data = {"scene_index_records": records, "next_page": more}
        writer.write(answer({"success": True, "data": data}))

    return scenes


@pytest.mark.parametrize(
    ("served", "since", "found", "requests"),
    [
        ([[9, 8], [7, 6], [5, 4]], 6.5, [9, 8, 7], 2),
        ([[9, 8], [7, 6], [5, 4]], 8.0, [9], 1),
        ([[9, 8], [7, 6], [5, 4]], 20.0, [], 1),
        ([[9, 8], [7, 6], [5, 4]], 0.0, [9, 8, 7, 6, 5, 4], 3),
        ([[1, 2], [3, 4]], 2.5, [3, 4], 2),  # not newest first: nothing may be missed
        ([[]], 0.0, [], 1),
    ],
)
async def test_records_are_read_back_to_where_they_are_known(served, since, found, requests):
    """Every two seconds: reading all history each time would be the service's end."""
    async with serve(pages(*served)) as server, rts.connect("sk-x", base_url=server.url) as conn:
        poller = IndexPoller(conn._context.caller)
        records = await poller.records("rts-1", "i-1", since)
    assert [record.end for record in records] == found
    assert len(server.seen) == requests
