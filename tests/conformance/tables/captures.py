"""Capture sessions and their streams, and tokens for those who capture."""

import rtstream_async as rts

COLLECTION = "c-81fc6459-fe30-44ac-8c5b-ea0898c2e152"

OTHER_REQUEST = {
    40: None,  # a token that has ended when it comes
}
OTHER_OUTCOME = {
    31: None,  # TypeError in the official SDK
    32: None,
    40: rts.InvalidArgumentError,
    197: rts.InvalidArgumentError,  # a misspelt category would be a list of nothing
}
_STREAMS = [
    {"id": "rts-1", "channel_id": "mic", "name": "mic:default", "collection_id": COLLECTION},
    {"id": "rts-3", "channel_id": "screen", "name": "display:1", "collection_id": COLLECTION},
]
_HOME = {"collection_id": COLLECTION}  # what the answer says, not the word it was asked for by
_MICS = [{"id": "rts-1", "channel_id": "mic"}, {"id": "rts-2", "channel_id": "mic:default"}]

OTHER_RESULT = {
    33: _HOME | {"rtstreams": _STREAMS},
    35: _HOME,
    36: {0: _HOME, 1: _HOME | {"rtstreams": _STREAMS}},
    194: _MICS,  # a microphone has more than one spelling
    195: _MICS,
    196: {0: _HOME},
}
