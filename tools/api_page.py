"""Writes `docs/reference/api.md`: every public name, its methods, and which are the reference's.

    python tools/api_page.py

It needs the official SDK beside ours: what the reference has, and we have not, is told too. A test
holds the page against what this gives.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, get_args

import attrs

import rtstream_async as rts

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "api.md"

OFFICIAL: Final = {
    "Connection": "videodb.client:Connection",
    "Collection": "videodb.collection:Collection",
    "RTStream": "videodb.rtstream:RTStream",
    "RTStreamSceneIndex": "videodb.rtstream:RTStreamSceneIndex",
    "RTStreamSearchResult": "videodb.rtstream:RTStreamSearchResult",
    "RTStreamShot": "videodb.rtstream:RTStreamShot",
    "RTStreamExportResult": "videodb.rtstream:RTStreamExportResult",
    "RTStreamUnderstanding": "videodb.rtstream:RTStreamUnderstanding",
    "RTStreamIndex": "videodb.rtstream:RTStreamIndex",
    "Video": "videodb.video:Video",
    "Audio": "videodb.audio:Audio",
    "SearchResult": "videodb.search:SearchResult",
    "SearchResponse": "videodb.search:SearchResponse",
    "Shot": "videodb.shot:Shot",
    "CaptureSession": "videodb.capture_session:CaptureSession",
    "WebSocketConnection": "videodb.websocket_client:WebSocketConnection",
}
"""Ours, and whose place it takes."""

MORE: Final = ("Monitor", "Pages", "Subscription")

IN_PLACE: Final = {
    "connect_websocket": "`events()`",
    "wait_for_job": "the calls themselves, which wait",
}
"""What of the reference has another shape here."""

SAID: Final = {
    "UNSET": "An argument that was not given; `None` means null on the wire.",
    "CHANNELS": "All names of `Channel`.",
}
"""Of what can't have a docstring."""

ELSEWHERE: Final = {
    "rtstream_async.errors": "[Errors](errors.md)",
}
"""Modules whose names have a page of their own."""

_SHARED = {"get", "keys"}  # of all handles: told once
_OWN_TRANSPORT = {"get", "post", "patch", "delete", "put"}  # of the official connection

HEAD = """# Names

Every public name of `rtstream_async`. What the official SDK has too (0.5.1, the reference here)
has the same name there and the same arguments in the same order: its column says *yes*. What we add
to such a method is keyword-only.

Methods of handles are awaited, one by one, `await` in front; what gives `Pages` is awaited for one
page and iterated (`async for`) for all of them, and `events()` is iterated. Values are plain: their
methods and fields are not awaited. Every handle and every value can be read by key as well, with
`get()` and `keys()` as a dict has them.

This page is written by `python tools/api_page.py`.
"""


def page() -> str:
    """Return the page."""
    kinds = [name for name in (*OFFICIAL, *MORE) if name in rts.__all__]
    classes = [_class(name, getattr(rts, name)) for name in kinds]
    return "\n".join([HEAD, _entrance(), *classes, _values()])


def missing(name: str) -> list[str]:
    """Return the methods and properties of the official class that ours has not."""
    ours, official = getattr(rts, name), _official(name)
    if official is None:
        return []
    known = _OWN_TRANSPORT if name == "Connection" else set[str]()
    fields = {field.name for field in attrs.fields(ours)} if attrs.has(ours) else set[str]()
    known = known | fields | set(dir(ours))
    return [name for name in (*_methods(official), *_variables(official)) if name not in known]


def official(name: str) -> type:
    """Return the official class that `name` is beside."""
    kind = _official(name)
    if kind is None:
        raise KeyError(name)
    return kind


def _entrance() -> str:
    shown = ", ".join(_parameters(list(inspect.signature(rts.connect).parameters.values())))
    return f"## `connect()`\n\n{_first_line(rts.connect)}\n\n`rts.connect({shown})`\n"


