"""Understandings, and the indexes made of them."""

import rtstream_async as rts

OTHER_REQUEST = {}
OTHER_OUTCOME = {
    138: rts.InvalidArgumentError,
    145: rts.InvalidArgumentError,
    184: rts.ProtocolError,
}
OTHER_NAME = {}
OTHER_RESULT = {
    171: {  # what an answer leaves out is as it was, and not reset to a default
        "store": None,
        "analyzers": (),
    },
}

WHY = {
    **dict.fromkeys((138, 145), "an empty id names nothing: refused before any request"),
    171: "what an answer leaves out is as it was, and not reset to a default",
    184: "an answer without the id is a `ProtocolError`; `None` in the official SDK",
}
"""Why ours differs, by row."""
