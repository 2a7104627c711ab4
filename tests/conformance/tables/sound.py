"""Transcripts."""

import rtstream_async as rts

OTHER_REQUEST = {
    105: None,  # pages count from 1
}
OTHER_OUTCOME = {
    105: rts.InvalidArgumentError,
    106: rts.ProtocolError,  # None in the official SDK
}
OTHER_RESULT = {
    98: {"updated_at": 1748482788.0},  # a time is Unix seconds
    104: {"page": 2, "page_size": 1000},  # a page says what was asked for
}
