"""The child process of the offline speech engine; its parent is `SpeechProcess`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtstream_async.local.engines.answering import Answer, answer_parent

__all__: list[str] = []


def _load() -> Answer:
    from rtstream_async.local.engines.offline_speech.listening import OfflineSpeech

    speech = OfflineSpeech()
    speech.warm_up()

    def answer(request: Mapping[str, Any]) -> Mapping[str, Any]:
        key = request["key"]
        if request["is_speaking"] and not speech.knows(key):
            return {"lost": True}
        if request["samples"] is None:
            lines = speech.finish(key)
        else:
            lines = speech.hear(key, request["time"], request["samples"])
            if not request["is_late"]:
                lines += speech.tell(key)
        return {
            "lines": [[line.start, line.end, line.text, line.is_final] for line in lines],
            "is_speaking": speech.is_speaking(key),
        }

    return answer


if __name__ == "__main__":
    answer_parent("speech", _load)
