"""Streams: connecting, listing, starting, playing, exporting."""

import rtstream_async as rts

OTHER_REQUEST = {
    47: {"drop": ["ws_connection_id"]},
    59: None,
    86: None,
    87: None,
    89: None,
    91: None,
}
OTHER_OUTCOME = {
    149: None,
    52: rts.ProtocolError,
    53: rts.ProtocolError,
    59: rts.InvalidArgumentError,
    60: None,
    83: None,
    86: rts.InvalidArgumentError,
    87: rts.InvalidArgumentError,
    89: rts.InvalidArgumentError,
    91: rts.InvalidArgumentError,
    97: rts.ProtocolError,
}
OTHER_NAME = {}
OTHER_RESULT = {}

WHY = {
    47: "an empty connection id is none: left out",
    **dict.fromkeys(
        (52, 53), "an answer without the id is a `ProtocolError`; `TypeError` in the official SDK"
    ),
    59: "a limit of zero lists nothing: refused before any request",
    60: "a list of nothing, said with an empty object, is empty; `TypeError` in the official SDK",
    83: "a second start is no error: the state tells that it runs",
    86: "an empty window has nothing to play: refused before any request",
    87: "a window needs its bounds: refused before any request",
    89: "an unknown key of `player_config` is a misspelt one: refused, and not dropped",
    91: "a window that ends before it begins is refused before any request",
    97: "an answer of nothing is a `ProtocolError`; `AttributeError` in the official SDK",
    149: "the page that the documents show can be embedded as well",
}
"""Why ours differs, by row."""
