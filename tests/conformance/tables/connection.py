"""Connections, collections, and what every answer can be."""

import rtstream_async as rts

OTHER_REQUEST = {
    6: {"path": "/collection/default"},  # a base URL may end in a slash
    9: None,  # an empty key is no key
    13: None,  # an empty id would ask for the list
    14: {"path": "/collection/a%2Fb%20c"},  # ids are quoted
}
OTHER_OUTCOME = {
    9: rts.AuthenticationError,  # found before any request
    13: rts.InvalidArgumentError,
    16: None,  # TypeError; nothing said is nothing there
    27: rts.ProtocolError,  # a socket to nowhere
    242: rts.RateLimitError,  # later it may work: no mistake of the caller's
    243: rts.ServerError,
    252: rts.ValidationError,  # AttributeError
    253: rts.AuthenticationError,  # AttributeError
    272: None,  # `data` is there: good enough
    273: rts.ProtocolError,
    275: rts.ProtocolError,  # an answer that is none is no refusal
    276: rts.ProtocolError,
    278: rts.ProtocolError,  # AttributeError
    279: rts.ProtocolError,  # AttributeError
}
OTHER_RESULT = {
    15: {1: {"is_public": None}},  # not told is not known
}
