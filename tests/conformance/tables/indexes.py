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
        "body": {"extraction_config": {"time": 2}},  # null is no number of frames
    },
    110: None,  # another type than time would become time in silence
    111: None,  # an empty batch_config says nothing
    112: {"drop": ["extraction_config", "model_config"], "body": {"sandbox_id": ""}},
    113: {"drop": ["extraction_config", *UNSAID]},
    114: {"drop": ["extraction_config", *UNSAID]},
    115: {"drop": ["model_name"]},
    116: {"drop": UNSAID},
    117: {"drop": UNSAID},
    118: None,  # no such segmenter, and no value
    119: {"drop": ["model_name", "model_config", "name"]},
    121: {"drop": UNSAID},
    123: None,  # a batch of no length
    152: {"query": {"start": "0", "end": "1748483500"}},  # zero is a bound
    153: {"query": {"start": "1748483400"}},  # each bound stands alone
    154: {"query": {"end": "1748483400"}},
    155: None,  # pages count from 1
}
OTHER_OUTCOME = {
    110: rts.InvalidArgumentError,
    111: rts.InvalidArgumentError,
    113: rts.ProtocolError,  # None in the official SDK
    118: rts.InvalidArgumentError,
    123: rts.InvalidArgumentError,
    126: rts.ProtocolError,  # AttributeError
    155: rts.InvalidArgumentError,
    158: rts.ProtocolError,  # None in the official SDK
}
OTHER_RESULT = {
    # The service sends numbers as text; `config["time"] + 1` must work.
    **dict.fromkeys((114, 115, 116, 117, 121, 122), NUMBERS),
    **dict.fromkeys((119, 120), SCENE_NUMBERS),
}
