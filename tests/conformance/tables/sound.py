"""Transcripts."""

import rtstream_async as rts

OTHER_REQUEST = {
    105: None,
}
OTHER_OUTCOME = {
    105: rts.InvalidArgumentError,
    106: rts.ProtocolError,
}
OTHER_NAME = {}
OTHER_RESULT = {
    98: {"updated_at": 1748482788.0},
    104: {"page": 2, "page_size": 1000},
}

WHY = {
    98: "a time is Unix seconds, whatever the wire says",
    104: "a page says which one it is",
    105: "pages count from 1: refused before any request",
    106: "an answer of nothing is a `ProtocolError`; `None` in the official SDK",
}
"""Why ours differs, by row."""
