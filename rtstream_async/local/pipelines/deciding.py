"""Whether a record fits an event: by rules, else by a language model, else by likeness."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Generic, Literal, TypeVar

import attrs

from rtstream_async.local.domain.rules.finding import Finding, Truth
from rtstream_async.local.domain.rules.likeness import BACKGROUND, LIKE, confidence, likeness
from rtstream_async.local.domain.rules.observation import observe
from rtstream_async.local.domain.rules.reading import Reading, read_prompt
from rtstream_async.local.domain.rules.tree import Became, Ceased, Rule, is_denial, parts_of
from rtstream_async.local.domain.rules.verdict import judge
from rtstream_async.local.engines.ports import EmbeddingEngine, EngineError, LanguageEngine
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.store.rows import SceneRow

__all__ = ["Decider", "Decision", "Way"]

logger = logging.getLogger(__name__)

Way = Literal["rules", "similarity", "judge"]
"""What has decided."""

_PROMPTS = 1024  # whose readings and vectors are remembered
_TEXTS = 256  # records whose vectors are remembered: the alerts of one index share them
_SHOWN = 120  # characters of a text in an explanation
_TRIES = 2  # an engine's process that died is started anew by the next request

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Decision:
    """Whether a record fits."""

    fires: bool
    decided_by: Way | None  #: `None`: nothing could tell
    confidence: float = 0.0  #: 0-1, that it fits
    explanation: str = ""  #: what was observed, and what has decided
    error: str | None = None  #: what went wrong on the way


class _Recent(Generic[T]):
    """The values that were used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str) -> T | None:
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def put(self, key: str, value: T) -> T:
        self._values[key] = value
        while len(self._values) > self._most:
            self._values.popitem(last=False)
        return value


class Decider:
    """Decides, and asks engines only for what rules can't tell."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._readings: _Recent[Reading] = _Recent(_PROMPTS)
        self._prompts: _Recent[bytes] = _Recent(_PROMPTS)
        self._texts: _Recent[bytes] = _Recent(_TEXTS)
        self._background: Sequence[bytes] | None = None
        self._embedding: EmbeddingEngine | None = None
        self._language: LanguageEngine | None = None

    async def decide(
        self, prompt: str, scene: SceneRow, before: SceneRow | None, *, is_heard: bool
    ) -> Decision:
        """Return whether a record fits an event's prompt. Cancelling is safe.

        Args:
            prompt: What is to be detected.
            scene: The record.
            before: The one before it of the same index.
            is_heard: Whether the index listens.
        """
        reading = self._read(prompt)
        now = observe(scene.text, scene.metadata, is_heard=is_heard)
        past = None if before is None else observe(before.text, before.metadata, is_heard=is_heard)
        finding = judge(reading.rule, now, past)
        if finding.truth is not Truth.UNSURE:
            return _by_rules(finding)
        judged = await self._ask_judge(reading, scene, before)
        if judged.decided_by is not None:
            return judged
        if not finding.is_open or is_denial(reading.rule):
            return attrs.evolve(judged, explanation=finding.explanation)
        compared = await self._compare(prompt, scene.text)
        errors = [error for error in (judged.error, compared.error) if error is not None]
        return attrs.evolve(compared, error="; ".join(errors) or None)

    def _read(self, prompt: str) -> Reading:
        return self._readings.get(prompt) or self._readings.put(prompt, read_prompt(prompt))

    async def _ask_judge(
        self, reading: Reading, scene: SceneRow, before: SceneRow | None
    ) -> Decision:
        observation = scene.text
        if before is not None and _compares(reading.rule):
            observation = f"Before: {before.text}\nNow: {scene.text}"
        try:
            self._language = self._language or await self._engines.language()
            verdict = await self._language.judge(observation, rule=reading.prompt)
        except (EngineError, Refusal) as exc:
            return Decision(fires=False, decided_by=None, error=f"the judge failed: {exc}")
        if verdict is None:
            return Decision(fires=False, decided_by=None)
        return Decision(
            fires=verdict.fits,
            decided_by="judge",
            confidence=verdict.confidence,
            explanation=f"{verdict.explanation} (decided by {self._language.name})",
        )

    async def _compare(self, prompt: str, text: str) -> Decision:
        try:
            like = await self._likeness(prompt, text)
        except (EngineError, Refusal, ValueError) as exc:
            return Decision(
                fires=False, decided_by=None, error=f"the texts could not be compared: {exc}"
            )
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN].rsplit(' ', 1)[0]} …"
        return Decision(
            fires=like >= LIKE,
            decided_by="similarity",
            confidence=confidence(like),
            explanation=(
                f"“{shown}” is like the prompt: {like:.1f}, from {LIKE:.1f} it counts"
                " (decided by similarity)"
            ),
        )

    async def _likeness(self, prompt: str, text: str) -> float:
        if not text.strip():
            return 0.0
        wanted = self._prompts.get(prompt)
        if wanted is None:
            (wanted,) = await self._embed([prompt], "query")
            self._prompts.put(prompt, wanted)
        if self._background is None:
            self._background = await self._embed(BACKGROUND, "passage")
        vector = self._texts.get(text)
        if vector is None:
            (vector,) = await self._embed([text], "passage")
            self._texts.put(text, vector)
        return likeness(wanted, vector, self._background)

    async def _embed(
        self, texts: Sequence[str], kind: Literal["query", "passage"]
    ) -> Sequence[bytes]:
        for left in reversed(range(_TRIES)):
            try:
                self._embedding = self._embedding or await self._engines.embedding()
                return await self._embedding.embed(texts, kind=kind)
            except EngineError:
                if not left:
                    raise
        raise AssertionError  # the last try has returned or raised


def _by_rules(finding: Finding) -> Decision:
    return Decision(
        fires=finding.truth is Truth.FITS,
        decided_by="rules",
        confidence=finding.confidence,
        explanation=f"{finding.explanation} (decided by rules)",
    )


def _compares(rule: Rule) -> bool:
    """Whether a rule is about what came or went."""
    return any(isinstance(part, Became | Ceased) for part in parts_of(rule))
