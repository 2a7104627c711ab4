"""What an understanding is asked to be -> windows and frames of the stream."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs

__all__ = ["Analysis", "AnalysisError", "read_analysis"]

_DEFAULT_WINDOW = 10.0  # seconds
_DEFAULT_FRAMES = 5
_DEFAULT_OUTPUT = "scene"
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, None: 1.0}


class AnalysisError(Exception):
    """It can't be done.

    Attributes:
        argument: What is wrong, for example `analyzers[0].type`.
        problem: What is wrong with it.
    """

    def __init__(self, argument: str, problem: str) -> None:
        self.argument = argument
        self.problem = problem
        super().__init__(f"{argument}: {problem}")


@attrs.frozen(kw_only=True)
class Analysis:
    """One analyzer over windows of time."""

    window: float  #: seconds
    frame_count: int  #: frames of a window
    output: str  #: the name of what it puts out
    prompt: str | None
    model: str | None
    config: Mapping[str, Any]  #: what else the analyzer was told


def read_analysis(segmentation: Mapping[str, Any], analyzers: Sequence[Any]) -> Analysis:
    """Return what is to be done.

    Nothing given means what the service would do: one `vlm` analyzer over windows of 10 s.

    Raises:
        AnalysisError: Something of it can't be done.
    """
    window = _window(segmentation)
    if len(analyzers) > 1:
        raise AnalysisError("analyzers", "one analyzer is possible, not more")
    at = "analyzers[0]"
    given = _object(analyzers[0] if analyzers else {"type": "vlm"}, at)
    _only(given, ("type", "name", "sampling", "config"), at)
    if given.get("type") != "vlm":
        raise AnalysisError(f"{at}.type", "only 'vlm' is possible for streams")
    sampling = _object(given.get("sampling"), f"{at}.sampling")
    _only(sampling, ("frame_count",), f"{at}.sampling")
    frames = sampling.get("frame_count", _DEFAULT_FRAMES)
    if type(frames) is not int or frames < 1:
        problem = f"must be a whole number above 0, not {frames!r}"
        raise AnalysisError(f"{at}.sampling.frame_count", problem)
    config = _object(given.get("config"), f"{at}.config")
    return Analysis(
        window=window,
        frame_count=frames,
        output=_text(given, "name", at) or _DEFAULT_OUTPUT,
        prompt=_text(config, "prompt", f"{at}.config"),
        model=_text(config, "model", f"{at}.config"),
        config={key: value for key, value in config.items() if key not in ("prompt", "model")},
    )


def _window(segmentation: Mapping[str, Any]) -> float:
    _only(segmentation, ("type", "window"), "segmentation")
    if segmentation.get("type", "time") != "time":
        raise AnalysisError("segmentation.type", "only 'time' is possible for streams")
    value = segmentation.get("window", _DEFAULT_WINDOW)
    seconds = _seconds(value)
    if seconds <= 0:
        problem = f"must be a length of time such as '10s', not {value!r}"
        raise AnalysisError("segmentation.window", problem)
    return seconds


def _seconds(value: object) -> float:
    """Return a length of time in seconds; 0 for what is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    return 0.0 if found is None else float(found[1]) * _UNITS[found[2]]


def _object(value: object, at: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise AnalysisError(at, "must be an object")
    return cast("Mapping[str, Any]", value)


def _only(given: Mapping[str, Any], known: Sequence[str], at: str) -> None:
    for key in given:
        if key not in known:
            raise AnalysisError(f"{at}.{key}", f"is not known here; allowed: {', '.join(known)}")


def _text(given: Mapping[str, Any], key: str, at: str) -> str | None:
    value = given.get(key)
    if value is not None and not isinstance(value, str):
        raise AnalysisError(f"{at}.{key}", "must be text")
    return value or None
