"""`/chat/completions`: a question, with pictures or without, and an answer of the wished form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from rtstream_async.local.domain.wishes import Wish
from rtstream_async.local.engines.openai.endpoint import Endpoint, Question, RefusedError
from rtstream_async.local.engines.openai.usage import Tokens, Usage
from rtstream_async.local.engines.ports import EngineError

__all__ = ["Chat", "Said", "read_config"]

_PASSED_ON: Final = frozenset(
    {
        "frequency_penalty",
        "max_completion_tokens",
        "max_tokens",
        "presence_penalty",
        "reasoning_effort",
        "seed",
        "stop",
        "temperature",
        "top_k",
        "top_p",
    }
)
_OURS: Final = frozenset({"detail", "response_format"})
_USUAL: Final = ("max_tokens", "temperature")  # may be set for all indexes, with the endpoint
_LONGEST_ECHO: Final = 4000  # characters of a wrong answer that the model is shown again


class _Part(msgspec.Struct, frozen=True):
    text: str = ""


class _Message(msgspec.Struct, frozen=True):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct, frozen=True):
    choices: list[_Choice]
    model: str | None = None
    usage: Tokens | None = None


@attrs.frozen(kw_only=True)
class Said:
    """What a model has said."""

    text: str  #: what was wished for of it; as it was said, if it is not that
    problem: str | None  #: why it is not what was wished for, after a second try
    metadata: Mapping[str, Any]  #: model, tokens and seconds, for a record


@attrs.define(kw_only=True)
class _Talk:
    """One question with its answers, until one is good."""

    model: str
    wish: Wish
    config: Mapping[str, Any]
    count: Callable[[Usage], None]
    messages: list[dict[str, Any]]
    answered_by: str = ""
    seconds: float = 0.0
    tokens: dict[str, int] = attrs.field(factory=dict[str, int])
    is_cut: bool = False  #: the last answer ran into a limit of tokens

    def metadata(self) -> dict[str, Any]:
        """Return what a record says of how it was made."""
        made: dict[str, Any] = {"model": self.answered_by, "answer_seconds": round(self.seconds, 3)}
        return {**made, **self.tokens, **({"is_cut": True} if self.is_cut else {})}


class Chat:
    """Asks the models behind one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        options = endpoint.address.options
        self._usual = {name: options[name] for name in _USUAL if name in options}
        self._refused: dict[tuple[str, str], int] = {}  # formats, by model and best format

    async def ask(
        self,
        content: str | Sequence[Mapping[str, Any]],
        *,
        model: str,
        wish: Wish,
        config: Mapping[str, Any],
        count: Callable[[Usage], None],
    ) -> Said:
        """Return what `model` says to `content`, asked a second time if it is not as wished.

        Args:
            content: Text, or parts of a message.
            model: Name of the model.
            wish: What the answer should be.
            config: Settings that are passed on.
            count: Counts what is in a request.

        Raises:
            EngineError: There is no answer, or an empty one, or the model declines.
        """
        talk = _Talk(
            model=model,
            wish=wish,
            config=self._settings(config),
            count=count,
            messages=[{"role": "user", "content": content}],
        )
        said = await self._say(talk)
        text, problem = wish.read(said)
        if problem is not None:
            text, problem = await self._again(talk, said, problem)
        if not text:
            raise self._failed(f"{model!r} has answered with nothing")
        return Said(text=text, problem=problem, metadata=talk.metadata())

    def _settings(self, config: Mapping[str, Any]) -> dict[str, Any]:
        usual = self._usual
        if "max_completion_tokens" in config:  # its newer name; together they are refused
            usual = {name: value for name, value in usual.items() if name != "max_tokens"}
        return {**usual, **config}

    async def _again(self, talk: _Talk, said: str, problem: str) -> tuple[str, str | None]:
        demand = f"That can't be used: {problem}. Answer once more, with the JSON value alone."
        talk.messages += [
            {"role": "assistant", "content": said[:_LONGEST_ECHO]},
            {"role": "user", "content": demand},
        ]
        try:
            said = await self._say(talk)
        except EngineError:  # counted by the endpoint; what there is already is told, and flagged
            return talk.wish.read(said)
        return talk.wish.read(said)

    async def _say(self, talk: _Talk) -> str:
        body = {**talk.config, "model": talk.model, "messages": talk.messages}
        formats = talk.wish.formats
        kind = (talk.model, str(formats[0]))
        while True:
            refused = self._refused.get(kind, 0)
            form = formats[refused]
            try:
                return await self._complete(
                    talk, body if form is None else {**body, "response_format": form}
                )
            except RefusedError as exc:
                if not exc.failure.blames_format or refused + 1 >= len(formats):
                    raise
                # The next weaker form, from now on: some endpoints know none, some only one.
                self._refused[kind] = refused + 1

    async def _complete(self, talk: _Talk, body: Mapping[str, Any]) -> str:
        reply = await self.endpoint.ask(
            Question(
                path="/chat/completions",
                body=body,
                model=talk.model,
                type_=_Completion,
                count=talk.count,
            )
        )
        completion: _Completion = reply.content
        tokens = completion.usage.counts() if completion.usage is not None else {}
        self.endpoint.usage.note_tokens(tokens)
        talk.answered_by = completion.model or talk.model
        talk.seconds += reply.seconds
        for name, number in tokens.items():
            talk.tokens[name] = talk.tokens.get(name, 0) + number
        return self._text(talk, completion)

    def _text(self, talk: _Talk, completion: _Completion) -> str:
        if not completion.choices:
            raise self._failed(f"{talk.model!r} has answered with no choice")
        choice = completion.choices[0]
        if choice.message.refusal:
            raise self._failed(f"{talk.model!r} declines: {choice.message.refusal[:200]}")
        talk.is_cut = choice.finish_reason == "length"
        content = choice.message.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        if not text.strip():
            why = choice.finish_reason
            raise self._failed(
                f"{talk.model!r} has answered with nothing" + (f" ({why})" if why else "")
            )
        return text

    def _failed(self, reason: str) -> EngineError:
        text = f"{self.endpoint.address.base_url}: {reason}"
        self.endpoint.usage.note_failure(text)
        return EngineError(text)


def read_config(model_config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an index's `model_config` is passed on.

    Raises:
        ValueError: Something in it is not known.
    """
    for name in model_config:
        if name not in _PASSED_ON | _OURS:
            known = ", ".join(sorted(_PASSED_ON | _OURS))
            raise ValueError(f"{name!r} is not known here; allowed: {known}")
    return {name: value for name, value in model_config.items() if name in _PASSED_ON}
