"""Streams: connecting, listing, starting, playing, exporting."""

import rtstream_async as rts

OTHER_REQUEST = {
    47: {"drop": ["ws_connection_id"]},  # an empty connection id is none
    59: None,  # a limit of zero lists nothing
    86: None,  # an empty window has nothing to play
    87: None,  # a window needs its bounds
    89: None,  # an unknown key of player_config is a misspelt one
    91: None,  # a window that ends before it begins
}
OTHER_OUTCOME = {
    52: rts.ProtocolError,  # TypeError in the official SDK
    53: rts.ProtocolError,
    59: rts.InvalidArgumentError,
    60: None,  # a list of nothing, said with an empty object
    83: None,  # a second start is no error: the state tells that it runs
    86: rts.InvalidArgumentError,
    87: rts.InvalidArgumentError,
    89: rts.InvalidArgumentError,
    91: rts.InvalidArgumentError,
    97: rts.ProtocolError,  # AttributeError
}
OTHER_RESULT = {}
