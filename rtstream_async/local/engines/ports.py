"""What the pipelines ask of an engine: ports, with no engine behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import attrs

__all__ = [
    "Attentive",
    "Description",
    "EmbeddingEngine",
    "EngineError",
    "Frame",
    "LanguageEngine",
    "MissedError",
    "Sound",
    "SpeechEngine",
    "Tunable",
    "Utterance",
    "Verdict",
    "VisionEngine",
    "Word",
]


class EngineError(Exception):
    """An engine could not do what was asked; the text says why, for the index's status."""


class MissedError(EngineError):
    """Sound that was taken before could not be heard; what came with this call was taken."""

    def __init__(self, reason: str, *, seconds: float) -> None:
        self.seconds = seconds  #: how much of it
        super().__init__(reason)


@attrs.frozen(kw_only=True)
class Frame:
    """One sampled video frame."""

    time: float  #: Unix time, seconds
    jpeg: bytes  #: the picture, JPEG
    width: int  #: pixels
    height: int  #: pixels


@attrs.frozen(kw_only=True)
class Description:
    """What an engine saw in one window of frames."""

    text: str  #: one readable text; says only what was seen
    engine: str  #: which engine really made it, for example `offline-vision`
    metadata: Mapping[str, Any]  #: JSON-able facts behind the text (objects, words, colours, ...)


class VisionEngine(Protocol):
    """Describes the frames of one window."""

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        ...

    async def warm_up(self) -> None:
        """Load models; return when the first `describe()` will not wait for loading."""
        ...

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        """Describe `frames` (at least one, in time order) in words.

        Args:
            frames: The frames of one window.
            key: The pipeline that they belong to. An engine may remember the window before,
                for what has changed and for what it need not look at again.
            prompt: What the user asked; an engine that can't follow it says so in `metadata`.

        Raises:
            EngineError: The engine failed; nothing was invented in its place.
        """
        ...

    async def aclose(self) -> None:
        """Free models and processes."""
        ...


E_co = TypeVar("E_co", covariant=True)


@runtime_checkable
class Tunable(Protocol[E_co]):
    """An engine that takes wishes of a single index; others are used as they are."""

    def tuned(self, *, model_name: str | None, model_config: Mapping[str, Any]) -> E_co:
        """Return the same engine as an index wants it; it is closed with the first one.

        Args:
            model_name: The tier: `mini`, `basic`, `pro`, `ultra`; or `None`.
            model_config: Settings of the model.

        Raises:
            ValueError: `model_config` has something that can't be used.
        """
        ...


@attrs.frozen(kw_only=True)
class Sound:
    """A piece of sound: one channel, 16,000 samples a second, signed 16 bit, little endian."""

    time: float  #: Unix time of its first sample, seconds
    samples: bytes

    @property
    def end(self) -> float:
        """Unix time of the end of its last sample, seconds."""
        return self.time + len(self.samples) / 32_000


@attrs.frozen(kw_only=True)
class Word:
    """One spoken word."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str


@attrs.frozen(kw_only=True)
class Utterance:
    """A piece of speech. A partial one is replaced by a later one with the same start."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str
    is_final: bool
    engine: str  #: which engine really heard it
    words: tuple[Word, ...] = ()  #: only from an engine that tells when each word was said


class SpeechEngine(Protocol):
    """Turns sound into text, one stream of sound for each key."""

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        ...

    @property
    def language(self) -> str | None:
        """Code of the language that it understands, for example `en`; `None`: it finds out."""
        ...

    async def warm_up(self) -> None:
        """Load models; return when the first `hear()` will not wait for loading."""
        ...

    async def hear(self, sound: Sound, *, key: str) -> Sequence[Utterance]:
        """Take the next piece of sound of the stream `key`; return what has become known by it.

        Pieces come in order of time. Where one does not follow the one before, something is
        missing: what was being said is final, and speech begins anew.

        Raises:
            MissedError: The engine failed at what it took before; it has taken this piece.
            EngineError: The engine failed; nothing was invented in its place. It has not taken
                this piece, and the same call may be made again.
        """
        ...

    async def finish(self, *, key: str) -> Sequence[Utterance]:
        """Return what was still being said, final, and forget the stream `key`.

        Raises:
            EngineError: The engine failed.
        """
        ...

    async def aclose(self) -> None:
        """Free models and processes."""
        ...


@runtime_checkable
class Attentive(Protocol):
    """A speech engine that knows what it has not told yet."""

    def is_speaking(self, *, key: str) -> bool:
        """Return whether something that was heard of the stream `key` is still to be told."""
        ...


@attrs.frozen(kw_only=True)
class Verdict:
    """Whether a described scene fits a rule."""

    fits: bool
    confidence: float  #: 0 to 1
    explanation: str  #: one sentence, from what was observed alone


class LanguageEngine(Protocol):
    """Works on text."""

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        ...

    async def warm_up(self) -> None:
        """Load models, or check that the endpoint answers."""
        ...

    async def summarise(self, pieces: Sequence[str], *, prompt: str | None) -> Description:
        """Return what `pieces` (speech, in order of time) say, as `prompt` asks.

        An engine that can't follow a prompt says so in `metadata` (`prompt_followed`).

        Raises:
            EngineError: The engine failed; nothing was invented in its place.
        """
        ...

    async def judge(self, observation: str, *, rule: str) -> Verdict | None:
        """Return whether `observation` fits `rule`; `None` from an engine that can't tell.

        Raises:
            EngineError: The engine failed, or its answer can't be understood.
        """
        ...

    async def aclose(self) -> None:
        """Free models and connections."""
        ...


class EmbeddingEngine(Protocol):
    """Turns texts into vectors, near to each other where the texts mean the same."""

    @property
    def name(self) -> str:
        """Kept with every vector: those of different engines can't be compared."""
        ...

    async def warm_up(self) -> None:
        """Load models, or check that the endpoint answers."""
        ...

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[bytes]:
        """Return a vector for each text: float32, little endian, of length 1.

        Args:
            texts: At least one.
            kind: Whether the texts are searched for or searched in; some models need to know.

        Raises:
            EngineError: The engine failed.
        """
        ...

    async def aclose(self) -> None:
        """Free models and connections."""
        ...
