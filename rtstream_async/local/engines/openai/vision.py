"""Vision by a model that follows prompts, behind an endpoint."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from rtstream_async.local.domain.wishes import wish_of
from rtstream_async.local.engines.openai.chat import Chat, read_config
from rtstream_async.local.engines.openai.usage import Usage
from rtstream_async.local.engines.ports import Description, Frame

__all__ = ["OpenAIVision"]

_DETAILS: Final = ("low", "high", "auto")
_USUAL_PROMPT: Final = (
    "Describe in one to three sentences what can be seen: who and what is there, what happens, and"
    " what is written. Say only what is visible."
)


@attrs.frozen(kw_only=True)
class _Tuning:
    """What one index wishes."""

    model: str
    config: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    response_format: object = None
    detail: str | None = None


class OpenAIVision:
    """A `VisionEngine`: frames go to `/chat/completions` as JPEG in `data:` URLs.

    A prompt is passed on. When it asks for JSON, so does the request, and the answer is checked.
    """

    def __init__(self, chat: Chat, *, tuning: _Tuning | None = None) -> None:
        self._chat = chat
        self._endpoint = chat.endpoint
        address = chat.endpoint.address
        usual = _Tuning(model=address.model, detail=address.options.get("detail"))
        self._tuning = tuning or usual

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        return self._endpoint.address.named(self._tuning.model)

    @property
    def usage(self) -> Usage:
        """What was sent, and what it cost."""
        return self._endpoint.usage

    def tuned(self, *, model_name: str | None, model_config: Mapping[str, Any]) -> OpenAIVision:
        """Return the engine with the model of a tier, and the settings of an index.

        Raises:
            ValueError: A setting is not known.
        """
        address = self._endpoint.address
        detail = model_config.get("detail", address.options.get("detail"))
        if detail is not None and detail not in _DETAILS:
            raise ValueError(f"detail must be one of {', '.join(_DETAILS)}, not {detail!r}")
        tuning = _Tuning(
            model=address.model_for(model_name),
            config=read_config(model_config),
            response_format=model_config.get("response_format"),
            detail=detail,
        )
        wish_of(None, tuning.response_format)  # refused now, and not with every window
        return OpenAIVision(self._chat, tuning=tuning)

    async def warm_up(self) -> None:
        """Return at once: an endpoint that is away now may be there for the first window."""

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        """Return what the model says of `frames`, as `prompt` asks.

        In `metadata`: `model` (by its own name), tokens, `answer_seconds` (repetitions of a call
        not included), `frames`; `output_error`, when JSON was asked for and did not come.

        Raises:
            EngineError: There is no answer; the text is for the index's status.
        """
        del key  # every window is looked at for itself
        if not frames:
            raise ValueError("frames is empty; a window has at least one frame")
        tuning = self._tuning
        said = await self._chat.ask(
            [{"type": "text", "text": _text(frames, prompt)}, *map(self._picture, frames)],
            model=tuning.model,
            wish=wish_of(prompt, tuning.response_format),
            config=tuning.config,
            count=lambda usage: _count(usage, len(frames)),
        )
        flag = {} if said.problem is None else {"output_error": said.problem}
        return Description(
            text=said.text,
            engine=self.name,
            metadata={"prompt_followed": True, "frames": len(frames), **said.metadata, **flag},
        )

    async def aclose(self) -> None:
        """Refuse further windows."""
        self._endpoint.close()

    def _picture(self, frame: Frame) -> dict[str, Any]:
        url = f"data:image/jpeg;base64,{base64.b64encode(frame.jpeg).decode()}"
        detail = {} if self._tuning.detail is None else {"detail": self._tuning.detail}
        return {"type": "image_url", "image_url": {"url": url, **detail}}


def _text(frames: Sequence[Frame], prompt: str | None) -> str:
    span = frames[-1].time - frames[0].time
    what = "a frame" if len(frames) == 1 else f"{len(frames)} frames, in order, over {span:.1f} s,"
    return f"Below is {what} of a live video.\n\n{prompt or _USUAL_PROMPT}"


def _count(usage: Usage, images: int) -> None:
    usage.images += images
