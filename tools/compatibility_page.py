"""Writes `docs/reference/compatibility.md`: method by method, what is as in the official SDK.

    python tools/compatibility_page.py

The words about methods and about the wire are in `compatibility_words.py`; the differences in
requests, answers and sockets are those that the conformance tests make. A test holds the page
against what this gives.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import api_page  # noqa: E402 - found by the line above
import compatibility_words as words  # noqa: E402

import rtstream_async as rts  # noqa: E402
from tests.conformance import test_workflow  # noqa: E402
from tests.conformance.driver import TABLES  # noqa: E402
from tests.conformance.tables import elsewhere, http, sockets  # noqa: E402

PAGE: Final = ROOT / "docs" / "reference" / "compatibility.md"
INDEX: Final = ROOT / "tests" / "conformance" / "golden" / "index.jsonl"


def page() -> str:
    """Return the page."""
    parts = [words.HEAD, words.PORTING, *_module(), *_methods(), *_differences(), *_tables()]
    return "\n".join(parts)


def official_methods() -> dict[str, list[str]]:
    """Return the public methods of each class of the official SDK that has a place here."""
    return {
        name: sorted(
            method
            for method in dir(api_page.official(name))
            if not method.startswith("_") and callable(getattr(api_page.official(name), method))
        )
        for name in api_page.OFFICIAL
    }


def official_names() -> list[str]:
    """Return the public names of the official module."""
    return list(import_module("videodb").__all__)


def added(kind: str, method: str) -> list[str]:
    """Return the arguments of our method that the official one has not."""
    theirs = arguments_of(api_page.official(kind), method)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in theirs.values()):
        return []  # it takes them, too
    return [name for name in arguments_of(getattr(rts, kind), method) if name not in theirs]


def arguments_of(kind: type, method: str) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a method, `self` among them."""
    return inspect.signature(getattr(kind, method)).parameters


def attributes_of(kind: type) -> set[str]:
    """Return what the methods of `kind`, and of what it inherits from, set; and its properties."""
    names = {name for name in dir(kind) if isinstance(getattr(kind, name), property)}
    home = kind.__module__.partition(".")[0]
    for parent in kind.__mro__:
        if parent.__module__.partition(".")[0] == home:
            names.update(_set_by(parent))
    return {name for name in names if not name.startswith("_")}


def is_plain(kind: str, method: str) -> bool:
    """Return whether our method is neither awaited nor iterated with `async for`."""
    ours = getattr(getattr(rts, kind), method)
    given = str(inspect.signature(ours).return_annotation)
    return not (
        inspect.iscoroutinefunction(ours)
        or inspect.isasyncgenfunction(ours)
        or given.startswith("Pages[")
    )


def not_offered() -> dict[str, str]:
    """Return the reason for each `Class.method` that is not offered."""
    return {
        f"{kind}.{method}": reason
        for reason, kinds in words.NOT_OFFERED.items()
        for kind, methods in kinds.items()
        for method in methods.split()
    }


def differences() -> dict[int, str]:
    """Return the reason for each recorded row in which we differ on purpose."""
    tables: list[Mapping[int, str]] = [table.WHY for table in TABLES]
    tables += [http.WHY, sockets.WHY, elsewhere.WHY, test_workflow.WHY]
    found: dict[int, str] = {}
    for table in tables:
        found |= table
    return dict(sorted(found.items()))


def _module() -> Iterator[str]:
    yield "## Names of the module\n"
    yield words.MODULE_HEAD
    yield "| `videodb` | Here |\n|---|---|"
    for names, here in words.MODULE.items():
        shown = ", ".join(f"`{name}`" for name in names.split())
        yield f"| {shown} | {here} |"
    yield ""


def _methods() -> Iterator[str]:
    yield "## Method by method\n"
    yield words.METHODS
    for kind, methods in official_methods().items():
        yield f"### `{kind}`\n"
        yield "| Method | Here | |\n|---|---|---|"
        yield from (_row(kind, method) for method in methods)
        yield ""
        missing = words.ATTRIBUTES.get(kind, {})
        if missing:
            by_reason: dict[str, list[str]] = {}
            for name, why in missing.items():
                by_reason.setdefault(why, []).append(f"`{name}`")
            told = "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
            yield f"Attributes of the official object that are not here: {told}.\n"


def _row(kind: str, method: str) -> str:
    name = f"{kind}.{method}"
    reasons = not_offered()
    if name in reasons:
        return f"| `{method}` | not offered | {reasons[name]} |"
    told = [words.BETTER[name]] if name in words.BETTER else []
    told += ["not awaited"] if is_plain(kind, method) else []
    without, others = words.WITHOUT.get(name, ("", ""))
    for word, arguments in (("adds", added(kind, method)), ("without", without.split())):
        shown = [shown_argument(argument) for argument in arguments]
        new = [argument for argument in shown if argument not in " ".join(told)]
        told += [f"{word} {', '.join(new)}"] if new else []
    is_same = name not in words.BETTER and not without and not others
    return f"| `{method}` | {'same' if is_same else 'better'} | {'; '.join(told)} |"


def shown_argument(name: str) -> str:
    """Return an argument as the page writes it."""
    return {"args": "`*args`", "kwargs": "`**kwargs`"}.get(name, f"`{name}=`")


def _set_by(kind: type) -> Iterator[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass


def _differences() -> Iterator[str]:
    index = {
        row["row"]: row for row in map(json.loads, INDEX.read_text(encoding="utf-8").splitlines())
    }
    yield "## Differences on purpose\n"
    yield words.DIFFERENCES
    yield "| Call | Case | Here | Row |\n|---|---|---|---|"
    for number, reason in differences().items():
        call, case = index[number]["call"], index[number]["variant"].replace("|", "\\|")
        yield f"| `{call}` | {case} | {reason} | {number} |"
    yield ""
    yield "All 337 recorded exchanges are run.\n"


def _tables() -> Iterator[str]:
    yield "## Words for states\n"
    yield words.STATES_HEAD
    yield "| Of | Words | Here |\n|---|---|---|"
    yield from (f"| {of} | {said} | {here} |" for of, said, here in words.STATES)
    yield "\n## Where the sources disagree\n"
    yield words.DISAGREEMENTS_HEAD
    yield "| | About | The client accepts | The local server emits | Switch |"
    yield "|---|---|---|---|---|"
    yield from (
        f"| D{number} | {' | '.join(cells)} |"
        for number, cells in enumerate(words.DISAGREEMENTS, start=1)
    )
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
