"""Exported videos: what is said in them, searching them, playing what was found."""

import rtstream_async as rts

_SHOT = {
    "video_id": "m-12345",
    "video_title": "Weekly Standup Recording",
    "video_length": 123.45,
    "start": 1.5,
    "end": 4.0,
    "text": "action item",
    "search_score": 0.8,
    "scene_index_id": None,
    "scene_index_name": None,
    "metadata": None,
    "stream_url": "https://stream.videodb.io/v3/s.m3u8",
    "player_url": None,
}

_UNPLAYED = _SHOT | {"stream_url": None}

OTHER_REQUEST = {
    211: None,
    213: {"drop": ["index_names", "index_ids", "score_threshold", "filter", "return_fields"]},
    220: {"body": {"length": 123.45}},
}
OTHER_OUTCOME = {
    211: rts.InvalidArgumentError,
}
OTHER_NAME = dict.fromkeys((204, 205, 208), "search_v2")
OTHER_RESULT = {
    row: {"shots": [_SHOT]}  # a length is a number
    for row in (206, 207, 210, 212)
} | {
    205: {"results": {"shots": [_UNPLAYED]}, "shots": [_UNPLAYED]},
    213: {"shots": [_UNPLAYED]},
    223: "https://stream.videodb.io/v3/x.m3u8",
}

WHY = {
    **dict.fromkeys(
        (204, 208),
        "`search()` keeps the reference's meaning, which reads what "
        "`index_spoken_words()` made; Search v2 is `search_v2()`",
    ),
    205: "Search v2 is `search_v2()`; a length is a number",
    **dict.fromkeys((206, 207, 210, 212), "a length is a number, in seconds"),
    211: "a limit of zero finds nothing: refused before any request",
    213: "what the caller did not say is left out, and not sent as null; a length is a number",
    220: "a length is sent as a number",
    223: "without a timeline it is all of the video, and not the part that was asked for before",
}
"""Why ours differs, by row."""
