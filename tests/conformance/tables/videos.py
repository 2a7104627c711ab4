"""Exported videos: what is said in them, searching them, playing what was found."""

import rtstream_async as rts

_V1 = {
    "search_type": "semantic",
    "index_type": "spoken_word",
    "score_threshold": 0.2,
    "result_threshold": 5,
    "dynamic_score_percentage": None,
    "filter": [],
}

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

OTHER_REQUEST = {
    # The reference searches what `index_spoken_words()` wrote down, which the newer search of the
    # official SDK 0.5 can't read.
    204: {"path": "/video/m-12345/search", "body": _V1},
    208: {"path": "/video/m-12345/search", "body": _V1},
    211: None,  # a limit of zero finds nothing
    220: {"body": {"length": 123.45}},  # a length is a number, as in row 222
}
OTHER_OUTCOME = {
    211: rts.InvalidArgumentError,
}
OTHER_RESULT = {
    row: {"shots": [_SHOT]}  # a length is a number
    for row in (206, 207, 210, 212)
} | {
    223: "https://stream.videodb.io/v3/x.m3u8",  # all of it, not the part that was asked for before
}
