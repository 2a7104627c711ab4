"""The child process of the offline vision engine; its parent is `VisionProcess`."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtstream_async.local.engines.ports import EngineError, Frame
from rtstream_async.local.parent import serve_parent

if TYPE_CHECKING:
    from rtstream_async.local.engines.offline.vision import OfflineVision

__all__: list[str] = []


def main() -> None:
    """Answer the parent's requests, one after the other, until it closes the pipe."""
    # Control-C in a terminal goes to children too; the parent decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = serve_parent()
    vision: OfflineVision | None = None
    while (request := parent.receive()) is not None:
        try:
            vision = vision or _load()
            parent.send({"id": request["id"], "result": _answer(vision, request["window"])})
        except EngineError as exc:
            parent.send({"id": request["id"], "error": str(exc)})
        except Exception as exc:  # noqa: BLE001 - a window that can't be done fails alone
            parent.send({"id": request["id"], "error": f"{type(exc).__name__}: {exc}"})


def _load() -> OfflineVision:
    try:
        from rtstream_async.local.engines.offline import runtime
        from rtstream_async.local.engines.offline.vision import OfflineVision
    except ModuleNotFoundError as exc:
        raise EngineError(
            f"the offline vision engine is not installed ({exc}): pip install 'rtstream-async[ai]'"
        ) from exc
    runtime.keep_memory_small()
    vision = OfflineVision()
    vision.warm_up()
    return vision


def _answer(vision: OfflineVision, window: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if window is None:  # asked to warm up, which is done
        return None
    frames = [Frame(**frame) for frame in window["frames"]]
    description = vision.describe(frames, key=window["key"])
    return {"text": description.text, "metadata": dict(description.metadata)}


if __name__ == "__main__":
    main()
