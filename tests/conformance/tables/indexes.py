"""Scene and audio indexes, and their records."""

import rtstream_async as rts

UNSAID = ["prompt", "model_name", "model_config", "name"]
NUMBERS = {"extraction_config": {"segmenter": "word", "segmentation_value": 50}}
SCENE_NUMBERS = {"extraction_config": {"time": 2, "frame_count": 5}}

OTHER_REQUEST = {
    # What the caller did not say is left out; the official SDK sends null.
    107: {"drop": ["extraction_config", *UNSAID]},
    109: {
        "drop": UNSAID,
        "body": {"extraction_config": {"time": 2}},
    },
    110: None,
    111: None,
    112: {"drop": ["extraction_config", "model_config"], "body": {"sandbox_id": ""}},
    113: {"drop": ["extraction_config", *UNSAID]},
    114: {"drop": ["extraction_config", *UNSAID]},
    115: {"drop": ["model_name"]},
    116: {"drop": UNSAID},
    117: {"drop": UNSAID},
    118: None,
    119: {"drop": ["model_name", "model_config", "name"]},
    121: {"drop": UNSAID},
    123: None,
    152: {"query": {"start": "0", "end": "1748483500"}},
    153: {"query": {"start": "1748483400"}},
    154: {"query": {"end": "1748483400"}},
    155: None,
}
OTHER_OUTCOME = {
    110: rts.InvalidArgumentError,
    111: rts.InvalidArgumentError,
    113: rts.ProtocolError,
    118: rts.InvalidArgumentError,
    123: rts.InvalidArgumentError,
    126: rts.ProtocolError,
    155: rts.InvalidArgumentError,
    158: rts.ProtocolError,
}
OTHER_NAME = {}
OTHER_RESULT = {
    # The service sends numbers as text; `config["time"] + 1` must work.
    **dict.fromkeys((114, 115, 116, 117, 121, 122), NUMBERS),
    **dict.fromkeys((119, 120), SCENE_NUMBERS),
}

WHY = {
    **dict.fromkeys(
        (107, 112, 114, 115, 116, 117, 119, 121),
        "what the caller did not say is left out, and not sent as null",
    ),
    109: "what the caller did not say is left out; null is no number of frames",
    **dict.fromkeys(
        (110, 118),
        "a batch that can't be used is refused: the official SDK changes or sends it in silence",
    ),
    111: "an empty `batch_config` says nothing: refused before any request",
    **dict.fromkeys(
        (113, 158), "an answer of nothing is a `ProtocolError`; `None` in the official SDK"
    ),
    **dict.fromkeys((120, 122), "the service sends numbers as text; here they are numbers"),
    123: "a batch of no length is refused before any request",
    126: "an answer of nothing is a `ProtocolError`; `AttributeError` in the official SDK",
    152: "zero is a bound, and is sent",
    **dict.fromkeys(
        (153, 154), "each bound is sent alone; the official SDK drops a lone one in silence"
    ),
    155: "pages count from 1: refused before any request",
}
"""Why ours differs, by row."""
