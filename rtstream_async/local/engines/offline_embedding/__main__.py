"""The child process of the offline embedding engine; its parent is `EmbeddingProcess`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtstream_async.local.engines.answering import Answer, answer_parent

__all__: list[str] = []


def _load() -> Answer:
    from rtstream_async.local.engines.offline_embedding.e5 import OfflineEmbedding

    embedding = OfflineEmbedding()
    embedding.warm_up()

    def answer(request: Mapping[str, Any]) -> list[bytes]:
        return embedding.embed(request["texts"], is_query=request["kind"] == "query")

    return answer


if __name__ == "__main__":
    answer_parent("embedding", _load)
