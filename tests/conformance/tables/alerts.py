"""Events and alerts."""

import rtstream_async as rts

OTHER_REQUEST = {
    21: None,  # an event of nothing detects nothing
    163: {"body": {"callback_url": ""}},  # no address is said in one way
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
    22: rts.ProtocolError,  # AttributeError in the official SDK
    164: None,
    165: rts.ProtocolError,  # AttributeError
}
OTHER_RESULT = {}
