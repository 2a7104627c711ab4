"""What makes indexes of a stream: of what is seen, and of what is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from rtstream_async.api import scene_indexes
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.base import UNSET, Unset
from rtstream_async.models.records import StreamRecord
from rtstream_async.protocol.batch import audio_config, scene_config, spoken_config, visual_config
from rtstream_async.protocol.rearm import IndexArm, RearmPolicy
from rtstream_async.protocol.structured import HEARD, SEEN, prompt_for
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.scene_index import RTStreamSceneIndex

__all__ = ["Indexing"]

_TRANSCRIPT = "transcript"
_REARM_POLICIES = get_args(RearmPolicy)
_SCENE_CONFIG: Mapping[str, Any] = {"time": 2, "frame_count": 5}
_SHOT_TYPES = ("shot", "shot_based")


class Indexing(Handle[StreamRecord]):
    """Gives `RTStream` its indexes."""

    async def index_visuals(
        self,
        prompt: str | None = None,
        batch_config: Mapping[str, Any] | None = None,
        model_name: str | None = None,
        model_config: Mapping[str, Any] | None = None,
        name: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        sandbox_id: str | None = None,
        *,
        output_type: Any = None,
        rearm: RearmPolicy = "poll",
    ) -> RTStreamSceneIndex:
        """Return a new index that describes what is seen; it runs at once.

        Its messages come on the channel `scene_index`. When it is cancelled, the index may have
        been made all the same: `list_scene_indexes()` tells.

        Args:
            prompt: What to tell. `None`: the service's own.
            batch_config: `{"type": "time", "value": seconds, "frame_count": frames}`: how often,
                from how many frames. Or `{"type": "shot"}`: a record for each shot, which ends
                where the picture changes; `"threshold"` says from what change on, from 0 to 255,
                and `"min_length"` and `"max_length"` bound a shot on the local server, in seconds.
                `None`: the service's own.
            model_name: `mini`, `basic`, `pro` or `ultra`. `None`: the service's own.
            model_config: Settings of the model, passed on.
            name: Name of the index.
            ws_connection_id: Where messages go. Not given: to this connection's own socket, so
                that `events()` has them. `None`: nowhere.
            sandbox_id: Passed on.
            output_type: Ask for JSON of this type, and have it in `message.output`: an attrs class
                or whatever else msgspec decodes.
            rearm: What is done after a loss of the connection, since the service can't push an
                index to another one. `poll`: its records are read over REST. `recreate`: it is
                stopped, and a new one made in its place, with its alerts; this object and all its
                ids stand for the new one, and what was not seen between is announced.

        Raises:
            InvalidArgumentError: `batch_config`, `output_type` or `rearm` can't be used.
            ValidationError: The service refuses it: the stream has no picture, for example.
        """
        kind, config = ("time", None) if batch_config is None else visual_config(batch_config)
        return await self._index(
            kind,
            config,
            prompt=prompt,
            model_name=model_name,
            model_config=model_config,
            name=name,
            ws_connection_id=ws_connection_id,
            sandbox_id=sandbox_id,
            output_type=output_type,
            rearm=rearm,
        )

    async def index_audio(
        self,
        prompt: str | None = None,
        batch_config: Mapping[str, Any] | None = None,
        model_name: str | None = None,
        model_config: Mapping[str, Any] | None = None,
        name: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        sandbox_id: str | None = None,
        *,
        output_type: Any = None,
        rearm: RearmPolicy = "poll",
    ) -> RTStreamSceneIndex:
        """Return a new index that sums up what is said; it runs at once.

        It works on the stream's transcript: the local server starts one if none runs, the service
        needs `start_transcript()`. Its messages come on the channel `audio_index`. When it is
        cancelled, the index may have been made all the same: `list_scene_indexes()` tells.

        Args:
            prompt: What to make of the words. `None`: the service's own.
            batch_config: `{"type": "word" | "sentence" | "time", "value": n}`: a record for every
                `n` words, sentences or seconds. `None`: the service's own.
            model_name: `mini`, `basic`, `pro` or `ultra`. `None`: the service's own.
            model_config: Settings of the model, passed on.
            name: Name of the index.
            ws_connection_id: Where messages go. Not given: to this connection's own socket, so
                that `events()` has them. `None`: nowhere.
            sandbox_id: Passed on.
            output_type: Ask for JSON of this type, and have it in `message.output`: an attrs class
                or whatever else msgspec decodes.
            rearm: `poll` or `recreate`, as for `index_visuals()`.

        Raises:
            InvalidArgumentError: `batch_config`, `output_type` or `rearm` can't be used.
            ValidationError: The service refuses it: the stream has no sound, for example.
        """
        return await self._index(
            _TRANSCRIPT,
            None if batch_config is None else audio_config(batch_config),
            prompt=prompt,
            model_name=model_name,
            model_config=model_config,
            name=name,
            ws_connection_id=ws_connection_id,
            sandbox_id=sandbox_id,
            output_type=output_type,
            rearm=rearm,
        )

    async def index_spoken_words(
        self,
        prompt: str | None = None,
        segmenter: Literal["word", "sentence", "time"] = "word",
        length: float = 10,
        model_name: str | None = None,
        model_config: Mapping[str, Any] | None = None,
        name: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        sandbox_id: str | None = None,
        *,
        output_type: Any = None,
        rearm: RearmPolicy = "poll",
    ) -> RTStreamSceneIndex:
        """Return a new index of the words that are said; it runs at once.

        As `index_audio()`, with the batch in two arguments.

        Args:
            prompt: What to make of the words. `None`: the words themselves.
            segmenter: What `length` counts: `word`, `sentence`, or `time` for seconds.
            length: Words, sentences or seconds of a record.
            model_name: `mini`, `basic`, `pro` or `ultra`. `None`: the service's own.
            model_config: Settings of the model, passed on.
            name: Name of the index.
            ws_connection_id: Where messages go. Not given: to this connection's own socket, so
                that `events()` has them. `None`: nowhere.
            sandbox_id: Passed on.
            output_type: As for `index_audio()`.
            rearm: As for `index_visuals()`.

        Raises:
            InvalidArgumentError: `segmenter`, `length`, `output_type` or `rearm` can't be used.
            ValidationError: The service refuses it: the stream has no sound, for example.
        """
        return await self._index(
            _TRANSCRIPT,
            spoken_config(segmenter, length),
            prompt=prompt,
            model_name=model_name,
            model_config=model_config,
            name=name,
            ws_connection_id=ws_connection_id,
            sandbox_id=sandbox_id,
            output_type=output_type,
            rearm=rearm,
        )

    async def index_scenes(
        self,
        extraction_type: str = "time",
        extraction_config: Mapping[str, Any] = _SCENE_CONFIG,
        prompt: str | None = "Describe the scene",
        model_name: str | None = None,
        model_config: Mapping[str, Any] | None = None,
        name: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        sandbox_id: str | None = None,
        *,
        output_type: Any = None,
        rearm: RearmPolicy = "poll",
    ) -> RTStreamSceneIndex:
        """Return a new index, asked for in the service's own words; it runs at once.

        As `index_visuals()`, for what that has no words for.

        Args:
            extraction_type: `time`, `shot`, or `transcript`, whose messages come on `audio_index`.
            extraction_config: `{"time": seconds, "frame_count": frames}` for `time`, `{"threshold":
                change}` for `shot`, where the default is the service's own.
            prompt: What to tell. `None`: the service's own.
            model_name: `mini`, `basic`, `pro` or `ultra`. `None`: the service's own.
            model_config: Settings of the model, passed on.
            name: Name of the index.
            ws_connection_id: Where messages go. Not given: to this connection's own socket, so
                that `events()` has them. `None`: nowhere.
            sandbox_id: Passed on.
            output_type: As for `index_visuals()`.
            rearm: As for `index_visuals()`.

        Raises:
            InvalidArgumentError: `extraction_type`, `extraction_config`, `output_type` or `rearm`
                can't be used.
            ValidationError: The service refuses it.
        """
        if extraction_type in _SHOT_TYPES and extraction_config is _SCENE_CONFIG:
            extraction_config = {}
        return await self._index(
            extraction_type,
            scene_config(extraction_type, extraction_config),
            prompt=prompt,
            model_name=model_name,
            model_config=model_config,
            name=name,
            ws_connection_id=ws_connection_id,
            sandbox_id=sandbox_id,
            output_type=output_type,
            rearm=rearm,
        )

    async def list_scene_indexes(self) -> list[RTStreamSceneIndex]:
        """Return all scene and audio indexes of the stream."""
        records = await scene_indexes.list_all(self._context.caller, self._record.id)
        return [RTStreamSceneIndex(self._context, record) for record in records]

    async def get_scene_index(self, index_id: str) -> RTStreamSceneIndex:
        """Return the index with this id; after `rearm="recreate"`, the one in its place."""
        record = await scene_indexes.get(
            self._context.caller, self._record.id, self._context.current(index_id)
        )
        return RTStreamSceneIndex(self._context, record)

    async def _index(
        self,
        extraction_type: str,
        config: Mapping[str, Any] | None,
        *,
        prompt: str | None,
        model_name: str | None,
        model_config: Mapping[str, Any] | None,
        name: str | None,
        ws_connection_id: str | Unset | None,
        sandbox_id: str | None,
        output_type: Any,
        rearm: RearmPolicy,
    ) -> RTStreamSceneIndex:
        if rearm not in _REARM_POLICIES:
            raise InvalidArgumentError("rearm", f"can't be {rearm!r}", allowed=_REARM_POLICIES)
        is_heard = extraction_type == _TRANSCRIPT
        channel = "audio_index" if is_heard else "scene_index"
        stream_id = self._record.id
        if output_type is not None:
            prompt = prompt_for(prompt, output_type, otherwise=HEARD if is_heard else SEEN)
        spec: dict[str, Any] = {
            "extraction_type": extraction_type,
            "extraction_config": config,
            "prompt": prompt,
            "model_name": model_name,
            "model_config": model_config,
            "name": name,
            "sandbox_id": sandbox_id,
        }
        target = await self._context.push_target(ws_connection_id)
        record = await scene_indexes.create(
            self._context.caller, stream_id, ws_connection_id=target, **spec
        )
        arm = IndexArm(
            rtstream_id=stream_id,
            channel=channel,
            source=record.rtstream_index_id,
            connection_id=target or "",
            rearm=rearm,
            spec=spec,
        )
        self._context.note_armed(arm)
        if output_type is not None:
            self._context.hub.set_output_type(stream_id, channel, output_type)
        return RTStreamSceneIndex(self._context, record)
