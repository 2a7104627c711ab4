from urllib.parse import parse_qsl, urlsplit

import pytest

import rtstream_async as rts
from rtstream_async.api.polling import RecordPoller
from tests.loopback import answer, serve


def index(number, kind, status="running"):
    return {"rtstream_index_id": f"i-{number}", "extraction_type": kind, "status": status}


async def test_sources_are_found_by_what_they_do():
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
        poller = RecordPoller(conn._context.caller)
        assert await poller.sources("rts-1", "scene_index") == ["i-1", "i-4"]
        assert await poller.sources("rts-1", "audio_index") == ["i-2"]


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
        poller = RecordPoller(conn._context.caller)
        records = await poller.records("rts-1", "scene_index", "i-1", since)
    assert [record.end for record in records] == found
    assert len(server.seen) == requests


@pytest.mark.parametrize(
    ("status", "found"),
    [("running", ["transcript"]), ("stopped", []), ("not_configured", []), (None, [])],
)
async def test_a_transcript_is_polled_while_it_runs(status, found):
    """A transcript that was stopped yesterday has nothing new to tell."""

    async def state(seen, writer):
        assert seen.path == "/rtstream/rts-1/transcription/status"
        writer.write(answer({"success": True, "data": {"status": status}}))

    async with serve(state) as server, rts.connect("sk-x", base_url=server.url) as conn:
        poller = RecordPoller(conn._context.caller)
        assert await poller.sources("rts-1", "transcript") == found


@pytest.mark.parametrize("is_ascending", [True, False])
async def test_what_was_said_is_asked_for_from_a_while_before(is_ascending):
    """Whether `since` means the start of a segment or its end, and the order, is not known."""
    ends = [95.0, 101.0, 102.0, 103.0]
    ends = ends if is_ascending else ends[::-1]

    async def segments(seen, writer):
        query = dict(parse_qsl(urlsplit(seen.path).query))
        assert query["since"] == "40.0"
        first = 2 * int(query["page"]) - 2
        records = [{"start": end - 4, "end": end, "text": f"{end}"} for end in ends[first:][:2]]
        data = {"transcription_records": records, "next_page": first == 0}
        writer.write(answer({"success": True, "data": data}))

    async with serve(segments) as server, rts.connect("sk-x", base_url=server.url) as conn:
        poller = RecordPoller(conn._context.caller)
        records = await poller.records("rts-1", "transcript", "transcript", 100.0)
    assert sorted(record.end for record in records) == [101.0, 102.0, 103.0]
    assert len(server.seen) == 2
