"""Search in streams, and its shots."""

import rtstream_async as rts

STREAM = "rts-019719b2-0c84-7a71-a037-311855a8d160"

OTHER_REQUEST = {
    61: {"drop": ["filter"]},  # what the caller did not say is left out
    63: {"drop": ["filter"]},
    64: None,  # nothing to look for
    69: {"drop": ["filter"]},
    131: None,  # nothing to look for
    188: {"query": {"start": "1748483434.9", "end": "1748483439.2"}},  # the shot, to the fraction
    190: {"query": {"start": "10.2", "end": "10.9"}},  # in whole seconds it would be empty
}
OTHER_OUTCOME = {
    64: rts.InvalidArgumentError,
    131: rts.InvalidArgumentError,
    133: rts.ProtocolError,  # AttributeError in the official SDK
    191: rts.ProtocolError,  # TypeError; found when the search is answered
}
OTHER_RESULT = {}
