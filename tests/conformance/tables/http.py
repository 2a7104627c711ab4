"""Answers: which error each is, and after how many requests."""

import rtstream_async as rts

OUTCOME = {
    244: (rts.AuthenticationError, 1),
    245: (rts.RateLimitError, 4),
    246: (rts.ServerError, 1),
    **dict.fromkeys((254, 257, 260), (rts.ServerError, 4)),
    **dict.fromkeys((255, 258, 261), (rts.ServerError, 1)),
    **dict.fromkeys((256, 259, 262, 263), (rts.ServerError, 4)),
    264: (None, 2),
    265: (rts.ServerError, 1),
    266: (None, 2),
    267: (rts.RateLimitError, 4),
    268: (None, 2),
    269: (None, 2),
    277: (None, 1),
    281: (None, 1),
    282: (rts.ProtocolError, 1),
    283: (rts.NotFoundError, 1),
    **dict.fromkeys((284, 285, 286, 287), (rts.ProtocolError, 1)),
    288: (None, 4),
    289: (None, 2),
    290: (rts.AsyncResponseError, 2),
    291: (rts.AsyncResponseError, 2),
    292: (None, 3),
    293: (None, 3),
    294: (rts.ServerError, 5),
    295: (rts.NotFoundError, 2),
    296: (None, 3),
    297: (rts.AsyncResponseError, 1),
    298: (None, 1),
    299: (None, 2),
    300: (rts.ProtocolError, 1),
    301: (None, 3),
    302: (None, 1),
    303: (rts.RequestTimeoutError, 2),
    304: (None, 3),
    309: (rts.TransportError, 4),
    310: (rts.TransportError, 1),
    311: (rts.TransportError, 4),
    312: (rts.RequestTimeoutError, 4),
    313: (rts.RequestTimeoutError, 1),
    314: (rts.RequestTimeoutError, 4),
}
"""By row: the error, `None` for none, and how many requests our own origin gets for it."""

_FINISHED = {"status": 200, "json": {"success": True, "status": "done", "data": {"ok": 1}}}

MORE_ANSWERS = {292: [_FINISHED], 293: [_FINISHED]}
"""What comes after the recorded answers: where the official SDK has stopped, we go on."""

MORE_ARGUMENTS = {282: {"id": "job-1"}, 283: {"id": "job-1"}, 303: {"patience": 0.0}}
STRANGERS = {302: 1}  # requests to the other origin
WAITS = {266: (1.0,), 267: (1.0, 1.0, 1.0), 268: (1.0,), 269: (2.0,)}  # seconds, at least
NO_MESSAGE = {297}  # the answer has none
CONSTANT_DEFAULTS = {("RTStream", "index_scenes")}
"""Methods with a default of a changeable type that nothing changes."""

WHY = {
    **dict.fromkeys(
        (245, 268),
        "a request that was refused for now was not acted on: it is safe to repeat, after "
        "the wait that the service asks for",
    ),
    **dict.fromkeys(
        (254, 257, 260, 263),
        "tried four times, with growing and random waits; the service's own message stays "
        "in the error",
    ),
    **dict.fromkeys((256, 259, 262), "a change of state may be repeated; tried four times"),
    **dict.fromkeys(
        (246, 255, 258, 261, 265),
        "an error of the service is a `ServerError`, and not the caller's mistake",
    ),
    267: "a rate limit is a `RateLimitError` with `retry_after`; tried four times",
    277: "an empty answer to a deletion is a success",
    282: "an answer that can't be understood is a `ProtocolError`, and no refusal",
    **dict.fromkeys(
        (284, 285, 286), "no redirect is followed: one of them would turn a POST into a GET"
    ),
    287: "no redirect is followed: the key would go to another host",
    **dict.fromkeys(
        (290, 291), "a job that failed is an `AsyncResponseError`; `InvalidRequestError` there"
    ),
    **dict.fromkeys((292, 293), "a job that has not begun has not succeeded: it is waited for"),
    294: "a look at a job that fails may be repeated; tried four times",
    295: "a job that is gone is a `NotFoundError` that says so",
    297: "an answer that comes later, and nobody says where, is an `AsyncResponseError`",
    300: (
        "an answer without the data that was asked for is a `ProtocolError`; "
        "`AttributeError` in the official SDK"
    ),
    302: "the key is not sent to another origin",
    303: "the wait can be set for each call; its end is a `RequestTimeoutError` in both",
    **dict.fromkeys(
        (309, 310, 311), "no connection is a `TransportError`; repeated where it does no harm"
    ),
    **dict.fromkeys(
        (312, 313, 314),
        "no answer in time is a `RequestTimeoutError` whatever the method; repeated where "
        "it does no harm",
    ),
}
