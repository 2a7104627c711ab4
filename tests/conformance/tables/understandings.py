"""Understandings, and the indexes made of them."""

import rtstream_async as rts

OTHER_REQUEST = {}
OTHER_OUTCOME = {
    138: rts.InvalidArgumentError,  # an empty id names nothing
    145: rts.InvalidArgumentError,
    184: rts.ProtocolError,  # None in the official SDK
}
OTHER_RESULT = {
    171: {  # what an answer leaves out is as it was, and not reset to a default
        "store": None,
        "analyzers": (),
    },
}
