"""Takes messages through the pure core, as the reader does: for `test_instructions.py`.

`python -m tests.costs.core MESSAGES` decodes so many, each of one of a hundred streams, finds its
route, takes it to its track and its queue, and reads the queues empty now and then.
"""

from __future__ import annotations

import sys

from rtstream_async.models.messages import Message
from rtstream_async.protocol.codec.frames import decode_frame
from rtstream_async.protocol.overflow import Queue
from rtstream_async.protocol.recovery import Push, RecoverySettings, Track
from rtstream_async.protocol.router import Router

STREAMS = 100
MOST = 3_000  #: messages
AT = 1_700_000_000

_FRAME = (
    b'{"channel":"scene_index","rtstream_id":"rts-%06d",'
    b'"data":{"text":"%s","start":%d.25,"end":%d.5}}'
)
_TEXT = b"a person walks past the door " * 4


def main(messages: int) -> None:
    """Take `messages` through; all that is made beforehand is the same for any number."""
    frames = [
        _FRAME % (number % STREAMS, _TEXT, AT + number, AT + number + 2) for number in range(MOST)
    ]
    keys = [(f"rts-{number:06d}", "scene_index") for number in range(STREAMS)]
    tracks: dict[tuple[str | None, str | None], Track[Message]] = {
        key: Track(since=AT, settings=RecoverySettings()) for key in keys
    }
    router: Router[Queue[Message], Track[Message] | None] = Router(tracks.get)
    queues: list[Queue[Message]] = [Queue(maxsize=MOST) for _ in keys]
    for queue, key in zip(queues, keys, strict=True):
        router.add(queue, [key])
    taken = 0
    for number, frame in enumerate(frames[:messages]):
        message = decode_frame(frame, AT + number + 3.0, 1)
        route = router.route(message.rtstream_id, message.channel)
        assert route.note is not None
        assert route.note.push(message, 0.5) is Push.DELIVER
        for queue in route.targets:
            queue.put(message)
        if number % STREAMS == STREAMS - 1:
            for queue in queues:
                queue.items.popleft()
                taken += 1
    assert taken == messages // STREAMS * STREAMS


if __name__ == "__main__":
    main(int(sys.argv[1]))
