"""From what was seen in a window of frames to one English sentence and its plain facts.

Pure: detections, colours, brightness, change and words come in as values. The text claims only
what is in them. It never says that something is absent, because a detector that missed a thing
looks the same as a thing that is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

import attrs

__all__ = [
    "Box",
    "Look",
    "Sighting",
    "Tally",
    "View",
    "WindowView",
    "Words",
    "describe",
    "facts",
    "merge",
]

_PERSON = "person"
_FLICKER_FRAMES = 3  # from so many frames on, one weak sighting in one of them is a flicker
_FLICKER_SCORE = 0.5
#: What the detector takes for one another: a van is a car in one frame and a truck in the next.
_LOOK_ALIKE = (("bus", "car", "truck"), ("bicycle", "motorcycle"), ("cat", "dog"))
_SAME_PLACE = 0.6  # intersection over union
_PLAIN_CONTRAST = 0.02
_PLAIN_SHARE = 0.97
_STRONG_CONTRAST = 0.27
_MAX_COLORS = 3
_MAX_TEXT = 1000  # characters of read text in the sentence; the facts keep every line
_MAX_OUTFITS = 2

#: Upper bound of the mean brightness (0-1) and how such a picture is called.
_LIGHT = (
    (0.10, "a very dark scene"),
    (0.28, "a dark scene"),
    (0.75, "an evenly lit scene"),
    (1.01, "a bright scene"),
)
_SHADOWS = "a scene of strong light and shadow"

#: Upper bound of the changed share of the picture (0-1) and how such a change is called.
_CHANGE = (
    (0.0, "unchanged"),
    (0.03, "little change"),
    (0.25, "moderate change"),
    (0.70, "great change"),
    (1.0, "an almost entirely different picture"),
)

#: Upper bound of a box's centre across the picture (0-1) and the side that it is on.
_SIDES = ((1 / 3, "left"), (2 / 3, "centre"), (1.01, "right"))

_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)

#: Names that are not the label itself, or whose plural is not the label and an s.
_NOUNS: Mapping[str, tuple[str, str]] = {
    "bench": ("bench", "benches"),
    "bus": ("bus", "buses"),
    "couch": ("couch", "couches"),
    "hair drier": ("hair dryer", "hair dryers"),
    "knife": ("knife", "knives"),
    "mouse": ("computer mouse", "computer mice"),
    "person": ("person", "people"),
    "sandwich": ("sandwich", "sandwiches"),
    "scissors": ("pair of scissors", "pairs of scissors"),
    "sheep": ("sheep", "sheep"),
    "skis": ("pair of skis", "pairs of skis"),
    "toothbrush": ("toothbrush", "toothbrushes"),
    "tv": ("TV", "TVs"),
    "wine glass": ("wine glass", "wine glasses"),
}


@attrs.frozen(kw_only=True)
class Box:
    """Where a thing is, in fractions of the picture (0-1), from its top left corner."""

    left: float
    top: float
    right: float
    bottom: float


@attrs.frozen(kw_only=True)
class Sighting:
    """One thing that the detector found in one frame."""

    label: str
    score: float  #: 0-1
    box: Box
    wearing: str | None = None  #: the colour of a person's clothes, where it could be told


@attrs.frozen(kw_only=True)
class Look:
    """Light and colour of one frame."""

    brightness: float  #: mean, 0-1
    contrast: float  #: standard deviation of the brightness, 0-0.5
    colors: Mapping[str, float]  #: colour name -> share of the picture, 0-1


@attrs.frozen(kw_only=True)
class View:
    """What was seen in one frame."""

    look: Look
    sightings: tuple[Sighting, ...] | None  #: `None`: nobody looked for things in this frame
    change: float | None  #: share of the picture unlike the previous frame, 0-1


@attrs.frozen(kw_only=True)
class Words:
    """What is written in the picture."""

    lines: tuple[str, ...] = ()
    #: Lines that are there and were not read, for want of time; `None`: nobody has looked.
    unread: int | None = 0


@attrs.frozen(kw_only=True)
class Tally:
    """The things of one kind in a window."""

    label: str
    count: int
    score: float  #: the best single score, 0-1
    frames: int  #: how many of the frames looked at show it
    side: str | None  #: `left`, `centre` or `right`, when all of them are there
    wearing: Mapping[str, int]  #: colour -> people seen wearing it


@attrs.frozen(kw_only=True)
class WindowView:
    """What was seen in a window of frames."""

    look: Look
    tallies: tuple[Tally, ...]
    change: float | None  #: the greatest change from one frame to the next, 0-1
    words: Words
    frames: int
    looked: int  #: frames in which things were looked for


def merge(views: Sequence[View], words: Words) -> WindowView:
    """Return one view of a window from the views of its frames (at least one).

    A kind of thing is counted as the upper median of its counts in the frames that show it. The
    detector's usual mistake is to miss somebody behind somebody else, so a mean over all frames
    counts too low; its rarer mistake is a ghost in one frame, so the maximum counts too high. A
    thing that was there for one frame of many still counts, and its `frames` tells.
    """
    if not views:
        raise ValueError("a window has at least one frame")
    looked = _settle([view.sightings for view in views if view.sightings is not None])
    labels = {sighting.label for sightings in looked for sighting in sightings}
    tallies = [tally for label in labels if (tally := _tally(label, looked)) is not None]
    changes = [view.change for view in views if view.change is not None]
    return WindowView(
        look=_merge_looks([view.look for view in views]),
        tallies=tuple(sorted(tallies, key=_by_weight)),
        change=max(changes, default=None),
        words=words,
        frames=len(views),
        looked=len(looked),
    )


def describe(window: WindowView) -> str:
    """Return one English sentence that says what was seen, and nothing else."""
    parts = [
        _scene(window.look, plain=not window.tallies and not window.words.lines),
        *(_things(tally, window.looked) for tally in window.tallies),
        *_change(window.change, window.frames),
        *_reading(window.words),
    ]
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def facts(window: WindowView) -> dict[str, Any]:
    """Return the JSON-able facts behind the sentence.

    `objects` maps what was found to how many; what was not found is not in it. `people` is the
    number of people found. `brightness` and `change` are shares, 0-1.
    """
    objects = {tally.label: tally.count for tally in window.tallies}
    return {
        "objects": objects,
        "people": objects.get(_PERSON, 0),
        "sightings": [
            {
                "label": tally.label,
                "count": tally.count,
                "score": round(tally.score, 2),
                "frames": tally.frames,
                "side": tally.side,
                "wearing": dict(tally.wearing),
            }
            for tally in window.tallies
        ],
        "words": list(window.words.lines),
        "words_unread": window.words.unread,
        "brightness": round(window.look.brightness, 3),
        "contrast": round(window.look.contrast, 3),
        "colors": _main_colors(window.look.colors),
        "change": None if window.change is None else round(window.change, 4),
        "frames": window.frames,
        "frames_looked_at": window.looked,
    }


def _merge_looks(looks: Sequence[Look]) -> Look:
    names = {name for look in looks for name in look.colors}
    return Look(
        brightness=median(look.brightness for look in looks),
        contrast=median(look.contrast for look in looks),
        colors={name: fmean(look.colors.get(name, 0.0) for look in looks) for name in names},
    )


def _settle(looked: Sequence[tuple[Sighting, ...]]) -> list[tuple[Sighting, ...]]:
    """Give look-alikes that stand in one place one name, the one that the frames are surest of."""
    everything = [sighting for sightings in looked for sighting in sightings]
    return [
        tuple(attrs.evolve(each, label=_usual_label(each, everything)) for each in sightings)
        for sightings in looked
    ]


def _usual_label(sighting: Sighting, everything: Sequence[Sighting]) -> str:
    kin = next((group for group in _LOOK_ALIKE if sighting.label in group), ())
    votes: Counter[str] = Counter()
    for other in everything:
        if other.label in kin and _overlap(sighting.box, other.box) > _SAME_PLACE:
            votes[other.label] += round(other.score * 1000)
    return max(votes.items(), key=lambda item: (item[1], item[0]), default=(sighting.label, 0))[0]


def _overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    common = max(0.0, width) * max(0.0, height)
    return common / (_area(one) + _area(other) - common) if common else 0.0


def _area(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def _tally(label: str, looked: Sequence[tuple[Sighting, ...]]) -> Tally | None:
    found = [
        of_label
        for sightings in looked
        if (of_label := [sighting for sighting in sightings if sighting.label == label])
    ]
    score = max(sighting.score for sightings in found for sighting in sightings)
    if len(looked) >= _FLICKER_FRAMES and len(found) == 1 and score < _FLICKER_SCORE:
        return None
    counts = sorted(len(sightings) for sightings in found)
    count = counts[len(counts) // 2]
    # Sides and clothes come from the latest frame with just this count: mixing frames would
    # dress somebody who walks in two colours.
    shown = next(sightings for sightings in reversed(found) if len(sightings) == count)
    sides = {_side(sighting.box) for sighting in shown}
    worn = Counter(sighting.wearing for sighting in shown if sighting.wearing is not None)
    return Tally(
        label=label,
        count=count,
        score=score,
        frames=len(found),
        side=sides.pop() if len(sides) == 1 else None,
        wearing=dict(sorted(worn.items(), key=lambda item: (-item[1], item[0]))),
    )


def _by_weight(tally: Tally) -> tuple[bool, int, str]:
    return (tally.label != _PERSON, -tally.count, tally.label)


def _scene(look: Look, *, plain: bool) -> str:
    colors = _main_colors(look.colors)
    main = look.colors.get(colors[0], 0.0) if colors else 0.0
    if plain and look.contrast < _PLAIN_CONTRAST and main > _PLAIN_SHARE:
        return f"a plain {colors[0]} picture"
    light = _named(_LIGHT, look.brightness)
    if light == "an evenly lit scene" and look.contrast >= _STRONG_CONTRAST:
        light = _SHADOWS
    if not colors:
        return light
    most = "in" if len(colors) == _MAX_COLORS else "mostly"
    return f"{light}, {most} {_listed(colors)}"


def _main_colors(shares: Mapping[str, float]) -> list[str]:
    """Return the colours that make up most of the picture, the greatest first, at most three."""
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    chosen: list[str] = []
    covered = 0.0
    for name, share in ranked[:_MAX_COLORS]:
        if covered >= 0.75 or share < 0.08:  # noqa: PLR2004 - shares, read best in place
            break
        chosen.append(name)
        covered += share
    return chosen


def _things(tally: Tally, looked: int) -> str:
    text = _counted(tally.count, tally.label)
    notes: list[str] = []
    match list(tally.wearing.items())[:_MAX_OUTFITS]:
        case [(color, people)] if people == tally.count:
            text = f"{text} wearing {color}"
        case outfits:
            notes += [f"{_number(people)} wearing {color}" for color, people in outfits]
    if tally.side is not None:
        notes.append(tally.side)
    if tally.frames * 2 < looked:
        notes.append(f"in {_number(tally.frames)} of {_number(looked)} frames")
    return f"{text} ({', '.join(notes)})" if notes else text


def _change(change: float | None, frames: int) -> list[str]:
    if change is None:
        return []
    since = "since the previous frame" if frames == 1 else "from frame to frame"
    return [f"{_named(_CHANGE, change)} {since}"]


def _reading(words: Words) -> list[str]:
    text = " ".join(" ".join(words.lines).split())
    if not text:
        return []
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT].rsplit(' ', 1)[0]} …"
    return [f'text reads: "{text}"']


def _counted(count: int, label: str) -> str:
    singular, plural = _NOUNS.get(label, (label, f"{label}s"))
    return f"{_number(count)} {singular if count == 1 else plural}"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _side(box: Box) -> str:
    return _named(_SIDES, (box.left + box.right) / 2)


def _named(table: Sequence[tuple[float, str]], value: float) -> str:
    return next((name for bound, name in table if value <= bound), table[-1][1])


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
