"""The child process of the offline vision engine; its parent is `VisionProcess`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtstream_async.local.engines.answering import Answer, answer_parent
from rtstream_async.local.engines.ports import Frame

__all__: list[str] = []


def _load() -> Answer:
    from rtstream_async.local.engines.offline import runtime
    from rtstream_async.local.engines.offline.vision import OfflineVision

    runtime.keep_memory_small()
    vision = OfflineVision()
    vision.warm_up()

    def answer(window: Mapping[str, Any]) -> Mapping[str, Any]:
        frames = [Frame(**frame) for frame in window["frames"]]
        description = vision.describe(frames, key=window["key"])
        return {"text": description.text, "metadata": dict(description.metadata)}

    return answer


if __name__ == "__main__":
    answer_parent("vision", _load)