def _class(name: str, kind: type) -> str:
    official = _official(name)
    lines = [f"## `{name}`", "", _first_line(kind), ""]
    rows = list(_rows(kind, official))
    if rows:
        lines += ["| Method | Reference | Gives |", "|---|---|---|", *rows, ""]
    names = sorted(_properties(kind))
    if names:
        lines += ["Properties: " + ", ".join(f"`{name}`" for name in names) + ".", ""]
    gone = missing(name)
    lines += [f"In place of `{name}`: {IN_PLACE[name]}.\n" for name in gone if name in IN_PLACE]
    without = [f"`{name}`" for name in gone if name not in IN_PLACE]
    if without:
        lines += [f"Of the reference, not here: {', '.join(without)}.", ""]
    return "\n".join(lines)


def _rows(kind: type, official: type | None) -> Iterator[str]:
    known = set(_methods(official)) if official is not None else set[str]()
    for name in _methods(kind):
        if name in _SHARED and name not in known:
            continue
        method = inspect.getattr_static(kind, name)
        method = getattr(method, "__func__", method)
        shown = _signature(name, method).replace("|", "\\|")
        said = _first_line(method).replace("|", "\\|")
        yield f"| `{shown}` | {'yes' if name in known else 'ours'} | {said} |"


def _signature(name: str, method: Callable[..., Any]) -> str:
    parameters = _parameters(list(inspect.signature(method).parameters.values())[1:])
    awaited = "await " if inspect.iscoroutinefunction(method) else ""
    return f"{awaited}{name}({', '.join(parameters)})"


def _parameters(parameters: list[inspect.Parameter]) -> Iterator[str]:
    has_star = False
    for parameter in parameters:
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL:
                has_star = True
                yield f"*{parameter.name}"
                continue
            case inspect.Parameter.VAR_KEYWORD:
                yield f"**{parameter.name}"
                continue
            case inspect.Parameter.KEYWORD_ONLY if not has_star:
                has_star = True
                yield "*"
            case _:
                pass
        default = "" if parameter.default is parameter.empty else f"={_default(parameter.default)}"
        yield parameter.name + default


def _default(value: object) -> str:
    return "{...}" if isinstance(value, dict) and value else repr(value).replace("'", '"')


def _values() -> str:
    lines = ["## Values", "", "| Name | What it is | Fields |", "|---|---|---|"]
    told = {*OFFICIAL, *MORE, "connect"} - {"RTStreamExportResult"}
    homes: dict[str, list[str]] = {}
    for name in rts.__all__:
        value = getattr(rts, name)
        home = getattr(value, "__module__", "")
        if home in ELSEWHERE:
            homes.setdefault(home, []).append(name)
        elif name not in told:
            said = SAID.get(name) or _first_line(value)
            lines.append(f"| `{name}` | {said} | {_fields(value)} |")
    for home, names in homes.items():
        listed = ", ".join(f"`{name}`" for name in names)
        lines += ["", f"{ELSEWHERE[home]}: {listed}."]
    return "\n".join([*lines, ""])


def _fields(value: object) -> str:
    if not isinstance(value, type) or not attrs.has(value):
        return ""
    fields = (field.name for field in attrs.fields(value))
    return ", ".join(f"`{name}`" for name in fields if not name.startswith("_"))


def _methods(kind: type) -> list[str]:
    return [
        name
        for name in dir(kind)
        if not name.startswith("_")
        and inspect.isroutine(method := inspect.getattr_static(kind, name))
        and not getattr(method, "__module__", "").startswith(("_", "collections"))
    ]


def _variables(official: type) -> list[str]:
    """Return the instance variables that the official class documents."""
    return re.findall(r":ivar [^:]*?(\w+):", official.__doc__ or "")


def _properties(kind: type) -> list[str]:
    return [
        name
        for name in dir(kind)
        if not name.startswith("_") and isinstance(inspect.getattr_static(kind, name), property)
    ]


def _official(name: str) -> type | None:
    if name not in OFFICIAL:
        return None
    home, _, official = OFFICIAL[name].partition(":")
    kind: type = getattr(import_module(home), official)
    return kind


def _first_line(thing: object) -> str:
    if words := get_args(thing):
        return "One of " + ", ".join(f"`{word}`" for word in words) + "."
    if not isinstance(thing, type) and not callable(thing):
        return ""
    text = inspect.getdoc(thing) or ""
    return " ".join(text.partition("\n\n")[0].split()).rstrip(":")


if __name__ == "__main__":
    PAGE.write_text(page())
