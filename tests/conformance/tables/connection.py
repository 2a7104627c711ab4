"""Connections, collections, and what every answer can be."""

import rtstream_async as rts

OTHER_REQUEST = {
    6: {"path": "/collection/default"},
    9: None,
    13: None,
    14: {"path": "/collection/a%2Fb%20c"},
}
OTHER_OUTCOME = {
    9: rts.AuthenticationError,
    13: rts.InvalidArgumentError,
    16: None,
    27: rts.ProtocolError,
    242: rts.RateLimitError,
    243: rts.ServerError,
    252: rts.ValidationError,
    253: rts.AuthenticationError,
    272: None,
    273: rts.ProtocolError,
    275: rts.ProtocolError,
    276: rts.ProtocolError,
    278: rts.ProtocolError,
    279: rts.ProtocolError,
}
OTHER_NAME = {}
OTHER_RESULT = {
    15: {1: {"is_public": None}},
}

WHY = {
    6: "a base URL may end in a slash: no double slashes are sent",
    9: "an empty key is no key: an `AuthenticationError` before any request",
    13: "an empty id would ask for the list: refused before any request",
    14: "ids are quoted in paths",
    15: "what an answer does not tell is not known, and not `False`",
    16: "an empty answer to a list is an empty list; `TypeError` in the official SDK",
    27: "a socket to nowhere is a `ProtocolError`, and not a connection to `None`",
    242: (
        "a rate limit is a `RateLimitError`: later it may work, and it is no mistake of "
        "the caller's"
    ),
    243: "an error of the service is a `ServerError`",
    252: (
        "a refusal that is no JSON object is a typed error; `AttributeError` in the official SDK"
    ),
    253: (
        "a refusal that is no JSON object is a typed error; `AttributeError` in the official SDK"
    ),
    272: "an answer without `success` that has `data` is one",
    **dict.fromkeys(
        (273, 275, 276), "an answer that can't be understood is a `ProtocolError`, and no refusal"
    ),
    **dict.fromkeys(
        (278, 279),
        "an answer that is no JSON object is a `ProtocolError`; `AttributeError` in the "
        "official SDK",
    ),
}
"""Why ours differs, by row."""
