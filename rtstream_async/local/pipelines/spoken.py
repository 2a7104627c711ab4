"""Writing down what is said in a video, faster than it is said, and after what is live."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Literal

import anyio

from rtstream_async.local.asset_files import asset_folder
from rtstream_async.local.domain.pieces import length
from rtstream_async.local.domain.spoken import Sentence, sentences
from rtstream_async.local.engines.ports import EngineError, Sound, SpeechEngine, Utterance
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.media.soundtracks import SoundtrackError, open_soundtrack
from rtstream_async.local.outbound import Outbound, OutboundError
from rtstream_async.local.pipelines.director import Director
from rtstream_async.local.pipelines.jobs import Job, Jobs, Outcome
from rtstream_async.local.refusal import Refusal, conflict, invalid, not_found
from rtstream_async.local.settings import Settings
from rtstream_async.local.store import assets
from rtstream_async.local.store.assets import AssetRow, AssetUtteranceRow, Spoken
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["INDEX", "SEGMENTATIONS", "Segmentation", "Transcriber"]

logger = logging.getLogger(__name__)

INDEX = "index"
"""The kind of its jobs."""

Segmentation = Literal["sentence", "time"]

SEGMENTATIONS: tuple[Segmentation, ...] = ("sentence", "time")
"""How what is said can be cut for the search."""

_STRETCH = 15.0  # seconds, for `time`
_TRIES = 2
_AT_ONCE = 8.0  # seconds of sound that the engine gets at a time...
_AT_ONCE_BESIDE_LIVE = 2.0  # ...and while streams run, which then wait for no more than that
_BYTES = 32_000  # in a second of sound


class Transcriber:
    """Has the speech engine listen to exported videos, one at a time."""

    def __init__(
        self,
        settings: Settings,
        store: Worker,
        engines: Engines,
        director: Director,
        outbound: Outbound,
        jobs: Jobs,
        wake_search: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._engines = engines
        self._director = director
        self._outbound = outbound
        self._jobs = jobs
        self._wake_search = wake_search
        jobs.offer(INDEX, self._listen)

    async def begin(
        self,
        asset: AssetRow,
        *,
        segmentation: Segmentation = "sentence",
        language: str | None = None,
        force: bool = False,
        callback_url: str | None = None,
        wants_transcript: bool = False,
    ) -> Job:
        """Start to write down what is said in a video.

        Args:
            asset: The video.
            segmentation: How what is said is cut for the search.
            language: Code of the language that is spoken; what the engine understands, else.
            force: Do it again when it is done already.
            callback_url: Is told of the end.
            wants_transcript: Whether the answer is to have all that is said in it.

        Raises:
            Refusal: There is no sound in it, it is done already (and `force` was not given), the
                engine does not understand that language, or the callback may not be called.
        """
        if not asset.has_sound:
            raise Refusal(400, "NO_SOUND", f"there is no sound in {asset.id}, so nothing is said")
        if self._jobs.running(INDEX, asset.id) is not None:
            raise conflict(f"a spoken word index of {asset.id} is being made; wait for it")
        if asset.spoken.status == "done" and not force:
            raise Refusal(
                400,
                "ALREADY_EXISTS",
                f"a spoken word index of {asset.id} already exists; force=true makes it anew",
            )
        self._check_callback(callback_url)
        self._check_language(await self._engines.speech(), language)
        return await self._jobs.begin(
            INDEX,
            asset.id,
            asset_id=asset.id,
            details={"segmentation": segmentation, "wants_transcript": wants_transcript},
            callback_url=callback_url,
        )

    def _check_callback(self, url: str | None) -> None:
        if url is None:
            return
        try:
            self._outbound.check(url)
        except OutboundError as exc:
            raise invalid("callback_url", str(exc)) from None

    def _check_language(self, engine: SpeechEngine, language: str | None) -> None:
        known = engine.language
        if language is None or known is None:
            return
        if language.replace("-", "_").split("_")[0].lower() != known.split("_")[0].lower():
            raise invalid(
                "language_code",
                f"the speech engine of this server ({engine.name}) does not understand"
                f" {language!r}",
                allowed=[known],
            )

    async def _listen(self, job: Job) -> Outcome:
        asset = await self._store.run(assets.get_asset, job.row.subject)
        if asset is None:
            raise not_found("video", job.row.subject)
        segmentation: Segmentation = (
            "time" if job.row.details.get("segmentation") == "time" else "sentence"
        )
        engine = await self._engines.speech()
        heard = await self._hear_all(engine, asset, job)
        found = sentences(heard, segmentation, 1 if segmentation == "sentence" else _STRETCH)
        spoken = Spoken(
            status="done",
            engine=engine.name,
            language=engine.language,
            segmentation_type=segmentation,
            utterances=len(found),
            updated_us=microseconds(time.time()),
        )
        rows = [_row(asset.id, sentence) for sentence in found]
        return Outcome(
            save=lambda db: assets.replace_asset_utterances(db, asset.id, rows, spoken),
            answer={"utterances": len(found), "engine": engine.name},
            asset_id=asset.id,
            after=self._wake_search,
        )

    async def _hear_all(
        self, engine: SpeechEngine, asset: AssetRow, job: Job
    ) -> Sequence[Utterance]:
        """Return all that is said. An engine that dies begins anew, once: a hole would be worse."""
        path = asset_folder(self._settings.assets_dir, asset.id) / asset.file
        for last in range(_TRIES):
            try:
                return await self._hear(engine, asset, path, job)
            except EngineError as exc:
                if last == _TRIES - 1:
                    raise Refusal(503, "ENGINE_FAILED", f"the speech engine failed: {exc}") from exc
                logger.warning("%s: the speech engine failed, once more: %s", asset.id, exc)
            except SoundtrackError as exc:
                raise Refusal(
                    500, "NO_SOUND", f"the sound of {asset.id} can't be read: {exc}"
                ) from exc
        raise AssertionError("unreachable")

    async def _hear(
        self, engine: SpeechEngine, asset: AssetRow, path: Path, job: Job
    ) -> Sequence[Utterance]:
        key = f"{asset.id}/{job.row.id}"
        heard: list[Utterance] = []
        # Nobody speaks through a gap of the recording that was closed up.
        breaks = [piece.at for piece in asset.pieces[1:]]
        total = max(length(asset.pieces), 1e-6)
        try:
            async with open_soundtrack(path) as sounds:
                async for sound in self._larger(sounds):
                    while breaks and sound.time >= breaks[0]:
                        breaks.pop(0)
                        heard += await engine.finish(key=key)
                    heard += await self._fairly(engine, sound, key)
                    job.tell(sound.end / total)
            heard += await engine.finish(key=key)
        except BaseException:
            with anyio.move_on_after(1, shield=True):
                await _forget(engine, key)
            raise
        final = [utterance for utterance in heard if utterance.is_final]
        return sorted(final, key=lambda utterance: utterance.start)

    async def _fairly(self, engine: SpeechEngine, sound: Sound, key: str) -> Sequence[Utterance]:
        """Have the engine hear it; while streams run, leave them as much time as this took."""
        begun = time.monotonic()
        heard = await engine.hear(sound, key=key)
        if self._director.is_recording:
            await anyio.sleep(time.monotonic() - begun)
        return heard

    async def _larger(self, sounds: AsyncIterator[Sound]) -> AsyncIterator[Sound]:
        """Join pieces that follow each other: each call of the engine has a price."""
        held: list[Sound] = []
        size = 0
        async for sound in sounds:
            if held and abs(sound.time - held[-1].end) > 1 / 16_000:
                yield _joined(held)
                held, size = [], 0
            held.append(sound)
            size += len(sound.samples)
            at_once = _AT_ONCE_BESIDE_LIVE if self._director.is_recording else _AT_ONCE
            if size >= at_once * _BYTES:
                yield _joined(held)
                held, size = [], 0
        if held:
            yield _joined(held)


def _joined(sounds: Sequence[Sound]) -> Sound:
    return Sound(time=sounds[0].time, samples=b"".join(sound.samples for sound in sounds))


async def _forget(engine: SpeechEngine, key: str) -> None:
    try:
        await engine.finish(key=key)
    except EngineError as exc:
        logger.debug("the speech engine had forgotten %s by itself: %s", key, exc)


def _row(asset_id: str, sentence: Sentence) -> AssetUtteranceRow:
    return AssetUtteranceRow(
        asset_id=asset_id,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        words=sentence.words,
        is_estimated=sentence.is_estimated,
        engine=sentence.engine,
    )
