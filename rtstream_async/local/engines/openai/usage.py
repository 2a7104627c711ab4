"""What the use of an endpoint costs, counted."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

__all__ = ["Tokens", "Usage"]


class Tokens(msgspec.Struct, frozen=True):
    """How many tokens one answer took, by the endpoint's own count; it may count nothing."""

    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    total_tokens: float | None = None
    input_tokens: float | None = None  #: what some call those of the prompt
    output_tokens: float | None = None  #: and of the answer

    def counts(self) -> dict[str, int]:
        """Return `prompt_tokens`, `completion_tokens` and `total_tokens`, those that are known."""
        prompt = self.prompt_tokens if self.prompt_tokens is not None else self.input_tokens
        completion = (
            self.completion_tokens if self.completion_tokens is not None else self.output_tokens
        )
        total = self.total_tokens
        if total is None and not (prompt is None and completion is None):
            total = (prompt or 0) + (completion or 0)
        known = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
        return {name: int(count) for name, count in known.items() if count is not None}


@attrs.define(kw_only=True)
class Usage:
    """Counters of one engine, since the server was started."""

    requests: int = 0  #: sent, repetitions included
    retries: int = 0  #: of these, repetitions
    failures: int = 0  #: calls that ended without an answer that could be used
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    images: int = 0  #: sent, repetitions included
    audio_seconds: float = 0.0  #: of sound sent, repetitions included
    texts: int = 0  #: that were to be embedded
    answers: int = 0
    answer_seconds: float = 0.0  #: from request to answer, all answers together
    slowest_answer: float = 0.0  #: seconds
    last_error: str | None = attrs.field(default=None)
    """Why the last call failed; `None` when it did not."""

    def note_answer(self, seconds: float) -> None:
        """Count an answer that took so long."""
        self.answers += 1
        self.answer_seconds += seconds
        self.slowest_answer = max(self.slowest_answer, seconds)

    def note_tokens(self, counts: dict[str, int]) -> None:
        """Count the tokens of an answer."""
        self.prompt_tokens += counts.get("prompt_tokens", 0)
        self.completion_tokens += counts.get("completion_tokens", 0)
        self.total_tokens += counts.get("total_tokens", 0)

    def note_failure(self, reason: str) -> None:
        """Count a call that failed."""
        self.failures += 1
        self.last_error = reason

    @property
    def mean_answer(self) -> float | None:
        """Seconds that an answer took in the mean; `None` before the first."""
        return self.answer_seconds / self.answers if self.answers else None

    def report(self) -> dict[str, Any]:
        """Return the counters as JSON-able values; seconds are rounded to milliseconds."""
        mean = self.mean_answer
        return {
            "requests": self.requests,
            "retries": self.retries,
            "failures": self.failures,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "images": self.images,
            "audio_seconds": round(self.audio_seconds, 3),
            "texts": self.texts,
            "mean_answer_seconds": None if mean is None else round(mean, 3),
            "slowest_answer_seconds": round(self.slowest_answer, 3),
            "last_error": self.last_error,
        }

    def summary(self) -> str:
        """Return the same as one line for a log."""
        parts = [f"{self.requests} requests ({self.retries} repeated)", f"{self.failures} failures"]
        parts += [f"{self.total_tokens} tokens"] if self.total_tokens else []
        parts += [f"{self.images} images"] if self.images else []
        parts += [f"{self.audio_seconds:.1f} s of sound"] if self.audio_seconds else []
        parts += [f"{self.texts} texts"] if self.texts else []
        mean = self.mean_answer
        parts += [] if mean is None else [f"{mean:.2f} s an answer"]
        return ", ".join(parts)
