"""Sockets: what the recorded server said, and what comes of it here."""

import rtstream_async as rts

HELLO = {"connection_id": "conn-123"}
FRAME = {
    "channel": "transcript",
    "rtstream_id": "rts-019719b2-0c84-7a71-a037-311855a8d160",
    "rtstream_name": "mic:default",
    "data": {"text": "hi", "is_final": True, "start": 1710000001234, "end": 1710000002345},
}
LARGE = {"raw": "x" * (1 << 20)}
CUT = None

SCRIPTS = {
    316: ([HELLO, FRAME, FRAME], 1000),
    317: ([HELLO, FRAME], 1001),
    318: ([HELLO, FRAME], 1011),
    319: ([HELLO, FRAME], 1012),
    320: ([HELLO, FRAME], CUT),
    322: ([FRAME, HELLO, FRAME], 1000),
    323: ([{"connectionId": "conn-123"}], 1000),
    326: ([HELLO, "plain text", b"\xff\xfe\xfd", '"a string"'], 1000),
    327: ([HELLO, "plain text", '"a string"', "[1,2]", "null"], 1000),
    328: ([HELLO, LARGE, FRAME], 1000),
}
"""By row: frames, and the code of the close; a socket with a connection id in all of them."""

RECEIVED = {
    316: [FRAME, FRAME],
    **{row: [FRAME] for row in (317, 318, 319, 320)},
    322: [FRAME, FRAME],
    323: [],
    326: [{"raw": "plain text"}, {"raw": b"\xff\xfe\xfd"}, "a string"],
    327: [{"raw": "plain text"}, "a string", [1, 2], None],
    328: [LARGE, FRAME],
}
BROKEN = dict.fromkeys((318, 319, 320), rts.LinkClosedError)

NO_GREETING = {
    321: ["not json"],
    324: [{"message": "Forbidden"}],
    325: [],
}
"""By row: what comes in place of a connection id."""

WHY = {
    **dict.fromkeys((318, 319, 320), "a connection that broke off is a `LinkClosedError`"),
    321: "a first frame that is no connection id is a `HandshakeError`; `JSONDecodeError` there",
    322: "a frame that comes before the connection id is kept and delivered after it",
    323: "`connectionId` is a connection id as well",
    324: "a refusal in the first frame is a `HandshakeError`, and no connection without id",
    325: "the connection id has a deadline (`HubSettings.first_frame_timeout`)",
    326: "bytes that are no text are delivered, and the stream goes on",
    328: "a frame may have 16 MiB; a larger one is announced in its place",
    329: "reading before `connect()` is a `LinkClosedError`; builtin `ConnectionError` there",
    330: "two readers share the frames; `events()` gives each of them all",
    333: "no connection id is shown after the end",
    334: "`connect_websocket()` is awaited, and blocks no other task",
    335: "a slow reader's frames are bounded here, and then wait with the service",
    336: "deadlines, sizes and the proxy are `SocketOptions`",
    337: "a handshake that is not answered is a `TransportError`",
}
"""Why ours differs, by row."""
