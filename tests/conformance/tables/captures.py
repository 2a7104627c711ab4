"""Capture sessions and their streams, and tokens for those who capture."""

import rtstream_async as rts

COLLECTION = "c-81fc6459-fe30-44ac-8c5b-ea0898c2e152"

OTHER_REQUEST = {
    40: None,
}
OTHER_OUTCOME = {
    31: None,
    32: None,
    40: rts.InvalidArgumentError,
    197: rts.InvalidArgumentError,
}
_STREAMS = [
    {"id": "rts-1", "channel_id": "mic", "name": "mic:default", "collection_id": COLLECTION},
    {"id": "rts-3", "channel_id": "screen", "name": "display:1", "collection_id": COLLECTION},
]
_HOME = {"collection_id": COLLECTION}  # what the answer says, not the word it was asked for by
_MICS = [{"id": "rts-1", "channel_id": "mic"}, {"id": "rts-2", "channel_id": "mic:default"}]

OTHER_NAME = {}
OTHER_RESULT = {
    33: _HOME | {"rtstreams": _STREAMS},
    35: _HOME,
    36: {0: _HOME, 1: _HOME | {"rtstreams": _STREAMS}},
    194: _MICS,
    195: _MICS,
    196: {0: _HOME},
}

WHY = {
    **dict.fromkeys(
        (31, 32),
        "an answer with both ids, or with streams, is read; `TypeError` in the official SDK",
    ),
    **dict.fromkeys(
        (33, 35, 36),
        "`collection_id` is what the answer says, and not the word it was asked for by; "
        "streams have it too",
    ),
    40: "a token that has ended when it comes is refused before any request",
    **dict.fromkeys(
        (194, 195), "a microphone has more than one spelling: `mic`, `mic:default`; all are found"
    ),
    196: "what is found by its whole name knows its collection",
    197: "a misspelt category is an error, and not a list of nothing",
}
"""Why ours differs, by row."""
