"""Search in streams, and its shots."""

import rtstream_async as rts

STREAM = "rts-019719b2-0c84-7a71-a037-311855a8d160"

OTHER_REQUEST = {
    61: {"drop": ["filter"]},
    63: {"drop": ["filter"]},
    64: None,
    69: {"drop": ["filter"]},
    70: {"drop": ["sort_docs_on", "scene_index_id", "algorithm"]},
    131: None,
    188: {"query": {"start": "1748483434.9", "end": "1748483439.2"}},
    190: {"query": {"start": "10.2", "end": "10.9"}},
}
OTHER_OUTCOME = {
    65: TypeError,
    66: TypeError,
    64: rts.InvalidArgumentError,
    131: rts.InvalidArgumentError,
    133: rts.ProtocolError,
    191: rts.ProtocolError,
}
OTHER_NAME = dict.fromkeys((67, 68), "search_v2")
_SHOTS = [{"text": "action item", "video_length": 123.45}]
OTHER_RESULT = {
    67: {"results": {"shots": _SHOTS}, "shots": _SHOTS},
    68: {"results": {"shots": _SHOTS}, "shots": _SHOTS},
    70: {"shots": _SHOTS},
}

WHY = {
    **dict.fromkeys(
        (61, 63, 69), "what the caller did not say is left out, and not sent as an empty list"
    ),
    **dict.fromkeys((64, 131), "an empty query looks for nothing: refused before any request"),
    **dict.fromkeys(
        (65, 66), "`search()` has no such argument; what is Search v2's is `search_v2()`'s"
    ),
    **dict.fromkeys(
        (67, 68),
        "`search()` keeps the reference's meaning; Search v2 is `search_v2()`; a length "
        "is a number",
    ),
    70: "what the caller did not say is left out, and not sent as null; a length is a number",
    133: "an answer of nothing is a `ProtocolError`; `AttributeError` in the official SDK",
    **dict.fromkeys(
        (188, 190), "a shot is played to the fraction: whole seconds would cut it, or make it empty"
    ),
    191: (
        "a hit that does not say where it is is found when the search is answered; "
        "`TypeError` at play in the official SDK"
    ),
}
"""Why ours differs, by row."""
