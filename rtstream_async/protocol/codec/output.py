"""Structured output: the text of a message, decoded as a type of the user's."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.messages import AudioMessage, Message, SceneMessage

__all__ = ["OutputDecoder"]


class OutputDecoder:
    """Fills in `message.output` of messages whose text is JSON of one type."""

    def __init__(self, output_type: Any) -> None:
        """Prepare to decode `output_type`: an attrs class, or any type that msgspec can decode.

        Raises:
            InvalidArgumentError: msgspec can't decode it.
        """
        try:
            self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(output_type)
        except (TypeError, NameError) as exc:
            raise InvalidArgumentError("output_type", f"can't be decoded from JSON: {exc}") from exc

    def fill(self, message: Message) -> Message:
        """Return `message` with its output, or with the reason why it has none."""
        if not isinstance(message, SceneMessage | AudioMessage):
            return message
        try:
            output = self._decoder.decode(_unfenced(message.text))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as exc:
            return attrs.evolve(message, output_error=str(exc))
        return attrs.evolve(message, output=output)


def _unfenced(text: str) -> str:
    """Return `text` without the Markdown fence that language models like to put around JSON."""
    stripped = text.strip()
    if not (stripped.startswith("```") and stripped.endswith("```")):
        return stripped
    first_line, _, rest = stripped.removesuffix("```").partition("\n")
    return rest if first_line.removeprefix("```").strip().isalpha() or rest else stripped
