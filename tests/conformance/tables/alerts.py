"""Events and alerts."""

import rtstream_async as rts

OTHER_REQUEST = {
    21: None,
    163: {"body": {"callback_url": ""}},
    164: {  # the documents leave the address out, and the official SDK then fails
        "method": "POST",
        "path": "/rtstream/rts-019719b2-0c84-7a71-a037-311855a8d160/index/318f52d1a4524559/alert",
        "body": {
            "event_id": "3adc40d26d6fed0d",
            "callback_url": "",
            "ws_connection_id": "conn-123",
        },
        "answer": {"alert_id": "1891843a2c669ea3"},
    },
}
OTHER_OUTCOME = {
    21: rts.InvalidArgumentError,
    22: rts.ProtocolError,
    164: None,
    165: rts.ProtocolError,
}
OTHER_NAME = {}
OTHER_RESULT = {}

WHY = {
    21: "an event of nothing detects nothing: refused before any request",
    22: "an answer without the id is a `ProtocolError`; `AttributeError` in the official SDK",
    163: "no address for a webhook is said in one way: `callback_url` is empty text",
    164: "`callback_url` is optional, as the documents have it; `TypeError` in the official SDK",
    165: "an answer without the id is a `ProtocolError`; `AttributeError` in the official SDK",
}
"""Why ours differs, by row."""
