"""The offline language engine: it repeats the sentences that say most, and judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rtstream_async.local.domain import extractive
from rtstream_async.local.engines.ports import Description, Verdict

__all__ = ["ExtractiveLanguage"]

_NAME = "extractive"


class ExtractiveLanguage:
    """A `LanguageEngine` without a model: a summary is a few whole sentences of what was said."""

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        return _NAME

    async def warm_up(self) -> None:
        """Return at once: there is nothing to load."""

    async def summarise(self, pieces: Sequence[str], *, prompt: str | None) -> Description:
        """Return the sentences that say most of what `pieces` say, in their order.

        A prompt is not followed, and `metadata` says so; sentences that share words with it are
        preferred. Cancelling is safe.
        """
        # A thousand sentences take a good part of a second, in which others would wait.
        chosen, count = await asyncio.to_thread(_summary, pieces, prompt)
        return Description(
            text=" ".join(chosen),
            engine=_NAME,
            metadata={
                "prompt_followed": False,
                "method": "extractive",
                "sentences": len(chosen),
                "of": count,
            },
        )

    async def judge(self, observation: str, *, rule: str) -> Verdict | None:
        """Return `None`: it can't tell whether an observation fits a rule."""
        del observation, rule
        return None

    async def aclose(self) -> None:
        """Return at once: there is nothing to free."""


def _summary(pieces: Sequence[str], prompt: str | None) -> tuple[list[str], int]:
    said = extractive.sentences(pieces)
    return [said[index] for index in extractive.choose(said, question=prompt)], len(said)
