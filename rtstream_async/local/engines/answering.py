"""The child's side of an `EngineProcess`; it loads next to nothing itself."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any

from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.parent import serve_parent

__all__ = ["Answer", "answer_parent"]

Answer = Callable[[Mapping[str, Any]], Any]
"""Returns plain values for a request of plain values; raises `EngineError`."""


def answer_parent(what: str, load: Callable[[], Answer]) -> None:
    """Answer the parent's requests, one after the other, until it closes the pipe.

    Args:
        what: Which engine it is, for what is told of it.
        load: Imports what the engine needs, loads its models, and returns what answers. It is
            called for the first request; after a failure, again for the next.
    """
    # Control-C in a terminal goes to children too; the parent decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = serve_parent()
    answer: Answer | None = None
    while (message := parent.receive()) is not None:
        number, request = message["id"], message["request"]
        try:
            answer = answer or _load(what, load)
            # A request of nothing asks to warm up, which is done.
            parent.send({"id": number, "result": answer(request) if request is not None else None})
        except EngineError as exc:
            parent.send({"id": number, "error": str(exc)})
        except Exception as exc:  # noqa: BLE001 - a request that can't be answered fails alone
            parent.send({"id": number, "error": f"{type(exc).__name__}: {exc}"})


def _load(what: str, load: Callable[[], Answer]) -> Answer:
    try:
        return load()
    except ModuleNotFoundError as exc:
        raise EngineError(
            f"the offline {what} engine is not installed ({exc}): pip install 'rtstream-async[ai]'"
        ) from exc
